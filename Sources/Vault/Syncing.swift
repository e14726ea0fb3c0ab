public import CaseLog
internal import Cryptography
internal import GRDB
internal import Mailboxes
internal import Sync
public import VerifiableLog

/// What an exchange with a mailbox did.
public struct SyncOutcome: Sendable {
  /// One member's part of it.
  public struct Member: Hashable, Sendable {
    public let logID: LogID
    public let role: Role
    public let isOwn: Bool
    public let standing: MemberSummary.Standing
    public let entriesSent: UInt64
    public let entriesReceived: UInt64
    /// By this member's clock, when it last gave a receipt for our log; nil if it never did.
    public let lastReceipt: UInt64?
    /// How many of our entries its last receipt does not cover.
    public let entriesWithoutReceipt: UInt64
  }

  public let caseName: String
  public let caseID: CaseID
  public let members: [Member]
  public let filesSent: Int
  public let filesReceived: Int
  /// Attachments that entries name and that have not come yet.
  public let filesAwaited: Int
  public let bytesRead: UInt64
  public let bytesWritten: UInt64
  /// Entries that members made against the rules of the case; kept aside.
  public let violations: Int
  public let problems: [Problem]
  /// A folder for the survivor's own devices was named for the first time.
  public let isNewOwnFolder: Bool

  /// Something that the exchange met and the person should know. None of them ends it.
  public enum Problem: Hashable, Sendable {
    /// A file of this member's was cut, garbled or false; what came before that counts.
    case damaged(LogID)
    /// What was served for this log does not verify: the mailbox's fault, never the log owner's.
    case mailboxFault(LogID)
    /// Entries of this log are still missing in between.
    case gap(LogID)
    /// The owner of this log signed two histories; the proof is kept.
    case fork(LogID)
    /// Our own log is longer there than here: this vault is an old copy.
    case ownLogAhead
    /// In this member's part of the mailbox lies a decision about the case that its root did not sign.
    /// Nothing of it was taken.
    case forgedStatement(LogID)
    case newerVersion(LogID)
    case notWritten
    /// There is no room on this disk for a file of an entry: it was left in the mailbox, and all else was exchanged.
    case withoutRoom
    /// An entry of this member says of a file that it has another length than it has: it was not taken in, and nobody
    /// who carries it has any part in that.
    case falseLength(LogID)
    /// A file of an entry cannot be read here any more, and so was not passed on.
    case lost
    /// One of the case's two folders could not be reached; the other was.
    case unreachable(MailboxAudience)
  }
}

/// How far an exchange is.
public struct SyncProgress: Hashable, Sendable {
  public let isWriting: Bool
  public let bytes: UInt64
}

extension OpenVault {
  /// Meets the other members of a case in a folder: takes in what they left, leaves what they lack, gives
  /// and takes receipts. What was taken in stays, however it ends.
  ///
  /// - Parameters:
  ///   - mailbox: a folder, which is remembered; nil for all that are remembered: one where all members meet,
  ///     and one for the survivor's own devices.
  ///   - audience: who meets in the folder; without one, to meet in the remembered one of these only.
  /// - Throws: `.unknownCase`, `.mailboxUnknown`, `.mailboxUnreachable`, `.mailboxOfAnotherCase`,
  ///   `.mailboxInVault`, `.mailboxOfOthers`, `.mailboxOfOwnDevices`, `.notAllowed`, `.diskFull`, `.cancelled`.
  public func sync(
    caseNamed name: String?, mailbox: String?, audience: MailboxAudience? = nil,
    progress: @escaping (SyncProgress) -> Void = { _ in },
    isCancelled: @escaping () -> Bool = { false }
  ) throws(VaultError) -> SyncOutcome {
    try requireSound()
    try catchUpAnchor()
    let row = try read { db in try CaseRow.find(db, name) }
    let places = try MeetingPlace.all(of: row, mailbox: mailbox, audience: audience)
    for place in places {
      guard !files.contains(place.folder) else { throw VaultError(.mailboxInVault) }
      try check(place, row)
    }
    var met = Exchanges()
    for (index, place) in places.enumerated() where index < 2 || met.hasNewsForOthers {
      do throws(VaultError) {
        let report = try exchange(in: place, row, progress, isCancelled)
        met.reports.append(report)
        if place.audience == .ownDevices, row.ownMailbox == nil { met.isNewOwnFolder = true }
        if report.isOwnLogAhead {
          try noteRollback()
          break
        }
      } catch {
        // Of two folders one may be on a stick that is not here now.
        guard places.count > 1, error.code == .mailboxUnreachable else { throw error }
        met.unreachable.append(place.audience)
      }
    }
    guard !met.reports.isEmpty else { throw VaultError(.mailboxUnreachable) }
    try settleErasures(of: row)
    if !met.reports.contains(where: \.isOwnLogAhead), try openMissingRetractions(of: row),
      let place = places.first(where: { $0.audience != .ownDevices })
    {
      do throws(VaultError) {
        met.reports.append(try exchange(in: place, row, progress, isCancelled))
      } catch {
        // Then it goes with the next one.
        guard error.code == .mailboxUnreachable else { throw error }
      }
    }
    return try outcome(of: met, row)
  }

