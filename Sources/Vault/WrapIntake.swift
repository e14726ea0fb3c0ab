internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Takes wraps of others, within one transaction. Anybody can make up a wrap for somebody else, of whatever
/// epoch: so each recipient of an epoch has places of her own, and epochs that are not known here share few.
/// What finds no place is offered again when more of the case is here.
struct WrapIntake {
  private let db: Database
  private let row: CaseRow
  private let keys: VaultKeys
  private let state: CaseState
  private let recipients: Set<LogID>
  /// Survivors' control entries that are epochs, or may be: they cannot be opened here yet.
  private var epochs: Set<EpochID> = []
  /// Survivors' control entries that are something else.
  private var others: Set<EpochID> = []
  private var openEpochs: Set<EpochID>
  private var counts: [Place: Int] = [:]
  private var unknownCount = 0
  private var openedCounts: [EpochID: Int] = [:]

  private struct Place: Hashable {
    let epoch: EpochID
    let recipient: LogID?
  }

  /// Whether anything was kept that was not here. Opens what can then be opened.
  static func accept(
    _ db: Database, _ wraps: [[UInt8]], of row: CaseRow, keys: VaultKeys
  ) throws -> Bool {
    var seen = Set(
      try Row.fetchAll(
        db, cached: "SELECT bytes FROM wrap WHERE case_ref = ?", arguments: [row.ref]
      ).map { $0.bytes("bytes") })
    let new = wraps.filter { seen.insert($0).inserted }.compactMap(decoded)
    // What is no wrap costs no look at the case.
    guard !new.isEmpty else { return false }
    var intake = try WrapIntake(db, of: row, keys: keys)
    let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
    var taken: [Wrap] = []
    for wrap in new where try intake.take(wrap, with: device.box) { taken.append(wrap) }
    guard !taken.isEmpty else { return false }
    try Absorber.run(db, of: row, keys: keys)
    // What turned out to be junk is gone again, and must not look like news each time that it is offered.
    return try taken.contains { wrap in
      try Row.fetchOne(
        db, cached: "SELECT 1 FROM wrap WHERE case_ref = ? AND epoch = ? AND bytes = ?",
        arguments: [row.ref, wrap.epoch.bytes.data, wrap.encoded.data]) != nil
    }
  }

  /// Whether somebody who is no member gave a key that this device lacks: what admits her may be sealed to it. Nothing
  /// else of hers is kept.
  static func accept(
    _ db: Database, ofStranger wraps: [[UInt8]], of row: CaseRow, keys: VaultKeys
  ) throws -> Bool {
    let own = wraps.compactMap(decoded).filter { $0.recipient == row.logID }
    guard !own.isEmpty else { return false }
    var intake = try WrapIntake(db, of: row, keys: keys)
    let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
    var opened = 0
    var isChanged = false
    for wrap in own where intake.lacksKey(of: wrap.epoch) && opened < WrapLimits.openedOfStranger {
      opened += 1
      if case .good = try intake.open(wrap, with: device.box) { isChanged = true }
    }
    if isChanged { try Absorber.run(db, of: row, keys: keys) }
    return isChanged
  }

  private static func decoded(_ bytes: [UInt8]) -> Wrap? {
    do throws(CaseLogError) { return try Wrap(decoding: bytes) } catch { return nil }
  }

  private init(_ db: Database, of row: CaseRow, keys: VaultKeys) throws {
    self.db = db
    self.row = row
    self.keys = keys
    state = try CaseView.state(db, of: row)
    let members = state.members
    recipients = Set(members.map(\.logID) + [row.logID])
    let survivors = Set(members.filter { $0.role == .survivor }.map(\.logID))
    openEpochs = Set(
      try Row.fetchAll(
        db, cached: "SELECT epoch FROM epoch WHERE case_ref = ?", arguments: [row.ref]
      )
      .map { try $0.identifier("epoch") })
    let stored = try Row.fetchAll(
      db,
      cached: """
        SELECT epoch, recipient, count(*) AS number FROM wrap WHERE case_ref = ?
        GROUP BY epoch, recipient
        """, arguments: [row.ref])
    try sortControlEntries(of: survivors)
    for record in stored {
      let recipient: LogID? =
        record.bytesIfAny("recipient") == nil ? nil : try record.identifier("recipient")
      count(Place(epoch: try record.identifier("epoch"), recipient: recipient), record["number"])
    }
  }

