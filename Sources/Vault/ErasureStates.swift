internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// What an erasure did to an entry on this copy.
public enum ErasureState: Hashable, Sendable {
  /// It is hidden, and destroyed at that time unless a device of the survivor's keeps it.
  case hidden(until: UInt64, canBeKept: Bool)
  /// It is gone from this device.
  case destroyed
}

extension OpenVault {
  /// What became here of those of these entries that are erased.
  public func erasures(
    among entries: [EntryID]
  ) throws(VaultError) -> [EntryID: ErasureState] {
    try read { db in
      var result: [EntryID: ErasureState] = [:]
      for start in stride(from: 0, to: entries.count, by: 500) {
        let ids = entries[start..<min(start + 500, entries.count)].map(\.bytes.data)
        let rows = try SQLRequest<Row>(
          literal: """
            SELECT e.entry, e.seen, e.is_destroyed, c.role FROM erasure e
            JOIN vault_case c ON c.id = e.case_ref WHERE e.entry IN \(ids)
            """
        ).fetchAll(db)
        for row in rows {
          let isDestroyed: Bool = row["is_destroyed"]
          let role: Int64 = row["role"]
          result[try row.identifier("entry")] =
            isDestroyed
            ? .destroyed
            : .hidden(
              until: row.number("seen") + Self.erasureGrace,
              canBeKept: role == Int64(Role.survivor.rawValue))
        }
      }
      return result
    }
  }
}
