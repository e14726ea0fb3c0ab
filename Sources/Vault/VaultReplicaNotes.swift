internal import CaseLog
internal import Cryptography
internal import GRDB
internal import Sync
internal import VerifiableLog

// Heads, receipts, forks, statements, wraps and shares of a case in an exchange.

extension VaultReplica {
  /// The newest head of each log with the receipts on it, and older heads that carry receipts.
  func heads() throws(VaultError) -> [SignedHead] {
    try read { db in
      let logs = try Row.fetchAll(
        db, cached: "SELECT * FROM log WHERE case_ref = ? AND note IS NOT NULL ORDER BY log_id",
        arguments: [row.ref])
      let newest = try logs.map { log in
        let receipts = try Row.fetchAll(
          db, cached: "SELECT note FROM receipt WHERE log_ref = ? AND size = ? ORDER BY witness",
          arguments: [log["id"] as Int64, Int64(log.number("note_size"))])
        return SignedHead(
          signingKey: try log.bytes32("signing_key"),
          note: try Receipts.merge(log.bytes("note"), receipts.map { $0.bytes("note") }))
      }
      // Of each log and witness the newest first, so that no log with many leaves room for none of another.
      let older = try Row.fetchAll(
        db,
        cached: """
          SELECT signing_key, note FROM
            (SELECT g.signing_key, g.log_id, r.witness, r.note,
              row_number() OVER (PARTITION BY r.log_ref, r.witness ORDER BY r.size DESC) AS place
            FROM receipt r JOIN log g ON g.id = r.log_ref
            WHERE g.case_ref = ? AND g.note IS NOT NULL AND r.size <> g.note_size)
          ORDER BY place, log_id, witness LIMIT ?
          """,
        arguments: [row.ref, max(0, SyncLimits.heads - newest.count)])
      return try newest
        + older.map {
          SignedHead(signingKey: try $0.bytes32("signing_key"), note: $0.bytes("note"))
        }
    }
  }

  mutating func accept(_ head: VerifiedHead) throws(VaultError) -> Bool {
    try write { db in
      let logRef = try Self.logRef(db, row, head.checkpoint.log.id)
      var isChanged = false
      // Nobody is a witness of her own log.
      for receipt in head.receipts where receipt.member != head.checkpoint.log.id {
        try ReceiptTable.insert(
          db, receipt, of: head.checkpoint, log: logRef, isEmbedded: false)
        if db.changesCount > 0 { isChanged = true }
      }
      try db.execute(
        cached:
          "UPDATE log SET note = ?1, note_size = ?2 WHERE id = ?3 AND note_size < ?2 AND size >= ?2",
        arguments: [head.checkpoint.minimalBytes.data, Int64(head.checkpoint.size), logRef])
      return isChanged || db.changesCount > 0
    }
  }

  /// A receipt for each log that grew since the last one that we gave for it, stored before it is sent; and
  /// the epoch keys that members lack.
  mutating func giveReceipts() throws(VaultError) {
    try write { db in
      try WrapTable.handOnKeys(db, of: row, keys: keys, now: surroundings.now())
      let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
      let grown = try Row.fetchAll(
        db,
        cached: """
          SELECT g.* FROM log g WHERE g.case_ref = ? AND g.log_id <> ? AND g.note_size > 0
            AND g.note_size > (SELECT coalesce(max(r.size), 0) FROM receipt r
              WHERE r.log_ref = g.id AND r.witness = ?)
          """, arguments: [row.ref, ownLog.bytes.data, ownLog.bytes.data])
      let now = surroundings.now()
      let state = try CaseView.state(db, of: row)
      for log in grown {
        // A receipt over what was cut would be a word for it.
        let cut = state.member(try log.identifier("log_id"))?.cut
        guard cut.map({ log.number("note_size") <= $0.contentSize }) ?? true else { continue }
        let identity = LogIdentity(
          caseID: row.caseID.raw, key: try VerifyingKey(try log.bytes32("signing_key")))
        let checkpoint = try VerifiedCheckpoint(verifying: log.bytes("note"), of: identity)
        let receipt = try VerifiedReceipt(
          verifying: Cosignature.sign(checkpoint.checkpoint, time: now, with: device.receipt),
          of: checkpoint.checkpoint, by: ownLog.cosigner(row.card.receiptKey))
        try ReceiptTable.insert(
          db, MemberReceipt(member: ownLog, receipt: receipt), of: checkpoint, log: log["id"],
          isEmbedded: true)
      }
    }
  }

