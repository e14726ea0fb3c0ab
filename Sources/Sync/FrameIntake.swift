internal import Cryptography
public import VerifiableLog

/// Takes frames from a mailbox into a replica: verifies each against what is held, and notes what does not
/// verify. Knows neither files nor connections, so every mailbox uses it.
public struct FrameIntake<R: Replica> {
  /// What was met, in order, each once.
  public private(set) var findings: [Finding] = []
  /// Whether our own log was shown longer than it is here, or with another history: this copy is an old
  /// one, or there is a second one with its keys.
  public private(set) var isOutdated = false
  /// Logs by id, as held now.
  private var verifiers: [LogID: RangeVerifier] = [:]
  private var logsByKey: [Bytes32: LogID] = [:]
  private var logsByOrigin: [NoteKeyName: LogID] = [:]
  private var receiptKeys = ReceiptKeys([])
  private let ownLog: LogID
  /// The sizes of the heads that were held when the exchange began.
  private var headsAtStart: [LogID: UInt64] = [:]
  private var sizes: [Place: UInt64] = [:]
  /// Heads that contradict what is held, by log.
  private var contradicting: [LogID: [VerifiedCheckpoint]] = [:]
  /// Logs of which something came that does not connect.
  private var unconnected: Set<LogID> = []

  /// More findings than anybody reads; a hostile mailbox could cause any number. What decides something is told
  /// beyond it.
  private static var maximumFindings: Int { 1024 }
  /// Of one log; whoever signs more histories than that is known well enough.
  private static var maximumContradictions: Int { 16 }

  private struct Place: Hashable {
    let device: LogID
    let logID: LogID
  }

  /// An intake for one exchange with a replica.
  public init(_ replica: R) throws(R.Failure) {
    ownLog = replica.ownLog
    try refresh(replica)
    headsAtStart = verifiers.compactMapValues { $0.held.head?.size }
  }

  /// The size that a log has here; nil of one that belongs to no member.
  public func size(of log: LogID) -> UInt64? { verifiers[log]?.held.size }

  /// How far each device says that it has each log, by device and log.
  public var standings: [Standing] {
    // In any order: sorted below.
    sizes.map { Standing(device: $0.key.device, logID: $0.key.logID, size: $0.value) }
      .sorted { ($0.device, $0.logID) < ($1.device, $1.logID) }
  }

  /// Asks the replica for its logs again: a change may have admitted members.
  public mutating func refresh(_ replica: R) throws(R.Failure) {
    let logs = try replica.logs()
    for log in logs {
      if let verifier = verifiers[log.id] {
        if verifier.held != log { verifiers[log.id]?.update(log) }
      } else {
        verifiers[log.id] = RangeVerifier(log)
        logsByKey[log.identity.key.raw] = log.id
        logsByOrigin[log.id.origin] = log.id
      }
    }
    receiptKeys = ReceiptKeys(logs)
  }

  /// Notes a finding, once.
  public mutating func note(_ kind: Finding.Kind, of device: LogID) {
    let finding = Finding(device: device, kind: kind)
    if finding.concerns(ownLog: ownLog) { isOutdated = true }
    guard findings.count < FrameIntake.maximumFindings || isFirst(kind),
      !findings.contains(finding)
    else { return }
    findings.append(finding)
  }

  /// Whether it says for the first time that this copy is an old one, or that a log forked: of each log at most once.
  private func isFirst(_ kind: Finding.Kind) -> Bool {
    switch kind {
    case .fork: !findings.contains { $0.kind == kind }
    case .ownLogAhead:
      !findings.contains { if case .ownLogAhead = $0.kind { true } else { false } }
    default: false
    }
  }

  /// Takes a frame of a `head` of somebody who is no member as far as is known here.
  public mutating func take(
    introduction frame: Frame, from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    guard case .wraps(let wraps) = frame else {
      return try take(frame, from: device, into: &replica)
    }
    return .init(changed: try replica.accept(wrapsOfStranger: wraps))
  }

