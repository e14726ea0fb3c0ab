public import Cryptography
public import VerifiableLog

/// What a case is: a pure function of root statements, successions and logs, whatever the order they
/// came in. `Protocol/CaseLog.md`, "State", has the rules.
public struct CaseState: Hashable, Sendable {
  public struct Member: Hashable, Sendable {
    public enum Origin: Hashable, Sendable {
      /// The device that started the case.
      case founding
      /// A further device of the survivor, admitted by the root.
      case root
      case entry(EntryID)
      /// New keys of the device that had this log.
      case succession(of: LogID)
    }

    public let logID: LogID
    public let card: Card
    public let role: Role
    public let origin: Origin
    /// When what was agreed with this member ends, in seconds since 1970; nil if nothing was said.
    public let until: UInt64?
    /// What the member writes from here on has no power, nor have its receipts; nil for one in good
    /// standing.
    public internal(set) var cut: Cut?
    /// From here on no control entry of the log can count, whatever it says: behind a proven fork, or a cut of the
    /// root. Nobody needs to open one; nil if there is no such place.
    public internal(set) var settledFrom: UInt64?
    /// The log of the first keys of this device; its audience keeps that name.
    public internal(set) var firstLogID: LogID
  }

  /// Where a log ends to have power.
  public struct Cut: Hashable, Sendable {
    /// From here on it has none; of a log with two histories not beyond the place where they part.
    public let size: UInt64
    /// From here on the content that this copy holds is behind it: later than `size`, where the history that
    /// is held is the one that whoever cut it had.
    public let contentSize: UInt64
    /// The largest size that cuts which end there name: a lift of that size takes them all.
    public let statedSize: UInt64
    /// Members who say so, by log id; empty where only the root does, or where older keys were cut.
    public let authors: [LogID]
    /// Members cut each other, and nobody but the root can tell who was right: neither has power now.
    public let isContested: Bool
  }

  /// An entry that breaks a rule: kept aside with its proof, shown, never counted.
  public struct Violation: Hashable, Sendable {
    public enum Rule: UInt64, Sendable {
      /// The role of the log may not write this class.
      case role = 1
      /// A class byte that no version has.
      case unknownClass = 2
      /// A control entry whose parts contradict its leaf or place, or cannot be read.
      case contradiction = 3
    }
    public let logID: LogID
    public let sequence: UInt64
    public let rule: Rule
  }

  public struct EpochRecord: Hashable, Sendable {
    public let id: EpochID
    public let logID: LogID
    public let epoch: Control.Epoch
  }

  public struct ShareRecord: Hashable, Sendable {
    public let id: EntryID
    public let logID: LogID
    public let sequence: UInt64
    public let share: Control.Share
  }

  /// An entry that a survivor's device wants gone from every copy.
  public struct Erasure: Hashable, Sendable {
    /// What is to go.
    public let entry: EntryID
    /// Whose device said so, in which entry.
    public let logID: LogID
    public let order: EntryID
  }

  public let caseID: CaseID
  /// By log id.
  public internal(set) var members: [Member] = []
  /// By id.
  public internal(set) var epochs: [EpochRecord] = []
  /// By (log id, sequence).
  public internal(set) var violations: [Violation] = []
  public internal(set) var shares: [ShareRecord] = []
  /// Erasures that have an effect, by entry; several devices may want the same.
  public internal(set) var erasures: [Erasure] = []
  /// Erasures that another device, or the root, took the effect from.
  public internal(set) var keptErasures: [Erasure] = []
  /// Something here was made by a newer version: nothing may be written until the program is renewed.
  public internal(set) var isStoppedByNewerVersion = false
  /// Control entries that this copy cannot open yet; until it can, members may be missing. Without those that
  /// have no power, whatever they say.
  public internal(set) var lockedControlEntries = 0
  /// Whether this copy can open all control entries that could count: all but those from where on a log is settled.
  public internal(set) var opensAllControl = true
  /// Sizes of logs from which on a fork was proven: where their histories part, as far as that is known.
  var forks: [RootStatement.Limit] = []
  /// What it was evaluated from, by log id.
  var logs: [MemberLog] = []
  /// The same on every copy that holds the same union.
  public internal(set) var stateHash: Bytes32 = .zero

  /// Evaluates a case. Logs of keys that nobody admitted are left out, whatever they hold.
  ///
  /// - Parameters:
  ///   - contentLeaves: sequences of the leaves of class content in a log, ascending; asked of the logs of
  ///     those who may not write any.
  ///   - roots: the roots over the first leaves of a log at these sizes, which ascend and are all smaller than it.
  ///     Asked once at most for each log, however many cuts name one.
  public init<Failure: Error>(
    caseID: CaseID, statements: [RootStatement], successions: [Succession] = [],
    logs: [MemberLog],
    contentLeaves: (LogID) throws(Failure) -> [UInt64],
    roots: (LogID, [UInt64]) throws(Failure) -> [UInt64: Bytes32]
  ) throws(Failure) {
    self.caseID = caseID
    var evaluation = CaseEvaluation(
      caseID: caseID, statements: statements, successions: successions, logs: logs)
    evaluation.admitDevices()
    try evaluation.weighCuts(roots: roots)
    evaluation.admitAdvocates()
    members = evaluation.markedMembers()
    self.logs = evaluation.logs
    for log in evaluation.logs {
      guard let member = member(log.position.logID) else { continue }
      let content = member.role == .survivor ? [] : try contentLeaves(member.logID)
      collectViolations(of: log, by: member, content: content)
      if let size = log.forkedAt { forks.append(.init(logID: member.logID, size: size)) }
      if member.role == .survivor { collect(log, in: evaluation) }
    }
    collectErasures(evaluation)
    isStoppedByNewerVersion = evaluation.isStoppedByNewerVersion
    epochs.sort { $0.id < $1.id }
    violations.sort { ($0.logID, $0.sequence) < ($1.logID, $1.sequence) }
    shares.sort { ($0.logID, $0.sequence) < ($1.logID, $1.sequence) }
    stateHash = hash(of: evaluation)
  }
}

