internal import Sync
internal import VerifiableLog

extension FolderExchange {
  /// Reads all devices' subfolders until none has anything new: an entry of one may admit another, or fill the
  /// gap before what a third one carries.
  mutating func readAll(_ root: borrowing Folder, into replica: inout R) throws(Failure) {
    var changed = true
    while changed {
      changed = false
      wantedShares = nil
      lacking = [:]
      for index in readable where try read(part: index, root, into: &replica) { changed = true }
      // Only once all else is here: then no file is read twice.
      if !changed { changed = try seekPartings(root, into: &replica) }
    }
    noteGaps()
  }

  /// The subfolders to read: those of members, and as many of strangers as a case may have members. A device
  /// that nobody here knows yet may carry the entry that admits it.
  private var readable: [Int] {
    let written = parts.indices.filter { !parts[$0].files.isEmpty }
    let strangers = written.filter { !isMember($0) }.prefix(SyncLimits.members)
    return written.filter { isMember($0) } + strangers
  }

  private func isMember(_ index: Int) -> Bool {
    intake.size(of: parts[index].name.logID) != nil
  }

  /// Reads what is new of one device; whether anything changed. What cannot be read is noted and does not
  /// keep others from being read.
  private mutating func read(
    part index: Int, _ root: borrowing Folder, into replica: inout R
  ) throws(Failure) -> Bool {
    let folder: Folder
    do {
      folder = try root.folder(parts[index].name.text)
    } catch {
      intake.note(.unreadable(.everything), of: parts[index].name.logID)
      return false
    }
    try readHead(part: index, folder)
    var changed = try takeStatements(part: index, into: &replica)
    for file in parts[index].files where !parts[index].done.contains(file) {
      switch file {
      case .range(let log, let run):
        guard try wants(run, of: log, replica) else { continue }
        if try readWhole(file, part: index, folder, into: &replica) { changed = true }
      case .share(let id):
        guard try wants(id, replica) else { continue }
        let wanted = wantedShares
        if try readWhole(file, part: index, folder, into: &replica) { changed = true }
        // What a share brings is lacking in no other.
        wantedShares = wanted
      case .head, .blob: continue
      }
    }
    if try takeHead(part: index, into: &replica) { changed = true }
    return changed
  }

  // MARK: - Head

  /// Reads a `head` the first time: a member's whole, unless it says what is held; of a stranger's what may make a
  /// member of her.
  private mutating func readHead(part index: Int, _ folder: borrowing Folder) throws(Failure) {
    guard parts[index].has(.head) else { return }
    guard isMember(index) else { return try readIntroduction(part: index, folder) }
    guard parts[index].head == nil else { return }
    parts[index].head = HeadContent()
    guard var file = open(.head, part: index, folder) else { return }
    try goOn(.reading)
    if isKnown(file, part: index) {
      parts[index].summary = headAtStart.summary
      return intake.take(known: headAtStart, from: parts[index].name.logID)
    }
    var content = HeadContent()
    while let frame = try next(&file, part: index) {
      guard file.offset <= FolderExchange.maximumHeadByteCount,
        headBytes + file.offset <= FolderExchange.maximumHeadsByteCount
      else {
        spoil(.head, part: index)
        break
      }
      content.add(frame)
    }
    headBytes += file.offset
    parts[index].head = content
    if !parts[index].damaged.contains(.head) { parts[index].summary = file.summary }
  }

  /// Whether a head says what this copy would say itself: then nothing in it is new, and its length and its summary are
  /// all that is looked at.
  ///
  /// The own one is looked at more closely, since nobody else writes it again: `hello` as well; and all of it
  /// unless the heads of all others are known. Then nobody lacks what may be damaged further on in it.
  private func isKnown(_ file: borrowing FrameFile, part index: Int) -> Bool {
    guard file.byteCount == UInt64(headAtStart.bytes.count) else { return false }
    let (hello, summary) = headAtStart.start
    guard index == own else { return file.has(headAtStart.bytes[summary]) }
    let others = parts.indices.filter {
      $0 != own && isMember($0) && parts[$0].has(.head)
    }
    return !others.isEmpty && others.allSatisfy { parts[$0].summary == headAtStart.summary }
      && file.has(headAtStart.bytes[hello.lowerBound..<summary.upperBound])
  }

