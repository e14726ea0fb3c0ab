import Cryptography
import Foundation
import People
import Support
import Testing

@testable import Vault

/// What becomes of the two files with the locks where they are not two of the same.
@Suite struct `The two files with the locks` {
  private let new = "another passphrase by far"

  private func closedVault(kit: borrowing RecoveryKit) async throws -> VaultFixture {
    let fixture = try VaultFixture()
    let vault = try await fixture.create(kit: kit)
    _ = try await vault.add([words("kept")], toCase: nil)
    try await vault.close()
    return fixture
  }

  private func put(_ bytes: [UInt8], _ name: String, in fixture: VaultFixture) throws {
    try Data(bytes).write(to: URL(filePath: fixture.path + "/" + name))
  }

  private func remove(_ name: String, of fixture: VaultFixture) throws {
    try FileManager.default.removeItem(atPath: fixture.path + "/" + name)
  }

  @Test(arguments: ["keys", "keys.bak"], [true, false])
  func `one that is missing or damaged is made again by whoever opens the vault`(
    name: String, byKit: Bool
  ) async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await closedVault(kit: kit)
    let whole = try fixture.data(name)
    for isMissing in [true, false] {
      if isMissing {
        try remove(name, of: fixture)
      } else {
        try put(Array(whole.prefix(4000)), name, in: fixture)
      }
      // Not by somebody who does not.
      #expect(try refusal { try fixture.open("wrong") } == .wrongPassphrase)
      #expect(bytesIfAny { try fixture.data(name) } != whole)
      let vault = byKit ? try fixture.open(kit: kit) : try fixture.open()
      #expect(await vault.locks == .madeAgain)
      #expect(try fixture.data(name) == whole)
      #expect(try await vault.check(.quick).findings == [.locks(.madeAgain)])
      try await vault.close()
      let again = try fixture.open()
      #expect(await again.locks == .whole)
      #expect(try await again.check(.quick).findings == [])
      try await again.close()
    }
  }

  /// Nil where there is none.
  private func bytesIfAny(_ body: () throws -> [UInt8]) -> [UInt8]? {
    do { return try body() } catch { return nil }
  }

  @Test func `one that cannot be made again keeps nobody out, and is told`() async throws {
    let fixture = try await closedVault(kit: try RecoveryKit.make())
    try remove("keys.bak", of: fixture)
    try FileManager.default.createDirectory(
      atPath: fixture.path + "/keys.bak", withIntermediateDirectories: false)
    let vault = try fixture.open()
    #expect(await vault.locks == .oneLeft)
    #expect(try await vault.check(.quick).findings == [.keysFile])
    try await vault.close()
  }

  @Test func `an older one that is put back gives way to the newer one, and opens nothing`()
    async throws
  {
    let fixture = try await closedVault(kit: try RecoveryKit.make())
    let older = try fixture.data("keys")
    let vault = try fixture.open()
    try await vault.changePassphrase(to: try locked(new))
    try await vault.close()
    let newer = try fixture.data("keys")
    try put(older, "keys.bak", in: fixture)
    #expect(try refusal { try fixture.open() } == .keysSuperseded)
    #expect(try fixture.data("keys") == newer)
    let opened = try fixture.open(new)
    #expect(await opened.locks == .differed)
    try await opened.close()
    #expect(try fixture.data("keys.bak") == newer)
    #expect(try refusal { try fixture.open() } == .wrongPassphrase)
  }

  /// Whoever can write to the folder can write a number into it. The passphrase refuses to guess, the kit proves
  /// nothing of numbers: the file that the passphrase opens stays.
  @Test func `a forged newer one costs neither passphrase nor kit`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await closedVault(kit: kit)
    let right = try fixture.data("keys")
    let forged = resealed(right) { $0[63] = 9 }
    try put(forged, "keys.bak", in: fixture)
    #expect(try refusal { try fixture.open() } == .keysSuperseded)
    let byKit = try fixture.open(kit: kit)
    #expect(await byKit.locks == .differed)
    try await byKit.close()
    #expect(try fixture.data("keys") == right)
    // As the screen says: it is moved away.
    try remove("keys.bak", of: fixture)
    let vault = try fixture.open()
    #expect(await vault.locks == .madeAgain)
    try await vault.close()
    // Or the words set a new passphrase.
    try put(forged, "keys.bak", in: fixture)
    let again = try fixture.open(kit: kit)
    try await again.changePassphrase(to: try locked(new))
    try await again.close()
    let last = try fixture.open(new)
    #expect(await last.locks == .whole)
    try await last.close()
  }

  @Test func `a number at its end keeps nobody from a new passphrase`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await closedVault(kit: kit)
    let forged = resealed(try fixture.data("keys")) {
      $0.replaceSubrange(56..<64, with: [UInt8](repeating: 0xff, count: 8))
    }
    for name in ["keys", "keys.bak"] { try put(forged, name, in: fixture) }
    #expect(try refusal { try fixture.open() } == .wrongPassphrase)
    let vault = try fixture.open(kit: kit)
    try await vault.changePassphrase(to: try locked(new))
    try await vault.close()
    let opened = try fixture.open(new)
    #expect(await opened.locks == .whole)
    try await opened.close()
  }

  @Test func `a forged next generation is not taken for the one in force`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await closedVault(kit: kit)
    let right = try fixture.data("keys")
    try put(resealed(right) { $0[55] = 1 }, "keys.bak", in: fixture)
    let before = try fixture.folder.allFiles().filter { !$0.key.hasSuffix("attempts") }
    #expect(try refusal { try fixture.open() } == .keysSuperseded)
    #expect(try refusal { try fixture.open(kit: kit) } == .keysSuperseded)
    #expect(try fixture.folder.allFiles().filter { !$0.key.hasSuffix("attempts") } == before)
    try remove("keys.bak", of: fixture)
    let vault = try fixture.open(kit: kit)
    #expect(await vault.locks == .madeAgain)
    try await vault.close()
    try await fixture.open().close()
  }
}