// MARK: - Evaluation of what the members wrote

extension CaseState {
  private mutating func collectViolations(
    of log: MemberLog, by member: Member, content: [UInt64]
  ) {
    func note(_ sequences: [UInt64], _ rule: Violation.Rule) {
      violations += sequences.map {
        Violation(logID: log.position.logID, sequence: $0, rule: rule)
      }
    }
    note(log.strayLeaves, .unknownClass)
    guard member.role == .survivor else {
      note(log.controlLeaves, .role)
      note(content, .role)
      return
    }
    // What stands behind that end only some can open, and all come to one state.
    let end = member.settledFrom ?? .max
    let opened = log.control.filter { $0.sequence < end }
    if opened.count < log.controlLeaves.count(where: { $0 < end }) { opensAllControl = false }
    for entry in opened {
      if entry.isViolation { note([entry.sequence], .contradiction) }
    }
  }

  private mutating func collect(_ log: MemberLog, in evaluation: CaseEvaluation) {
    let logID = log.position.logID
    func counts(_ sequence: UInt64) -> Bool { !evaluation.isVoid(sequence, of: logID) }
    lockedControlEntries +=
      log.controlLeaves.count(where: counts) - log.control.count { counts($0.sequence) }
    for entry in log.control where !evaluation.isVoid(entry.sequence, of: logID) {
      switch entry.control {
      case .success(.epoch(let epoch)):
        if epochs.count < Limits.epochs {
          epochs.append(EpochRecord(id: entry.id, logID: logID, epoch: epoch))
        }
      case .success(.share(let share)):
        shares.append(
          ShareRecord(id: entry.id, logID: logID, sequence: entry.sequence, share: share))
      default: break
      }
    }
  }

  private mutating func collectErasures(_ evaluation: CaseEvaluation) {
    var erasures: [Erasure] = []
    /// Who wants an entry kept; nil is the root.
    var keeps: [(entry: EntryID, by: LogID?)] = evaluation.keptByRoot.map { ($0, nil) }
    for log in evaluation.logs where member(log.position.logID)?.role == .survivor {
      let logID = log.position.logID
      for entry in log.control where !evaluation.isVoid(entry.sequence, of: logID) {
        switch entry.control {
        case .success(.erase(let entries)):
          erasures += entries.map { Erasure(entry: $0, logID: logID, order: entry.id) }
        case .success(.keep(let kept)): keeps.append((kept, logID))
        default: break
        }
      }
    }
    erasures.sort { ($0.entry, $0.order) < ($1.entry, $1.order) }
    // An order may name an entry twice, and counts once.
    erasures = erasures.indices.filter { $0 == 0 || erasures[$0] != erasures[$0 - 1] }
      .map { erasures[$0] }
    keeps.sort { $0.entry < $1.entry }
    for erasure in erasures {
      var index = keeps.lowerBound { $0.entry < erasure.entry }
      var isKept = false
      while index < keeps.count, keeps[index].entry == erasure.entry {
        if keeps[index].by != erasure.logID { isKept = true }
        index += 1
      }
      if isKept { keptErasures.append(erasure) } else { self.erasures.append(erasure) }
    }
  }

  /// Of a log with two histories only what they have in common, since copies hold different ones.
  private func hash(of evaluation: CaseEvaluation) -> Bytes32 {
    var positions: [LogPosition] = []
    for log in evaluation.logs where member(log.position.logID) != nil {
      positions.append(common(of: log, in: evaluation))
    }
    var out = CBOREncoder()
    out.encodeArray(count: 7)
    out.encodeIdentifier(caseID)
    out.encodeArray(members) { out, member in
      out.encodeArray(count: 2)
      out.encodeIdentifier(member.logID)
      out.encodeUInt(member.role.rawValue)
    }
    Frontier.encode(positions.filter { $0.size > 0 }, to: &out)
    out.encodeArray(epochs) { $0.encodeIdentifier($1.id) }
    out.encodeArray(violations.filter(isCommon)) { out, violation in
      out.encodeArray(count: 3)
      out.encodeIdentifier(violation.logID)
      out.encodeUInt(violation.sequence)
      out.encodeUInt(violation.rule.rawValue)
    }
    out.encodeArray(members.filter { $0.cut != nil }) { out, member in
      out.encodeArray(count: 3)
      out.encodeIdentifier(member.logID)
      out.encodeUInt(member.cut?.size ?? 0)
      out.encodeBool(member.cut?.isContested ?? false)
    }
    out.encodeArray(erasures) { out, erasure in
      out.encodeArray(count: 2)
      out.encodeIdentifier(erasure.entry)
      out.encodeIdentifier(erasure.order)
    }
    return Domain.state.hash(out.bytes)
  }

  private func isCommon(_ violation: Violation) -> Bool {
    forkedAt(violation.logID).map { violation.sequence < $0 } ?? true
  }

  /// What a log has of leaves that are the same on every copy.
  private func common(of log: MemberLog, in evaluation: CaseEvaluation) -> LogPosition {
    let held = log.position
    guard let forkedAt = log.forkedAt, forkedAt < held.size else { return held }
    let root = evaluation.root(of: held.logID, size: forkedAt)
    return LogPosition(logID: held.logID, size: forkedAt, root: root ?? held.root)
  }
}

extension Array {
  /// The first index whose element is not before what is sought; all that are before come first.
  func lowerBound(_ isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