  /// A new device brings along what the root, or its old key, signed for it, or the key that opens the entry
  /// which admits it. Strangers' heads are nobody's concern otherwise: what is wrong with one is not told.
  private mutating func readIntroduction(
    part index: Int, _ folder: borrowing Folder
  ) throws(Failure) {
    guard parts[index].introduction == nil else { return }
    let hello = Hello(tag: tag, logID: parts[index].name.logID)
    var content = HeadContent()
    do {
      var file = FrameFile(try folder.file(FileName.head.text), .head, hello)
      while let frame = try file.next(),
        file.offset <= FolderExchange.maximumIntroductionByteCount,
        introductionBytes + file.offset <= FolderExchange.maximumIntroductionsByteCount
      {
        switch frame {
        case .statements, .successions, .wraps: content.add(frame)
        default: continue
        }
      }
      introductionBytes += file.offset
    } catch {
      // What came before a cut counts frame by frame.
    }
    parts[index].introduction = content
    try goOn(.reading)
  }

  /// Takes statements, successions and wraps; of a stranger's wraps only what she may give.
  private mutating func takeStatements(
    part index: Int, into replica: inout R
  ) throws(Failure) -> Bool {
    var changed = false
    let isStranger = parts[index].head == nil
    for frame in (parts[index].head ?? parts[index].introduction)?.claims ?? [] {
      try goOn(.reading)
      let outcome = try take(frame, part: index, isIntroduction: isStranger, into: &replica)
      if outcome.changed { changed = true }
    }
    if changed { try refresh(replica) }
    return changed
  }

  /// Of a longer one the rest is not read.
  private static var maximumHeadByteCount: UInt64 { UInt64(SyncLimits.headFileByteCount) }
  /// Of a stranger's.
  private static var maximumIntroductionByteCount: UInt64 { 4 << 20 }
  private static var maximumIntroductionsByteCount: UInt64 { 64 << 20 }
  /// Of all heads together.
  private static var maximumHeadsByteCount: UInt64 { 256 << 20 }

  /// Takes heads and forks once the entries are there that they are about.
  private mutating func takeHead(part index: Int, into replica: inout R) throws(Failure) -> Bool {
    var changed = false
    for frame in parts[index].head?.proofs ?? [] {
      try goOn(.reading)
      if try take(frame, part: index, into: &replica).changed { changed = true }
    }
    return changed
  }

  // MARK: - Ranges and shares

  /// Asked of the replica once for each log, however many names of ranges there are.
  private mutating func wants(
    _ run: Range<UInt64>, of log: LogID, _ replica: R
  ) throws(Failure) -> Bool {
    guard let size = intake.size(of: log), run.lowerBound <= size else { return false }
    if run.upperBound > size { return true }
    guard log != ownLog else { return false }
    if let runs = lacking[log] { return runs.hasOverlap(with: run) }
    let runs: [Range<UInt64>]
    do { runs = try replica.lacking(of: log) } catch { throw .replica(error) }
    lacking[log] = runs
    return runs.hasOverlap(with: run)
  }

  /// Asked of the replica once, however many names of shares there are.
  private mutating func wants(_ share: EntryID, _ replica: R) throws(Failure) -> Bool {
    if let wantedShares { return wantedShares.contains(share) }
    let wanted: Set<EntryID>
    do { wanted = Set(try replica.wantedShares()) } catch { throw .replica(error) }
    wantedShares = wanted
    return wanted.contains(share)
  }

  /// Takes all frames of a file; whether anything changed. The file is then done with, in this exchange.
  private mutating func readWhole(
    _ name: FileName, part index: Int, _ folder: borrowing Folder, into replica: inout R
  ) throws(Failure) -> Bool {
    parts[index].done.insert(name)
    guard var file = open(name, part: index, folder) else { return false }
    var changed = false
    while let frame = try next(&file, part: index) {
      let outcome = try take(frame, part: index, into: &replica)
      if outcome.changed { changed = true }
      guard outcome.mayGoOn else {
        parts[index].damaged.insert(name)
        break
      }
    }
    if changed { try refresh(replica) }
    return changed
  }

  // MARK: - Files and frames

  private mutating func open(
    _ name: FileName, part index: Int, _ folder: borrowing Folder
  ) -> FrameFile? {
    do throws(MailboxError) {
      let hello = Hello(tag: tag, logID: parts[index].name.logID)
      return FrameFile(try folder.file(name.text), name, hello)
    } catch {
      parts[index].damaged.insert(name)
      intake.note(.unreadable(name.item), of: parts[index].name.logID)
      return nil
    }
  }

