internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The view: what this member can open, laid out for showing and finding. All of it follows from leaves,
/// slots and ciphertexts.
enum ViewTable {
  /// An entry that could be opened, or was found to break a rule.
  struct Opened {
    let kind: EntryKind
    /// Seconds since 1970 by the author's clock.
    let clock: UInt64
    /// What follows header and context; empty for a violation.
    let parts: [Part]
    var problem: CaseLogError?
    /// The newest receipt that it embeds.
    var notBefore: (time: UInt64, witness: LogID)?
    /// Of a control entry: other logs as far as its writer had seen them.
    var acknowledged: [LogPosition] = []
  }

  /// Lays an entry into the view, under the row of its leaf.
  ///
  /// - Parameter content: nil for control entries and violations.
  static func insert(
    _ db: Database, _ entry: Opened, content: EntryContent?, leaf: Int64, case ref: Int64
  ) throws {
    try db.execute(
      sql: """
        INSERT INTO entry(id, case_ref, kind, clock, problem, not_before, not_before_witness, parts,
          frontier)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        leaf, ref, Int64(bitPattern: entry.kind.code), Int64(bitPattern: entry.clock),
        entry.problem.map { "\($0)" }, entry.notBefore.map { Int64(bitPattern: $0.time) },
        entry.notBefore?.witness.bytes.data, PartList.encode(entry.parts).data,
        entry.acknowledged.isEmpty ? nil : Frontier.encode(entry.acknowledged).data,
      ])
    guard let content else { return }
    for target in content.about {
      try db.execute(
        sql: "INSERT OR IGNORE INTO about(target, entry_ref) VALUES (?, ?)",
        arguments: [target.bytes.data, leaf])
    }
  }

  /// Takes an entry out of the view, and out of all that is found by it; its leaf stays.
  static func remove(_ db: Database, leaf: Int64) throws {
    for sql in [
      "DELETE FROM about WHERE entry_ref = ?", "DELETE FROM attachment WHERE entry_ref = ?",
      "DELETE FROM duplicate WHERE entry_ref = ?", "DELETE FROM entry WHERE id = ?",
    ] {
      try db.execute(sql: sql, arguments: [leaf])
    }
  }
}
