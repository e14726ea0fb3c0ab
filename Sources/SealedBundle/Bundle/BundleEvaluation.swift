internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// Steps 2 and 3 of verifying a bundle, and the part of 7 that needs no trust: from bytes to what they
/// prove by themselves. The first thing that does not hold ends it.
struct BundleEvaluation {
  let file: CaseFile
  let state: CaseState
  private let logs: [VerifiedLog]
  /// By log index, then by sequence.
  private var opened: [[OpenedEntry]]
  private(set) var receipts: [BundleReceipt] = []
  /// Of each log, those that bind times.
  private var binding: [LogID: CoveringReceipts] = [:]
  /// Of each log, the largest head that each member gave a receipt for.
  private var attested: [LogID: [LogID: UInt64]] = [:]
  /// Of members alone: nothing that an entry embeds depends on who asks.
  private let memberKeys: ReceiptKeys
  private(set) var notes: [BundleFinding] = []

  init(_ proof: ProofFiles) throws(BundleFinding) {
    file = try CaseFile(decoding: proof.caseFile)
    let statements = try BundleEvaluation.statements(file)
    guard proof.logs.count == file.logs.count else {
      throw BundleFinding(.proofMalformed, path: BundleLayout.caseFile)
    }
    var logs: [VerifiedLog] = []
    var opened: [[OpenedEntry]] = []
    var memberLogs: [MemberLog] = []
    for (index, files) in proof.logs.enumerated() {
      let log = try VerifiedLog(file.logs[index], index: index, files)
      var decoder = DisclosedEntryDecoder(caseID: file.caseID, log: log, index: index)
      if log.size > 0 { try decoder.read(files.entries) }
      logs.append(log)
      opened.append(decoder.opened)
      memberLogs.append(
        MemberLog(
          position: log.position, classes: log.classes, control: decoder.control,
          forkedAt: try BundleEvaluation.fork(of: log, file)))
    }
    let state = CaseState(
      caseID: file.caseID, statements: statements,
      successions: try BundleEvaluation.successions(file), logs: memberLogs,
      contentLeaves: { id in logs.first { $0.id == id }?.sequences(of: .content) ?? [] },
      roots: { (id, sizes) in logs.first { $0.id == id }?.roots(sizes: sizes) ?? [:] })
    try BundleEvaluation.check(state, logs, memberLogs)
    self.logs = logs
    self.opened = opened
    self.state = state
    memberKeys = ReceiptKeys(members: state.members, trusted: [])
    notes = state.violations.map {
      BundleFinding(.violation, logID: $0.logID, sequence: $0.sequence)
    }
  }

  private static func statements(_ file: CaseFile) throws(BundleFinding) -> [RootStatement] {
    let invalid = BundleFinding(.statementInvalid, path: BundleLayout.caseFile)
    var root: VerifyingKey?
    for bytes in file.statements where root == nil {
      do {
        let claimed = try RootStatement.claimedRoot(of: bytes)
        if CaseID(root: claimed) == file.caseID { root = claimed }
      } catch {}
    }
    guard let root else { throw invalid }
    var statements: [RootStatement] = []
    for bytes in file.statements {
      do throws(CaseLogError) {
        statements.append(try RootStatement(decoding: bytes, caseID: file.caseID, root: root))
      } catch {
        throw error == .newerVersion
          ? BundleFinding(.newerVersion, path: BundleLayout.caseFile) : invalid
      }
    }
    return statements
  }

  private static func successions(_ file: CaseFile) throws(BundleFinding) -> [Succession] {
    var successions: [Succession] = []
    for bytes in file.successions {
      do throws(CaseLogError) {
        successions.append(try Succession(decoding: bytes, caseID: file.caseID))
      } catch {
        throw BundleFinding(
          error == .newerVersion ? .newerVersion : .statementInvalid, path: BundleLayout.caseFile)
      }
    }
    return successions
  }

  /// The least size from which on a fork of this log is proven.
  private static func fork(
    of log: VerifiedLog, _ file: CaseFile
  ) throws(BundleFinding) -> UInt64? {
    var least: UInt64?
    for bytes in file.forks {
      do throws(ForkProofError) {
        let proof = try ForkProof(parsing: bytes, of: log.identity)
        least = min(least ?? proof.forkedAt, proof.forkedAt)
      } catch {
        // It may be of another log; one that is of none harms nobody.
      }
    }
    return least
  }

  /// The case has no newer parts, every control entry that could count is there, and the logs are those of its members.
  private static func check(_ state: CaseState, _ logs: [VerifiedLog], _ memberLogs: [MemberLog])
    throws(BundleFinding)
  {
    for (log, files) in zip(logs, memberLogs) {
      guard let member = state.member(log.id), member.role == .survivor else { continue }
      let end = Int(clamping: member.settledFrom ?? .max)
      var next = 0
      for (sequence, byte) in log.classes.prefix(end).enumerated()
      where byte == EntryClass.control.rawValue {
        guard next < files.control.count, files.control[next].sequence == UInt64(sequence) else {
          throw BundleFinding(.controlMissing, logID: log.id, sequence: UInt64(sequence))
        }
        next += 1
      }
    }
    guard !state.isStoppedByNewerVersion else { throw BundleFinding(.newerVersion) }
    guard state.members.map({ $0.logID }) == logs.map({ $0.id }) else {
      throw BundleFinding(.membersDiffer, path: BundleLayout.caseFile)
    }
  }