  private func exchange(
    in place: MeetingPlace, _ row: CaseRow, _ progress: @escaping (SyncProgress) -> Void,
    _ isCancelled: @escaping () -> Bool
  ) throws(VaultError) -> ExchangeReport {
    var replica = VaultReplica(
      row: row, database: database, keys: keys, store: blobs, surroundings: surroundings,
      audience: place.audience)
    let report: ExchangeReport
    do {
      report = try FolderMailbox(path: place.folder).exchange(
        with: &replica,
        progress: { step in
          progress(
            SyncProgress(
              isWriting: step.step == .writing, bytes: step.bytesRead + step.bytesWritten))
        }, isCancelled: isCancelled)
    } catch {
      throw .ofExchange(error)
    }
    if !report.isOwnLogAhead {
      try replica.write { db in
        try ErasureTable.forgetItems(db, in: row, mailbox: place.audience)
      }
    }
    if !place.isRemembered { try remember(place, row) }
    return report
  }

  /// A folder is used one way only.
  private func remember(_ place: MeetingPlace, _ row: CaseRow) throws(VaultError) {
    try database.write { db in
      try db.execute(
        sql: """
          UPDATE vault_case SET \(place.audience.column) = ?1,
            \(place.audience.otherColumn) = nullif(\(place.audience.otherColumn), ?1) WHERE id = ?2
          """, arguments: [place.folder, row.ref])
    }
  }

  /// Refuses to put what is the survivor's alone where others meet.
  private func check(_ place: MeetingPlace, _ row: CaseRow) throws(VaultError) {
    guard place.audience == .ownDevices else {
      guard !place.isSame(as: row.ownMailbox) else { throw VaultError(.mailboxOfOwnDevices) }
      return
    }
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    let state = try read { db in try CaseView.state(db, of: row) }
    let hasAdvocates = state.members.contains { $0.role == .advocate }
    guard !place.isSame(as: row.mailbox) || !hasAdvocates else {
      throw VaultError(.mailboxOfOthers)
    }
    let devices: [LogID]
    do throws(MailboxError) {
      devices = try FolderMailbox(path: place.folder)
        .devices(of: MailboxTag(caseID: row.caseID.raw))
    } catch {
      // The exchange itself says why, where that ends it.
      return
    }
    guard !devices.contains(where: { state.member($0)?.role == .advocate }) else {
      throw VaultError(.mailboxOfOthers)
    }
  }

  private func outcome(
    of met: Exchanges, _ row: CaseRow
  ) throws(VaultError) -> SyncOutcome {
    try read { db in
      let state = try CaseView.state(db, of: row)
      let members = try state.members.map { member in
        let logs = met.reports.flatMap(\.logs).filter { $0.id == member.logID }
        let receipts = try ReceiptTable.coverage(db, ofOwnLogIn: row, by: member.logID)
        return SyncOutcome.Member(
          logID: member.logID, role: member.role, isOwn: member.logID == row.logID,
          standing: .init(of: member, at: surroundings.now()),
          entriesSent: logs.map(\.entriesSent).reduce(0, +),
          entriesReceived: logs.map(\.entriesReceived).reduce(0, +),
          lastReceipt: receipts.last, entriesWithoutReceipt: receipts.uncovered)
      }
      let reports = met.reports
      return SyncOutcome(
        caseName: row.name, caseID: row.caseID, members: members,
        filesSent: reports.map(\.blobsSent).reduce(0, +),
        filesReceived: reports.map(\.blobsReceived).reduce(0, +),
        filesAwaited: try BlobTable.count(db, in: row, arePresent: false),
        bytesRead: reports.map(\.bytesRead).reduce(0, +),
        bytesWritten: reports.map(\.bytesWritten).reduce(0, +),
        violations: state.violations.count,
        problems: try met.problems { try BlobTable.authors(db, of: $0, sealedSize: $1, in: row) },
        isNewOwnFolder: met.isNewOwnFolder)
    }
  }
}

