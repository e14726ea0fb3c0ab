import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Synchronization
import Testing
import VerifiableLog

@testable import Vault

@Suite struct `A backup` {
  /// Somebody with a vault and a stick.
  private struct Home {
    let fixture: VaultFixture
    let vault: OpenVault
    var backup: String { fixture.folder.path + "/stick/backup" }

    init() async throws {
      fixture = try VaultFixture()
      vault = try await fixture.create()
    }

    @discardableResult
    func add(_ text: String, fileOf count: Int = 0) async throws -> EntryID {
      var content = EntryContent()
      content.words = text
      var source: NewEntry.Source?
      if count > 0 {
        source = .file(
          path: try fixture.folder.file(
            "\(text).png", noise(count, seed: UInt64(text.utf8.reduce(1) { $0 &* 31 &+ Int($1) }))))
      }
      let outcome = try await vault.add(
        [NewEntry(source: source, content: content)], toCase: nil)
      return try #require(outcome.saved.first?.id)
    }

    /// Every file of the backup, by path within it.
    func files() throws -> [String: [UInt8]] {
      let prefix = "stick/backup/"
      return Dictionary(
        uniqueKeysWithValues: try fixture.folder.allFiles().compactMap { path, bytes in
          path.hasPrefix(prefix) ? (String(path.dropFirst(prefix.count)), bytes) : nil
        })
    }

    /// Opens a copy of the backup as a vault and checks all of it; the words in it.
    func opened() async throws -> [String] {
      let copy = fixture.folder.path + "/" + UUID().uuidString
      try FileManager.default.copyItem(atPath: backup, toPath: copy)
      let vault = try OpenVault(
        opening: copy, passphrase: try locked(VaultFixture.passphrase),
        surroundings: fixture.surroundings)
      #expect(await vault.standing == .copied)
      #expect(try await vault.check().findings == [.copied])
      let words = try await vault.entries(ofCase: nil).compactMap { $0.content?.words }
      try await vault.close()
      return words
    }
  }

  @Test func `it opens by itself, holds everything, and has no anchor`() async throws {
    let home = try await Home()
    try await home.add("one", fileOf: 300_000)
    try await home.add("two", fileOf: 5000)
    let outcome = try await home.vault.backUp(to: home.backup)
    #expect(!outcome.isUpdate)
    #expect(outcome.filesCopied == 1)
    #expect(outcome.check.findings == [])
    #expect(outcome.check.entryCount == 2)
    let names = try Set(FileManager.default.contentsOfDirectory(atPath: home.backup))
    #expect(names == ["keys", "keys.bak", "vault.db", "blobs"])
    #expect(try await home.opened() == ["one", "two"])
    // Nobody else may read it, and what it was made from is as it was.
    let mode = try FileManager.default.attributesOfItem(atPath: home.backup)[.posixPermissions]
    #expect(mode as? Int == 0o700)
    #expect(try await home.vault.check().findings == [])
    let last = try #require(try await home.vault.lastBackup())
    #expect(last.time == home.fixture.clock.now)
    #expect(last.path == home.backup)
  }

  @Test func `the second copies what is new, and drops what was erased`() async throws {
    let home = try await Home()
    try await home.add("stays", fileOf: 300_000)
    let gone = try await home.add("goes", fileOf: 400_000)
    _ = try await home.vault.backUp(to: home.backup)
    let before = try home.files()
    try await home.add("new", fileOf: 200_000)
    _ = try await home.vault.erase([gone.base32])
    let outcome = try await home.vault.backUp(to: home.backup)
    #expect(outcome.isUpdate)
    #expect(outcome.filesCopied == 1)
    #expect(outcome.filesKept == 1)
    #expect(outcome.filesRemoved == 1)
    #expect(outcome.check.findings == [])
    let after = try home.files()
    let blobs = { (files: [String: [UInt8]]) in Set(files.keys.filter { $0.hasPrefix("blobs/") }) }
    #expect(blobs(after).subtracting(blobs(before)).count == 1)
    #expect(blobs(before).subtracting(blobs(after)).count == 1)
    #expect(try await home.opened() == ["stays", "new"])
  }

