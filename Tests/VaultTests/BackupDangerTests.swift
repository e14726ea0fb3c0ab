import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Synchronization
import Testing
import VerifiableLog

@testable import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// What could cost somebody the backup that was there, or files that are none of ours.
@Suite struct `A former backup and what lies around it` {
  private struct Home {
    let fixture: VaultFixture
    let vault: OpenVault
    var backup: String { fixture.folder.path + "/stick" }

    init() async throws {
      fixture = try VaultFixture()
      vault = try await fixture.create()
      try await add("one")
      _ = try await vault.backUp(to: backup)
    }

    @discardableResult
    func add(_ text: String, fileOf count: Int = 0) async throws -> EntryID {
      var content = EntryContent()
      content.words = text
      var source: NewEntry.Source?
      if count > 0 {
        source = .file(path: try fixture.folder.file("\(text).png", noise(count, seed: 77)))
      }
      let outcome = try await vault.add(
        [NewEntry(source: source, content: content)], toCase: nil)
      return try #require(outcome.saved.first?.id)
    }

    func files() throws -> [String: [UInt8]] {
      try fixture.folder.allFiles().filter { $0.key.hasPrefix("stick/") }
    }

    /// The state of this moment as a vault of its own.
    func older() throws -> OpenVault {
      let path = fixture.folder.path + "/older"
      try FileManager.default.copyItem(atPath: backup, toPath: path)
      return try OpenVault(
        opening: path, passphrase: try locked(VaultFixture.passphrase),
        surroundings: fixture.surroundings)
    }
  }

  private func code(_ body: () async throws -> Void) async throws -> VaultError.Code? {
    do {
      try await body()
      return nil
    } catch let error as VaultError {
      return error.code
    }
  }

  #if os(Linux)
    /// From here on every write to this open file finds the disk full.
    private static func fill(_ path: String) -> Bool {
      putInPlace(of: path, unsafe open("/dev/full", O_RDWR | O_CLOEXEC))
    }