  // MARK: Receipts

  mutating func collectReceipts(_ proof: ProofFiles, _ trusted: [NoteKey]) throws(BundleFinding) {
    let keys = ReceiptKeys(members: state.members, trusted: trusted)
    var found: Set<BundleReceipt> = []
    for (index, log) in logs.enumerated() {
      guard let checkpoint = log.checkpoint else { continue }
      let path = BundleLayout.checkpoint(index)
      try collect(log.signatures, of: keys, checkpoint, log.id, path, &found)
    }
    for (number, bytes) in proof.receipts.enumerated() {
      let path = BundleLayout.receipt(number)
      let note = try BundleNotes.parse(bytes, path)
      let head: Checkpoint
      do throws(CheckpointError) { head = try Checkpoint(parsing: note.text) } catch {
        throw BundleFinding(.proofMalformed, path: path)
      }
      guard let log = logs.first(where: { $0.contains(head) }) else {
        throw BundleFinding(.receiptInvalid, path: path)
      }
      try collect(note.signatures, of: keys, head, log.id, path, &found)
    }
    receipts = found.sorted(by: BundleEvaluation.isOrdered)
    binding = Dictionary(grouping: receipts.filter(bindsTime)) { $0.logID }
      .mapValues(CoveringReceipts.init)
    // They ascend by size.
    for receipt in receipts {
      if let giver = receipt.giver { attested[receipt.logID, default: [:]][giver] = receipt.size }
    }
  }

  private func collect(
    _ lines: [NoteSignature], of keys: ReceiptKeys, _ head: Checkpoint, _ logID: LogID,
    _ path: BundlePath, _ found: inout Set<BundleReceipt>
  ) throws(BundleFinding) {
    for line in lines {
      do throws(CosignatureError) {
        guard let receipt = try keys.receipt(line, on: head, of: logID) else { continue }
        found.insert(receipt)
      } catch {
        throw BundleFinding(.receiptInvalid, path: path, logID: logID)
      }
    }
  }

  private static func isOrdered(_ left: BundleReceipt, _ right: BundleReceipt) -> Bool {
    if left.logID != right.logID { return left.logID < right.logID }
    if left.size != right.size { return left.size < right.size }
    return BundleReceipt.isEarlier(left, right)
  }

  // MARK: Exhibits

  mutating func exhibits() throws(BundleFinding) -> [BundleRecord.Exhibit] {
    var result: [BundleRecord.Exhibit] = []
    let listed = Set(file.exhibits)
    var named = 0
    // Evidence before notes: what somebody says about an exhibit should come after it.
    for entryClass in [EntryClass.content, .note] {
      for logIndex in logs.indices {
        for entry in opened[logIndex] where entry.entryClass == entryClass {
          guard isShown(entry) else { continue }
          let exhibit = exhibit(entry, logIndex, number: result.count + 1, listed)
          named += exhibit.files.count { $0.path != nil }
          result.append(exhibit)
          note(exhibit)
        }
      }
    }
    // Each file of the table was found at its entry; one that was not belongs to none.
    guard named == file.exhibits.count else {
      throw BundleFinding(.exhibitUnnamed, path: unnamed(result))
    }
    return result
  }

  /// What counts, and what is disputed and marked so. Of the rest it is told that it is no exhibit.
  private mutating func isShown(_ entry: OpenedEntry) -> Bool {
    let (logID, sequence) = (entry.header.logID, entry.header.sequence)
    let code: BundleFinding.Code
    switch standing(of: entry) {
    case .counted, .violation: return standing(of: entry) == .counted
    case .disputed:
      notes.append(BundleFinding(.disputed, logID: logID, sequence: sequence))
      return true
    case .setAside: code = .setAside
    case .erased: code = .erased
    }
    notes.append(BundleFinding(code, logID: logID, sequence: sequence))
    return false
  }

  private func standing(of entry: OpenedEntry) -> CaseState.ContentStanding {
    let attested = attested[entry.header.logID] ?? [:]
    return state.standing(
      of: entry.id, in: entry.header.logID, at: entry.header.sequence,
      entryClass: entry.entryClass,
      witnesses: attested.filter { $0.value > entry.header.sequence }.map { $0.key })
  }

