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
    case newerVersion(LogID)
    case notWritten
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
  /// - Parameter mailbox: a folder, which is remembered; nil for the one remembered.
  /// - Throws: `.unknownCase`, `.mailboxUnknown`, `.mailboxUnreachable`, `.mailboxOfAnotherCase`, `.diskFull`, `.cancelled`.
  public func sync(
    caseNamed name: String?, mailbox: String?,
    progress: @escaping (SyncProgress) -> Void = { _ in },
    isCancelled: @escaping () -> Bool = { false }
  ) throws(VaultError) -> SyncOutcome {
    try requireSoundStanding()
    let row = try read { db in try CaseRow.find(db, name) }
    guard let folder = mailbox.map(VaultFiles.absolute) ?? row.mailbox else {
      throw VaultError(.mailboxUnknown)
    }
    var replica = VaultReplica(
      row: row, database: database, keys: keys, store: blobs, surroundings: surroundings)
    let report: ExchangeReport
    do {
      report = try FolderMailbox(path: folder).exchange(
        with: &replica,
        progress: { step in
          progress(
            SyncProgress(
              isWriting: step.step == .writing, bytes: step.bytesRead + step.bytesWritten))
        }, isCancelled: isCancelled)
    } catch {
      throw .ofExchange(error)
    }
    if report.isOwnLogAhead { try noteRollback() }
    if row.mailbox != folder {
      try replica.write { db in
        try db.execute(
          sql: "UPDATE vault_case SET mailbox = ? WHERE id = ?", arguments: [folder, row.ref])
      }
    }
    try settleErasures(of: row)
    return try outcome(of: report, row)
  }

  private func outcome(
    of report: ExchangeReport, _ row: CaseRow
  ) throws(VaultError) -> SyncOutcome {
    try read { db in
      let state = try CaseView.state(db, of: row)
      let own = try Row.fetchOne(
        db, sql: "SELECT id, size FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, row.logID.bytes.data])
      let members = try state.members.map { member in
        let log = report.logs.first { $0.id == member.logID }
        let receipt = try Row.fetchOne(
          db,
          sql:
            "SELECT max(size) AS size, max(time) AS time FROM receipt WHERE log_ref = ? AND witness = ?",
          arguments: [own?["id"] as Int64?, member.logID.bytes.data])
        let time: Int64? = receipt?["time"]
        let covered: Int64? = receipt?["size"]
        let size = own?.number("size") ?? 0
        return SyncOutcome.Member(
          logID: member.logID, role: member.role, isOwn: member.logID == row.logID,
          entriesSent: log?.entriesSent ?? 0, entriesReceived: log?.entriesReceived ?? 0,
          lastReceipt: time.map(UInt64.init(bitPattern:)),
          entriesWithoutReceipt: size - min(size, UInt64(covered ?? 0)))
      }
      let awaited = try Int.fetchOne(
        db,
        sql: """
          SELECT count(DISTINCT b.id) FROM blob b JOIN attachment a ON a.blob_ref = b.id
          JOIN entry e ON e.id = a.entry_ref WHERE e.case_ref = ? AND b.is_present = 0
          """, arguments: [row.ref])
      return SyncOutcome(
        caseName: row.name, caseID: row.caseID, members: members, filesSent: report.blobsSent,
        filesReceived: report.blobsReceived, filesAwaited: awaited ?? 0,
        bytesRead: report.bytesRead, bytesWritten: report.bytesWritten,
        violations: state.violations.count, problems: report.findings.map(SyncOutcome.Problem.init))
    }
  }
}

extension SyncOutcome.Problem {
  fileprivate init(_ finding: Finding) {
    switch finding.kind {
    case .damaged, .unreadable, .wrongBody, .damagedBlob, .damagedSpan:
      self = .damaged(finding.device)
    case .newerVersion: self = .newerVersion(finding.device)
    case .fault(let log, _): self = .mailboxFault(log)
    case .gap(let log, _): self = .gap(log)
    case .fork(let log): self = .fork(log)
    case .ownLogAhead: self = .ownLogAhead
    case .blobNotWritten: self = .notWritten
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
