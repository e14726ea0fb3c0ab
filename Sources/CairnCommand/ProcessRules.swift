import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// How the process behaves towards the machine, before it does anything else.
enum ProcessRules {
  /// No memory image on a crash, and files that only their owner can read.
  static func apply() {
    umask(0o077)
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if os(Linux)
      _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
      refuseDumps()
    #else
      _ = unsafe setrlimit(RLIMIT_CORE, &none)
    #endif
  }

  #if os(Linux)
    /// A limit of 0 does not stop a kernel that pipes its dumps to a program; this does, and it
    /// also keeps other processes of the same user from reading the memory.
    ///
    /// `prctl` is variadic in C, which Swift does not import; every argument is a register's width,
    /// so it is called by its symbol.
    private static func refuseDumps() {
      typealias Control = @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt
      guard let symbol = unsafe dlsym(nil, "prctl") else { return }
      let control = unsafe unsafeBitCast(symbol, to: Control.self)
      // PR_SET_DUMPABLE, of linux/prctl.h.
      _ = control(4, 0, 0, 0, 0)
    }
  #endif

  /// Bytes that are the same as long as the machine is.
  static var machine: [UInt8] {
    if let id = FileManager.default.contents(atPath: "/etc/machine-id"), !id.isEmpty {
      return [UInt8](id.prefix(64))
    }
    return Array(ProcessInfo.processInfo.hostName.utf8)
  }

  /// Seconds since 1970.
  static func now() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970)) }
}
