public import CaseLog
public import Cryptography
internal import GRDB
internal import Mailboxes
internal import Sync
internal import VerifiableLog

/// A case that a recovery kit opens, found in a folder in which its members meet.
public struct RecoverableCase: Hashable, Sendable {
  public let caseID: CaseID
  let root: VerifyingKey
  let founding: RootStatement
  let sealedRoot: [UInt8]
  /// Epoch keys that are wrapped to the kit, and that it opens.
  fileprivate(set) var wraps: [Wrap] = []
  /// Where it was found.
  let folder: String

  /// The case's root key, for as long as its owner holds it.
  ///
  /// - Throws: `.kitMismatch`.
  func openRoot(with kit: borrowing BoxKeyPair) throws(VaultError) -> SigningKey {
    try CaseRoot.open(sealedRoot, of: root, with: kit)
  }
}

extension OpenVault {
  /// Looks in a folder for a case that the kit opens. Nothing is written.
  ///
  /// - Parameter vault: the folder of the vault that it is for, whether there is one yet or not.
  /// - Throws: `.mailboxInVault`, `.mailboxUnreachable`, `.mailboxEmpty`, `.mailboxDamaged`, `.newerVersion`,
  ///   and `.kitMismatch` where there is a case that this kit does not open.
  public static func findCase(
    in folder: String, kit: borrowing RecoveryKit, forVaultAt vault: String? = nil
  ) throws(VaultError) -> RecoverableCase {
    let folder = VaultFiles.absolute(folder)
    if let vault, VaultFiles(folder: vault).contains(folder) { throw VaultError(.mailboxInVault) }
    let mailbox = FolderMailbox(path: folder)
    let found: [FoundCase]
    let isUsed: Bool
    do throws(MailboxError) {
      found = try mailbox.cases()
      isUsed = try mailbox.isUsed()
    } catch {
      throw VaultError(.mailboxUnreachable)
    }
    guard isUsed else { throw VaultError(.mailboxEmpty) }
    let pair = try kit.keyPair()
    var problem = VaultError(.mailboxDamaged)
    for one in found {
      for bytes in one.statements {
        guard var recoverable = RecoverableCase(bytes, in: one, folder: folder) else { continue }
        do throws(VaultError) {
          _ = try recoverable.openRoot(with: pair)
          recoverable.wraps = KitWraps.select(one.wraps, with: pair)
          return recoverable
        } catch {
          problem = error
        }
      }
    }
    throw problem
  }

  /// Makes a new vault of this kit that holds a recovered case as its first, and opens it. What the case holds
  /// comes with the next `sync`.
  ///
  /// - Throws: as `create`.
  public static func create(
    at path: String, passphrase: borrowing LockedBytes, kit: borrowing RecoveryKit, cost: KeyCost,
    recovering found: RecoverableCase, named name: String, audience: MailboxAudience = .everyone,
    surroundings: Surroundings
  ) throws(VaultError) -> OpenVault {
    try make(at: path, passphrase: passphrase, kit: kit, cost: cost, surroundings: surroundings) {
      (db, keys, kit) in
      try CaseRecovery(found: found, name: name, isDefault: true, audience: audience)
        .run(db, kit: kit, keys: keys)
    }
  }

  /// Takes a case into this vault as a further device of the survivor's, admitted with the kit. What the case
  /// holds comes with the next `sync`.
  ///
  /// - Throws: `.caseHeldAlready`, `.caseExists` for the name, `.kitMismatch`.
  public func recover(
    _ found: RecoverableCase, kit: borrowing RecoveryKit, named name: String,
    audience: MailboxAudience = .everyone
  ) throws(VaultError) {
    let pair = try kit.keyPair()
    try commit { db in
      try CaseRecovery(found: found, name: name, isDefault: false, audience: audience)
        .run(db, kit: pair, keys: keys)
    }
  }
}

/// What is here of a case after it was taken in.
public struct RecoveryStanding: Hashable, Sendable {
  public let caseID: CaseID
  public let caseName: String
  public let survivorDevices: Int
  public let advocates: Int
  public let entries: Int
  /// Known to exist, and not to be opened here: their content was not where the case came from.
  public let entriesLacking: Int
  public let filesPresent: Int
  public let filesAwaited: Int
}

