import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing

@testable import Vault

/// Row 41, and what else must be told apart when a vault does not open.
@Suite struct LockTests {
  private func overwrite(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    change(&bytes)
    try Data(bytes).write(to: URL(filePath: path))
  }

  private func closedVault() async throws -> VaultFixture {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add([words("kept")], toCase: nil)
    try await vault.close()
    return fixture
  }

  @Test func `what is wrong with a vault is told apart, and only the attempt is written`()
    async throws
  {
    let fixture = try await closedVault()
    let before = try fixture.folder.allFiles()
    #expect(try refusal { try fixture.open("wrong") } == .wrongPassphrase)
    #expect(try refusal { try fixture.open("") } == .wrongPassphrase)
    #expect(try refusal { try fixture.open(kit: try RecoveryKit.make()) } == .kitMismatch)
    let after = try fixture.folder.allFiles()
    #expect(Set(after.keys) == Set(before.keys))
    #expect(after.filter { before[$0.key] != $0.value }.map(\.key) == ["vault/attempts"])
    #expect(OpeningAttempts(ofVaultAt: fixture.path).failures == 3)

    let missing = try VaultFixture()
    #expect(try refusal { try missing.open() } == .noVault)
    try FileManager.default.createDirectory(
      atPath: missing.path, withIntermediateDirectories: false)
    #expect(try refusal { try missing.open() } == .noVault)
    _ = try missing.folder.file("vault/letter.txt", [1])
    #expect(try refusal { try missing.open() } == .notAVault)
    let file = try VaultFixture()
    _ = try file.folder.file("vault", [1])
    #expect(try refusal { try file.open() } == .notAVault)
  }

  @Test func `one damaged or missing keys file is made up for by the other`() async throws {
    for damage in ["", "x"] {
      let fixture = try await closedVault()
      if damage.isEmpty {
        try FileManager.default.removeItem(atPath: fixture.path + "/keys")
      } else {
        try overwrite(fixture.path + "/keys") { $0[100] ^= 1 }
      }
      let vault = try fixture.open()
      #expect(await vault.locks == .madeAgain)
      let check = try await vault.check()
      #expect(check.findings == [.locks(.madeAgain)])
      try await vault.close()
      for name in ["keys", "keys.bak"] { try overwrite(fixture.path + "/" + name) { $0[100] ^= 1 } }
      #expect(try refusal { try fixture.open() } == .keysDamaged)
    }
    let fixture = try await closedVault()
    try FileManager.default.removeItem(atPath: fixture.path + "/keys")
    try FileManager.default.removeItem(atPath: fixture.path + "/keys.bak")
    #expect(try refusal { try fixture.open() } == .keysMissing)
  }

