#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The names in a folder: here only, since a name is easily read past its end. A record of `readdir`
/// is as long as its name, while the type that stands for it has room for the longest one; a copy of
/// that field reads what lies behind the record, which may be no memory at all.
package enum FolderNames {
  /// Gives `body` each name but `.` and `..`, in no particular order, as the bytes that the file
  /// system holds, until it answers false.
  ///
  /// - Parameter folder: the open folder's descriptor; closed at the end, whatever happens.
  /// - Returns: 0, or the system's error; then there may be more names than `body` saw.
  package static func each(in folder: Int32, _ body: ([UInt8]) -> Bool) -> Int32 {
    guard let stream = unsafe fdopendir(folder) else {
      let error = errno
      close(folder)
      return error
    }
    defer { unsafe closedir(stream) }
    while true {
      errno = 0
      guard let record = unsafe readdir(stream) else { return errno }
      let name = unsafe name(in: record)
      if name != [dot], name != [dot, dot], !body(name) { return 0 }
    }
  }

  private static let dot = UInt8(ascii: ".")

  private static func name(in record: UnsafeMutablePointer<dirent>) -> [UInt8] {
    let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
    let start = unsafe UnsafeRawPointer(record) + offset
    let length = unsafe strlen(start.assumingMemoryBound(to: CChar.self))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: length))
  }
}