  @Test func `a file that was cut or changed in it is copied again`() async throws {
    let home = try await Home()
    try await home.add("one", fileOf: 300_000)
    _ = try await home.vault.backUp(to: home.backup)
    let path = try #require(
      try BlobStore(folder: home.backup + "/blobs").storedPaths().first)
    let whole = try Data(contentsOf: URL(filePath: path))
    try whole.prefix(1000).write(to: URL(filePath: path))
    #expect(try await home.vault.backUp(to: home.backup).filesCopied == 1)
    #expect(try Data(contentsOf: URL(filePath: path)) == whole)
    try change(path) { $0[5000] ^= 1 }
    // Its size is right: that it was changed is seen by reading it.
    #expect(try await home.vault.backUp(to: home.backup).filesCopied == 0)
    let deep = try await home.vault.backUp(to: home.backup, isDeep: true)
    #expect(deep.filesCopied == 1)
    #expect(deep.check.findings == [])
    #expect(try Data(contentsOf: URL(filePath: path)) == whole)
  }

  @Test func `stopped at any point, the former one stays whole`() async throws {
    let home = try await Home()
    try await home.add("one", fileOf: 300_000)
    _ = try await home.vault.backUp(to: home.backup)
    try await home.add("two", fileOf: 300_000)
    let former = try home.files()
    var steps = 0
    while true {
      let left = Mutex(steps)
      do throws(VaultError) {
        _ = try await home.vault.backUp(to: home.backup) { (_) throws(VaultError) in
          let isOver = left.withLock { left in
            left -= 1
            return left < 0
          }
          if isOver { throw VaultError(.cancelled) }
        }
        break
      } catch {
        #expect(error.code == .cancelled)
      }
      let now = try home.files()
      for (name, bytes) in former { #expect(now[name] == bytes, "\(name) after \(steps) steps") }
      #expect(Set(now.keys.filter { !$0.hasPrefix("blobs/") }) == ["keys", "keys.bak", "vault.db"])
      steps += 1
    }
    #expect(steps >= 3)
    #expect(try await home.opened() == ["one", "two"])
  }

  @Test func `a disk that is full or a place that is not writable leaves the former one whole`()
    async throws
  {
    let home = try await Home()
    try await home.add("one", fileOf: 300_000)
    _ = try await home.vault.backUp(to: home.backup)
    try await home.add("two", fileOf: 300_000)
    // A file stands where a folder is to be made.
    let blobs = try await home.vault.blobs.storedPaths()
    let there = try Set(
      BlobStore(folder: home.backup + "/blobs").storedPaths().map { $0.suffix(53) })
    let new = try #require(blobs.first { !there.contains($0.suffix(53)) })
    let folder = home.backup + "/blobs/" + new.suffix(53).prefix(2)
    let former = try home.files()
    if !FileManager.default.fileExists(atPath: folder) {
      #expect(FileManager.default.createFile(atPath: folder, contents: nil))
      await #expect(throws: VaultError.self) { try await home.vault.backUp(to: home.backup) }
      try FileManager.default.removeItem(atPath: folder)
    }
    #expect(try home.files() == former)
    #expect(try await home.vault.backUp(to: home.backup).filesCopied == 1)
  }

  @Test func `it is not made where it would harm something`() async throws {
    let home = try await Home()
    try await home.add("one", fileOf: 100_000)
    for place in [home.fixture.path, home.fixture.path + "/blobs/backup", home.fixture.folder.path]
    {
      await #expect(throws: VaultError(.outputInVault), "\(place)") {
        try await home.vault.backUp(to: place)
      }
    }
    // Things of somebody's.
    let pictures = home.fixture.folder.path + "/pictures"
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    _ = try home.fixture.folder.file("pictures/me.png", [1, 2, 3])
    await #expect(throws: VaultError(.notABackup)) { try await home.vault.backUp(to: pictures) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: pictures) == ["me.png"])
    // Another vault's backup, and that one without its locks.
    let other = try await Home()
    try await other.add("other")
    _ = try await other.vault.backUp(to: other.backup)
    let before = try other.files()
    await #expect(throws: VaultError(.backupOfAnother)) {
      try await home.vault.backUp(to: other.backup)
    }
    for name in ["keys", "keys.bak"] {
      try FileManager.default.removeItem(atPath: other.backup + "/" + name)
    }
    await #expect(throws: VaultError(.backupOfAnother)) {
      try await home.vault.backUp(to: other.backup)
    }
    #expect(try other.files()["vault.db"] == before["vault.db"])
    // A copy of this vault that somebody lives in.
    let copy = home.fixture.folder.path + "/copy"
    try FileManager.default.copyItem(atPath: home.fixture.path, toPath: copy)
    await #expect(throws: VaultError(.notABackup)) { try await home.vault.backUp(to: copy) }
  }

  @Test func `an older vault does not take the place of a newer backup`() async throws {
    let home = try await Home()
    try await home.add("one")
    _ = try await home.vault.backUp(to: home.backup)
    let older = home.fixture.folder.path + "/older"
    try FileManager.default.copyItem(atPath: home.backup, toPath: older)
    try await home.add("two")
    _ = try await home.vault.backUp(to: home.backup)
    let restored = try OpenVault(
      opening: older, passphrase: try locked(VaultFixture.passphrase),
      surroundings: home.fixture.surroundings)
    await #expect(throws: VaultError(.backupIsNewer)) { try await restored.backUp(to: home.backup) }
    #expect(try await home.opened() == ["one", "two"])
    #expect(try await home.vault.backUp(to: home.backup).check.findings == [])
  }

  @Test func `a vault that is not what was signed does not take the place of a backup that is`()
    async throws
  {
    let home = try await Home()
    let id = try await home.add("one")
    _ = try await home.vault.backUp(to: home.backup)
    let former = try home.files()
    try await home.vault.database.queue.write { db in
      try db.execute(
        sql: "UPDATE leaf SET ciphertext = zeroblob(length(ciphertext)) WHERE entry_id = ?",
        arguments: [id.bytes.data])
    }
    await #expect(throws: VaultError(.backupRefused)) {
      try await home.vault.backUp(to: home.backup)
    }
    #expect(try home.files() == former)
  }

  @Test func `a file that the vault lost is told, and a good copy of it stays in the backup`()
    async throws
  {
    let home = try await Home()
    let damaged = try await home.add("damaged", fileOf: 300_000)
    let lost = try await home.add("lost", fileOf: 100_000)
    _ = try await home.vault.backUp(to: home.backup)
    for (path, size) in try await home.vault.blobs.storedPaths().map({ path in
      (path, try Data(contentsOf: URL(filePath: path)).count)
    }) {
      if size > 200_000 {
        try change(path) { $0[1000] ^= 1 }
      } else {
        try FileManager.default.removeItem(atPath: path)
      }
    }
    let deep = try await home.vault.backUp(to: home.backup, isDeep: true)
    #expect(deep.check.findings == [])
    // In a new backup they are as they are in the vault.
    let fresh = try await home.vault.backUp(to: home.backup + "-2")
    #expect(Set(fresh.check.findings) == [.contentDamaged(damaged), .contentMissing(lost)])
  }

  @Test func `while it is made, the vault can be used`() async throws {
    let home = try await Home()
    for index in 0..<5 { try await home.add("file \(index)", fileOf: 2_000_000) }
    async let backup = home.vault.backUp(to: home.backup)
    for index in 0..<5 { try await home.add("meanwhile \(index)", fileOf: 100_000) }
    #expect(try await backup.check.findings == [])
    #expect(try await home.opened().filter { $0.hasPrefix("file") }.count == 5)
  }

  /// A new master key: another database, under another name, until the locks say so.
  @Test func `after a change of the master key it switches with the locks`() async throws {
    let home = try await Home()
    try await home.add("one", fileOf: 100_000)
    _ = try await home.vault.backUp(to: home.backup)
    let former = try home.files()
    // The same vault as it would be after the change, put together by hand.
    let vaultID = await home.vault.vaultID
    let master = SecretKey.random()
    let keys = VaultKeys(master: master)
    let keysFile = try Array(VaultFixture.passphrase.utf8).withBytes { bytes in
      try KeysFile(
        master: master, passphrase: bytes, kit: BoxKeyPair().publicKey, cost: .light,
        vaultID: vaultID, generation: 1)
    }
    let folder = try BackupFolder(
      at: home.backup, of: VaultFiles(folder: home.fixture.path), keysFile: keysFile,
      key: keys.database)
    #expect(folder.isUpdate)
    #expect(try folder.formerContent(key: keys.database) == nil)
    try SealedDatabase.create(at: folder.partial, key: keys.database, vaultID: vaultID)
    // Both databases are there, and the former locks, until the new ones are.
    #expect(try home.files()["vault.db"] == former["vault.db"])
    try folder.putInForce()
    let now = try home.files()
    #expect(now["vault.db"] == nil)
    #expect(now["vault-2.db"] != nil)
    #expect(now["keys"] == keysFile.bytes)
    #expect(now["keys.bak"] == keysFile.bytes)
  }
}