  @Test func `no byte of the keys file can be changed without notice`() async throws {
    let fixture = try await closedVault()
    let bytes = try Data(contentsOf: URL(filePath: fixture.path + "/keys"))
    for index in bytes.indices {
      var changed = [UInt8](bytes)
      changed[index] ^= 0x40
      #expect(throws: VaultError(.keysDamaged)) { try KeysFile(decoding: changed) }
    }
    #expect(throws: VaultError(.keysDamaged)) {
      try KeysFile(decoding: [UInt8](bytes.dropLast()))
    }
  }

  @Test func `a keys file that asks for too much work is refused before the work`() throws {
    let passphrase = Array("p".utf8)
    let file = try passphrase.withBytes { (bytes) throws(VaultError) in
      try KeysFile(
        master: SecretKey.random(), passphrase: bytes, kit: BoxKeyPair().publicKey, cost: .light,
        vaultID: [UInt8](repeating: 1, count: 16))
    }
    let demands: [(Int, [UInt8])] = [
      (12, [0xff, 0xff, 0xff, 0xff]), (16, [0, 0, 0, 21]), (12, [0, 0, 0, 1]),
    ]
    for (offset, value) in demands {
      let bytes = resealed(file.bytes) { $0.replaceSubrange(offset..<offset + 4, with: value) }
      #expect(throws: VaultError(.keysDamaged)) { try KeysFile(decoding: bytes) }
    }
  }

  @Test func `the kit opens the vault, and another kit does not`() async throws {
    let fixture = try VaultFixture()
    let kit = try RecoveryKit.make()
    let vault = try await fixture.create(kit: kit)
    try await vault.close()
    let file = try KeysFile(
      decoding: [UInt8](try Data(contentsOf: URL(filePath: fixture.path + "/keys"))))
    let typed = Array(kit.words.joined(separator: " ").utf8)
    let again = try typed.withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
    let byKit = try file.unlock(kit: try again.keyPair())
    let byPassphrase = try Array(VaultFixture.passphrase.utf8).withBytes {
      (bytes) throws(VaultError) in
      try file.unlock(passphrase: bytes)
    }
    let isSame = byKit.isEqual(to: byPassphrase)
    #expect(isSame)
    #expect(throws: VaultError(.kitMismatch)) {
      _ = try file.unlock(kit: try RecoveryKit.make().keyPair())
    }
  }

  @Test func `the kit opens the vault instead of the passphrase, by the same checks`() async throws
  {
    let fixture = try VaultFixture()
    let kit = try RecoveryKit.make()
    let vault = try await fixture.create(kit: kit)
    _ = try await vault.add([words("kept")], toCase: nil)
    #expect(try refusal { try fixture.open(kit: kit) } == .inUse)
    try await vault.close()
    #expect(try refusal { try fixture.open(kit: try RecoveryKit.make()) } == .kitMismatch)
    let opened = try fixture.open(kit: kit)
    #expect(await opened.standing == .sound)
    #expect(try await opened.entries(ofCase: nil).count == 1)
    _ = try await opened.add([words("more")], toCase: nil)
    try await opened.close()
    try overwrite(fixture.path + "/keys") { $0[100] ^= 1 }
    let second = try fixture.open(kit: kit)
    #expect(await second.locks == .madeAgain)
    try await second.close()
    #expect(try refusal { try VaultFixture().open(kit: kit) } == .noVault)
  }

  @Test func `a database of another vault, and an empty one, are no vault of these keys`()
    async throws
  {
    let fixture = try await closedVault()
    let own = try Data(contentsOf: URL(filePath: fixture.path + "/vault.db"))
    let other = try await closedVault()
    let foreign = try Data(contentsOf: URL(filePath: other.path + "/vault.db"))
    for (bytes, expected) in [
      (foreign, VaultError.Code.databaseOfAnother), (Data(count: own.count), .databaseOfAnother),
      (Data(), .databaseDamaged), (own.prefix(3000), .databaseDamaged),
    ] {
      try bytes.write(to: URL(filePath: fixture.path + "/vault.db"))
      let before = try fixture.folder.allFiles()
      #expect(try refusal { try fixture.open() } == expected)
      #expect(try fixture.folder.allFiles() == before)
    }
    var broken = own
    broken[10] ^= 1
    try broken.write(to: URL(filePath: fixture.path + "/vault.db"))
    #expect(try refusal { try fixture.open() } == .databaseDamaged)
    try own.write(to: URL(filePath: fixture.path + "/vault.db"))
    try await fixture.open().close()
  }

  @Test func `a vault in use is not opened twice, nor made anew`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    #expect(try refusal { try fixture.open() } == .inUse)
    await #expect(throws: VaultError(.vaultExists)) { try await fixture.create() }
    try await vault.close()
    try await fixture.open().close()
  }

  /// As a child process does for a moment, between its beginning and its own program.
  @Test func `a vault that was closed is free, also while its descriptors live on elsewhere`()
    async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let copies = try OpenDescriptors.copies(of: fixture.path)
    defer { for copy in copies { close(copy) } }
    #expect(!copies.isEmpty)
    try await vault.close()
    try await fixture.open().close()
  }

  /// Row 44: a copied or restored vault may be read, and signs nothing.
  @Test func `a copy signs nothing`() async throws {
    let fixture = try await closedVault()
    let copy = try VaultFixture()
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy.path)
    let opened = try copy.open()
    #expect(await opened.standing == .copied)
    #expect(try await opened.entries(ofCase: nil).count == 1)
    await #expect(throws: VaultError(.copied)) { try await opened.add([words("no")], toCase: nil) }
    await #expect(throws: VaultError(.copied)) { try await opened.makeCard() }
    try await opened.close()

    let elsewhere = try OpenVault(
      opening: fixture.path, passphrase: try locked(VaultFixture.passphrase),
      surroundings: Surroundings(now: { 1 }, machine: Array("another machine".utf8)))
    #expect(await elsewhere.standing == .copied)
    try await elsewhere.close()
    let home = try fixture.open()
    #expect(await home.standing == .sound)
    try await home.close()
  }

  /// Row 22: an older database under a newer anchor.
  @Test func `a database that was put back is noticed at once`() async throws {
    let fixture = try await closedVault()
    let older = try Data(contentsOf: URL(filePath: fixture.path + "/vault.db"))
    let vault = try fixture.open()
    _ = try await vault.add([words("later")], toCase: nil)
    try await vault.close()
    try fixture.putBack(older)
    let again = try fixture.open()
    #expect(await again.standing == .rolledBack)
    await #expect(throws: VaultError(.rolledBack)) {
      try await again.add([words("no")], toCase: nil)
    }
    let check = try await again.check()
    #expect(check.findings.contains(.rolledBack))
    try await again.close()
  }

  @Test func `nothing of what is kept stands on the disk in the clear`() async throws {
    let marker = "MARKER-7f3a-of-evidence"
    let shared = try await SharedCase(before: [words(marker)])
    let file = try shared.survivor.folder.file(
      marker + ".txt", Array(String(repeating: marker, count: 20_000).utf8))
    var content = EntryContent()
    content.url = "https://example.org/" + marker
    _ = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: content)], toCase: nil)
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    try FileManager.default.removeItem(atPath: file)
    let places = [shared.survivor.folder, shared.advocate.folder, shared.mailbox]
    for place in places {
      for (name, bytes) in try place.allFiles() {
        #expect(!name.contains("MARKER"))
        #expect(Data(bytes).range(of: Data(marker.utf8)) == nil, "\(name)")
        #expect(Data(bytes).range(of: Data("SQLite format".utf8)) == nil, "\(name)")
        #expect(Data(bytes).range(of: Data(VaultFixture.passphrase.utf8)) == nil, "\(name)")
      }
    }
  }

  @Test func `a file that cannot be kept leaves nothing behind`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let good = try fixture.folder.file("good.png", noise(100_000, seed: 1))
    let empty = try fixture.folder.file("empty.png", [])
    let cases: [(String, VaultError.Code)] = [
      (empty, .fileEmpty), (fixture.folder.path + "/none", .fileMissing),
      (fixture.folder.path, .notAFile),
    ]
    for (path, code) in cases {
      let outcome = try await vault.add(
        [
          NewEntry(source: .file(path: good), content: EntryContent()),
          NewEntry(source: .file(path: path), content: EntryContent()),
        ], toCase: nil)
      #expect(outcome.saved.count == 1)
      #expect(outcome.failure?.index == 1)
      #expect(outcome.failure?.error.code == code)
    }
    let big = try fixture.folder.file("big.png", noise(5_000_000, seed: 2))
    var calls = 0
    let stopped = try await vault.addStopping(big, after: 1, &calls)
    #expect(stopped.failure?.error.code == .cancelled)
    #expect(stopped.saved.isEmpty)
    let check = try await vault.check()
    #expect(check.findings == [])
    #expect(check.fileCount == 3)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/blobs/tmp") == [])
  }

  @Test func `a file that changes while it is read is not kept`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    // Long enough that it is not over when the first progress is told.
    let path = try fixture.folder.file("live.log", noise(1000, seed: 4))
    try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 96 << 20)
    let outcome = try await vault.addWhile(path) {
      let handle = try FileHandle(forWritingTo: URL(filePath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data([1, 2, 3]))
      try handle.close()
    }
    #expect(outcome.failure?.error.code == .fileChanged)
    #expect(try await vault.entries(ofCase: nil).isEmpty)
  }
}

