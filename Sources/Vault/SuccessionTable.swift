internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Certificates of new keys, as they arrive: those of members' keys, and of one log no more than count.
enum SuccessionTable {
  /// Takes those that verify and certify the successor of a member; whether anything changed. What comes too
  /// early, before its member is known, is offered again.
  static func accept(
    _ db: Database, _ successions: [[UInt8]], of row: CaseRow
  ) throws -> Bool {
    let held = Set(try CaseView.successions(db, of: row).map(\.bytes))
    var rest: [Succession] = []
    for bytes in successions where !held.contains(bytes) {
      do throws(CaseLogError) {
        rest.append(try Succession(decoding: bytes, caseID: row.caseID))
      } catch {
        continue
      }
    }
    var isChanged = false
    var isNew = !rest.isEmpty
    while isNew {
      isNew = false
      // One may certify the successor of another.
      let state = try CaseView.state(db, of: row)
      for succession in rest {
        guard let old = state.member(succession.oldLogID(in: row.caseID)),
          old.role == succession.card.role, try isStillMember(old, db, row)
        else { continue }
        rest.removeAll { $0 == succession }
        guard try insert(db, succession, of: row) else { continue }
        isNew = true
        isChanged = true
      }
    }
    return isChanged
  }

  /// Whether what made a member of these keys was not left out since the case was evaluated.
  private static func isStillMember(
    _ member: CaseState.Member, _ db: Database, _ row: CaseRow
  ) throws -> Bool {
    guard case .succession = member.origin else { return true }
    return try CaseView.successions(db, of: row).contains {
      $0.card.signingKey == member.card.signingKey
    }
  }

  /// Adds one, unless there are as many of its log that count before it; else those that it leaves no room for
  /// go, with what hangs from them.
  static func insert(
    _ db: Database, _ succession: Succession, of row: CaseRow
  ) throws -> Bool {
    let all = try CaseView.successions(db, of: row)
    let siblings = all.filter { $0.oldKey == succession.oldKey }.sorted { $0.order < $1.order }
    let isLeast = siblings.count(where: { $0.order < succession.order }) < Limits.successionsOfLog
    guard isLeast, !siblings.contains(succession) else { return false }
    for excess in siblings.dropFirst(Limits.successionsOfLog - 1) {
      try remove(db, excess, all: all, of: row)
    }
    try db.execute(
      cached: "INSERT INTO succession(case_ref, bytes) VALUES (?, ?)",
      arguments: [row.ref, succession.bytes.data])
    return true
  }

  private static func remove(
    _ db: Database, _ succession: Succession, all: [Succession], of row: CaseRow
  ) throws {
    try db.execute(
      cached: "DELETE FROM succession WHERE case_ref = ? AND bytes = ?",
      arguments: [row.ref, succession.bytes.data])
    guard db.changesCount > 0 else { return }
    for next in all where next.oldKey == succession.card.signingKey {
      try remove(db, next, all: all, of: row)
    }
  }
}
