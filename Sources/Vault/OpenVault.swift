internal import CaseLog
public import Cryptography
internal import GRDB
internal import VerifiableLog

/// What the vault takes from its surroundings instead of looking for it: so that tests can say otherwise.
public struct Surroundings: Sendable {
  /// Seconds since 1970 by the device's clock.
  public let now: @Sendable () -> UInt64
  /// Bytes that are the same as long as the machine is.
  public let machine: [UInt8]

  public init(now: @escaping @Sendable () -> UInt64, machine: [UInt8]) {
    self.now = now
    self.machine = machine
  }
}

/// An open vault: the one owner of the database and of the keys, for one process at a time.
///
/// Every call that writes returns only after what it wrote is on the medium.
public actor OpenVault {
  let files: VaultFiles
  let database: SealedDatabase
  let keys: VaultKeys
  let blobs: BlobStore
  let surroundings: Surroundings
  let vaultID: [UInt8]
  /// What a guess at this vault's passphrase costs.
  public let cost: KeyCost
  /// Attempts to open this vault, as they stood before this one.
  public let earlierAttempts: OpeningAttempts
  private var lock: OpenFile?

  /// Whether this copy may sign: see `Protocol/VaultFiles.md`, anchor.
  public private(set) var standing: Standing
  /// The anchor could not be moved, for lack of room for instance. What was written is durable all the same.
  private var isAnchorBehind: Bool
  /// Of the two copies of the locks, as this opening found them.
  public let locks: LocksCondition
  /// The one that opened, or that was put in force since.
  var locksInForce: KeysFile

  public enum Standing: Hashable, Sendable {
    case sound
    /// Another machine, or the folder was copied or restored: it may be read, and signs nothing.
    case copied
    /// The database is older than what this vault signed: it may be read, and signs nothing.
    case rolledBack
  }

  /// Opens a vault with its passphrase.
  ///
  /// - Throws: `.noVault`, `.notAVault`, `.inUse`, `.wrongPassphrase`, `.keysMissing`, `.keysDamaged`,
  ///   `.keysOutdated`, `.keysSuperseded`, `.databaseMissing`, `.databaseOfAnother`, `.databaseDamaged`,
  ///   `.notWritable`, `.newerVersion`. Nothing is written before the passphrase was right, but that it was not
  ///   (`OpeningAttempts`).
  public init(
    opening path: String, passphrase: borrowing LockedBytes, surroundings: Surroundings
  ) throws(VaultError) {
    let files = VaultFiles(folder: path)
    try files.checkIsVault()
    let lock = try files.takeLock()
    let locks = try passphrase.withBytes { (bytes) throws(VaultError) in
      try OpenedLocks.open(files, counting: surroundings, provesHeader: true) {
        (file) throws(VaultError) in try file.unlock(passphrase: bytes)
      }
    }
    try self.init(locks, lock: lock, surroundings: surroundings)
  }

  /// Opens a vault with its recovery kit: the same checks, with `.kitMismatch` for another kit.
  public init(
    opening path: String, kit: borrowing RecoveryKit, surroundings: Surroundings
  ) throws(VaultError) {
    let files = VaultFiles(folder: path)
    try files.checkIsVault()
    let lock = try files.takeLock()
    let pair = try kit.keyPair()
    let locks = try OpenedLocks.open(files, counting: surroundings, provesHeader: false) {
      (file) throws(VaultError) in try file.unlock(kit: pair)
    }
    try self.init(locks, lock: lock, surroundings: surroundings)
  }

  private init(
    _ locks: consuming OpenedLocks, lock: consuming OpenFile, surroundings: Surroundings
  ) throws(VaultError) {
    let files = locks.files
    guard files.hasDatabase else { throw VaultError(.databaseMissing) }
    try files.requireWritable()
    let vaultID = locks.keysFile.vaultID
    let derived = VaultKeys(master: locks.master)
    self.files = files
    self.vaultID = vaultID
    self.earlierAttempts = OpeningAttempts(in: files)
    self.surroundings = surroundings
    self.locksInForce = locks.keysFile
    self.blobs = BlobStore(folder: files.blobs)
    do {
      let database = try SealedDatabase(
        opening: files.database, key: derived.database, vaultID: vaultID)
      do {
        keys = try CarriedKeys.read(database, derived)
        cost = (try database.queue.snapshot { try KeptCost.read($0) } ?? locks.keysFile.cost).raised
        (standing, isAnchorBehind) = try Self.standing(
          files: files, database: database, anchorKey: derived.anchor, vaultID: vaultID,
          machine: surroundings.machine)
        // A disk without room for it must not keep closed what can be read; nobody is told of the new head
        // until it moved.
        if isAnchorBehind {
          do {
            try Self.writeAnchor(
              files: files, database: database, key: derived.anchor, vaultID: vaultID,
              machine: surroundings.machine)
            isAnchorBehind = false
          } catch {}
        }
        self.locks = try locks.settle(isSound: standing == .sound)
        if standing == .sound {
          files.removeFormer(of: database, machine: surroundings.machine)
        }
        // What was left unfinished is no reason to stay closed; the next opening tries again.
        do { try blobs.sweep() } catch {}
        BuildingPlace.sweep(beside: files.folder)
      } catch {
        database.giveUp()
        throw error
      }
      self.database = database
    } catch {
      throw VaultError.ofDatabase(error)
    }
    self.lock = consume lock
    earlierAttempts.after(success: surroundings.now()).write(in: files)
  }

  /// Closes the database and gives up the lock; the keys go with the vault itself.
  public func close() throws(VaultError) {
    do { try database.queue.close() } catch { throw .ofDatabase(error) }
    database.forgetKey()
    lock = nil
  }

  /// A path into the vault is no place for what comes out of it.
  public nonisolated func contains(_ path: String) -> Bool { files.contains(path) }

  /// A mailbox showed more of our own log than we hold: this copy is an old one, and stays one.
  func noteRollback() throws(VaultError) {
    standing = .rolledBack
    try database.write { db in
      try db.execute(
        cached: "INSERT OR IGNORE INTO setting(name, value) VALUES ('rolled-back', x'01')")
    }
  }

  /// This copy has keys of its own now, here: it may sign.
  func settle() throws(VaultError) {
    try moveAnchor()
    standing = .sound
  }

  /// Refuses to write to a copy that must not sign: here, or before somebody types what then would have no place.
  ///
  /// - Throws: `.copied`, `.rolledBack`.
  public func requireSound() throws(VaultError) {
    switch standing {
    case .sound: return
    case .copied: throw VaultError(.copied)
    case .rolledBack: throw VaultError(.rolledBack)
    }
  }

  /// Runs one durable transaction and then moves the anchor: when this returns, all of it is saved.
  ///
  /// - Throws: `.storedUnconfirmed` when the transaction is durable and the anchor could not be moved: nothing
  ///   that it refers to may be taken back then. With `.inputOutput` or `.databaseDamaged` it may be durable or
  ///   not, which the next opening shows. With any other error nothing was written.
  func commit<Result>(
    _ body: (Database) throws -> Result
  ) throws(VaultError) -> Result {
    try requireSound()
    let result = try database.write(body)
    do { try moveAnchor() } catch {
      // What was written stays: a database ahead of its anchor is sound, and the next opening moves it on.
      isAnchorBehind = true
      throw VaultError(.storedUnconfirmed, systemError: error.systemError)
    }
    return result
  }

  func read<Result>(_ body: (Database) throws -> Result) throws(VaultError) -> Result {
    try database.read(body)
  }
}