  /// Takes one frame that `device` wrote; whether anything changed.
  ///
  /// `hello`, summaries, blobs, spans and `end` are for the mailbox and change nothing here.
  public mutating func take(
    _ frame: Frame, from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    switch frame {
    case .statements(let statements):
      let taken = try replica.accept(statements: statements)
      if taken.hasForged { note(.forgedStatement, of: device) }
      return .init(changed: taken.changed)
    case .successions(let successions):
      return .init(changed: try replica.accept(successions: successions))
    case .wraps(let wraps):
      return .init(changed: try replica.accept(wraps: wraps))
    case .heads(let heads):
      return try take(heads: heads, from: device, into: &replica)
    case .range(let range):
      return try take(range, from: device, into: &replica)
    case .bodies(let bodies):
      return try take(bodies: bodies, from: device, into: &replica)
    case .slots(let slots):
      let known = slots.filter { slot in size(of: slot.logID).map { slot.sequence < $0 } ?? false }
      return .init(changed: known.isEmpty ? false : try replica.accept(slots: known))
    case .forks(let forks):
      return try take(forks: forks, from: device, into: &replica)
    case .hello, .summary, .blob, .span, .end: return .init(changed: false)
    }
  }
}

/// What taking a frame did.
public struct FrameOutcome: Hashable, Sendable {
  /// Whether the replica holds more than before.
  public var changed: Bool
  /// Whether the rest of the stream is worth reading.
  public var mayGoOn = true
}

/// How far a device says that it has a log. A device that is behind is slow, and nothing worse.
public struct Standing: Hashable, Sendable {
  /// The device.
  public let device: LogID
  /// The log.
  public let logID: LogID
  /// The size that it signed for, or passed on.
  public let size: UInt64
}

// MARK: - Ranges and bodies

extension FrameIntake {
  private mutating func take(
    _ frame: RangeFrame, from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    let log = frame.logID
    guard var verifier = verifiers[log] else { return .init(changed: false) }
    if log == ownLog, isAhead(frame.note, verifier.held, device) { return .init(changed: false) }
    let verdict = try verifier.verify(frame) { (run) throws(R.Failure) in
      try replica.leaves(of: log, in: run)
    }
    verifiers[log] = verifier
    switch verdict {
    case .verified(let range): return .init(changed: try replica.accept(range))
    case .fork(let proof):
      // The rest of the stream goes on with a history that is not held here.
      note(.fork(log: log), of: device)
      return .init(changed: try replica.accept(proof), mayGoOn: false)
    case .gap(let size): note(.gap(log: log, size: size), of: device)
    case .fault(let fault):
      note(.fault(log: log, fault), of: device)
      if fault == .doesNotConnect, log != ownLog { unconnected.insert(log) }
    }
    return .init(changed: false, mayGoOn: false)
  }

  /// Nobody but this device signs its log: what is longer was signed by a later state of this copy, or by
  /// another with its keys.
  private mutating func isAhead(_ note: [UInt8], _ own: HeldLog, _ device: LogID) -> Bool {
    guard let checkpoint = own.identity.checkpoint(in: note), checkpoint.size > own.size else {
      return false
    }
    self.note(.ownLogAhead(size: checkpoint.size), of: device)
    return true
  }

  private mutating func take(
    bodies: [Body], from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    var good: [Body] = []
    for body in bodies {
      guard let size = size(of: body.logID), body.sequence < size else { continue }
      let leaf = try replica.leaves(of: body.logID, in: body.sequence..<(body.sequence + 1)).first
      if leaf?.ciphertextHash == WireEntry.hash(ciphertext: body.ciphertext) {
        good.append(body)
      } else {
        note(.wrongBody(log: body.logID), of: device)
      }
    }
    return .init(changed: good.isEmpty ? false : try replica.accept(bodies: good))
  }
}

// MARK: - Heads and forks

extension FrameIntake {
  private mutating func take(
    heads: [SignedHead], from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    var changed = false
    for head in heads {
      if try take(head, from: device, into: &replica) { changed = true }
    }
    return .init(changed: changed)
  }

  private mutating func take(
    _ head: SignedHead, from device: LogID, into replica: inout R
  ) throws(R.Failure) -> Bool {
    guard let (log, checkpoint) = checkpoint(in: head, from: device),
      var verifier = verifiers[log]
    else { return false }
    let verdict = try verifier.judge(head: checkpoint) { (run) throws(R.Failure) in
      try replica.leaves(of: log, in: run)
    }
    verifiers[log] = verifier
    switch verdict {
    case .held:
      stand(device, log, checkpoint.size)
      let receipts = receiptKeys.receipts(on: checkpoint)
      return try replica.accept(VerifiedHead(checkpoint: checkpoint, receipts: receipts))
    case .ahead:
      stand(device, log, checkpoint.size)
      if log == ownLog { note(.ownLogAhead(size: checkpoint.size), of: device) }
      return false
    case .fork(let proof):
      note(.fork(log: log), of: device)
      contradict(checkpoint, of: log)
      return try replica.accept(proof)
    case .fault(let fault):
      note(.fault(log: log, fault), of: device)
      return false
    }
  }

