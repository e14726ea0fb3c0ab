import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

/// What `Protocol/Keys.md` says of single keys, where no other test happens to hold it.
@Suite struct KeyRuleTests {
  @Test func `each sealing under a key of the vault takes a nonce of its own`() throws {
    let keys = VaultKeys(master: SecretKey.random())
    let seed = SecretKey.random()
    let seeds = (0..<64).map { _ in Array(keys.seal(seed).prefix(24)) }
    #expect(Set(seeds).count == 64)
    let anchor = Anchor(vaultID: Array(repeating: 1, count: 16), place: .zero, logs: [])
    let anchors = (0..<64).map { _ in Array(anchor.seal(key: keys.anchor).prefix(24)) }
    #expect(Set(anchors).count == 64)
    #expect(Set(seeds).isDisjoint(with: anchors))
  }

  @Test func `locks that are written anew have another salt, nonce and box`() throws {
    let master = SecretKey.random()
    let kit = BoxKeyPair()
    let passphrase = Array("correct horse battery staple".utf8)
    let files = try (0..<2).map { _ in
      try passphrase.withBytes { (bytes) throws(VaultError) in
        try KeysFile(
          master: master, passphrase: bytes, kit: kit.publicKey, cost: .least,
          vaultID: Array(repeating: 1, count: 16))
      }.bytes
    }
    for part in [36..<52, 64..<88, 88..<136, 564 + 72..<564 + 152] {
      #expect(files[0][part] != files[1][part], "\(part)")
    }
  }

  @Test func `keys for different uses are different, and those of another vault are others`() {
    let master = SecretKey.random()
    let one = VaultKeys(master: master)
    let again = VaultKeys(master: master)
    let other = VaultKeys(master: SecretKey.random())
    let own = bytes(of: one)
    #expect(Set(own).count == 5)
    #expect(own == bytes(of: again))
    #expect(Set(own).isDisjoint(with: bytes(of: other)))
  }

  @Test func `the seed of a case's root stands nowhere but in the box for the kit`() async throws {
    let fixture = try VaultFixture()
    let kit = try RecoveryKit.make()
    let vault = try await fixture.create(kit: kit)
    _ = try await vault.add([words("something")], toCase: nil)
    let pair = try kit.keyPair()
    let sealed = try await vault.read { db in
      try Data.fetchAll(db, sql: "SELECT bytes FROM statement")
    }
    let statement = try #require(sealed.first)
    // The box is the last field of the founding statement's body.
    let end = statement.count - 66
    let root = try SealedBox.openKey(Array(statement[(end - 80)..<end]), with: pair)
    let seed = Data(root.withBytes { $0.copied() })
    for value in try await vault.everyValue() { #expect(value.range(of: seed) == nil) }
    try await vault.close()
    for (name, content) in try fixture.folder.allFiles() {
      #expect(Data(content).range(of: seed) == nil, "\(name)")
    }
  }

  @Test func `each case has device keys of its own`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.startCase(named: "another")
    let cards = try await vault.read { db in
      try Data.fetchAll(db, sql: "SELECT card FROM vault_case").map {
        try Card(decoding: Array($0))
      }
    }
    #expect(cards.count == 2)
    let keys = cards.flatMap { [$0.signingKey.bytes, $0.receiptKey.bytes, $0.boxKey.raw.bytes] }
    #expect(Set(keys).count == 6)
    try await vault.close()
  }

  @Test func `the same words twice are sealed under two keys`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add([words("the same"), words("the same")], toCase: nil)
    let sealed = try await vault.read { db in
      try Row.fetchAll(db, sql: "SELECT data, ciphertext FROM leaf WHERE class = 2").map {
        (data: Array($0["data"] as Data), ciphertext: Array($0["ciphertext"] as Data))
      }
    }
    #expect(sealed.count == 2)
    // Under one key and the fixed nonce they would begin with the same bytes, and have the same part salts.
    let ciphertexts = sealed.map { $0.ciphertext.prefix(16) }
    #expect(ciphertexts[0] != ciphertexts[1])
    let commitments = sealed.map { $0.data[10..<42] }
    #expect(commitments[0] != commitments[1])
    try await vault.close()
  }

  @Test func `the same file in two cases is sealed under two keys`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.startCase(named: "another")
    let file = try fixture.folder.file("shot.png", noise(100_000, seed: 1))
    for name in ["default", "another"] {
      _ = try await vault.add(
        [NewEntry(source: .file(path: file), content: EntryContent())], toCase: name)
    }
    let roots = try await vault.read { db in
      try Data.fetchAll(db, sql: "SELECT root FROM blob")
    }
    #expect(Set(roots).count == 2)
    try await vault.close()
  }
}

private func bytes(of keys: VaultKeys) -> [[UInt8]] {
  func copy(_ key: borrowing SecretKey) -> [UInt8] { key.withBytes { $0.copied() } }
  return [
    copy(keys.master), copy(keys.database), copy(keys.anchor), copy(keys.duplicates),
    copy(keys.cases),
  ]
}

extension OpenVault {
  /// Each value of each row of each table, as bytes.
  fileprivate func everyValue() throws(VaultError) -> [Data] {
    try read { db in
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
      return try tables.flatMap { table in
        try Row.fetchAll(db, sql: "SELECT * FROM \"\(table)\"").flatMap { row in
          row.databaseValues.compactMap { Data.fromDatabaseValue($0) }
        }
      }
    }
  }
}
