package import CaseLog
package import Cryptography
internal import GRDB
package import VerifiableLog

// What tests need that drive many vaults at once and may look into none of them.

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
    try read { db in try CaseView.root(db, of: CaseRow.find(db, name), log, size: size) }
  }

  /// Lets a copy sign with the keys that it has, wherever it is and however old: what a thief with a patched
  /// program can do. Tests show by it what every other copy does about that.
  package func signAsItIs() throws(VaultError) { try settle() }
}