  /// The log and the checkpoint of a head, if the log is a member's and its key signed.
  private mutating func checkpoint(
    in head: SignedHead, from device: LogID
  ) -> (LogID, VerifiedCheckpoint)? {
    guard let log = logsByKey[head.signingKey], let held = verifiers[log]?.held else { return nil }
    guard let checkpoint = held.identity.checkpoint(in: head.note) else {
      note(.fault(log: log, .badNote), of: device)
      return nil
    }
    return (log, checkpoint)
  }

  /// Takes it that `device` says what this copy would have said itself when the exchange began. All of it is
  /// held, so that nothing needs to be verified or stored; what it tells of the device is noted as if it had been.
  public mutating func take(known head: OwnHead, from device: LogID) {
    // In any order: each is another log's.
    for (log, size) in headsAtStart { stand(device, log, size) }
    for log in head.forkedLogs { note(.fork(log: log), of: device) }
  }

  private mutating func stand(_ device: LogID, _ log: LogID, _ size: UInt64) {
    let place = Place(device: device, logID: log)
    sizes[place] = max(size, sizes[place] ?? 0)
  }

  private mutating func take(
    forks: [[UInt8]], from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    var changed = false
    for bytes in forks {
      guard let log = ForkProof.origin(in: bytes).flatMap({ logsByOrigin[$0] }),
        let identity = verifiers[log]?.held.identity
      else {
        continue
      }
      guard let proof = FrameIntake.forkProof(in: bytes, of: identity) else {
        note(.fault(log: log, .badNote), of: device)
        continue
      }
      note(.fork(log: proof.log.id), of: device)
      if try replica.accept(proof) { changed = true }
    }
    return .init(changed: changed)
  }

  private static func forkProof(in bytes: [UInt8], of log: LogIdentity) -> ForkProof? {
    do throws(ForkProofError) { return try ForkProof(parsing: bytes, of: log) } catch {
      return nil
    }
  }
}

// MARK: - Where histories part

extension FrameIntake {
  /// Logs of which something here belongs, or may belong, to another history than the held one, in any
  /// mailbox that was read so far: worth looking for where they part.
  public var doubtedLogs: [LogID] { unconnected.union(contradicting.keys).sorted() }

  /// Whether where they part is still to be found: no proof that is held tells of all heads that contradict.
  public mutating func isDoubted(_ log: LogID, _ replica: R) throws(R.Failure) -> Bool {
    guard let heads = contradicting[log], var verifier = verifiers[log] else {
      return unconnected.contains(log)
    }
    let proof = try replica.forks().first { $0.log.id == log }
    var isDoubted = false
    for head in heads where !isDoubted {
      let isKnown = try proof.map { (proof) throws(R.Failure) in
        try verifier.isParted(from: head, by: proof) { (run) throws(R.Failure) in
          try replica.leaves(of: log, in: run)
        }
      }
      isDoubted = isKnown != true
    }
    verifiers[log] = verifier
    return isDoubted
  }

  /// Looks into a frame that `device` wrote for where the histories of its log part, and takes nothing
  /// else of it; what does not verify is nobody's fault here.
  public mutating func seekParting(
    in frame: Frame, from device: LogID, into replica: inout R
  ) throws(R.Failure) -> FrameOutcome {
    guard case .range(let range) = frame, var verifier = verifiers[range.logID] else {
      return .init(changed: false)
    }
    let verdict = try verifier.verify(range) { (run) throws(R.Failure) in
      try replica.leaves(of: range.logID, in: run)
    }
    switch verdict {
    case .verified: return .init(changed: false)
    case .gap, .fault: return .init(changed: false, mayGoOn: false)
    case .fork(let proof):
      verifiers[range.logID] = verifier
      note(.fork(log: range.logID), of: device)
      unconnected.remove(range.logID)
      contradicting[range.logID]?.removeAll {
        [proof.smaller.checkpoint, proof.larger.checkpoint].contains($0.checkpoint)
      }
      return .init(changed: try replica.accept(proof), mayGoOn: false)
    }
  }

  private mutating func contradict(_ head: VerifiedCheckpoint, of log: LogID) {
    let known = contradicting[log] ?? []
    guard log != ownLog, known.count < FrameIntake.maximumContradictions,
      !known.contains(where: { $0.checkpoint == head.checkpoint })
    else { return }
    contradicting[log] = known + [head]
  }
}