  /// The next frame of a file; nil at its end, and where it is damaged, which is noted.
  private mutating func next(
    _ file: inout FrameFile, part index: Int
  ) throws(Failure) -> Frame? {
    try goOn(.reading)
    let device = parts[index].name.logID
    do throws(FrameFileError) {
      return try file.next()
    } catch {
      parts[index].damaged.insert(file.name)
      switch error {
      case .unreadable: intake.note(.unreadable(file.name.item), of: device)
      case .frames(.newerVersion): intake.note(.newerVersion(file.name.item), of: device)
      case .frames: intake.note(.damaged(file.name.item), of: device)
      }
      return nil
    }
  }

  /// Notes that a file is not what its name says.
  private mutating func spoil(_ name: FileName, part index: Int) {
    parts[index].damaged.insert(name)
    intake.note(.damaged(name.item), of: parts[index].name.logID)
  }

  private mutating func take(
    _ frame: Frame, part index: Int, isIntroduction: Bool = false, into replica: inout R
  ) throws(Failure) -> FrameOutcome {
    let device = parts[index].name.logID
    do {
      return isIntroduction
        ? try intake.take(introduction: frame, from: device, into: &replica)
        : try intake.take(frame, from: device, into: &replica)
    } catch {
      throw .replica(error)
    }
  }

  private mutating func refresh(_ replica: R) throws(Failure) {
    wantedShares = nil
    lacking = [:]
    do { try intake.refresh(replica) } catch { throw .replica(error) }
  }

  /// Entries that lie beyond a gap, once everything has been read.
  private mutating func noteGaps() {
    for part in parts {
      for case .range(let log, let run) in part.files {
        if let size = intake.size(of: log), run.lowerBound > size {
          intake.note(.gap(log: log, size: size), of: part.name.logID)
        }
      }
    }
  }
}

extension [Range<UInt64>] {
  /// Whether one of these, which are in order and apart, has something of `run`.
  fileprivate func hasOverlap(with run: Range<UInt64>) -> Bool {
    var (start, end) = (startIndex, endIndex)
    while start < end {
      let middle = start + (end - start) / 2
      if self[middle].upperBound <= run.lowerBound { start = middle + 1 } else { end = middle }
    }
    return start < endIndex && self[start].overlaps(run)
  }
}

// MARK: - Where histories part

extension FolderExchange {
  /// A head tells that a log has another history, and a range that continues one does not connect; where
  /// the histories part shows in ranges that are held already in their own form, whoever carries them. Each
  /// is read at most once, as any other file is.
  private mutating func seekPartings(
    _ root: borrowing Folder, into replica: inout R
  ) throws(Failure) -> Bool {
    var changed = false
    for log in intake.doubtedLogs {
      for (index, file) in candidates(for: log) where try isDoubted(log, replica) {
        let folder: Folder
        do throws(MailboxError) { folder = try root.folder(parts[index].name.text) } catch {
          continue
        }
        if try seekParting(in: file, part: index, folder, into: &replica) { changed = true }
      }
    }
    if changed { try refresh(replica) }
    return changed
  }

  private mutating func isDoubted(_ log: LogID, _ replica: R) throws(Failure) -> Bool {
    do { return try intake.isDoubted(log, replica) } catch { throw .replica(error) }
  }

  /// Ranges of a log that nobody had a reason to read yet, the last first: most of a log is common.
  private func candidates(for log: LogID) -> [(part: Int, file: FileName)] {
    let size = intake.size(of: log) ?? 0
    var found: [(part: Int, file: FileName, first: UInt64)] = []
    for index in readable {
      for file in parts[index].files where !parts[index].done.contains(file) {
        guard let run = file.run(of: log), run.lowerBound < size else { continue }
        found.append((index, file, run.lowerBound))
      }
    }
    return found.sorted { ($1.first, $0.part) < ($0.first, $1.part) }.map { ($0.part, $0.file) }
  }

  private mutating func seekParting(
    in name: FileName, part index: Int, _ folder: borrowing Folder, into replica: inout R
  ) throws(Failure) -> Bool {
    parts[index].done.insert(name)
    guard var file = open(name, part: index, folder) else { return false }
    let device = parts[index].name.logID
    while let frame = try next(&file, part: index) {
      let outcome: FrameOutcome
      do { outcome = try intake.seekParting(in: frame, from: device, into: &replica) } catch {
        throw .replica(error)
      }
      guard outcome.mayGoOn else {
        // Not the history that is held here: what the file's name covers is still to be written.
        parts[index].damaged.insert(name)
        return outcome.changed
      }
    }
    return false
  }
}
