import Cryptography
import Foundation
import Support
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Where a campaign works: the recorded folder, and beside it what is none of the program's business.
struct Workshop {
  let path: String

  /// What is recorded: vaults, mailboxes, and what commands write for their users.
  var world: String { path + "/world" }
  var inputs: String { path + "/inputs" }

  init(_ name: String) throws {
    let memory = "/dev/shm"
    let place =
      FileManager.default.isWritableFile(atPath: memory)
      ? memory : FileManager.default.temporaryDirectory.path
    path = "\(place)/cairn-\(name)-\(getpid())-\(UUID().uuidString.prefix(8))"
    try Tree.make(world)
    try Tree.make(inputs)
    try Tree.make(Self.kept(for: world))
    try Tree.write(Array((Self.passphrase + "\n").utf8), to: inputs + "/passphrase")
  }

  static let passphrase = "marked-passphrase-7301 correct horse battery"

  /// The folder for second names of files in this workshop: at its top, beside the world.
  static func kept(for path: String) -> String {
    String(path[..<(path.range(of: "/world")?.lowerBound ?? path.endIndex)]) + "/kept"
  }

  func remove() throws { try FileManager.default.removeItem(atPath: path) }

  func input(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Tree.write(bytes, to: inputs + "/" + name)
    return inputs + "/" + name
  }
}

/// Few operations on folders, without locks or attributes.
enum Tree {
  static func make(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  static func remove(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    try FileManager.default.removeItem(atPath: path)
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func copy(_ from: String, to: String) throws {
    try remove(to)
    try FileManager.default.copyItem(atPath: from, toPath: to)
  }

  static func read(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  /// Over what is there, so that the file stays the same one.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(file, buffer.baseAddress! + written, buffer.count - written)
      }
      guard put > 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
      written += put
    }
  }

  static func inode(_ path: String) -> Int64? { status(path).map { Int64($0.st_ino) } }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status : nil
  }

  /// All files below a folder, by their paths from there; folders end with a slash.
  static func names(below path: String) throws -> [String] {
    guard exists(path) else { return [] }
    return try FileManager.default.subpathsOfDirectory(atPath: path).map { name in
      let isFolder = status(path + "/" + name).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
      return isFolder ? name + "/" : name
    }.sorted()
  }

  static func files(below path: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try names(below: path) where !name.hasSuffix("/") {
      files[name] = try read(path + "/" + name)
    }
    return files
  }
}

/// A run of the real program.
struct Run {
  /// -1: a signal ended it.
  let status: Int32
  let output: [UInt8]
  let errors: String
  var text: String { String(decoding: output, as: UTF8.self) }

  var wasKilled: Bool { status == -1 }
  /// The one object of a command with --json.
  func json() throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any]
    else { throw Unexpected("no object: \(text) \(errors)") }
    return object
  }

  func field(_ name: String) throws -> String {
    guard let value = try json()[name] as? String else {
      throw Unexpected("no \(name) in \(text) \(errors)")
    }
    return value
  }
}

extension Run {
  /// The ids of what `add --json` says is saved.
  func savedIDs() throws -> [String] {
    guard let saved = try json()["saved"] as? [[String: Any]] else {
      throw Unexpected("nothing saved in \(text) \(errors)")
    }
    return saved.compactMap { $0["id"] as? String }
  }
}

/// Something that must not be.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Somebody with a vault in a workshop.
struct Person {
  let name: String
  let workshop: Workshop

  /// In folders that are not there before either.
  var vault: String { workshop.world + "/" + name + "/of/vault" }
  var kitFile: String { workshop.world + "/" + name + ".kit" }

  /// What a run is put through.
  struct Trial {
    var trace: String?
    var fault: String?
    var killAfter: Duration?
    var through: [String] = []
    init(trace: String? = nil, fault: String? = nil, killAfter: Duration? = nil) {
      self.trace = trace
      self.fault = fault
      self.killAfter = killAfter
    }
  }

  /// Runs a command on this vault.
  func cairn(_ arguments: [String], _ trial: Trial = Trial()) throws -> Run {
    var environment = [
      "PATH": "/usr/bin:/bin", "HOME": workshop.path, "LANG": "C.UTF-8",
      "TMPDIR": workshop.path + "/tmp",
    ]
    if trial.trace != nil || trial.fault != nil {
      environment["LD_PRELOAD"] = Program.recorder
      environment["CAIRN_RECORD_BELOW"] = workshop.world
      environment["CAIRN_RECORD_TO"] = trial.trace
      environment["CAIRN_FAULT"] = trial.fault
    }
    let output = workshop.path + "/output-\(name)"
    let errors = workshop.path + "/errors-\(name)"
    try Tree.write([], to: output)
    try Tree.write([], to: errors)
    guard let written = FileHandle(forWritingAtPath: output),
      let told = FileHandle(forWritingAtPath: errors)
    else { throw Unexpected("no file for the output") }
    let child = try ChildProcess(
      trial.through + [Program.cairn] + arguments
        + ["--vault", vault, "--passphrase-file", workshop.inputs + "/passphrase", "--no-input"],
      in: workshop.path, environment: environment, output: written.fileDescriptor,
      errors: told.fileDescriptor)
    withExtendedLifetime((written, told)) {}
    if let limit = trial.killAfter {
      let parts = limit.components
      usleep(UInt32(parts.seconds) * 1_000_000 + UInt32(parts.attoseconds / 1_000_000_000_000))
      child.send(SIGKILL)
    }
    let status = child.wait()
    return Run(
      status: status, output: try Tree.read(output),
      errors: String(decoding: try Tree.read(errors), as: UTF8.self))
  }

  /// Runs a command that has to succeed.
  @discardableResult
  func done(_ arguments: String..., trial: Trial = Trial()) throws -> Run {
    let run = try cairn(arguments, trial)
    guard run.status == 0 else {
      throw Unexpected("\(arguments): \(run.status) \(run.text) \(run.errors)")
    }
    return run
  }

  /// A vault as `cairn init` makes it, at the least cost of its passphrase: most of each run would be that.
  func makeVault() async throws {
    let kit = try RecoveryKit.make()
    let made = try OpenVault.create(
      at: vault, passphrase: try locked(Workshop.passphrase), kit: kit, cost: .least,
      surroundings: Vaults.surroundings)
    try await made.close()
    let words = kit.words.enumerated().map { "\($0.offset + 1)  \($0.element)\n" }
    try Tree.write(Array(words.joined().utf8), to: kitFile)
  }
}

/// The programs, beside this one.
enum Program {
  static let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
  private static let folder = URL(filePath: own).deletingLastPathComponent().path
  static let cairn = folder + "/cairn"
  static let recorder = folder + "/libcairn-recorder.so"
}

/// Bytes that no compressor shortens and that are the same in each run.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SplitMix64(seed)
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + 8)
  while bytes.count < count {
    let number = random.next()
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
    }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}
