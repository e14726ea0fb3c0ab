internal import CaseLog
public import Cryptography
internal import GRDB
internal import VerifiableLog

extension OpenVault {
  /// Seals the whole vault under a new master key, with locks for this passphrase and the same kit: the old
  /// passphrase and old keys files open nothing of it any more. A copy that somebody made before stays as
  /// readable as it was, and so do the attachments that it held. Steps and crashes: `Protocol/VaultFiles.md`,
  /// "Generations".
  ///
  /// The vault is closed when this returns; after a failure, close it. Then it is the old one, or the new one,
  /// whole.
  ///
  /// - Parameter onBytes: told how many bytes of the database are copied, and of how many; may throw to stop.
  /// - Throws: `.diskFull`, `.inputOutput`, `.databaseDamaged`, `.keysSuperseded`, what `onBytes` throws.
  public func sealAnew(
    passphrase: borrowing LockedBytes,
    onBytes: @escaping @Sendable (UInt64, UInt64) throws(VaultError) -> Void = {
      (_, _) throws(VaultError) in
    }
  ) throws(VaultError) {
    do throws(VaultError) {
      try sealAnew(passphrase: passphrase, onBytes: onBytes) { (_) throws(VaultError) in }
    } catch {
      discardUnused()
      throw error
    }
  }

  /// Removes what is not in force; whatever cannot be told for sure stays for the next opening.
  private func discardUnused() {
    do throws(VaultError) {
      try files.removeUnfinished()
    } catch {
      return
    }
  }

  /// As a crash leaves it when it throws.
  func sealAnew(
    passphrase: borrowing LockedBytes,
    onBytes: @escaping @Sendable (UInt64, UInt64) throws(VaultError) -> Void, afterStep: AfterStep
  ) throws(VaultError) {
    let master = SecretKey.random()
    guard files.generation < .max else { throw VaultError(.keysDamaged) }
    let next = files.of(generation: files.generation + 1)
    let locks = try newLocks(passphrase, master: master, generation: next.generation)
    let newKeys = VaultKeys(master: master)
    try files.removeUnfinished()
    try next.moveAside()
    do {
      let place = Anchor.place(machine: surroundings.machine, file: try files.databaseIdentity())
      let copy = DatabaseCopy(
        from: database, keys: keys, at: place, to: next.building, keys: newKeys, vaultID: vaultID)
      try copy.run(onBytes: onBytes, afterStep: afterStep)
      try writeCarriedAnchor(to: next.building, under: newKeys)
      try afterStep(.anchorWritten)
      try files.prepare(locks)
      try next.takeNames()
      try afterStep(.databaseNamed)
      // From here on nothing is written to the old one.
      try database.queue.close()
    } catch {
      throw VaultError.ofDatabase(error)
    }
    database.forgetKey()
    try replaceKeys(with: locks, passphrase, master: master, afterStep: afterStep)
    try files.removeDatabase()
    try afterStep(.oldRemoved)
    next.forgetFormer(key: newKeys.database, vaultID: vaultID)
  }

  /// The same signed positions, for the new database. Where the old anchor was of another place, the new one is of
  /// none: a copied vault stays a copy.
  private func writeCarriedAnchor(to next: VaultFiles, under newKeys: VaultKeys) throws {
    guard let old = try Self.anchor(of: files, key: keys.anchor) else { return }
    let machine = surroundings.machine
    let isHere =
      old.place == Anchor.place(machine: machine, file: try files.databaseIdentity())
    let place =
      isHere ? Anchor.place(machine: machine, file: try next.databaseIdentity()) : Bytes32.zero
    let anchor = Anchor(vaultID: vaultID, place: place, logs: old.logs)
    try Folders.replace(next.anchor, with: anchor.seal(key: newKeys.anchor), in: next.folder)
  }
}

/// A vault's database, made anew under other keys.
private struct DatabaseCopy {
  let source: SealedDatabase
  let oldKeys: VaultKeys
  let oldPlace: Bytes32
  let files: VaultFiles
  let newKeys: VaultKeys
  let vaultID: [UInt8]

  /// 1 MiB a step.
  private static let pagesPerStep: Int32 = 256

  init(
    from source: SealedDatabase, keys oldKeys: VaultKeys, at oldPlace: Bytes32,
    to files: VaultFiles, keys newKeys: VaultKeys, vaultID: [UInt8]
  ) {
    self.source = source
    self.oldKeys = oldKeys
    self.oldPlace = oldPlace
    self.files = files
    self.newKeys = newKeys
    self.vaultID = vaultID
  }

