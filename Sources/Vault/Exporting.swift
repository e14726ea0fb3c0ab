internal import CaseLog
public import Cryptography
internal import GRDB
public import SealedBundle
public import VerifiableLog

/// For whom a bundle is sealed.
public enum BundleSeal: ~Copyable {
  /// Whoever knows the passphrase; its bytes as typed.
  case passphrase(LockedBytes)
  /// The holders of these age keys.
  case recipients([AgeRecipient])
}

/// A bundle that was written, read back and verified.
public struct ExportOutcome: Sendable {
  public let entryCount: Int
  public let fileCount: Int
  /// Entries in it that were meant for fewer than all who read the case, or may have been.
  public let keptPrivateCount: Int
  /// Entries that were left out because they are such.
  public internal(set) var privateLeftOutCount: Int
  /// Notes that were left out because an advocate wrote more than a bundle can hold.
  public internal(set) var notesLeftOutCount: Int
  /// Attachments that are hash, size and type only, or of which the bytes have not come.
  public let filesLeftOut: Int
  public let byteCount: UInt64
  public let fingerprint: String
  public let exporter: LogID
  /// What a stranger's verification says of it who trusts nothing but the bundle.
  public let verdict: BundleVerdict
}

extension OpenVault {
  /// Writes the sealed bundle of a case, or of chosen entries of it, and reads it back whole before it has
  /// its name: a bundle that exists verifies.
  ///
  /// - Parameters:
  ///   - entries: ids or unique beginnings; nil for all that this member can open.
  ///   - includesPrivate: whether "all" includes what was meant for fewer, or may have been; what is named by
  ///     its id always is.
  ///   - onBytes: told how many bytes were read since it was told last, of the files first and then of the
  ///     bundle that is read back; may throw to stop.
  /// - Throws: `.unknownEntry`, `.entryLocked`, `.entryErased`, `.notSyncedYet`,
  ///   `.decisionsLocked`, `.contentDamaged`, `.outputExists`, `.diskFull`, `.exportFailed`, and what
  ///   `onBytes` throws.
  public func export(
    caseNamed name: String?, entries chosen: [String]?, to path: String,
    seal: consuming BundleSeal, program: String, includesPrivate: Bool = false,
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) throws(VaultError) -> ExportOutcome {
    let path = VaultFiles.absolute(path)
    guard !Folders.exists(path) else { throw VaultError(.outputExists) }
    let row = try read { db in try CaseRow.find(db, name) }
    let ids = try chosen.map { (texts) throws(VaultError) in
      try texts.map { (text) throws(VaultError) in try readableEntry(text, in: row) }
    }
    let leftOut =
      includesPrivate || ids != nil ? [] : try read { db in try Self.privateEntries(db, of: row) }
    let (contents, notesLeftOut) = try read { db in
      try BundleCollection(db, of: row, keys: keys, leavingOut: leftOut).contents(
        chosen: ids, at: surroundings.now(), program: program)
    }
    let temporary = Folders.temporaryPath(beside: path)
    do throws(VaultError) {
      var outcome = try withoutActuallyEscaping(onBytes) { (onBytes) throws(VaultError) in
        try write(contents, row, to: temporary, seal: seal, watch: ExportWatch(onBytes))
      }
      outcome.privateLeftOutCount = leftOut.count
      outcome.notesLeftOutCount = notesLeftOut
      guard !Folders.exists(path) else { throw VaultError(.outputExists) }
      try Folders.rename(temporary, to: path)
      try Folders.synchronize(Folders.parent(of: path))
      return outcome
    } catch {
      Folders.remove(temporary)
      throw error
    }
  }

  /// How many entries of a case were meant for fewer than all who read it, or may have been; none on an
  /// advocate's copy.
  public func privateEntryCount(ofCase name: String?) throws(VaultError) -> Int {
    try read { db in try Self.privateEntries(db, of: try CaseRow.find(db, name)).count }
  }

  private static func privateEntries(_ db: Database, of row: CaseRow) throws -> Set<EntryID> {
    guard row.role == .survivor else { return [] }
    return try KeptBack(db, of: row, in: try CaseView.state(db, of: row)).privateEntries()
  }

  private func readableEntry(_ text: String, in row: CaseRow) throws(VaultError) -> EntryID {
    let summary = try entry(text).summary
    guard summary.caseID == row.caseID else { throw VaultError(.unknownEntry) }
    guard summary.standing == .open || summary.standing == .disputed else {
      throw VaultError(summary.whyLocked)
    }
    return summary.id
  }

  private func write(
    _ contents: BundleContents, _ row: CaseRow, to path: String, seal: borrowing BundleSeal,
    watch: ExportWatch
  ) throws(VaultError) -> ExportOutcome {
    var leftOut = 0
    let writer: BundleWriter
    do throws(BundleWriteError) {
      writer = try BundleWriter(contents) { file in
        let isHere = holdsContent(of: file)
        if !isHere { leftOut += 1 }
        return isHere
      }
    } catch {
      throw VaultError(.exportFailed)
    }
    let signing = try deviceSigningKey(row)
    let identity = try writeSealed(writer, to: path, seal: seal, signedBy: signing, watch: watch)
    return try readBack(
      path, identity, writer: writer, leftOut: leftOut, contents, row, watch: watch)
  }

