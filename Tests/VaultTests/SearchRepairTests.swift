import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing

@testable import Vault

/// The index of words follows from the entries: it may be lost, and nothing else with it.
@Suite struct `A damaged index of words` {
  private func vault() async throws -> (VaultFixture, OpenVault) {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add((0..<50).map { words("a tamarind, number \($0)") }, toCase: nil)
    let gone = try await vault.add([words("a tamarind that goes")], toCase: nil)
    _ = try await vault.erase([gone.saved[0].id.base32])
    return (fixture, vault)
  }

  private func found(_ vault: OpenVault) async throws -> Int {
    var query = EntryQuery(.allCases)
    query.text = try SearchWords(typed: "tamarind")
    return try await vault.entries(matching: query).entries.count
  }

  /// All rows of all tables but those of the index.
  private func rest(_ vault: OpenVault) async throws -> [String: [[DatabaseValue]]] {
    try await vault.database.queue.read { db in
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search%'")
      return try Dictionary(
        uniqueKeysWithValues: tables.map { table in
          (
            table,
            try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { Array($0.databaseValues) }
          )
        })
    }
  }

  @Test(arguments: [
    "DELETE FROM search_data", "DELETE FROM search_data WHERE id > 10",
    "UPDATE search_data SET block = zeroblob(40)", "DELETE FROM search_config",
    "DELETE FROM search_content WHERE id % 2 = 0",
    "UPDATE search_content SET c0 = 'something else' WHERE id % 3 = 0",
  ])
  func `it is told as what it is, and built anew from the entries`(damage: String) async throws {
    let (fixture, filled) = try await vault()
    var vault = filled
    #expect(try await found(vault) == 50)
    let before = try await rest(vault)
    try await vault.database.queue.write { db in try db.execute(sql: damage) }
    // As the next one finds it who opens it.
    try await vault.close()
    vault = try fixture.open()
    let findings = try await vault.check(.full).findings
    #expect(findings.contains(.search), "\(findings)")
    #expect(!findings.contains(.database), "\(findings)")
    try await vault.rebuildSearch()
    #expect(try await vault.check(.full).findings == [])
    #expect(try await found(vault) == 50)
    #expect(try await rest(vault) == before)
    _ = try await vault.add([words("another tamarind")], toCase: nil)
    #expect(try await found(vault) == 51)
    try await vault.close()
  }

  @Test func `a copy that signs nothing is helped too`() async throws {
    let (fixture, vault) = try await vault()
    try await vault.database.queue.write { db in try db.execute(sql: "DELETE FROM search_data") }
    try await vault.close()
    let copy = try VaultFixture()
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy.path)
    let opened = try copy.open()
    #expect(await opened.standing == .copied)
    try await opened.rebuildSearch()
    #expect(try await opened.check(.full).findings == [.copied])
    #expect(try await found(opened) == 50)
    try await opened.close()
  }
}