extension OpenVault {
  /// Adds a file and stops at the `count`th report of progress, as Ctrl-C does.
  func addStopping(_ path: String, after count: Int, _ calls: inout Int) throws -> AddOutcome {
    var seen = 0
    defer { calls = seen }
    return try add(
      [NewEntry(source: .file(path: path), content: EntryContent())], toCase: nil,
      onBytes: { (_) throws(VaultError) in
        seen += 1
        if seen >= count { throw VaultError(.cancelled) }
      })
  }

  /// Adds a file to which something is done after its first piece was read.
  func addWhile(_ path: String, _ body: () throws -> Void) throws -> AddOutcome {
    var isDone = false
    return try add(
      [NewEntry(source: .file(path: path), content: EntryContent())], toCase: nil,
      onBytes: { (_) throws(VaultError) in
        guard !isDone else { return }
        isDone = true
        do { try body() } catch { throw VaultError(.inputOutput) }
      })
  }
}

/// Descriptors of this process, as Linux lists them.
private enum OpenDescriptors {
  static func copies(of path: String) throws -> [Int32] {
    let real = URL(filePath: path).resolvingSymlinksInPath().path()
    return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name in
      guard let descriptor = Int32(name),
        // Other tests open and close theirs meanwhile.
        let target = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/\(name)"), target == real || target + "/" == real
      else { return nil }
      let copy = dup(descriptor)
      return copy >= 0 ? copy : nil
    }
  }
}
