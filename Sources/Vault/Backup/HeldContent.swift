internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What a database has that another one may lack: how far its logs go, what is there of their entries, and which
/// attachments have come.
struct HeldContent {
  private let logs: [LogID: LogHead]
  private let entries: [EntryID: Presence]
  private let blobs: Set<Blob>

  /// How much of an entry is there.
  private struct Presence: OptionSet {
    let rawValue: UInt8
    static let sealed = Presence(rawValue: 1)
    static let open = Presence(rawValue: 2)
  }

  private struct Blob: Hashable {
    let root: BlobRoot
    let size: UInt64
  }

  init(_ db: Database) throws {
    logs = try LogTable.heads(db)
    entries = try Self.entries(db)
    blobs = try Self.blobs(db, areThere: true)
  }

  /// Whether another database has all of this too, but for what was destroyed there.
  func isHeld(by db: Database) throws -> Bool {
    guard try logs.allSatisfy({ try LogTable.holds(db, $0, $1) }) else { return false }
    let own = try Self.entries(db)
    let lacking = entries.filter { !(own[$0.key] ?? []).isSuperset(of: $0.value) }
    guard try lacking.isEmpty || Self.destroyed(db).isSuperset(of: lacking.keys) else {
      return false
    }
    return try blobs.isDisjoint(with: Self.blobs(db, areThere: false))
  }

  private static func entries(_ db: Database) throws -> [EntryID: Presence] {
    var entries: [EntryID: Presence] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.entry_id, l.ciphertext IS NOT NULL AS is_sealed, e.id IS NOT NULL AS is_open
        FROM leaf l LEFT JOIN entry e ON e.id = l.id
        """)
    while let row = try rows.next() {
      var presence: Presence = []
      if row["is_sealed"] { presence.insert(.sealed) }
      if row["is_open"] { presence.insert(.open) }
      if !presence.isEmpty { entries[try row.identifier("entry_id")] = presence }
    }
    return entries
  }

  private static func destroyed(_ db: Database) throws -> Set<EntryID> {
    Set(
      try Row.fetchAll(db, sql: "SELECT entry FROM erasure WHERE is_destroyed = 1")
        .map { try $0.identifier("entry") })
  }

  private static func blobs(_ db: Database, areThere: Bool) throws -> Set<Blob> {
    Set(
      try Row.fetchAll(
        db,
        sql: """
          SELECT root, sealed_size FROM blob WHERE is_present = ?
            AND id IN (SELECT blob_ref FROM attachment)
          """, arguments: [areThere]
      ).map { Blob(root: try $0.identifier("root"), size: $0.number("sealed_size")) })
  }
}

/// How far a log goes, and the root over its leaves.
private struct LogHead: Hashable {
  let size: UInt64
  let root: Bytes32
}

extension LogTable {
  /// Of all cases: a log's id says its case too.
  fileprivate static func heads(_ db: Database) throws -> [LogID: LogHead] {
    var heads: [LogID: LogHead] = [:]
    for row in try Row.fetchAll(db, cached: "SELECT log_id, size, root FROM log") {
      heads[try row.identifier("log_id")] = LogHead(
        size: row.number("size"), root: try row.bytes32("root"))
    }
    return heads
  }

  /// Whether a log went on from this head, or stands there.
  fileprivate static func holds(_ db: Database, _ log: LogID, _ head: LogHead) throws -> Bool {
    guard head.size > 0 else { return true }
    guard
      let row = try Row.fetchOne(
        db, cached: "SELECT id, size, root FROM log WHERE log_id = ?", arguments: [log.bytes.data])
    else { return false }
    let own = LogHead(size: row.number("size"), root: try row.bytes32("root"))
    if own.size <= head.size { return own == head }
    let ref: Int64 = row["id"]
    let leaves = try Row.fetchCursor(
      db, sql: "SELECT data FROM leaf WHERE log_ref = ? AND sequence < ? ORDER BY sequence",
      arguments: [ref, Int64(bitPattern: head.size)])
    var tree = CompactRange()
    while let leaf = try leaves.next() {
      tree.append(try LeafData(parsing: leaf.bytes("data")).hash)
    }
    return tree.size == head.size && tree.root == head.root
  }
}
