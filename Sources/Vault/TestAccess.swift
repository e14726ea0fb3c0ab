package import CaseLog
package import Cryptography
internal import GRDB
package import VerifiableLog

// What tests and programs beside them need of a vault, and nobody else may have. It lies here, and not with
// them by `@testable import`, because they are measured and run for hours as release builds (Scripts/simulate,
// Scripts/bench), and a release build has no such import. As `package` it does not leave this package, and
// Tests/ArchitectureTests holds the rest of Sources to calling none of it.

/// The logs of a case as far as a copy holds them.
package struct HeldLogs: Sendable {
  /// This device's own.
  package let own: LogID
  /// By log id; of members and of nobody else.
  package let positions: [LogPosition]
}

extension OpenVault {
  /// How far this copy holds each log of a case, and in which history.
  package func heldLogs(ofCase name: String?) throws(VaultError) -> HeldLogs {
    try read { db in
      let row = try CaseRow.find(db, name)
      let positions = try Row.fetchAll(
        db, cached: "SELECT log_id, size, root FROM log WHERE case_ref = ? ORDER BY log_id",
        arguments: [row.ref]
      ).map {
        LogPosition(
          logID: try $0.identifier("log_id"), size: $0.number("size"),
          root: try $0.bytes32("root"))
      }
      return HeldLogs(own: row.logID, positions: positions)
    }
  }

  /// The root over the first leaves of a log; nil if there are fewer.
  package func root(
    ofLog log: LogID, size: UInt64, inCase name: String?
  ) throws(VaultError) -> Bytes32? {
    try read { db in try CaseView.roots(db, of: CaseRow.find(db, name), log, sizes: [size])[size] }
  }

  /// Lets a copy sign with the keys that it has, wherever it is and however old: what a thief with a patched
  /// program can do. Tests show by it what every other copy does about that.
  package func signAsItIs() throws(VaultError) { try settle() }

  /// Appends an entry of a kind of the caller's choice, also one that this role may not write: what somebody
  /// with a patched program can do. Tests show by it that every other copy sets such an entry aside.
  package func append(
    _ content: EntryContent, as kind: EntryKind, toCase name: String?
  ) throws(VaultError) -> EntryID {
    let row = try read { db in try CaseRow.find(db, name) }
    return try commit { db in
      let writer = try EntryWriter(db, of: row, keys: keys, surroundings: surroundings)
      let entry = try writer.append(content, as: kind)
      try writer.sign()
      return entry.id
    }
  }
}

extension KeyCost {
  /// The least that is read at all: for tests, which open thousands of vaults that nobody guesses at.
  package static let least = KeyCost(memoryKiB: 65_536, passes: 1)
}
