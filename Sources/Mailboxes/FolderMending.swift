internal import Sync
internal import VerifiableLog

// Files never change once they have their name, so a device need not look at what it wrote. But disks, sticks and those
// who carry files from one to another lose some of it, and nobody else can write it again.

extension FolderExchange {
  /// Whether a file has its end, and nothing in it was found to be damaged. What went missing or was cut is
  /// written again.
  func isWhole(_ name: FileName, part index: Int, _ folder: borrowing Folder) -> Bool {
    guard !parts[index].damaged.contains(name) else { return false }
    do throws(MailboxError) {
      let file = try folder.file(name.text)
      if case .blob = name { return try Self.isWholeBlob(file) }
      let end = Frame.end.bytes
      guard file.byteCount > UInt64(end.count) else { return false }
      return try file.read(at: file.byteCount - UInt64(end.count), count: end.count) == end
    } catch {
      return false
    }
  }

  /// What the subfolder of a log's own device has of it. Only where somebody lacks something is it worth a look
  /// at the end of each file, and into the one at which she is.
  mutating func runsOfOwner(
    of log: HeldLog, _ reach: Reach, part index: Int, _ root: borrowing Folder, _ replica: R
  ) throws(Failure) -> [Range<UInt64>] {
    let ranges = parts[index].files.filter {
      $0.run(of: log.id) != nil && !parts[index].damaged.contains($0)
    }
    guard !ranges.isEmpty, reach.isLacking(of: log) else {
      return ranges.compactMap { $0.run(of: log.id) }
    }
    let folder: Folder
    do throws(MailboxError) { folder = try root.folder(parts[index].name.text) } catch { return [] }
    try spoilUntakable(of: log, where: reach.awaited(of: log), part: index, folder, replica)
    var runs: [Range<UInt64>] = []
    for name in ranges where isWhole(name, part: index, folder) {
      if let run = name.run(of: log.id) { runs.append(run) }
    }
    return runs
  }

  /// Finds files with damage in their middle: each in which an entry stands that somebody waits for is read as
  /// she would read it. Whoever could not take it stays where she is for good, unless it is written again; she
  /// says herself how far she came, and nothing but that file keeps her from going on.
  ///
  /// - Parameter awaited: the first entry that each of those lacks.
  mutating func spoilUntakable(
    of log: HeldLog, where awaited: Set<UInt64>, part index: Int, _ folder: borrowing Folder,
    _ replica: R
  ) throws(Failure) {
    guard !awaited.isEmpty else { return }
    for name in parts[index].files where !parts[index].damaged.contains(name) {
      guard let run = name.run(of: log.id), awaited.contains(where: run.contains) else { continue }
      if try !isTakable(name, run, of: log, part: index, folder, replica) {
        parts[index].damaged.insert(name)
      }
    }
  }

  /// Whether somebody who has all entries before a range, and no more, would take all of it.
  private func isTakable(
    _ name: FileName, _ run: Range<UInt64>, of log: HeldLog, part index: Int,
    _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) -> Bool {
    guard run.upperBound <= log.size else { return true }
    let leaves = { (run: Range<UInt64>) throws(R.Failure) -> [LeafData] in
      try replica.leaves(of: log.id, in: run)
    }
    var verifier = try Failure.replica { () throws(R.Failure) in
      try RangeVerifier(log, upTo: run.lowerBound, leaves: leaves)
    }
    var file: FrameFile
    do throws(MailboxError) {
      let hello = Hello(tag: tag, logID: parts[index].name.logID)
      file = FrameFile(try folder.file(name.text), name, hello)
    } catch {
      return false
    }
    while true {
      try goOn(.reading)
      let frame: Frame?
      do throws(FrameFileError) { frame = try file.next() } catch { return false }
      guard let frame else { return true }
      guard case .range(let range) = frame else { return false }
      let verdict = try Failure.replica { () throws(R.Failure) in
        try verifier.verify(range, leaves: leaves)
      }
      guard case .verified = verdict else { return false }
    }
  }
}

/// How far all who were here have each log.
struct Reach {
  private let devices: Set<LogID>
  private let speaking: Set<LogID>
  private var sizes: [LogID: [LogID: UInt64]] = [:]

  /// - Parameter parts: subfolders of other members. Who says nothing of a log has none of it. Whoever left no
  ///   `head` was never here, or all of hers was taken away: that she cannot take a file need not be looked for.
  init(of parts: [DevicePart], _ standings: [Standing]) {
    devices = Set(parts.map(\.name.logID))
    speaking = Set(parts.filter { $0.has(.head) }.map(\.name.logID))
    for standing in standings where devices.contains(standing.device) {
      sizes[standing.logID, default: [:]][standing.device] = standing.size
    }
  }

  /// Whether somebody lacks some of a log: she was not here since, or could not read it.
  func isLacking(of log: HeldLog) -> Bool { !first(in: log, thatLack: devices).isEmpty }

  /// The first entry of a log that each lacks who was here and lacks some.
  func awaited(of log: HeldLog) -> Set<UInt64> { first(in: log, thatLack: speaking) }

  private func first(in log: HeldLog, thatLack devices: Set<LogID>) -> Set<UInt64> {
    let size = log.head?.size ?? 0
    return Set(
      devices.filter { $0 != log.id }.map { sizes[log.id]?[$0] ?? 0 }.filter { $0 < size })
  }
}