  /// On return the copy is closed, and on the medium.
  func run(
    onBytes: @escaping @Sendable (UInt64, UInt64) throws(VaultError) -> Void, afterStep: AfterStep
  ) throws {
    let target = try SealedDatabase(
      emptyAt: files.database, key: newKeys.database, vaultID: vaultID)
    do {
      try source.queue.backup(to: target.queue, pagesPerStep: Self.pagesPerStep) { progress in
        let page = UInt64(SealedPages.pageByteCount)
        try onBytes(
          UInt64(max(0, progress.completedPageCount)) * page,
          UInt64(max(0, progress.totalPageCount)) * page)
      }
      // What is thrown in the last step is not heard.
      let pages = try target.queue.snapshot { try Int.fetchOne($0, sql: "PRAGMA page_count") }
      let size = UInt64(pages ?? 0) * UInt64(SealedPages.pageByteCount)
      try onBytes(size, size)
      try afterStep(.databaseCopied)
      try target.queue.write { db in try sealSecrets(db) }
      try afterStep(.secretsSealed)
      // Or a full disk leaves a part of it in the log, which closing does not tell and the new name leaves behind.
      _ = try target.moveLogIntoFile()
      try target.queue.close()
    } catch {
      target.giveUp()
      throw error
    }
    target.forgetKey()
    try verify()
    try OpenFile(reading: files.database).synchronize()
    try Folders.synchronize(files.folder)
    try afterStep(.databaseVerified)
  }

  /// What the database holds under the old case keys' key, under the new one.
  private func sealSecrets(_ db: Database) throws {
    func anew(_ sealed: [UInt8]) throws -> [UInt8] { newKeys.seal(try oldKeys.open(sealed)) }
    for row in try Row.fetchAll(
      db, cached: "SELECT id, signing_seed, receipt_seed, box_seed FROM vault_case")
    {
      try db.execute(
        cached:
          "UPDATE vault_case SET signing_seed = ?, receipt_seed = ?, box_seed = ? WHERE id = ?",
        arguments: [
          anew(row.bytes("signing_seed")).data, anew(row.bytes("receipt_seed")).data,
          anew(row.bytes("box_seed")).data, row["id"] as Int64,
        ])
    }
    for row in try Row.fetchAll(db, cached: "SELECT rowid AS id, sealed_key FROM epoch") {
      try db.execute(
        cached: "UPDATE epoch SET sealed_key = ? WHERE rowid = ?",
        arguments: [anew(row.bytes("sealed_key")).data, row["id"] as Int64])
    }
    try CarriedKeys.write(db, oldKeys.duplicates, under: newKeys)
    try FormerDatabase.mark(db, at: oldPlace)
  }

  /// Opens the copy as the next opening will, and compares.
  private func verify() throws {
    let copy = try SealedDatabase(
      opening: files.database, key: newKeys.database, vaultID: vaultID)
    do {
      let heads = try source.queue.snapshot { try Self.heads($0) }
      try copy.queue.snapshot { db in
        guard try String.fetchAll(db, sql: "PRAGMA integrity_check") == ["ok"],
          try Self.heads(db) == heads
        else { throw VaultError(.databaseDamaged) }
        for row in try Row.fetchAll(
          db, cached: "SELECT signing_seed, receipt_seed, box_seed FROM vault_case")
        {
          _ = try DeviceKeys(row, keys: newKeys)
        }
        for row in try Row.fetchAll(db, cached: "SELECT sealed_key FROM epoch") {
          _ = try newKeys.open(row.bytes("sealed_key"))
        }
      }
      let carried = try CarriedKeys.read(copy, newKeys)
      guard carried.duplicates.isEqual(to: oldKeys.duplicates) else {
        throw VaultError(.databaseDamaged)
      }
      try copy.queue.close()
    } catch {
      copy.giveUp()
      throw error
    }
    copy.forgetKey()
  }

  /// What each log comes to, and how much there is.
  private static func heads(_ db: Database) throws -> [[DatabaseValue]] {
    try Row.fetchAll(db, cached: "SELECT log_id, size, root, note FROM log ORDER BY id").map {
      Array($0.databaseValues)
    }
      + Row.fetchAll(
        db, cached: "SELECT (SELECT count(*) FROM leaf), (SELECT count(*) FROM entry)"
      ).map { Array($0.databaseValues) }
  }
}
