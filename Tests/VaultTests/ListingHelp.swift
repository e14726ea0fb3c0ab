import CaseLog
import Foundation
import GRDB

@testable import Vault

extension OpenVault {
  func write<Result: Sendable>(_ body: @Sendable (Database) throws -> Result) throws -> Result {
    try database.queue.write { try body($0) }
  }

  func leafWithWords(_ text: String) throws -> Int64 {
    try write { db in
      for row in try Row.fetchAll(db, sql: "SELECT id, parts FROM entry WHERE kind >= 16") {
        let content = try EntryContent(parts: try PartList.decode(row.bytes("parts")))
        if content.words == text { return row["id"] }
      }
      throw VaultError(.unknownEntry)
    }
  }

  /// All bytes of the full-text index and of the other tables that entries are found by, as far as they are
  /// text.
  func everythingIndexed() throws -> String {
    try write { db in
      var text = ""
      for table in ["search_data", "search_content", "facet"] {
        for row in try Row.fetchAll(db, sql: "SELECT * FROM \(table)") {
          for (_, value) in row {
            if let data = Data.fromDatabaseValue(value) {
              text += String(decoding: data, as: Unicode.ASCII.self)
            } else {
              text += String.fromDatabaseValue(value) ?? ""
            }
          }
        }
      }
      return text
    }
  }
}
