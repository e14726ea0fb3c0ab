internal import Cryptography
public import Sync
internal import VerifiableLog

/// A folder in which the copies of one case meet: on a stick, on a share, in a synchronised folder. Each
/// device writes in its own subfolder only, so that no two ever write the same file. The layout stands in
/// `Protocol/Sync.md`.
///
///     let mailbox = FolderMailbox(path: "/media/stick/case")
///     let report = try mailbox.exchange(with: &replica)
///
/// The folder must exist; everything in it is made as needed. An exchange that is interrupted, at whatever
/// point, leaves nothing that a reader would take for something else, and is taken up by the next.
public struct FolderMailbox: Mailbox, Sendable {
  let path: String
  let fault: (@Sendable (FileOperation) -> FileFault?)?

  /// The mailbox in the folder at `path`.
  public init(path: String) {
    self.path = path
    fault = nil
  }

  /// The same, with file operations that fail when a test says so.
  package init(path: String, fault: @escaping @Sendable (FileOperation) -> FileFault?) {
    self.path = path
    self.fault = fault
  }

  public func exchange<R: Replica>(
    with replica: inout R, progress: @escaping (ExchangeProgress) -> Void,
    isCancelled: @escaping () -> Bool
  ) throws(ExchangeError<R.Failure>) -> ExchangeReport {
    let disk = Disk(fault: fault)
    var exchange = try FolderExchange(replica, disk, progress, isCancelled)
    let root = try ExchangeError<R.Failure>.mailbox { () throws(MailboxError) in
      try Folder(path: path, disk: disk)
    }
    try exchange.list(root)
    try exchange.readAll(root, into: &replica)
    try exchange.readBlobs(root, into: &replica)
    if !exchange.isOutdated {
      try ExchangeError.replica { () throws(R.Failure) in try replica.giveReceipts() }
      try exchange.writeAll(root, from: replica)
    }
    return try exchange.report(replica)
  }
}

/// A device's subfolder, as an exchange came to know it.
struct DevicePart {
  let name: DeviceFolderName
  /// The files with names that mean something, in order.
  var files: [FileName] = [] { didSet { names = Set(files) } }
  private var names: Set<FileName> = []
  /// What was read in this exchange, or given up.
  var done: Set<FileName> = []
  /// What turned out to be cut, garbled or false.
  var damaged: Set<FileName> = []
  /// What stands in `head`, once read; nothing of one that says what this copy says itself.
  var head: HeadContent?
  /// What these come to, as far as the file says so and nothing in it is damaged.
  var summary: Bytes32?
  /// Of a stranger's, what stands first in it and needs nobody's word but its own signatures.
  var introduction: HeadContent?

  init(name: DeviceFolderName) { self.name = name }

  /// Whether there is such a file, however many there are.
  func has(_ name: FileName) -> Bool { names.contains(name) }
  /// Whether there is one in which nothing was found to be damaged.
  func hasWhole(_ name: FileName) -> Bool { names.contains(name) && !damaged.contains(name) }
}

/// One exchange with a folder. The steps are in the files beside this one: reading, writing, blobs.
struct FolderExchange<R: Replica> {
  typealias Failure = ExchangeError<R.Failure>

  let disk: Disk
  let ownLog: LogID
  let tag: MailboxTag
  var intake: FrameIntake<R>
  /// What this copy would have written when the exchange began.
  let headAtStart: OwnHead
  /// The devices' subfolders, by log id; the own one last.
  var parts: [DevicePart] = []
  /// Bytes of the heads that are held in memory.
  var headBytes: UInt64 = 0
  /// Bytes of strangers' heads that were read.
  var introductionBytes: UInt64 = 0
  /// The shares of which something is lacking, until something comes that may tell of others.
  var wantedShares: Set<EntryID>?
  /// Where something is lacking of entries that are held, by log, until something comes.
  var lacking: [LogID: [Range<UInt64>]] = [:]
  var entriesSent: [LogID: UInt64] = [:]
  var blobsSent = 0
  var blobsReceived = 0
  private let sizesBefore: [LogID: UInt64]
  private let progress: (ExchangeProgress) -> Void
  private let isCancelled: () -> Bool

  /// Bytes of a file that are read at once.
  static var pieceByteCount: Int { 1 << 18 }

  init(
    _ replica: R, _ disk: Disk, _ progress: @escaping (ExchangeProgress) -> Void,
    _ isCancelled: @escaping () -> Bool
  ) throws(Failure) {
    self.disk = disk
    self.progress = progress
    self.isCancelled = isCancelled
    ownLog = replica.ownLog
    tag = MailboxTag(caseID: replica.caseID)
    do {
      intake = try FrameIntake(replica)
      headAtStart = try OwnHead(replica)
      var sizes: [LogID: UInt64] = [:]
      for log in try replica.logs() { sizes[log.id] = log.size }
      sizesBefore = sizes
    } catch {
      throw .replica(error)
    }
  }

  /// Which of the subfolders is the own one.
  var own: Int { parts.count - 1 }

  /// Whether the mailbox showed that this copy is an old one: nothing may be written then.
  var isOutdated: Bool { intake.isOutdated }

  /// Says how far the exchange is, and ends it if the caller wants that.
  func goOn(_ step: ExchangeProgress.Step) throws(Failure) {
    progress(
      ExchangeProgress(step: step, bytesRead: disk.bytesRead, bytesWritten: disk.bytesWritten))
    if isCancelled() { throw .mailbox(.cancelled) }
  }

  /// Finds the devices' subfolders. A folder that holds those of another case only is not ours to write in.
  mutating func list(_ root: borrowing Folder) throws(Failure) {
    let own = DeviceFolderName(tag, ownLog)
    let names: [DeviceFolderName]
    do {
      names = try root.names { DeviceFolderName($0) }
    } catch {
      throw .mailbox(error)
    }
    let ours = names.filter { $0.tag == own.tag }
    guard !ours.isEmpty || names.isEmpty else { throw .mailbox(.otherCase) }
    let others = ours.filter { $0 != own }.sorted { $0.logID < $1.logID }
    parts = (others + [own]).map { DevicePart(name: $0) }
    let isOwnThere = ours.contains(own)
    for index in parts.indices where parts[index].name != own || isOwnThere {
      do throws(MailboxError) {
        let folder = try root.folder(parts[index].name.text)
        parts[index].files = try folder.names { FileName($0) }.sorted()
      } catch {
        intake.note(.unreadable(.everything), of: parts[index].name.logID)
      }
    }
  }

  /// What the exchange did.
  func report(_ replica: R) throws(Failure) -> ExchangeReport {
    var report = ExchangeReport()
    let logs: [HeldLog]
    do { logs = try replica.logs() } catch { throw .replica(error) }
    for log in logs {
      report.logs.append(
        .init(
          id: log.id, sizeBefore: sizesBefore[log.id] ?? 0, sizeAfter: log.size,
          entriesSent: entriesSent[log.id] ?? 0))
    }
    report.blobsSent = blobsSent
    report.blobsReceived = blobsReceived
    report.bytesRead = disk.bytesRead
    report.bytesWritten = disk.bytesWritten
    report.findings = intake.findings
    report.isOwnLogAhead = intake.isOutdated
    report.standings = intake.standings.filter {
      $0.device != ownLog && intake.size(of: $0.device) != nil
    }
    return report
  }
}
