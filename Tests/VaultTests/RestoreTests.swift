import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct `Restoring a backup` {
  private func backedUp() async throws -> (VaultFixture, String) {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("shot.png", noise(300_000, seed: 9))
    _ = try await vault.add(
      [words("one"), NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    let backup = fixture.folder.path + "/backup"
    _ = try await vault.backUp(to: backup)
    try await vault.close()
    return (fixture, backup)
  }

  private func restore(
    _ backup: String, to place: String, _ fixture: VaultFixture,
    passphrase: String = VaultFixture.passphrase
  ) async throws -> (vault: OpenVault, check: CheckOutcome) {
    try await OpenVault.restore(
      backup, to: place, passphrase: try locked(passphrase), surroundings: fixture.surroundings)
  }

  @Test func `a lost vault comes back, takes new keys, and is lived in`() async throws {
    let (fixture, backup) = try await backedUp()
    try FileManager.default.removeItem(atPath: fixture.path)
    let before = try FileManager.default.subpathsOfDirectory(atPath: backup).sorted()
    let (vault, check) = try await restore(backup, to: fixture.path, fixture)
    #expect(check.findings == [])
    #expect(check.entryCount == 2)
    #expect(await vault.standing == .copied)
    await #expect(throws: VaultError(.copied)) { try await vault.add([words("no")], toCase: nil) }
    _ = try await vault.renew()
    _ = try await vault.add([words("three")], toCase: nil)
    #expect(try await vault.check().findings == [])
    // And into the same place again.
    let again = try await vault.backUp(to: backup)
    #expect(again.isUpdate)
    #expect(again.check.entryCount == 3)
    try await vault.close()
    #expect(try FileManager.default.subpathsOfDirectory(atPath: backup).sorted() == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
    #expect(names.filter { $0.hasPrefix(".") } == [])
  }

  @Test func `what is there is never touched, nor the backup`() async throws {
    let (fixture, backup) = try await backedUp()
    let before = try fixture.folder.allFiles()
    await #expect(throws: VaultError(.vaultExists)) {
      try await restore(backup, to: fixture.path, fixture)
    }
    await #expect(throws: VaultError(.outputInVault)) {
      try await restore(backup, to: backup + "/in", fixture)
    }
    await #expect(throws: VaultError(.wrongPassphrase)) {
      try await restore(
        backup, to: fixture.folder.path + "/new", fixture, passphrase: "another")
    }
    await #expect(throws: VaultError(.noVault)) {
      try await restore(
        fixture.folder.path + "/none", to: fixture.folder.path + "/new", fixture)
    }
    #expect(try fixture.folder.allFiles() == before)
  }

  @Test func `an empty folder to which a link leads is a place too`() async throws {
    let (fixture, backup) = try await backedUp()
    let (place, link) = (fixture.folder.path + "/place", fixture.folder.path + "/link")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place)
    let (vault, check) = try await restore(backup, to: link, fixture)
    #expect(check.findings == [])
    try await vault.close()
    #expect(FileManager.default.fileExists(atPath: place + "/keys"))
  }

  @Test func `the kit brings it back where the passphrase is lost`() async throws {
    let fixture = try VaultFixture()
    let kit = try RecoveryKit.make()
    let vault = try await fixture.create(kit: kit)
    _ = try await vault.add([words("one")], toCase: nil)
    let backup = fixture.folder.path + "/backup"
    _ = try await vault.backUp(to: backup)
    try await vault.close()
    let before = try fixture.folder.allFiles()
    let place = fixture.folder.path + "/new"
    await #expect(throws: VaultError(.kitMismatch)) {
      try await OpenVault.restore(
        backup, to: place, kit: try RecoveryKit.make(), surroundings: fixture.surroundings)
    }
    #expect(try fixture.folder.allFiles() == before)
    let (restored, check) = try await OpenVault.restore(
      backup, to: place, kit: kit, surroundings: fixture.surroundings)
    #expect(check.findings == [])
    try await restored.changePassphrase(to: try locked("another passphrase by far"))
    _ = try await restored.renew()
    try await restored.close()
    let opened = try OpenVault(
      opening: place, passphrase: try locked("another passphrase by far"),
      surroundings: fixture.surroundings)
    #expect(try await opened.entries(ofCase: nil).count == 1)
    try await opened.close()
  }

  @Test(arguments: [true, false])
  func `what a killed program left goes with the next one at the same place`(
    isRestored: Bool
  ) async throws {
    let (fixture, backup) = try await backedUp()
    let left = fixture.folder.path + "/.cairn-0123456789abcdef"
    try FileManager.default.copyItem(atPath: backup, toPath: left)
    // What is not provably that stays: another name, another file in it, a link.
    let others = [".cairn-0123456789ABCDEF", ".cairn-1111111111111111", ".cairn-2222222222222222"]
    for name in others.prefix(2) {
      try FileManager.default.copyItem(
        atPath: backup, toPath: fixture.folder.path + "/" + name)
    }
    _ = try fixture.folder.file(others[1] + "/letter.txt", [1])
    try FileManager.default.createSymbolicLink(
      atPath: fixture.folder.path + "/" + others[2], withDestinationPath: backup)
    func isLeft() -> Bool { FileManager.default.fileExists(atPath: left) }
    let place = fixture.folder.path + "/new"
    // Somebody is still at it.
    var lock = try OpenFile(folder: fixture.folder.path)
    let isLocked = try lock.lock(.shared)
    #expect(isLocked)
    try await make(isRestored, backup, place, fixture)
    #expect(isLeft())
    _ = consume lock
    try await make(isRestored, backup, place + "er", fixture)
    #expect(!isLeft())
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
    #expect(names.filter { $0.hasPrefix(".") }.sorted() == others)
    #expect(FileManager.default.fileExists(atPath: backup + "/keys"))
  }

  /// Whoever gives up restoring never makes a next one; and the copy opens by an older passphrase.
  @Test func `what a killed program left beside a vault goes when that one is opened`()
    async throws
  {
    let (fixture, backup) = try await backedUp()
    let left = fixture.folder.path + "/.cairn-0123456789abcdef"
    try FileManager.default.copyItem(atPath: backup, toPath: left)
    _ = try fixture.folder.file(".cairn-1111111111111111", [1])
    var lock = try OpenFile(folder: fixture.folder.path)
    let isLocked = try lock.lock(.shared)
    #expect(isLocked)
    try await fixture.open().close()
    #expect(FileManager.default.fileExists(atPath: left))
    _ = consume lock
    try await fixture.open().close()
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
    #expect(names.filter { $0.hasPrefix(".") } == [".cairn-1111111111111111"])
  }

  private func make(
    _ isRestored: Bool, _ backup: String, _ place: String, _ fixture: VaultFixture
  ) async throws {
    if isRestored { return try await restore(backup, to: place, fixture).vault.close() }
    try await OpenVault.create(
      at: place, passphrase: try locked("p"), kit: try RecoveryKit.make(), cost: .light,
      surroundings: fixture.surroundings
    ).close()
  }

  @Test func `a damaged file is told, a damaged database leaves nothing behind`() async throws {
    let (fixture, backup) = try await backedUp()
    let path = try #require(try BlobStore(folder: backup + "/blobs").storedPaths().first)
    try change(path) { $0[70_000] ^= 1 }
    try FileManager.default.removeItem(atPath: backup + "/keys")
    let (vault, check) = try await restore(backup, to: fixture.folder.path + "/new", fixture)
    #expect(check.findings.count == 1)
    guard case .contentDamaged = check.findings.first else {
      Issue.record("\(check.findings)")
      return
    }
    // Both copies of the locks, from the one that was left.
    #expect(VaultFiles(folder: fixture.folder.path + "/new").keysFilesAgree)
    try await vault.close()

    try change(backup + "/vault.db") { bytes in
      bytes.replaceSubrange(0..<8192, with: [UInt8](repeating: 0, count: 8192))
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
    await #expect(throws: VaultError.self) {
      try await restore(backup, to: fixture.folder.path + "/newer", fixture)
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted() == names)
  }
}
