internal import Sync
internal import VerifiableLog

extension FolderExchange {
  /// Writes what the own subfolder lacks: first entries, then shares, then blobs, and `head` last, so that no
  /// reader sees a head of which the entries are not there yet.
  mutating func writeAll(_ root: borrowing Folder, from replica: R) throws(Failure) {
    try goOn(.writing)
    let folder = try ownFolder(root)
    parts[own].files = parts[own].files.filter { isWhole($0, part: own, folder) }
    try removeErased(folder, replica)
    try removeLeftovers(folder, replica)
    var written = try writeRanges(folder, root, replica)
    if try writeShares(folder, replica) { written = true }
    if try writeBlobs(folder, replica) { written = true }
    if written { try disk { () throws(MailboxError) in try folder.synchronize() } }
    try writeHead(folder, replica)
  }

  private func disk<Value: ~Copyable>(
    _ body: () throws(MailboxError) -> Value
  ) throws(Failure) -> Value {
    try Failure.mailbox(body)
  }

  private func asking<Value>(_ body: () throws(R.Failure) -> Value) throws(Failure) -> Value {
    try Failure.replica(body)
  }

  /// The own subfolder, made if it is not there.
  private func ownFolder(_ root: borrowing Folder) throws(Failure) -> Folder {
    let name = parts[own].name.text
    do throws(MailboxError) {
      try root.makeFolder(name)
      if parts[own].files.isEmpty { try root.synchronize() }
      return try root.folder(name)
    } catch {
      throw .mailbox(error)
    }
  }

  /// Removes what an interrupted exchange left under temporary names; a blob that is still to be written is
  /// continued instead.
  private func removeLeftovers(_ folder: borrowing Folder, _ replica: R) throws(Failure) {
    let pending = Set(try pendingBlobs(replica).map { FileName.blob($0.root) })
    try disk { () throws(MailboxError) in
      let leftovers = try folder.names { text in
        text.hasPrefix(".") ? FileName(String(text.dropFirst())) : nil
      }
      for name in leftovers.sorted() where !pending.contains(name) {
        try folder.remove(name.temporaryText)
      }
    }
  }

  /// Removes own files that hold what was erased since; what else was in them is written again. They are gone
  /// from the medium when this ends, also those that an exchange before this one removed: the replica will not
  /// ask for it again.
  private mutating func removeErased(
    _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) {
    let items = try asking { () throws(R.Failure) in try replica.erasedItems() }
    guard !items.isEmpty else { return }
    let stale = parts[own].files.filter { name in items.contains { name.mayHold($0) } }
    try disk { () throws(MailboxError) in
      for name in stale { try folder.remove(name.text) }
      try folder.synchronize()
    }
    parts[own].files.removeAll { stale.contains($0) }
  }

  // MARK: - Ranges

  /// Writes what the own subfolder lacks of the own log, and of others' logs what their own lacks too, or has
  /// only damaged: a device that is gone writes nothing again.
  private mutating func writeRanges(
    _ folder: borrowing Folder, _ root: borrowing Folder, _ replica: R
  ) throws(Failure) -> Bool {
    var written = false
    let logs = try asking { () throws(R.Failure) in try replica.logs() }
    let reach = try reach(over: logs, replica)
    for log in logs {
      guard let head = log.head else { continue }
      try spoilUntakable(of: log, where: reach.awaited(of: log), part: own, folder, replica)
      var there = parts[own].files.filter { !parts[own].damaged.contains($0) }
        .compactMap { $0.run(of: log.id) }
      if log.id != ownLog, let part = parts.firstIndex(where: { $0.name.logID == log.id }) {
        there += try runsOfOwner(of: log, reach, part: part, root, replica)
      }
      var size = head.size
      if log.id != ownLog {
        size = min(
          size, try asking { () throws(R.Failure) in try replica.passableSize(of: log.id) })
      }
      for run in (0..<size).gaps(in: there) {
        try write(run, of: log, folder, replica)
        written = true
      }
    }
    return written
  }

  /// How far those have the logs who may come again. Whoever is gone for good lacks more and more; who that is,
  /// the replica is asked only where somebody lacks anything.
  private func reach(over logs: [HeldLog], _ replica: R) throws(Failure) -> Reach {
    let here = parts.filter {
      $0.name.logID != ownLog && intake.size(of: $0.name.logID) != nil
    }
    let all = Reach(of: here, intake.standings)
    guard logs.contains(where: all.isLacking) else { return all }
    let awaited = try asking { () throws(R.Failure) in try replica.awaitedDevices() }
    return Reach(of: here.filter { awaited.contains($0.name.logID) }, intake.standings)
  }