    @Test func `a disk that fills while the database is put together leaves it whole`() async throws
    {
      let home = try await Home()
      try await home.add("two")
      let former = try home.files()
      let partial = VaultFiles.resolved(home.backup) + "/database.part"
      let isFilled = Mutex(false)
      await #expect(throws: VaultError.self) {
        try await home.vault.backUp(to: home.backup) { (_) throws(VaultError) in
          if Self.fill(partial) { isFilled.withLock { $0 = true } }
        }
      }
      #expect(isFilled.withLock { $0 })
      #expect(try home.files() == former)
      let outcome = try await home.vault.backUp(to: home.backup)
      #expect(outcome.check.findings == [])
      #expect(outcome.check.entryCount == 2)
    }
  #endif

  @Test(arguments: ["blobs", "blobs/tmp", "blobs/partial", "blobs/zz"])
  func `a link in it is refused, and nothing behind it is touched`(place: String) async throws {
    let home = try await Home()
    try await home.add("two", fileOf: 100_000)
    let own = home.fixture.folder.path + "/own"
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: own + "/ab", withIntermediateDirectories: true)
    for name in ["letter.txt", "0123456789abcdef", "ab/letter.txt"] {
      _ = try home.fixture.folder.file("own/" + name, [1, 2, 3])
    }
    let link = home.backup + "/" + place
    if FileManager.default.fileExists(atPath: link) {
      try FileManager.default.removeItem(atPath: link)
    }
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: own)
    await #expect(throws: VaultError(.notABackup)) { try await home.vault.backUp(to: home.backup) }
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: own).sorted()
        == ["0123456789abcdef", "ab", "ab/letter.txt", "letter.txt"])
  }

  @Test func `what somebody put between the sealed files stays`() async throws {
    let home = try await Home()
    try FileManager.default.createDirectory(
      atPath: home.backup + "/blobs/ab", withIntermediateDirectories: true)
    let sealed = String(repeating: "a", count: 50)
    for name in ["tmp/letter.txt", "tmp/0123456789abcdef", "ab/letter.txt", "ab/" + sealed] {
      try Data([1]).write(to: URL(filePath: home.backup + "/blobs/" + name))
    }
    #expect(try await home.vault.backUp(to: home.backup).filesRemoved == 1)
    let left = try home.files().keys.filter { $0.hasPrefix("stick/blobs/") }.sorted()
    #expect(left == ["stick/blobs/ab/letter.txt", "stick/blobs/tmp/letter.txt"])
  }

  @Test func `opening a vault removes nothing to which a link leads`() async throws {
    let home = try await Home()
    try await home.vault.close()
    let own = home.fixture.folder.path + "/own"
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    _ = try home.fixture.folder.file("own/0123456789abcdef", [1])
    let link = home.fixture.path + "/blobs/tmp"
    try FileManager.default.removeItem(atPath: link)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: own)
    try await home.fixture.open().close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: own) == ["0123456789abcdef"])
  }

  @Test func `an older vault does not take its place, whichever page of it is damaged`()
    async throws
  {
    let home = try await Home()
    let older = try home.older()
    try await home.add("two")
    _ = try await home.vault.backUp(to: home.backup)
    let database = home.backup + "/vault.db"
    let whole = [UInt8](try Data(contentsOf: URL(filePath: database)))
    var codes: [VaultError.Code?: Int] = [:]
    for page in 0..<whole.count / 4096 {
      var damaged = whole
      damaged[page * 4096 + 100] ^= 1
      try Data(damaged).write(to: URL(filePath: database))
      let found = try await code { _ = try await older.backUp(to: home.backup) }
      codes[found, default: 0] += 1
      #expect(
        try [UInt8](Data(contentsOf: URL(filePath: database))) == damaged, "page \(page + 1)")
    }
    #expect(Set(codes.keys) == [.backupIsNewer, .backupDamaged], "\(codes)")
  }

  @Test func `a vault of an earlier master key does not take its place`() async throws {
    let home = try await Home()
    let vaultID = await home.vault.vaultID
    let keys = VaultKeys(master: SecretKey.random())
    let keysFile = try Array(VaultFixture.passphrase.utf8).withBytes { bytes in
      try KeysFile(
        master: keys.master, passphrase: bytes, kit: BoxKeyPair().publicKey, cost: .light,
        vaultID: vaultID, generation: 1)
    }
    func makeNewer() throws {
      let folder = try BackupFolder(
        at: home.backup, of: VaultFiles(folder: home.fixture.path), keysFile: keysFile,
        key: keys.database)
      try SealedDatabase.create(at: folder.partial, key: keys.database, vaultID: vaultID)
      try folder.putInForce()
    }
    try makeNewer()
    let former = try home.files()
    await #expect(throws: VaultError(.backupIsNewer)) {
      try await home.vault.backUp(to: home.backup)
    }
    #expect(try home.files() == former)
    // As a crash between the two copies of the locks leaves it, either way round.
    for name in ["keys", "keys.bak"] {
      let locks = try Data(contentsOf: URL(filePath: home.fixture.path + "/keys"))
      try locks.write(to: URL(filePath: home.backup + "/" + name))
      await #expect(throws: VaultError(.backupIsNewer)) {
        try await home.vault.backUp(to: home.backup)
      }
      try Data(keysFile.bytes).write(to: URL(filePath: home.backup + "/" + name))
    }
  }

  @Test func `another history of the same logs does not give way, however short`() async throws {
    let home = try await Home()
    let (keys, vaultID) = (await home.vault.keys, await home.vault.vaultID)
    let database = try SealedDatabase(
      opening: home.backup + "/vault.db", key: keys.database, vaultID: vaultID)
    try await database.queue.write { db in
      try db.execute(sql: "UPDATE log SET root = zeroblob(32) WHERE size > 0")
    }
    _ = try database.moveLogIntoFile()
    try database.close()
    let former = try home.files()
    for text in ["two", "three"] {
      await #expect(throws: VaultError(.backupIsNewer)) {
        try await home.vault.backUp(to: home.backup)
      }
      try await home.add(text)
    }
    #expect(try home.files() == former)
  }

  /// Both databases have one name then.
  @Test func `after two changes of the master key it opens wherever it is cut`() async throws {
    let home = try await Home()
    let passphrases = [VaultFixture.passphrase, "a second passphrase", "a third passphrase"]
    var vault = home.vault
    for passphrase in passphrases.dropFirst() {
      try await vault.sealAnew(passphrase: try locked(passphrase))
      try await vault.close()
      vault = try home.fixture.open(passphrase)
    }
    _ = try await vault.add([words("two")], toCase: nil)
    let keys = await vault.keys
    try await vault.close()
    let locks = try KeysFile(
      decoding: [UInt8](try Data(contentsOf: URL(filePath: home.fixture.path + "/keys"))))
    #expect(locks.generation == 2)
    let former = home.fixture.folder.path + "/former"
    try FileManager.default.copyItem(atPath: home.backup, toPath: former)
    var step = 0
    while true {
      try FileManager.default.removeItem(atPath: home.backup)
      try FileManager.default.copyItem(atPath: former, toPath: home.backup)
      var left = step
      var isCut = false
      do throws(VaultError) {
        let folder = try BackupFolder(
          at: home.backup, of: VaultFiles(folder: home.fixture.path), keysFile: locks,
          key: keys.database)
        #expect(try folder.formerContent(key: keys.database) == nil)
        let whole = try OpenFile(reading: home.fixture.path + "/vault.db")
        let part = try OpenFile(creating: folder.partial)
        try part.write(try whole.read(at: 0, count: Int(try whole.status().size)))
        try folder.putInForce { () throws(VaultError) in
          if left == 0 { throw VaultError(.cancelled) }
          left -= 1
        }
      } catch {
        #expect(error.code == .cancelled)
        isCut = true
      }
      var counts: [Int] = []
      for passphrase in [passphrases[0], passphrases[2]] {
        let place = home.fixture.folder.path + "/" + UUID().uuidString
        do {
          let restored = try await OpenVault.restore(
            home.backup, to: place, passphrase: try locked(passphrase),
            surroundings: home.fixture.surroundings)
          #expect(restored.check.findings == [], "step \(step)")
          counts.append(restored.check.entryCount)
          try await restored.vault.close()
        } catch let error as VaultError {
          #expect([.wrongPassphrase, .databaseOfAnother].contains(error.code), "step \(step)")
        }
      }
      // The former one or the new one, by its own passphrase.
      #expect(counts == [1] || counts == [2], "step \(step)")
      if !isCut { break }
      step += 1
    }
    #expect(step == 5)
  }

  @Test func `a sealed file that cannot be opened is told, and stops neither backup nor restore`()
    async throws
  {
    let home = try await Home()
    let id = try await home.add("two", fileOf: 100_000)
    let path = try #require(try await home.vault.blobs.storedPaths().first)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/nowhere")
    let outcome = try await home.vault.backUp(to: home.backup)
    #expect(outcome.check.findings == [.contentMissing(id)])
    let restored = try await OpenVault.restore(
      home.fixture.folder.path + "/stick", to: home.fixture.folder.path + "/new",
      passphrase: try locked(VaultFixture.passphrase), surroundings: home.fixture.surroundings)
    #expect(restored.check.findings == [.contentMissing(id)])
    try await restored.vault.close()
  }

  @Test func `the copy of a damaged file gives way as soon as the vault has a good one`()
    async throws
  {
    let home = try await Home()
    let id = try await home.add("two", fileOf: 300_000)
    let path = try #require(try await home.vault.blobs.storedPaths().first)
    try change(path) { $0[1000] ^= 1 }
    for _ in 0..<2 {
      let damaged = try await home.vault.backUp(to: home.backup)
      #expect(damaged.check.findings == [.contentDamaged(id)])
      #expect(damaged.filesKept == 0)
    }
    try change(path) { $0[1000] ^= 1 }
    let mended = try await home.vault.backUp(to: home.backup)
    #expect(mended.filesCopied == 1)
    #expect(mended.check.findings == [])
    #expect(try await home.vault.backUp(to: home.backup, isDeep: true).check.findings == [])
  }

  @Test func `a task that is cancelled does not end well`() async throws {
    let home = try await Home()
    try await home.add("two", fileOf: 300_000)
    let former = try home.files()
    let (vault, backup) = (home.vault, home.backup)
    let task = Task { try await vault.backUp(to: backup, isDeep: true) }
    task.cancel()
    await #expect(throws: VaultError(.cancelled)) { try await task.value }
    let left = try home.files().filter { !$0.key.hasPrefix("stick/blobs/") }
    #expect(left == former.filter { !$0.key.hasPrefix("stick/blobs/") })
  }
}