// MARK: - Anchor

extension OpenVault {
  static func ownLogs(_ db: Database) throws -> [Anchor.OwnLog] {
    try Row.fetchAll(
      db,
      cached: """
        SELECT c.case_id, l.log_id, l.size, l.root FROM vault_case c
        JOIN log l ON l.case_ref = c.id AND l.log_id = c.log_id WHERE c.case_id IS NOT NULL
        """
    ).map { row in
      Anchor.OwnLog(
        caseID: try row.identifier("case_id"),
        position: LogPosition(
          logID: try row.identifier("log_id"), size: UInt64(row["size"] as Int64),
          root: try row.bytes32("root")))
    }
  }

  private static func position(of log: LogID, _ db: Database) throws -> LogPosition? {
    try Row.fetchOne(
      db, cached: "SELECT size, root FROM log WHERE log_id = ? ORDER BY size DESC LIMIT 1",
      arguments: [log.bytes.data]
    ).map { row in
      LogPosition(
        logID: log, size: UInt64(row["size"] as Int64), root: try row.bytes32("root"))
    }
  }

  /// Of a vault in good standing, after what moved its logs without `commit`.
  func moveAnchor() throws(VaultError) {
    do {
      try Self.writeAnchor(
        files: files, database: database, key: keys.anchor, vaultID: vaultID,
        machine: surroundings.machine)
      isAnchorBehind = false
    } catch {
      throw .ofDatabase(error)
    }
  }