  func forks() throws(VaultError) -> [ForkProof] {
    let proofs = try read { db in
      try Row.fetchAll(
        db, cached: "SELECT bytes FROM fork WHERE case_ref = ? ORDER BY bytes",
        arguments: [row.ref]
      ).map { $0.bytes("bytes") }
    }
    guard !proofs.isEmpty else { return [] }
    let held = try logs()
    return proofs.compactMap { bytes in
      let origin = ForkProof.origin(in: bytes)
      return held.first { $0.id.origin == origin }.flatMap {
        Self.proof(bytes, of: $0.identity)
      }
    }
  }

  mutating func accept(_ fork: ForkProof) throws(VaultError) -> Bool {
    try write { db in
      let logRef = try Self.logRef(db, row, fork.log.id)
      // One proof is enough, and a member may sign as many as she likes: of all, the one that leaves the
      // least in common, so that copies that were offered the same agree.
      let known = try Row.fetchAll(
        db, cached: "SELECT bytes FROM fork WHERE case_ref = ?", arguments: [row.ref]
      ).compactMap { Self.proof($0.bytes("bytes"), of: fork.log) }
      guard known.allSatisfy(fork.isBetter) else { return false }
      for proof in known {
        try db.execute(
          cached: "DELETE FROM fork WHERE case_ref = ? AND bytes = ?",
          arguments: [row.ref, proof.bytes.data])
      }
      try db.execute(
        cached: "UPDATE log SET forked_at = ? WHERE id = ?",
        arguments: [Int64(clamping: fork.forkedAt), logRef])
      try db.execute(
        cached: "INSERT OR IGNORE INTO fork(case_ref, bytes) VALUES (?, ?)",
        arguments: [row.ref, fork.bytes.data])
      try Absorber.run(db, of: row, keys: keys)
      return true
    }
  }

  private static func proof(_ bytes: [UInt8], of log: LogIdentity) -> ForkProof? {
    do { return try ForkProof(parsing: bytes, of: log) } catch { return nil }
  }

  func statements() throws(VaultError) -> [[UInt8]] {
    try read { db in try storedStatements(db) }
  }

  private func storedStatements(_ db: Database) throws -> [[UInt8]] {
    try Row.fetchAll(
      db, cached: "SELECT bytes FROM statement WHERE case_ref = ? ORDER BY bytes",
      arguments: [row.ref]
    ).map { $0.bytes("bytes") }
  }

  mutating func accept(statements: [[UInt8]]) throws(VaultError) -> StatementOutcome {
    try write { db in
      var isChanged = false
      var hasForged = false
      let held = Set(try storedStatements(db))
      for bytes in statements where !held.contains(bytes) {
        do throws(CaseLogError) {
          _ = try RootStatement(decoding: bytes, caseID: row.caseID, root: row.root)
        } catch {
          // Only the root can have signed what a newer version understands.
          if error != .newerVersion { hasForged = true }
          continue
        }
        guard
          try Int.fetchOne(
            db, cached: "SELECT count(*) FROM statement WHERE case_ref = ?", arguments: [row.ref])
            ?? 0
            < Limits.statements
        else { break }
        try db.execute(
          cached: "INSERT OR IGNORE INTO statement(case_ref, bytes) VALUES (?, ?)",
          arguments: [row.ref, bytes.data])
        if db.changesCount > 0 { isChanged = true }
      }
      if isChanged { try Absorber.run(db, of: row, keys: keys) }
      return StatementOutcome(changed: isChanged, hasForged: hasForged)
    }
  }

  func successions() throws(VaultError) -> [[UInt8]] {
    try read { db in
      try Row.fetchAll(
        db, cached: "SELECT bytes FROM succession WHERE case_ref = ? ORDER BY bytes",
        arguments: [row.ref]
      ).map { $0.bytes("bytes") }
    }
  }

  mutating func accept(successions: [[UInt8]]) throws(VaultError) -> Bool {
    try write { db in
      let isChanged = try SuccessionTable.accept(db, successions, of: row)
      if isChanged { try Absorber.run(db, of: row, keys: keys) }
      return isChanged
    }
  }

  func wraps(atMost count: Int) throws(VaultError) -> [[UInt8]] {
    try read { db in try WrapTable.forHead(db, of: row, atMost: count) }
  }

  mutating func accept(wrapsOfStranger wraps: [[UInt8]]) throws(VaultError) -> Bool {
    try write { db in try WrapIntake.accept(db, ofStranger: wraps, of: row, keys: keys) }
  }

