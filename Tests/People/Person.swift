import Cryptography
package import Foundation
package import Support
package import Vault

/// Somebody with a folder, a vault in it and a passphrase in a file.
package struct Person: Sendable {
  package static let passphrase = "correct horse battery staple"

  package let folder: TemporaryFolder
  package var vault: String { folder.path + "/vault" }
  package var passphraseFile: String { folder.path + "/passphrase" }
  package var environment: [String: String]

  package init(hasVault: Bool = true) async throws {
    folder = try TemporaryFolder()
    environment = [
      "PATH": "/usr/bin:/bin", "HOME": folder.path, "TERM": "xterm", "LANG": "C.UTF-8",
      "XDG_DATA_HOME": folder.path + "/data",
    ]
    _ = try folder.file("passphrase", Array((Self.passphrase + "\n").utf8))
    if hasVault { try await makeVault() }
  }

  /// A vault as `cairn init` makes it, with its words in the file `kit`, at the least cost of its passphrase:
  /// most of each run would be that. `cairn init` itself is looked at in `SetUpTests`.
  private func makeVault() async throws {
    let kit = try RecoveryKit.make()
    let made = try OpenVault.create(
      at: vault, passphrase: try locked(Self.passphrase), kit: kit, cost: .least,
      surroundings: Self.surroundings)
    try await made.close()
    let lines = kit.words.enumerated().map { number, word in
      (number < 9 ? " " : "") + "\(number + 1)  \(word)\n"
    }
    let check = "# Check: \(try kit.check()).\n"
    _ = try folder.file("kit", Array((lines.joined() + check).utf8))
  }

  /// The program's own.
  package static let surroundings = Surroundings(
    now: { UInt64(max(0, Date().timeIntervalSince1970)) },
    machine: FileManager.default.contents(atPath: "/etc/machine-id").flatMap {
      $0.isEmpty ? nil : Array($0.prefix(64))
    } ?? Array(ProcessInfo.processInfo.hostName.utf8))

  package func path(_ name: String) -> String { folder.path + "/" + name }

  /// Runs a command on the vault, without a terminal.
  @discardableResult
  package func cairn(
    _ arguments: String..., input: [UInt8]? = nil, passphraseFile: String? = nil
  ) async throws -> Finished {
    try await run(
      arguments + ["--vault", vault, "--passphrase-file", passphraseFile ?? self.passphraseFile],
      input: input)
  }

  /// Runs the program with these arguments and nothing else.
  package func run(_ arguments: [String], input: [UInt8]? = nil) async throws -> Finished {
    var handle: FileHandle?
    if let input {
      handle = FileHandle(forReadingAtPath: try folder.file("input-\(UUID().uuidString)", input))
    }
    return try await start(arguments, input: handle).finish()
  }

  /// - Parameters:
  ///   - through: a program that runs it, with its arguments.
  ///   - errors: where standard error goes, if not into what is finished.
  ///   - program: by name, if not `cairn`.
  package func start(
    _ arguments: [String], input: FileHandle? = nil, through: [String] = [],
    errors: FileHandle? = nil, program: String = "cairn"
  ) throws -> Running {
    try Running(
      through + [Program.path(of: program)] + arguments, in: folder.path, environment: environment,
      input: input, errors: errors)
  }

  /// As `start`, with vault and passphrase named.
  package func begin(_ arguments: String..., input: FileHandle? = nil) throws -> Running {
    try start(arguments + ["--vault", vault, "--passphrase-file", passphraseFile], input: input)
  }

  // MARK: - What is there afterwards

  package func entries(inCase name: String? = nil) async throws -> [[String: Any]] {
    var arguments = ["list", "--json", "--vault", vault, "--passphrase-file", passphraseFile]
    if let name { arguments += ["--case", name] }
    let listed = try await run(arguments)
    guard listed.status == 0 else { throw Failed(told: listed.all) }
    return try listed.json()["entries"] as? [[String: Any]] ?? []
  }

  /// Files that a write leaves only while it lasts.
  package func temporaryFiles() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: vault + "/blobs/tmp")
  }

  /// Attachments on the disk, without those within the database.
  package func blobFiles() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: vault + "/blobs").filter {
      $0.split(separator: "/").last.map { $0.count > 40 } ?? false
    }
  }

  /// A command that only prepares a test did not do what it should.
  package struct Failed: Error { package let told: String }
}

/// Why a vault does not open; nil if it does.
package func refusal(_ body: () throws -> OpenVault) throws -> VaultError.Code? {
  do {
    _ = try body()
    return nil
  } catch let error as VaultError {
    return error.code
  }
}

/// A large file that takes no room: zeros that the file system makes up.
package func makeSparseFile(_ path: String, byteCount: UInt64) throws {
  guard FileManager.default.createFile(atPath: path, contents: nil) else {
    throw CocoaError(.fileWriteUnknown)
  }
  let handle = try FileHandle(forWritingTo: URL(filePath: path))
  try handle.truncate(atOffset: byteCount)
  try handle.close()
}

/// Waits until something is so, for half a minute at most.
package func eventually(_ condition: () throws -> Bool) async throws -> Bool {
  for _ in 0..<3000 {
    if try condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return false
}