extension OpenVault {
  /// What came of a case, and what did not.
  public func recoveryStanding(
    ofCase name: String?
  ) throws(VaultError) -> RecoveryStanding {
    try read { db in
      let row = try CaseRow.find(db, name)
      let members = try CaseView.state(db, of: row).members
      func count(_ sql: String) throws -> Int {
        try Int.fetchOne(db, sql: sql, arguments: [row.ref]) ?? 0
      }
      return RecoveryStanding(
        caseID: row.caseID, caseName: row.name,
        survivorDevices: members.count { $0.role == .survivor },
        advocates: members.count { $0.role == .advocate },
        entries: try count("SELECT count(*) FROM entry WHERE case_ref = ? AND kind >= 16"),
        entriesLacking: try count(
          """
          SELECT count(*) FROM leaf l JOIN log g ON g.id = l.log_ref
          WHERE g.case_ref = ? AND l.class <> 1
            AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = l.id)
          """), filesPresent: try BlobTable.count(db, in: row, arePresent: true),
        filesAwaited: try BlobTable.count(db, in: row, arePresent: false))
    }
  }
}

extension RecoverableCase {
  /// The case of a founding statement that is what it says; nil for any other.
  fileprivate init?(_ bytes: [UInt8], in found: FoundCase, folder: String) {
    do throws(CaseLogError) {
      let root = try RootStatement.claimedRoot(of: bytes)
      let caseID = CaseID(root: root)
      guard MailboxTag(caseID: caseID.raw) == found.tag else { return nil }
      let founding = try RootStatement(decoding: bytes, caseID: caseID, root: root)
      guard case .founding(_, _, let sealedRoot) = founding.content else { return nil }
      self.init(
        caseID: caseID, root: root, founding: founding, sealedRoot: sealedRoot, folder: folder)
    } catch {
      return nil
    }
  }
}

/// Admits this device to a case by the word of its root (`Protocol/CaseLog.md`, "Further devices of the
/// survivor"), within one transaction.
struct CaseRecovery {
  let found: RecoverableCase
  let name: String
  let isDefault: Bool
  /// Who meets in the folder that it was found in, which is remembered.
  let audience: MailboxAudience

  func run(_ db: Database, kit: borrowing BoxKeyPair, keys: VaultKeys) throws {
    try checkIsNew(db)
    guard case .founding(_, let founder, _) = found.founding.content else {
      throw VaultError(.databaseDamaged)
    }
    let device = NewDevice()
    let card = try device.card(role: .survivor)
    let logID = card.logID(in: found.caseID)
    try db.execute(
      cached: """
        INSERT INTO vault_case(case_id, name, is_default, root, role, card, log_id,
          signing_seed, receipt_seed, box_seed, kit, mailbox, own_mailbox)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        found.caseID.bytes.data, name, isDefault, found.root.bytes.data,
        Int64(Role.survivor.rawValue), card.bytes.data, logID.bytes.data,
        keys.seal(device.signingSeed).data, keys.seal(device.receiptSeed).data,
        keys.seal(device.boxSeed).data, kit.publicKey.raw.bytes.data,
        audience == .everyone ? found.folder : nil, audience == .ownDevices ? found.folder : nil,
      ])
    let ref = db.lastInsertedRowID
    let admission = RootStatement.admit(card, root: try found.openRoot(with: kit))
    for statement in [found.founding.bytes, admission] {
      try db.execute(
        cached: "INSERT INTO statement(case_ref, bytes) VALUES (?, ?)",
        arguments: [ref, statement.data])
    }
    for member in [card, founder] {
      try LogTable.addLog(
        db, case: ref, logID: member.logID(in: found.caseID), key: member.signingKey)
    }
    try Rewrapping.run(db, found.wraps, with: kit, to: card, logID: logID, case: ref)
  }

  private func checkIsNew(_ db: Database) throws {
    let held = try Row.fetchOne(
      db, cached: "SELECT 1 FROM vault_case WHERE case_id = ?",
      arguments: [found.caseID.bytes.data])
    guard held == nil else { throw VaultError(.caseHeldAlready) }
    try CaseRow.requireFree(name: name, db)
  }
}
