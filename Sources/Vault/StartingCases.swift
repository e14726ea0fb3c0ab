public import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// A case as it is shown.
public struct CaseSummary: Hashable, Sendable {
  public let caseID: CaseID
  public let name: String
  public let isDefault: Bool
  public let role: Role
  public let entryCount: Int
  public let memberCount: Int
  /// The folder where all members meet; nil until one was named.
  public let mailbox: String?
  /// The folder of the survivor's own devices; nil until one was named.
  public let ownMailbox: String?
  /// The key by which this device gives receipts in this case, as notes spell it: what a verifier of a bundle
  /// should be told by another way than the bundle.
  public let receiptKey: String
}

/// A case as this vault calls it, and where its members meet. Nothing in it is counted, which takes its time.
public struct CasePlace: Hashable, Sendable {
  public let name: String
  /// The folder where all members meet; nil until one was named.
  public let mailbox: String?
  /// The folder of the survivor's own devices; nil until one was named.
  public let ownMailbox: String?
  /// Whether the vault has no other case, so that this one goes without saying.
  public let isOnlyOne: Bool
}

extension OpenVault {
  /// - Parameter name: a name or the beginning of a fingerprint; nil for the default case.
  /// - Throws: `.unknownCase`, `.ambiguousCase`.
  public func place(ofCase name: String?) throws(VaultError) -> CasePlace {
    try read { db in
      let row = try CaseRow.find(db, name)
      let count = try Int.fetchOne(
        db, cached: "SELECT count(*) FROM vault_case WHERE case_id IS NOT NULL")
      return CasePlace(
        name: row.name, mailbox: row.mailbox, ownMailbox: row.ownMailbox, isOnlyOne: count == 1)
    }
  }

  /// Starts a case under a name of the vault's own, which no other copy ever sees.
  public func startCase(named name: String) throws(VaultError) -> CaseID {
    try commit { db in
      try CaseRow.requireFree(name: name, db)
      return try CaseStart.run(
        db, name: name, isDefault: false, keys: keys, kit: try Self.kitKey(db),
        surroundings: surroundings)
    }
  }

  /// All cases of the vault, in the order in which they began here.
  public func cases() throws(VaultError) -> [CaseSummary] {
    try read { db in
      try CaseRow.all(db).map { row in
        CaseSummary(
          caseID: row.caseID, name: row.name, isDefault: row.isDefault, role: row.role,
          // Those that are open; over the index alone.
          entryCount: try Int.fetchOne(
            db, cached: "SELECT count(entered) FROM listing WHERE case_ref = ?",
            arguments: [row.ref]) ?? 0,
          memberCount: try CaseAuthors.isAlone(db, row)
            ? 1 : try CaseView.state(db, of: row).members.count,
          mailbox: row.mailbox, ownMailbox: row.ownMailbox,
          receiptKey: row.logID.cosigner(row.card.receiptKey).verifierKey)
      }
    }
  }

  /// The kit that opens this vault, and to which cases that begin here are sealed.
  static func kitKey(_ db: Database) throws -> BoxPublicKey {
    guard
      let row = try Row.fetchOne(db, cached: "SELECT value FROM setting WHERE name = 'kit'"),
      let key = BoxPublicKey(row.bytes("value"))
    else { throw VaultError(.databaseDamaged) }
    return key
  }
}

/// The secret halves of a device's keys, made for one case.
struct NewDevice: ~Copyable {
  let signingSeed = SecretKey.random()
  let receiptSeed = SecretKey.random()
  let boxSeed = SecretKey.random()

  func card(role: Role) throws -> Card {
    try Card(
      decoding: Card.make(
        signing: SigningKey(seed: signingSeed), receipt: SigningKey(seed: receiptSeed),
        box: BoxKeyPair(seed: boxSeed).publicKey, role: role))
  }
}

/// Starts a case: root, device keys, founding statement and the two first epochs
/// (`Protocol/CaseLog.md`, "Start of a case").
enum CaseStart {
  static func run(
    _ db: Database, name: String, isDefault: Bool, keys: VaultKeys, kit: BoxPublicKey,
    surroundings: Surroundings
  ) throws -> CaseID {
    let device = NewDevice()
    let card = try device.card(role: .survivor)
    let rootSeed = SecretKey.random()
    let root = SigningKey(seed: rootSeed)
    let caseID = CaseID(root: root.publicKey)
    let statement = RootStatement.found(
      root: root, card: card, sealedRoot: try SealedBox.seal(rootSeed, to: kit))
    try db.execute(
      cached: """
        INSERT INTO vault_case(case_id, name, is_default, root, role, card, log_id,
          signing_seed, receipt_seed, box_seed, kit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        caseID.bytes.data, name, isDefault, root.publicKey.bytes.data,
        Int64(Role.survivor.rawValue), card.bytes.data, card.logID(in: caseID).bytes.data,
        keys.seal(device.signingSeed).data, keys.seal(device.receiptSeed).data,
        keys.seal(device.boxSeed).data, kit.raw.bytes.data,
      ])
    let ref = db.lastInsertedRowID
    try db.execute(
      cached: "INSERT INTO statement(case_ref, bytes) VALUES (?, ?)",
      arguments: [ref, statement.data])
    try LogTable.addLog(db, case: ref, logID: card.logID(in: caseID), key: card.signingKey)
    let row = try CaseRow.find(db, caseID.fingerprint)
    let appender = try LogAppender(db, of: row, surroundings: surroundings)
    let epochs = EpochStart(appender: appender, kit: kit)
    let everyone = try epochs.begin(.everyone, members: [card], everyone: nil, keys: keys)
    _ = try epochs.begin(.devices, members: [card], everyone: everyone, keys: keys)
    try appender.sign(with: SigningKey(seed: device.signingSeed))
    return caseID
  }
}

/// Begins epochs: the control entry, the key for this device, and the wraps for members and kit.
struct EpochStart {
  let appender: LogAppender
  let kit: BoxPublicKey

  /// - Parameters:
  ///   - everyone: the epoch that opens control entries; nil for that epoch itself.
  ///   - replaces: earlier epochs of the audience, to which nothing more is sealed from now on.
  func begin(
    _ audience: Audience, members: [Card], replaces: [EpochID] = [], everyone: LoadedEpoch?,
    keys: VaultKeys
  ) throws -> LoadedEpoch {
    let row = appender.row
    let epochKey = SecretKey.random()
    let control = Control.epoch(
      .init(
        audience: audience,
        commitment: EpochKey.commitment(caseID: row.caseID, audience: audience, key: epochKey),
        members: members.map { $0.logID(in: row.caseID) }.sorted(), replaces: replaces))
    let sealedKey = keys.seal(epochKey)
    let entryKey = SecretKey.random()
    let entry = try appender.append(kind: control.kind, parts: [control.part], key: entryKey)
    let epoch = LoadedEpoch(
      EpochKey(id: entry.id, caseID: row.caseID, audience: audience, key: epochKey))
    try appender.addSlot(for: entry, key: entryKey, epoch: (everyone ?? epoch).key)
    try appender.db.execute(
      cached: "INSERT INTO epoch(case_ref, epoch, audience, sealed_key) VALUES (?, ?, ?, ?)",
      arguments: [row.ref, entry.id.bytes.data, audience.encoded.data, sealedKey.data])
    for member in members {
      let logID = member.logID(in: row.caseID)
      try WrapTable.add(
        appender.db, try epoch.key.wrap(for: logID, boxKey: member.boxKey), to: row)
    }
    try WrapTable.add(appender.db, try epoch.key.wrap(for: nil, boxKey: kit), to: row)
    return epoch
  }
}