/// What the exchanges of one sync gave.
private struct Exchanges {
  var reports: [ExchangeReport] = []
  var unreachable: [MailboxAudience] = []
  var isNewOwnFolder = false

  /// Whether the last exchange brought what those who meet elsewhere may lack.
  var hasNewsForOthers: Bool {
    reports.last.map { $0.blobsReceived > 0 || $0.logs.contains { $0.entriesReceived > 0 } }
      ?? false
  }

  /// Each once.
  ///
  /// - Parameter authors: whose entries name a blob with such a length.
  func problems(
    _ authors: (BlobRoot, UInt64) throws -> [LogID]
  ) rethrows -> [SyncOutcome.Problem] {
    var problems: [SyncOutcome.Problem] = []
    func add(_ problem: SyncOutcome.Problem) {
      if !problems.contains(problem) { problems.append(problem) }
    }
    for finding in reports.flatMap(\.findings) {
      if let problem = SyncOutcome.Problem(finding) { add(problem) }
      if case .blobOfOtherLength(let root, let claimed) = finding.kind {
        for author in try authors(root, claimed) { add(.falseLength(author)) }
      }
    }
    for audience in unreachable { add(.unreachable(audience)) }
    return problems
  }
}

/// A folder, and who meets in it.
private struct MeetingPlace {
  let folder: String
  let audience: MailboxAudience
  let isRemembered: Bool

  /// Whether it is the folder that was remembered, however either is spelled.
  func isSame(as remembered: String?) -> Bool {
    remembered.map { VaultFiles.resolved($0) == VaultFiles.resolved(folder) } ?? false
  }

  /// Where to go, in order: first to where other devices of the survivor's left what others may be waiting for.
  static func all(
    of row: CaseRow, mailbox: String?, audience: MailboxAudience?
  ) throws(VaultError) -> [MeetingPlace] {
    if let mailbox {
      let folder = VaultFiles.resolved(mailbox)
      let audience = audience ?? .everyone
      return [
        MeetingPlace(
          folder: folder, audience: audience, isRemembered: row.mailbox(of: audience) == folder)
      ]
    }
    let wanted = audience.map { [$0] } ?? [.ownDevices, .everyone]
    let places = wanted.compactMap { audience in
      row.mailbox(of: audience).map {
        MeetingPlace(folder: $0, audience: audience, isRemembered: true)
      }
    }
    guard let first = places.first else { throw VaultError(.mailboxUnknown) }
    // Once more with what came in from where all meet.
    return places.count == 2 ? places + [first] : places
  }
}

extension CaseRow {
  fileprivate func mailbox(of audience: MailboxAudience) -> String? {
    audience == .everyone ? mailbox : ownMailbox
  }
}

extension MailboxAudience {
  fileprivate var column: String { self == .everyone ? "mailbox" : "own_mailbox" }
  fileprivate var otherColumn: String { self == .everyone ? "own_mailbox" : "mailbox" }
}

extension SyncOutcome.Problem {
  /// Nil of what is told of somebody whom the finding does not name.
  fileprivate init?(_ finding: Finding) {
    switch finding.kind {
    case .blobOfOtherLength: return nil
    case .blobWithoutRoom: self = .withoutRoom
    case .damaged, .unreadable, .wrongBody, .damagedBlob, .damagedSpan:
      self = .damaged(finding.device)
    case .newerVersion: self = .newerVersion(finding.device)
    case .forgedStatement: self = .forgedStatement(finding.device)
    case .fault(let log, _): self = .mailboxFault(log)
    case .gap(let log, _): self = .gap(log)
    case .fork(let log): self = .fork(log)
    case .ownLogAhead: self = .ownLogAhead
    case .blobNotWritten: self = .notWritten
    case .blobLost: self = .lost
    }
  }
}

extension VaultError {
  fileprivate static func ofExchange(_ error: ExchangeError<VaultError>) -> VaultError {
    switch error {
    case .replica(let error): return error
    case .mailbox(let error):
      switch error {
      case .unreachable, .notWritable: return VaultError(.mailboxUnreachable)
      case .full: return VaultError(.mailboxFull)
      case .otherCase: return VaultError(.mailboxOfAnotherCase)
      case .cancelled: return VaultError(.cancelled)
      case .inputOutput(let number): return VaultError(.mailboxUnreachable, systemError: number)
      }
    }
  }
}
