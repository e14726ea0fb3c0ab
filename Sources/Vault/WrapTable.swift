internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Epoch keys, wrapped for members and kit.
enum WrapTable {
  /// Stores a wrap that this device made.
  static func add(_ db: Database, _ wrap: Wrap, to row: CaseRow) throws {
    try store(db, wrap, case: row.ref)
    guard let recipient = wrap.recipient else { return }
    try db.execute(
      cached: "INSERT OR IGNORE INTO wrapped(case_ref, epoch, log_id) VALUES (?, ?, ?)",
      arguments: [row.ref, wrap.epoch.bytes.data, recipient.bytes.data])
  }

  /// Stores a wrap, whoever made it.
  static func store(_ db: Database, _ wrap: Wrap, case ref: Int64) throws {
    try db.execute(
      cached: "INSERT OR IGNORE INTO wrap(case_ref, epoch, recipient, bytes) VALUES (?, ?, ?, ?)",
      arguments: [
        ref, wrap.epoch.bytes.data, wrap.recipient?.bytes.data, wrap.encoded.data,
      ])
  }

  /// What a `head` says, by epoch and then as a whole. Of too many the first ones for each recipient and author of
  /// epochs go in turn, so that who begins thousands, or takes newer keys without end, leaves room for all others.
  static func forHead(_ db: Database, of row: CaseRow, atMost count: Int) throws -> [[UInt8]] {
    let number = try Int.fetchOne(
      db, sql: "SELECT count(*) FROM wrap WHERE case_ref = ?", arguments: [row.ref])
    return try Row.fetchAll(
      db,
      cached: number ?? 0 <= count
        ? "SELECT bytes FROM wrap WHERE case_ref = ? ORDER BY epoch, bytes LIMIT ?"
        : """
        SELECT bytes FROM
          (SELECT w.epoch, w.bytes, w.recipient, g.log_id, row_number() OVER
            (PARTITION BY w.recipient, g.log_id ORDER BY l.sequence, w.bytes) AS turn
          FROM wrap w LEFT JOIN leaf l ON l.entry_id = w.epoch LEFT JOIN log g ON g.id = l.log_ref
          WHERE w.case_ref = ? ORDER BY turn, w.recipient, g.log_id, w.bytes LIMIT ?)
        ORDER BY epoch, bytes
        """, arguments: [row.ref, count]
    ).map { $0.bytes("bytes") }
  }

  /// Wraps what this device holds for members who lack it, once for a member and an epoch, since nobody can check what
  /// others have wrapped. An advocate does so for the survivor's devices: those that could have may be removed by now.
  ///
  /// - Returns: whether there was anything to do.
  @discardableResult
  static func handOnKeys(
    _ db: Database, of row: CaseRow, keys: VaultKeys, now: UInt64,
    atMost limit: Int = WrapLimits.handedOnAtOnce
  ) throws -> Bool {
    let state = try CaseView.state(db, of: row)
    guard !state.isStoppedByNewerVersion, state.member(row.logID).map({ $0.cut == nil }) ?? false
    else { return false }
    let done = Set(
      try Row.fetchAll(
        db, cached: "SELECT epoch, log_id FROM wrapped WHERE case_ref = ?", arguments: [row.ref]
      ).map { Pair(epoch: try $0.identifier("epoch"), member: try $0.identifier("log_id")) })
    var held = try HeldEpochs(db, of: row, in: state)
    let others = state.standingMembers.filter {
      $0.logID != row.logID && (row.role == .survivor || $0.role == .survivor)
    }
    // Who takes newer keys without end keeps others waiting no longer than for one exchange.
    let (newer, first) = (
      others.filter { $0.logID != $0.firstLogID }, others.filter { $0.logID == $0.firstLogID }
    )
    let lacking = (first + newer).flatMap { member in
      held.due(to: member, now: now) {
        done.contains(Pair(epoch: $0, member: member.logID))
      }.map { (member: member, epoch: $0) }
    }
    guard !lacking.isEmpty else { return false }
    let epochs = Dictionary(
      try LoadedEpoch.all(db, of: row, keys: keys).map { ($0.key.id, $0) }
    ) { first, _ in first }
    for (member, id) in lacking.prefix(limit) {
      guard let epoch = epochs[id] else { continue }
      try add(db, try epoch.key.wrap(for: member.logID, boxKey: member.card.boxKey), to: row)
    }
    return true
  }

  private struct Pair: Hashable {
    let epoch: EpochID
    let member: LogID
  }
}
