import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

/// By what a backup opens: whoever can write to the vault's folder shall not have a say in it.
@Suite struct `The locks of a backup` {
  private let new = "another passphrase by far"

  /// Locks of the same vault that nothing opens.
  private func dead(_ locks: [UInt8], change: UInt8) -> [UInt8] {
    resealed(locks) {
      $0[63] = change
      $0.replaceSubrange(64..<4064, with: noise(4000))
    }
  }

  private func put(_ bytes: [UInt8], _ name: String, in folder: String) throws {
    try Data(bytes).write(to: URL(filePath: folder + "/" + name))
  }

  /// What a restore of the backup brings back, by the passphrase and by the kit.
  private func expectOpens(
    _ backup: String, of fixture: VaultFixture, kit: borrowing RecoveryKit
  ) async throws {
    for byKit in [false, true] {
      let place = fixture.folder.path + "/" + UUID().uuidString
      let (vault, check) =
        byKit
        ? try await OpenVault.restore(
          backup, to: place, kit: kit, surroundings: fixture.surroundings)
        : try await OpenVault.restore(
          backup, to: place, passphrase: try locked(VaultFixture.passphrase),
          surroundings: fixture.surroundings)
      #expect(check.findings == [])
      #expect(check.entryCount == 1)
      try await vault.close()
    }
  }

  @Test func `they are those that opened the vault, whatever lies in its folder since`()
    async throws
  {
    let kit = try RecoveryKit.make()
    let fixture = try VaultFixture()
    let vault = try await fixture.create(kit: kit)
    _ = try await vault.add([words("one")], toCase: nil)
    let right = try fixture.data("keys")
    let backup = fixture.folder.path + "/stick"
    for names in [["keys"], ["keys", "keys.bak"]] {
      for name in names { try put(dead(right, change: 9), name, in: fixture.path) }
      _ = try await vault.backUp(to: backup)
      for name in ["keys", "keys.bak"] {
        #expect(try [UInt8](Data(contentsOf: URL(filePath: backup + "/" + name))) == right)
      }
      try await expectOpens(backup, of: fixture, kit: kit)
    }
  }

  @Test func `where the kit opened one of two that differ, they are that one`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try VaultFixture()
    let vault = try await fixture.create(kit: kit)
    _ = try await vault.add([words("one")], toCase: nil)
    try await vault.close()
    let right = try fixture.data("keys")
    // By its numbers as old as the other one.
    try put(dead(right, change: right[63]), "keys", in: fixture.path)
    let byKit = try fixture.open(kit: kit)
    #expect(await byKit.locks == .differed)
    let backup = fixture.folder.path + "/stick"
    _ = try await byKit.backUp(to: backup)
    try await byKit.close()
    try await expectOpens(backup, of: fixture, kit: kit)
  }

  @Test func `after a new passphrase they are the new ones`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add([words("one")], toCase: nil)
    let backup = fixture.folder.path + "/stick"
    _ = try await vault.backUp(to: backup)
    try await vault.changePassphrase(to: try locked(new))
    _ = try await vault.backUp(to: backup)
    let place = fixture.folder.path + "/new"
    await #expect(throws: VaultError(.wrongPassphrase)) {
      try await OpenVault.restore(
        backup, to: place, passphrase: try locked(VaultFixture.passphrase),
        surroundings: fixture.surroundings)
    }
    let restored = try await OpenVault.restore(
      backup, to: place, passphrase: try locked(new), surroundings: fixture.surroundings)
    #expect(restored.check.entryCount == 1)
    try await restored.vault.close()
  }
}
