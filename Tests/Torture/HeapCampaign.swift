import CaseLog
import Cryptography
import Foundation
import Support
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// What is left in a process's memory when it has closed a vault: read from outside, from all its writable memory.
struct HeapCampaign {
  struct Figures {
    var bytesSearched = 0
    var secretsSearched = 0
    var failures: [String] = []
    /// Texts of entries that are still there: ordinary memory is not zeroed.
    var textsLeft = 0
  }

  static let text = "marked-heap-text-6001 of an entry"

  /// The process that is looked into: opens, uses and closes a vault twice, says so, and waits.
  static func use(_ vault: String, passphraseFile: String, kitFile: String) async throws {
    do {
      let passphrase = try locked(readingLine: passphraseFile)
      let open = try OpenVault(
        opening: vault, passphrase: passphrase, surroundings: Vaults.surroundings)
      var content = EntryContent()
      content.words = text
      let outcome = try await open.add([NewEntry(content: content)], toCase: nil)
      guard outcome.failure == nil else { throw Unexpected("nothing was added") }
      _ = try await Shown(open)
      _ = try await open.check()
      // While it is open, the searcher has to find the keys: else it would find nothing ever.
      say("open")
      _ = readLine()
      try await open.close()
    }
    say("closed")
    _ = readLine()
  }

  /// The first line of a file, without a copy in ordinary memory.
  private static func locked(readingLine path: String) throws -> LockedBytes {
    let file = unsafe Glibc.open(path, O_RDONLY)
    defer { close(file) }
    var size = stat()
    guard file >= 0, unsafe fstat(file, &size) == 0 else { throw Unexpected("no \(path)") }
    return try LockedBytes(count: Int(size.st_size) - 1) { (span) throws(CryptographyError) in
      let got = unsafe span.withUnsafeMutableBytes { bytes in
        unsafe Glibc.read(file, bytes.baseAddress, bytes.count)
      }
      guard got > 0 else { throw .invalidLength }
    }
  }

  private let workshop: Workshop
  private let person: Person

  init() throws {
    workshop = try Workshop("heap")
    person = Person(name: "vault", workshop: workshop)
    try person.makeVault()
  }

  func run() throws -> Figures {
    var figures = Figures()
    let secrets = try secrets()
    figures.secretsSearched = secrets.count
    let input = Pipe()
    let output = Pipe()
    let child = try ChildProcess(
      [
        "/proc/self/exe".resolved, "heap", "--vault", person.vault, "--passphrase-file",
        workshop.inputs + "/passphrase", "--kit-file", person.kitFile,
      ], input: input.fileHandleForReading.fileDescriptor,
      output: output.fileHandleForWriting.fileDescriptor, errors: 2)
    try output.fileHandleForWriting.close()
    defer {
      child.send(SIGKILL)
      _ = child.wait()
    }
    try expect("open", from: output)
    let id = child.id
    let whileOpen = try search(id, for: secrets, &figures)
    guard whileOpen.contains("the database’s key") else {
      throw Unexpected("the searcher finds no key in an open vault: it would find none ever")
    }
    if whileOpen.contains("passphrase") {
      figures.failures.append("the passphrase stays while it is open")
    }
    if whileOpen.contains("master key") {
      figures.failures.append("the master key stays while it is open")
    }
    input.fileHandleForWriting.write(Data("\n".utf8))
    try expect("closed", from: output)
    for what in try search(id, for: secrets, &figures).sorted() {
      if what == "text" {
        figures.textsLeft += 1
      } else {
        figures.failures.append("\(what) is in memory after the vault was closed")
      }
    }
    try workshop.remove()
    return figures
  }

  private func expect(_ word: String, from pipe: Pipe) throws {
    let said = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    guard said.hasPrefix(word) else { throw Unexpected("it says “\(said)”, not “\(word)”") }
  }

  /// From the keys file, by the passphrase, as `Protocol/VaultFiles.md` says.
  private func secrets() throws -> [String: [UInt8]] {
    let file = try Tree.read(person.vault + "/keys")
    let passphrase = try Vaults.locked(Workshop.passphrase)
    let key = try passphrase.withBytes { (bytes) throws(CryptographyError) in
      try Array(file[36..<52]).withBytes { (salt) throws(CryptographyError) in
        try Argon2id.derive(passphrase: bytes, salt: salt, memoryKiB: 65_536, passes: 3)
      }
    }
    for lock in 0..<8 {
      let start = 64 + lock * 500
      guard let nonce = Nonce24(Array(file[start..<(start + 24)])) else { continue }
      let associated = Domain.keysFile.bytes + Array(file[0..<64])
      let master: SecretKey
      do {
        master = try Self.open(Array(file[(start + 24)..<(start + 72)]), key, nonce, associated)
      } catch { continue }
      let words = try Vaults.kit(person.kitFile).words
      return [
        "passphrase": Array(Workshop.passphrase.utf8), "passphrase key": Self.bytes(key),
        "master key": Self.bytes(master),
        "the database’s key": Self.bytes(master.derive(.databasePages)),
        "the anchor’s key": Self.bytes(master.derive(.anchor)),
        "the key of case keys": Self.bytes(master.derive(.caseKeys)),
        "words of the kit": Array(words[0..<3].joined(separator: " ").utf8),
        "text": Array(Self.text.utf8),
      ]
    }
    throw Unexpected("no lock opens")
  }

  private static func open(
    _ sealed: [UInt8], _ key: borrowing SecretKey, _ nonce: Nonce24, _ associated: [UInt8]
  ) throws(CryptographyError) -> SecretKey {
    try AEAD.openKey(sealed, key: key, nonce: nonce, associatedData: associated)
  }

  private static func bytes(_ key: borrowing SecretKey) -> [UInt8] {
    key.withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
  }

  /// Which of them are anywhere in the writable memory of a process.
  private func search(
    _ process: Int32, for secrets: [String: [UInt8]], _ figures: inout Figures
  ) throws -> Set<String> {
    let maps = String(decoding: try Tree.read("/proc/\(process)/maps"), as: UTF8.self)
    let memory = unsafe Glibc.open("/proc/\(process)/mem", O_RDONLY)
    guard memory >= 0 else { throw Unexpected("its memory cannot be read: \(errno)") }
    defer { close(memory) }
    var found: Set<String> = []
    for line in maps.split(separator: "\n") {
      let parts = line.split(separator: " ")
      let bounds = parts[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      // Guarded memory cannot be read by its own process; from outside it can.
      guard bounds.count == 2, !line.contains("[v"), line.contains("w") || !line.contains("/")
      else { continue }
      let bytes = Self.read(memory, from: bounds[0], to: bounds[1])
      figures.bytesSearched += bytes.count
      for (what, secret) in secrets where PlaintextCampaign.contains(bytes, secret) {
        found.insert(what)
      }
    }
    return found
  }

  private static func read(_ memory: Int32, from start: UInt64, to end: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(end - start))
    var filled = 0
    while filled < bytes.count {
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(
          memory, buffer.baseAddress! + filled, min(buffer.count - filled, 1 << 20),
          off_t(start) + off_t(filled))
      }
      if got <= 0 { break }
      filled += got
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }
}

extension String {
  fileprivate var resolved: String { URL(filePath: self).resolvingSymlinksInPath().path }
}