  mutating func accept(wraps: [[UInt8]]) throws(VaultError) -> Bool {
    try write { db in try WrapIntake.accept(db, wraps, of: row, keys: keys) }
  }
}

// MARK: - Shares

extension VaultReplica {
  func shares() throws(VaultError) -> [HeldShare] {
    try read { db in
      try CaseView.state(db, of: row).shares.filter { try isHeld($0.share, db) }
        .map { HeldShare(id: $0.id, logID: $0.logID) }
    }
  }

  func wantedShares() throws(VaultError) -> [EntryID] {
    try read { db in
      try CaseView.state(db, of: row).shares.filter { try !isHeld($0.share, db) }.map(\.id)
    }
  }

  func content(
    of share: EntryID, from index: Int, byteBudget: Int
  ) throws(VaultError) -> ShareContent {
    try read { db in
      guard let record = try CaseView.state(db, of: row).shares.first(where: { $0.id == share })
      else { return ShareContent(slots: [], bodies: [], nextIndex: nil) }
      var slots: [Slot] = []
      var bodies: [Body] = []
      var position = 0
      var bytes = 0
      for range in record.share.entries {
        for sequence in range.first..<range.first + range.count {
          defer { position += 1 }
          guard position >= index else { continue }
          guard bytes <= byteBudget else {
            return ShareContent(slots: slots, bodies: bodies, nextIndex: position)
          }
          guard
            let entry = try Self.shared(
              db, row, range.logID, sequence, epoch: record.share.epoch)
          else { continue }
          slots.append(entry.slot)
          bodies.append(
            Body(logID: range.logID, sequence: sequence, ciphertext: entry.ciphertext))
          bytes += entry.ciphertext.count + 128
        }
      }
      return ShareContent(slots: slots, bodies: bodies, nextIndex: nil)
    }
  }

  mutating func accept(slots: [Slot]) throws(VaultError) -> Bool {
    try write { db in
      let isChanged = try SlotTable.insert(db, slots, in: row)
      if isChanged { try Absorber.run(db, of: row, keys: keys) }
      return isChanged
    }
  }

  mutating func accept(bodies: [Body]) throws(VaultError) -> Bool {
    try write { db in
      var isChanged = false
      for body in bodies {
        if try SlotTable.fill(
          db, try Self.logRef(db, row, body.logID), body.sequence, body.ciphertext)
        {
          isChanged = true
        }
      }
      if isChanged { try Absorber.run(db, of: row, keys: keys) }
      return isChanged
    }
  }

  /// Whether all that a share names is here; what was erased since is not missing.
  private func isHeld(_ share: Control.Share, _ db: Database) throws -> Bool {
    for range in share.entries {
      let held = try Int64.fetchOne(
        db,
        cached: """
          SELECT count(DISTINCT l.id) FROM leaf l JOIN log g ON g.id = l.log_ref
          LEFT JOIN slot s ON s.leaf_ref = l.id AND s.epoch = ?1
          LEFT JOIN erasure x ON x.entry = l.entry_id AND x.case_ref = ?2 AND x.is_destroyed = 1
          WHERE g.case_ref = ?2 AND g.log_id = ?3 AND l.sequence >= ?4 AND l.sequence < ?5
            AND (x.entry IS NOT NULL OR (l.ciphertext IS NOT NULL AND s.box IS NOT NULL))
          """,
        arguments: [
          share.epoch.bytes.data, row.ref, range.logID.bytes.data, Int64(range.first),
          Int64(range.first + range.count),
        ])
      if UInt64(held ?? 0) < range.count { return false }
    }
    return true
  }

  private static func shared(
    _ db: Database, _ row: CaseRow, _ log: LogID, _ sequence: UInt64, epoch: EpochID
  ) throws -> (slot: Slot, ciphertext: [UInt8])? {
    guard
      let record = try Row.fetchOne(
        db,
        cached: """
          SELECT s.box, l.ciphertext FROM leaf l JOIN log g ON g.id = l.log_ref
          JOIN slot s ON s.leaf_ref = l.id AND s.epoch = ?
          WHERE g.case_ref = ? AND g.log_id = ? AND l.sequence = ? AND l.ciphertext IS NOT NULL
          ORDER BY s.is_valid DESC
          """,
        arguments: [epoch.bytes.data, row.ref, log.bytes.data, Int64(sequence)])
    else { return nil }
    return (
      Slot(logID: log, sequence: sequence, epoch: epoch, box: record.bytes("box")),
      record.bytes("ciphertext")
    )
  }
}
