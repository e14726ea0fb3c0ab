import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A backup may be the only place that has what its vault came to lack: one that was restored from an older backup.
@Suite struct `A backup that has more than its vault` {
  /// Of a vault that is lost, after its first backup and after an entry with a file.
  private struct Lost {
    let fixture: VaultFixture
    let entry: EntryID
    var older: String { fixture.folder.path + "/older" }
    var newer: String { fixture.folder.path + "/newer" }
    var mailbox: String { fixture.folder.path + "/mailbox" }

    init(fileOf byteCount: Int, meeting audience: MailboxAudience) async throws {
      fixture = try VaultFixture()
      let folder = fixture.folder
      try FileManager.default.createDirectory(
        atPath: folder.path + "/mailbox", withIntermediateDirectories: false)
      let vault = try await fixture.create()
      _ = try await vault.backUp(to: folder.path + "/older")
      let file = try folder.file("shot.png", noise(byteCount, seed: 31))
      let added = try await vault.add(
        [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
      entry = try #require(added.saved.first?.id)
      _ = try await vault.backUp(to: folder.path + "/newer")
      _ = try await vault.sync(
        caseNamed: nil, mailbox: folder.path + "/mailbox", audience: audience)
      try await vault.close()
      try FileManager.default.removeItem(atPath: fixture.path)
    }

    func restored(from backup: String) async throws -> OpenVault {
      let vault = try await OpenVault.restore(
        backup, to: fixture.path, passphrase: try locked(VaultFixture.passphrase),
        surroundings: fixture.surroundings
      ).vault
      _ = try await vault.renew()
      return vault
    }

    func files(of backup: String) throws -> [String: [UInt8]] {
      let name = String(backup.dropFirst(fixture.folder.path.count + 1)) + "/"
      return try fixture.folder.allFiles().filter { $0.key.hasPrefix(name) }
    }
  }

  /// Its logs come whole, also to where only their leaves go, and where files have gone missing.
  @Test(arguments: [
    (300_000, MailboxAudience.everyone), (300_000, .ownDevices), (3_000, .ownDevices),
  ])
  func `does not give way to the logs alone`(byteCount: Int, audience: MailboxAudience) async throws
  {
    let lost = try await Lost(fileOf: byteCount, meeting: audience)
    let vault = try await lost.restored(from: lost.older)
    for name in try FileManager.default.subpathsOfDirectory(atPath: lost.mailbox)
    where name.contains("/b-") {
      try FileManager.default.removeItem(atPath: lost.mailbox + "/" + name)
    }
    let met = try await vault.sync(caseNamed: nil, mailbox: lost.mailbox, audience: audience)
    #expect(met.filesAwaited == (audience == .ownDevices ? 1 : 0))
    let former = try lost.files(of: lost.newer)
    await #expect(throws: VaultError(.backupIsNewer)) { try await vault.backUp(to: lost.newer) }
    #expect(try lost.files(of: lost.newer) == former)
    #expect(try await vault.backUp(to: lost.older).isUpdate)
  }

  /// Nobody can look into it then.
  @Test func `does not give way after a change of the master key`() async throws {
    let lost = try await Lost(fileOf: 300_000, meeting: .ownDevices)
    let restored = try await lost.restored(from: lost.older)
    try await restored.sealAnew(passphrase: try locked("a second passphrase"))
    try await restored.close()
    let vault = try lost.fixture.open("a second passphrase")
    let former = try lost.files(of: lost.newer)
    await #expect(throws: VaultError(.backupUnknown)) { try await vault.backUp(to: lost.newer) }
    #expect(try lost.files(of: lost.newer) == former)
    // That from which it came has nothing more.
    #expect(try await vault.backUp(to: lost.older).isUpdate)
    try await vault.close()
  }

  @Test func `what the vault itself made gives way after a change of the master key`() async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let backup = fixture.folder.path + "/backup"
    _ = try await vault.add([words("one")], toCase: nil)
    for _ in 0..<2 { _ = try await vault.backUp(to: backup) }
    try await vault.sealAnew(passphrase: try locked("a second passphrase"))
    try await vault.close()
    let changed = try fixture.open("a second passphrase")
    _ = try await changed.add([words("two")], toCase: nil)
    #expect(try await changed.backUp(to: backup).isUpdate)
    try await changed.sealAnew(passphrase: try locked("a third passphrase"))
    try await changed.close()
    let again = try fixture.open("a third passphrase")
    #expect(try await again.backUp(to: backup).check.entryCount == 2)
    try await again.close()
  }
}
