import CaseLog
import Foundation
import GRDB
import People
import Support
import Testing

@testable import Vault

@Suite struct MigrationTests {
  @Test func `a vault of version 1 is listed and searched like one that was always new`()
    async throws
  {
    let fixture = try VaultFixture()
    let file = try fixture.folder.file("picture.png", noise(300, seed: 4))
    let vault = try await fixture.create()
    var content = EntryContent()
    content.words = "Er schrieb mir nachts, 彼は私を脅迫した"
    content.url = "https://example.org/1"
    content.seen = ClaimedTime(typed: "2024-05")
    content.tags = ["Night"]
    let first = try await vault.add(
      [NewEntry(source: .file(path: file), content: content)], toCase: nil
    ).saved[0].id
    _ = try await vault.startCase(named: "other")
    _ = try await vault.add([words("in another case")], toCase: "other")
    var note = EntryContent()
    note.words = "about it"
    note.about = [first]
    _ = try await vault.append(note, as: .note, toCase: nil)
    let listed = try await vault.entries(ofCase: nil)
    let tables = try await vault.findingTables()
    try await vault.becomeVersion1()
    try await vault.close()

    let again = try fixture.open()
    #expect(try await again.findingTables() == tables)
    #expect(try await again.entries(ofCase: nil) == listed)
    #expect(try await again.found("脅迫 nachts").count == 1)
    #expect(try await again.found("picture") == [content.words])
    #expect(try await again.found("example.org") { $0.tags = ["night"] }.count == 1)
    #expect(try await again.found("about") == ["about it"])
    #expect(try await again.check().findings == [])
    // What is added from here on is laid beside it.
    _ = try await again.add([words("nachts again")], toCase: nil)
    #expect(try await again.found("nachts").count == 2)
    try await again.close()
  }

  @Test func `receipts of a vault of version 1 bound its entries`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    _ = try await shared.hers.add([words("three")], toCase: nil)
    let listed = try await shared.hers.entries(ofCase: nil)
    #expect(listed.map { $0.existedBy != nil } == [true, true, false])
    try await shared.hers.becomeVersion1()
    try await shared.hers.close()
    let again = try shared.survivor.open()
    #expect(try await again.entries(ofCase: nil) == listed)
  }

  @Test func `a database of a newer version is not opened, and nothing is written to it`()
    async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add([words("one")], toCase: nil)
    let backup = fixture.folder.path + "/stick"
    _ = try await vault.backUp(to: backup)
    let former = try SealedDatabase(
      opening: backup + "/vault.db", key: await vault.keys.database, vaultID: await vault.vaultID)
    try await former.becomeNewer()
    _ = try former.moveLogIntoFile()
    try former.close()
    // A backup of one does not give way to an older vault.
    let files = try fixture.folder.allFiles().filter { $0.key.hasPrefix("stick/") }
    await #expect(throws: VaultError(.newerVersion)) { try await vault.backUp(to: backup) }
    #expect(try fixture.folder.allFiles().filter { $0.key.hasPrefix("stick/") } == files)

    try await vault.database.becomeNewer()
    try await vault.close()
    let before = try fixture.folder.allFiles()
    #expect(try refusal { try fixture.open() } == .newerVersion)
    let (surroundings, place) = (fixture.surroundings, fixture.folder.path + "/new")
    for source in [fixture.path, backup] {
      await #expect(throws: VaultError(.newerVersion)) {
        try await OpenVault.restore(
          source, to: place, passphrase: try locked(VaultFixture.passphrase),
          surroundings: surroundings)
      }
    }
    #expect(try fixture.folder.allFiles() == before)
    // What can be read of it is known by its columns, whatever its version says.
    let salvage = try Salvage(of: fixture.path, passphrase: try locked(VaultFixture.passphrase))
    #expect(try Salvaged(salvage).words == ["one"])
  }
}

extension SealedDatabase {
  /// As if a later program had brought its tables up to date.
  fileprivate func becomeNewer() async throws {
    try await queue.write { db in
      try db.execute(sql: "INSERT INTO grdb_migrations(identifier) VALUES ('9')")
    }
  }
}

extension OpenVault {
  /// All that entries are found by, as text.
  func findingTables() throws -> [String] {
    try write { db in
      try ["listing", "facet", "about", "search"].flatMap { table in
        try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\(table) \($0)" }.sorted()
      }
    }
  }

  /// Leaves the database as version 1 would have made it: its tables by its statements, with what it holds.
  func becomeVersion1() throws {
    let old = try DatabaseQueue()
    try Schema.migrator().migrate(old, upTo: "1")
    let columns = try old.read { db in
      try String.fetchAll(
        db,
        sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'grdb%'"
      ).map { (table: $0, names: try db.columns(in: $0).map(\.name)) }
    }
    let held = try database.queue.writeWithoutTransaction { db in
      let held = try columns.map { table, names in
        try Row.fetchAll(db, sql: "SELECT \(names.joined(separator: ", ")) FROM \(table)")
      }
      try db.execute(sql: "PRAGMA foreign_keys = OFF; DROP TABLE search")
      for table in try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
      {
        try db.execute(sql: "DROP TABLE \(table)")
      }
      try db.execute(sql: "PRAGMA foreign_keys = ON")
      return held
    }
    try Schema.migrator().migrate(database.queue, upTo: "1")
    try database.queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA foreign_keys = OFF")
      for ((table, names), rows) in zip(columns, held) {
        let marks = names.map { _ in "?" }.joined(separator: ", ")
        for row in rows {
          try db.execute(
            sql: "INSERT INTO \(table)(\(names.joined(separator: ", "))) VALUES (\(marks))",
            arguments: StatementArguments(row.databaseValues))
        }
      }
      try db.execute(sql: "PRAGMA foreign_keys = ON")
    }
  }
}