  /// Writes the file and gives what opens it once, for reading it back.
  private func writeSealed(
    _ writer: BundleWriter, to path: String, seal: borrowing BundleSeal,
    signedBy signing: borrowing SigningKey, watch: ExportWatch
  ) throws(VaultError) -> AgeIdentity {
    do {
      let begun = try Self.begin(try FileSink(creating: path, watch: watch), seal)
      let identity = begun.identityForReadingBack()
      let sink = try writer.write(to: begun, signedBy: signing) { (file) throws(SourceError) in
        do throws(VaultError) {
          return AttachmentSource(
            try reader(of: try storedAttachment(of: file)), watch: watch)
        } catch {
          watch.note(error)
          throw .unreadable
        }
      }
      try sink.finish().synchronize()
      return identity
    } catch {
      throw watch.failure ?? .ofExport(error)
    }
  }

  /// Verifies the file as a stranger will.
  private func readBack(
    _ path: String, _ identity: borrowing AgeIdentity, writer: BundleWriter, leftOut: Int,
    _ contents: BundleContents, _ row: CaseRow, watch: ExportWatch
  ) throws(VaultError) -> ExportOutcome {
    let file = try OpenFile(reading: path, followingLinks: false)
    let size = try file.status().size
    let verdict: BundleVerdict
    do {
      verdict = BundleVerifier.verify(
        try AgeSource(
          StoredSource(file: file, byteCount: size, watch: watch), identity: identity))
    } catch {
      throw watch.failure ?? VaultError(.exportFailed)
    }
    // To the verifier it is a bundle that cannot be read.
    if let failure = watch.failure { throw failure }
    guard verdict.outcome == .consistent || verdict.outcome == .intact, let record = verdict.record
    else { throw VaultError(.exportFailed) }
    return ExportOutcome(
      entryCount: record.exhibits.count, fileCount: writer.exhibits.count,
      keptPrivateCount: try keptPrivateCount(of: contents, in: row), privateLeftOutCount: 0,
      notesLeftOutCount: 0,
      filesLeftOut: leftOut, byteCount: size, fingerprint: contents.caseID.fingerprint,
      exporter: contents.exporter,
      verdict: verdict)
  }

  private func keptPrivateCount(
    of contents: BundleContents, in row: CaseRow
  ) throws(VaultError) -> Int {
    guard row.role == .survivor else { return 0 }
    return try read { db in
      let keptBack = try KeptBack(db, of: row, in: try CaseView.state(db, of: row))
      return try contents.logs.reduce(0) { sum, log in
        try sum + keptBack.privateCount(of: log.entries.map(\.sequence), in: log.identity.id)
      }
    }
  }

  private static func begin(
    _ file: consuming FileSink, _ seal: borrowing BundleSeal
  ) throws -> AgeWriter<FileSink> {
    switch seal {
    case .passphrase(let passphrase): return try AgeWriter(file, passphrase: passphrase)
    case .recipients(let recipients): return try AgeWriter(file, recipients: recipients)
    }
  }

  private func holdsContent(of file: ExhibitFile) -> Bool {
    do throws(VaultError) {
      _ = try reader(of: try storedAttachment(of: file))
      return true
    } catch {
      return false
    }
  }

  /// The attachment with its blob, which the bundle's own account of the entry leaves out.
  private func storedAttachment(of file: ExhibitFile) throws(VaultError) -> Attachment {
    try read { db in
      guard
        let record = try Row.fetchOne(
          db,
          cached: """
            SELECT e.parts FROM entry e JOIN leaf l ON l.id = e.id JOIN log g ON g.id = l.log_ref
            WHERE g.log_id = ? AND l.sequence = ?
            """, arguments: [file.logID.bytes.data, Int64(file.sequence)]),
        let attachment = try EntryContent(parts: try PartList.decode(record.bytes("parts")))
          .attachments.first(where: { $0.number == file.attachment.number })
      else { throw VaultError(.contentMissing) }
      return attachment
    }
  }

  private func deviceSigningKey(_ row: CaseRow) throws(VaultError) -> SigningKey {
    do {
      return try database.queue.snapshot { db in
        SigningBox(try DeviceKeys.load(db, case: row.ref, keys: keys).takeSigning())
      }.take()
    } catch {
      throw .ofDatabase(error)
    }
  }
}

extension VaultError {
  fileprivate static func ofExport(_ error: any Error) -> VaultError {
    switch error {
    case let error as VaultError: return error
    case SinkError.full, BundleWriteError.archive(.sink(.full)), AgeWriteError.sink(.full):
      return VaultError(.diskFull)
    case BundleWriteError.exhibitDiffers, BundleWriteError.source:
      return VaultError(.contentDamaged)
    default: return VaultError(.exportFailed)
    }
  }
}

/// A signing key on its way out of a closure that cannot return it bare.
private final class SigningBox {
  private var key: SigningKey?
  init(_ key: consuming SigningKey) { self.key = consume key }
  func take() throws(VaultError) -> SigningKey {
    guard let key = key.take() else { throw VaultError(.databaseDamaged) }
    return key
  }
}