  private mutating func sortControlEntries(of survivors: Set<LogID>) throws {
    let entries = try Row.fetchAll(
      db,
      cached: """
        SELECT l.entry_id, g.log_id, e.id IS NULL OR e.kind = ? AS may_be_epoch, e.problem
        FROM leaf l JOIN log g ON g.id = l.log_ref LEFT JOIN entry e ON e.id = l.id
        WHERE g.case_ref = ? AND l.class = 1
        """, arguments: [Int64(EntryKind.epoch.code), row.ref])
    for entry in entries where survivors.contains(try entry.identifier("log_id")) {
      let id: EpochID = try entry.identifier("entry_id")
      if entry["may_be_epoch"] {
        epochs.insert(id)
      } else if entry["problem"] as String? == nil {
        others.insert(id)
      }
    }
  }

  private mutating func count(_ place: Place, _ number: Int) {
    counts[place, default: 0] += number
    if !epochs.contains(place.epoch) { unknownCount += number }
  }

  /// Another wrap of a key that is here is kept only so that all copies come to hold the same. Each that is looked at
  /// takes a place, so that junk does not cost more than it could fill.
  private mutating func takeFurther(
    _ wrap: Wrap, in place: Place, with own: borrowing BoxKeyPair
  ) throws -> Bool {
    guard counts[place, default: 0] < WrapLimits.ofRecipient,
      let held = try Row.fetchOne(
        db, cached: "SELECT sealed_key FROM epoch WHERE case_ref = ? AND epoch = ?",
        arguments: [row.ref, wrap.epoch.bytes.data])
    else { return false }
    count(place, 1)
    let key: SecretKey
    do throws(CaseLogError) { key = try wrap.open(with: own) } catch { return false }
    guard try keys.open(held.bytes("sealed_key")).isEqual(to: key) else { return false }
    try WrapTable.store(db, wrap, case: row.ref)
    return true
  }

  private mutating func take(_ wrap: Wrap, with own: borrowing BoxKeyPair) throws -> Bool {
    guard wrap.recipient.map({ recipients.contains($0) }) ?? true, !others.contains(wrap.epoch)
    else { return false }
    let place = Place(epoch: wrap.epoch, recipient: wrap.recipient)
    guard wrap.recipient == row.logID else { return try keep(wrap, in: place) }
    guard !openEpochs.contains(wrap.epoch) else {
      return try takeFurther(wrap, in: place, with: own)
    }
    // Of an entry that is not here nothing can be told yet.
    guard epochs.contains(wrap.epoch) else { return try keep(wrap, in: place) }
    guard lacksKey(of: wrap.epoch) else { return false }
    return switch try open(wrap, with: own) {
    case .junk: false
    case .undecided: try keep(wrap, in: place)
    case .good: true
    }
  }

  /// Whether a wrap of it would be news that is looked at.
  private func lacksKey(of epoch: EpochID) -> Bool {
    epochs.contains(epoch) && !openEpochs.contains(epoch)
      && openedCounts[epoch, default: 0] < WrapLimits.openedOfEpoch
  }

  /// Opens a wrap for this device. What is known to be good needs no place that junk could have taken.
  private mutating func open(
    _ wrap: Wrap, with own: borrowing BoxKeyPair
  ) throws -> Absorber.Verdict {
    openedCounts[wrap.epoch, default: 0] += 1
    let verdict = try Absorber.judge(db, wrap, with: own, of: row, keys: keys, in: state)
    if case .good = verdict {
      openEpochs.insert(wrap.epoch)
      try store(wrap, in: Place(epoch: wrap.epoch, recipient: wrap.recipient))
    }
    return verdict
  }

  /// Keeps what nobody can judge here, or not yet, where there is a place for it.
  private mutating func keep(_ wrap: Wrap, in place: Place) throws -> Bool {
    guard counts[place, default: 0] < WrapLimits.ofRecipient,
      epochs.contains(wrap.epoch) || unknownCount < WrapLimits.ofUnknownEpochs
    else { return false }
    try store(wrap, in: place)
    return true
  }

  private mutating func store(_ wrap: Wrap, in place: Place) throws {
    try WrapTable.store(db, wrap, case: row.ref)
    count(place, 1)
  }
}