  private mutating func write(
    _ run: Range<UInt64>, of log: HeldLog, _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) {
    guard var sender = RangeSender(run, of: log) else { return }
    let name = FileName.range(log.id, run)
    let file = try begin(name, folder)
    var offset = try write(.hello(Hello(tag: tag, logID: ownLog)), at: 0, file)
    while let frame = try asking({ () throws(R.Failure) in try sender.next(replica) }) {
      try goOn(.writing)
      offset = try write(.range(frame), at: offset, file)
    }
    try finish(name, at: offset, file, folder)
    entriesSent[log.id, default: 0] += run.upperBound - run.lowerBound
  }

  // MARK: - Shares

  /// Writes own shares that the own subfolder lacks, and others' that no subfolder has.
  private mutating func writeShares(
    _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) -> Bool {
    var written = false
    for share in try asking({ () throws(R.Failure) in try replica.shares() }) {
      let name = FileName.share(share.id)
      let holders = share.logID == ownLog ? parts.suffix(1) : parts[...]
      if holders.contains(where: { $0.hasWhole(name) }) { continue }
      try write(share.id, name, folder, replica)
      written = true
    }
    return written
  }

  private func write(
    _ share: EntryID, _ name: FileName, _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) {
    let file = try begin(name, folder)
    var offset = try write(.hello(Hello(tag: tag, logID: ownLog)), at: 0, file)
    var index: Int? = 0
    while let start = index {
      try goOn(.writing)
      let content = try asking { () throws(R.Failure) in
        try replica.content(of: share, from: start, byteBudget: RangeSender.byteBudget)
      }
      for frame in HeadSender.frames(content) { offset = try write(frame, at: offset, file) }
      index = content.nextIndex
    }
    try finish(name, at: offset, file, folder)
  }

  // MARK: - Head

  /// Replaces `head`, if it says anything new.
  private func writeHead(
    _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) {
    try goOn(.writing)
    let head = try asking { () throws(R.Failure) in try OwnHead(replica) }
    if parts[own].has(.head), parts[own].summary == head.summary { return }
    let file = try begin(.head, folder)
    try disk { () throws(MailboxError) in
      try file.write(head.bytes, at: 0)
      try file.synchronize()
      try folder.rename(FileName.head.temporaryText, to: FileName.head.text)
      try folder.synchronize()
    }
  }

  // MARK: - Files

  private func begin(_ name: FileName, _ folder: borrowing Folder) throws(Failure) -> File {
    try disk { () throws(MailboxError) in
      try folder.remove(name.temporaryText)
      return try folder.writable(name.temporaryText, isNew: true)
    }
  }

  /// Writes a frame; the offset after it.
  private func write(
    _ frame: Frame, at offset: UInt64, _ file: borrowing File
  ) throws(Failure) -> UInt64 {
    let bytes = frame.bytes
    try disk { () throws(MailboxError) in try file.write(bytes, at: offset) }
    return offset + UInt64(bytes.count)
  }

  private func finish(
    _ name: FileName, at offset: UInt64, _ file: borrowing File, _ folder: borrowing Folder
  ) throws(Failure) {
    _ = try write(.end, at: offset, file)
    try disk { () throws(MailboxError) in
      try file.synchronize()
      try folder.rename(name.temporaryText, to: name.text)
    }
  }
}

extension FileName {
  fileprivate func mayHold(_ item: ErasedItem) -> Bool {
    switch (self, item) {
    case (.range(let log, let run), .entry(let other, let sequence)):
      return log == other && run.contains(sequence)
    case (.share, .entry): return true
    case (.blob(let root), .blob(let other)): return root == other
    default: return false
    }
  }

  /// The entries that the file holds of a log.
  func run(of log: LogID) -> Range<UInt64>? {
    if case .range(log, let run) = self { run } else { nil }
  }
}

extension Range<UInt64> {
  /// What of this range none of `parts` covers, in order.
  func gaps(in parts: [Range<UInt64>]) -> [Range<UInt64>] {
    var gaps: [Range<UInt64>] = []
    var start = lowerBound
    for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard part.lowerBound < upperBound else { break }
      if part.lowerBound > start { gaps.append(start..<part.lowerBound) }
      start = Swift.max(start, part.upperBound)
    }
    if start < upperBound { gaps.append(start..<upperBound) }
    return gaps
  }
}