  private mutating func exhibit(
    _ entry: OpenedEntry, _ logIndex: Int, number: Int, _ listed: Set<CaseFile.Exhibit>
  ) -> BundleRecord.Exhibit {
    var content: EntryContent?
    do { content = try EntryContent(of: entry) } catch {}
    let files = (content?.attachments ?? []).map { attachment in
      let path = BundleLayout.exhibit(
        number, file: attachment.number, mediaType: attachment.mediaType)
      let isIn = listed.contains(
        CaseFile.Exhibit(
          logIndex: logIndex, sequence: entry.header.sequence, file: attachment.number, path: path))
      return BundleRecord.File(attachment: attachment, path: isIn ? path : nil)
    }
    return BundleRecord.Exhibit(
      number: number, logIndex: logIndex, entry: entry, content: content,
      files: files,
      bracket: bracket(entry, logIndex))
  }

  private func unnamed(_ exhibits: [BundleRecord.Exhibit]) -> BundlePath? {
    let known = Set(exhibits.flatMap { $0.files.compactMap { $0.path } })
    return file.exhibits.first { !known.contains($0.path) }?.path
  }

  private mutating func note(_ exhibit: BundleRecord.Exhibit) {
    let (logID, sequence) = (exhibit.entry.header.logID, exhibit.entry.header.sequence)
    if exhibit.entry.header.kind.name == nil {
      notes.append(BundleFinding(.unknownKind, logID: logID, sequence: sequence))
    }
    if exhibit.content.map({ $0.unknownParts > 0 }) ?? true {
      notes.append(BundleFinding(.unknownParts, logID: logID, sequence: sequence))
    }
  }

  private mutating func bracket(_ entry: OpenedEntry, _ logIndex: Int) -> TimeBracket {
    var bracket = TimeBracket()
    bracket.before = binding[logs[logIndex].id]?.first(over: entry.header.sequence)
    for bytes in entry.context?.receipts ?? [] {
      guard let receipt = embedded(bytes) else {
        notes.append(
          BundleFinding(
            .embeddedReceiptInvalid, logID: entry.header.logID, sequence: entry.header.sequence))
        continue
      }
      // Over whatever log: nobody bounds the time of her own entry.
      guard bindsTime(receipt), receipt.giver != entry.header.logID else { continue }
      if bracket.after.map({ receipt.time > $0.time }) ?? true {
        bracket.after = receipt
      }
    }
    return bracket
  }

  /// By a member who was not cut. A key from outside says nothing where only the bundle is asked.
  private func bindsTime(_ receipt: BundleReceipt) -> Bool {
    receipt.giver.map { state.bindsTime($0) } ?? false
  }

  /// The receipt of a member in a note that an entry embeds. It need not be about a head that the bundle
  /// knows: that its signature could not exist earlier is all that it is used for.
  private func embedded(_ bytes: [UInt8]) -> BundleReceipt? {
    let note: SignedNote
    do throws(NoteError) { note = try SignedNote(parsing: bytes) } catch { return nil }
    let head: Checkpoint
    do throws(CheckpointError) { head = try Checkpoint(parsing: note.text) } catch { return nil }
    guard let log = logs.first(where: { $0.identity.noteKey.name == head.origin }) else {
      return nil
    }
    for line in note.signatures {
      do throws(CosignatureError) {
        if let receipt = try memberKeys.receipt(line, on: head, of: log.id) { return receipt }
      } catch { return nil }
    }
    return nil
  }

  // MARK: Counts

  func logSummaries(_ exhibits: [BundleRecord.Exhibit]) -> [BundleRecord.Log] {
    let byLog = Dictionary(grouping: exhibits) { $0.logIndex }
    return logs.enumerated().map { index, log in
      let control = log.classes.count { $0 == EntryClass.control.rawValue }
      let disclosed = opened[index].map { $0.header.sequence }
      // Notes come after content there, whatever their places.
      let shown = (byLog[index] ?? []).map { $0.entry.header.sequence }.sorted()
      var isContiguous = true
      if let first = shown.first, let last = shown.last {
        let between = log.classes[Int(first)...Int(last)]
          .count { $0 != EntryClass.control.rawValue }
        isContiguous = between == shown.count
      }
      return BundleRecord.Log(
        identity: log.identity, size: log.size, controlCount: UInt64(control),
        entryCount: log.size - UInt64(control), disclosedCount: UInt64(disclosed.count),
        shownCount: UInt64(shown.count), erasedCount: erasedCount(log, except: disclosed),
        isContiguous: isContiguous)
    }
  }

  /// Entries that are not disclosed, and could not be, since they were erased.
  private func erasedCount(_ log: VerifiedLog, except disclosed: [UInt64]) -> UInt64 {
    var count: UInt64 = 0
    var next = 0
    for (sequence, byte) in log.classes.enumerated() {
      if next < disclosed.count, disclosed[next] == UInt64(sequence) {
        next += 1
        continue
      }
      guard byte != EntryClass.control.rawValue, let leaf = log.leaf(UInt64(sequence)) else {
        continue
      }
      let standing = state.standing(
        of: EntryID(log: log.id, leaf: leaf), in: log.id, at: UInt64(sequence),
        entryClass: leaf.entryClass, witnesses: [])
      if standing == .erased { count += 1 }
    }
    return count
  }
}