  /// Moves the anchor if it could not be moved before. To be called before somebody else is told how far the logs
  /// are: an older database put back afterwards has to be noticed.
  func catchUpAnchor() throws(VaultError) {
    if isAnchorBehind { try moveAnchor() }
  }

  static func writeAnchor(
    files: VaultFiles, database: SealedDatabase, key: borrowing SecretKey, vaultID: [UInt8],
    machine: [UInt8]
  ) throws {
    let anchor = Anchor(
      vaultID: vaultID,
      place: Anchor.place(machine: machine, file: try files.databaseIdentity()),
      logs: try database.queue.snapshot { try ownLogs($0) })
    try Folders.replace(files.anchor, with: anchor.seal(key: key), in: files.folder)
  }

  /// Compares database and anchor.
  ///
  /// - Returns: also whether a crash left the anchor behind.
  static func standing(
    files: VaultFiles, database: SealedDatabase, anchorKey: borrowing SecretKey, vaultID: [UInt8],
    machine: [UInt8]
  ) throws -> (Standing, isAnchorBehind: Bool) {
    guard let anchor = try anchor(of: files, key: anchorKey), anchor.vaultID == vaultID else {
      return (.copied, false)
    }
    let logs = try database.queue.snapshot { try ownLogs($0) }
    let isKnownOld = try database.queue.snapshot { db in
      try Row.fetchOne(
        db,
        cached: """
          SELECT 1 FROM setting WHERE name = 'rolled-back' UNION ALL SELECT 1 FROM log l
          JOIN vault_case c ON c.id = l.case_ref AND c.log_id = l.log_id WHERE l.forked_at IS NOT NULL
          """) != nil
    }
    if isKnownOld { return (.rolledBack, false) }
    for signed in anchor.logs {
      // One's own, or one that was until new keys took its place: it stays in the database.
      let held = try database.queue.snapshot { try position(of: signed.position.logID, $0) }
      guard let held, held.size >= signed.position.size else { return (.rolledBack, false) }
      if held.size == signed.position.size, held.root != signed.position.root {
        return (.rolledBack, false)
      }
    }
    guard anchor.place == Anchor.place(machine: machine, file: try files.databaseIdentity()) else {
      return (.copied, false)
    }
    return (.sound, logs.count != anchor.logs.count || Set(logs) != Set(anchor.logs))
  }

  /// The anchor, if there is one that can be read. Without it nobody can say whether this is the vault that
  /// signed last: it is taken for a copy, in which all can be read.
  static func anchor(
    of files: VaultFiles, key: borrowing SecretKey
  ) throws(VaultError) -> Anchor? {
    guard Folders.exists(files.anchor) else { return nil }
    do throws(VaultError) {
      return try Anchor(
        opening: Folders.read(files.anchor, max: Anchor.maximumByteCount), key: key)
    } catch {
      switch error.code {
      case .databaseDamaged, .inputOutput, .fileTooLarge, .notAFile: return nil
      default: throw error
      }
    }
  }
}

extension OpenVault {
  /// The owner was told of `earlierAttempts`: they are not news any more.
  public func noteAttemptsTold() {
    OpeningAttempts(in: files).afterTelling().write(in: files)
  }
}
