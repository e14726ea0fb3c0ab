public import Cryptography
public import VerifiableLog

/// One member's log, as far as this copy has verified it: the input of `CaseState`.
public struct MemberLog: Hashable, Sendable {
  public let position: LogPosition
  /// The class byte of each leaf.
  public let classes: [UInt8]
  /// Control entries that this copy could open or found to be violations, by sequence. One that is
  /// missing here is locked.
  public let control: [ControlEntry]
  /// The smaller size of a proven fork; nil if there is none.
  public let forkedAt: UInt64?

  public struct ControlEntry: Hashable, Sendable {
    public let sequence: UInt64
    public let id: EntryID
    public let control: Result<Control, CaseLogError>

    public init(sequence: UInt64, id: EntryID, control: Result<Control, CaseLogError>) {
      self.sequence = sequence
      self.id = id
      self.control = control
    }
  }

  public init(
    position: LogPosition, classes: [UInt8], control: [ControlEntry], forkedAt: UInt64? = nil
  ) {
    self.position = position
    self.classes = classes
    self.control = control
    self.forkedAt = forkedAt
  }
}

/// What a case is: a pure function of root statements and logs, whatever the order they came in.
public struct CaseState: Hashable, Sendable {
  public struct Member: Hashable, Sendable {
    public let logID: LogID
    public let card: Card
    public let role: Role
    /// The entry that admitted the member; nil for the device that started the case.
    public let admittedBy: EntryID?
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

  public let caseID: CaseID
  /// By log id.
  public private(set) var members: [Member] = []
  /// By id.
  public private(set) var epochs: [EpochRecord] = []
  /// By (log id, sequence).
  public private(set) var violations: [Violation] = []
  public private(set) var shares: [ShareRecord] = []
  /// Something here was made by a newer version: nothing may be written until the program is renewed.
  public private(set) var isStoppedByNewerVersion = false
  /// Control entries that this copy cannot open yet; until it can, members may be missing.
  public private(set) var lockedControlEntries = 0
  /// The same on every copy that holds the same union.
  public private(set) var stateHash: Bytes32 = .zero

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

  public func member(_ logID: LogID) -> Member? {
    members.first { $0.logID == logID }
  }
}

// MARK: - Evaluation

extension CaseState {
  /// Evaluates a case. Logs of keys that nobody admitted are left out, whatever they hold.
  public init(caseID: CaseID, statements: [RootStatement], logs: [MemberLog]) {
    self.caseID = caseID
    let logs = logs.sorted { $0.position.logID < $1.position.logID }
    found(by: statements)
    admitMembers(of: logs)
    for log in logs {
      guard let member = member(log.position.logID) else { continue }
      collectViolations(of: log, role: member.role)
      if member.role == .survivor { collectEpochsAndShares(of: log) }
    }
    epochs.sort { $0.id < $1.id }
    violations.sort { ($0.logID, $0.sequence) < ($1.logID, $1.sequence) }
    shares.sort { ($0.logID, $0.sequence) < ($1.logID, $1.sequence) }
    stateHash = hash(of: logs)
  }

  private mutating func found(by statements: [RootStatement]) {
    var founding: (order: Bytes32, card: Card)?
    for statement in statements {
      switch statement.content {
      case .founding(_, let card, _):
        if founding.map({ statement.order < $0.order }) ?? true {
          founding = (statement.order, card)
        }
      case .unknown: isStoppedByNewerVersion = true
      }
    }
    guard let card = founding?.card else { return }
    members = [
      Member(logID: card.logID(in: caseID), card: card, role: .survivor, admittedBy: nil)
    ]
  }

  /// Each survivor admits members until nothing is added. Admission only adds, so the order of the rounds
  /// does not matter; of two admissions of one key the lesser (log id, sequence) gives the role.
  private mutating func admitMembers(of logs: [MemberLog]) {
    var evaluated: [LogID] = []
    while let log = logs.first(where: { log in
      !evaluated.contains(log.position.logID)
        && member(log.position.logID)?.role == .survivor
    }) {
      evaluated.append(log.position.logID)
      for entry in log.control where !isVoid(entry, in: log) {
        switch entry.control {
        case .success(.admit(let admission)): admit(admission, by: entry.id)
        case .failure(.newerVersion): isStoppedByNewerVersion = true
        default: break
        }
      }
    }
    members.sort { $0.logID < $1.logID }
  }

  private mutating func admit(_ admission: Control.Admission, by id: EntryID) {
    // A survivor's device needs the root: an admission entry makes advocates only.
    guard admission.role == .advocate, members.count < Limits.members else { return }
    let logID = admission.card.logID(in: caseID)
    guard member(logID) == nil else { return }
    members.append(
      Member(logID: logID, card: admission.card, role: admission.role, admittedBy: id))
  }

  private func isVoid(_ entry: MemberLog.ControlEntry, in log: MemberLog) -> Bool {
    log.forkedAt.map { entry.sequence >= $0 } ?? false
  }

  private mutating func collectViolations(of log: MemberLog, role: Role) {
    var opened = 0
    for (index, byte) in log.classes.enumerated() {
      let rule: Violation.Rule?
      if let entryClass = EntryClass(rawValue: byte) {
        rule = role.mayWrite(entryClass) ? nil : .role
        if entryClass == .control, rule == nil { opened += 1 }
      } else {
        rule = .unknownClass
      }
      if let rule {
        violations.append(
          Violation(logID: log.position.logID, sequence: UInt64(index), rule: rule))
      }
    }
    guard role == .survivor else { return }
    lockedControlEntries += max(0, opened - log.control.count)
    for entry in log.control {
      if case .failure(let error) = entry.control, error != .newerVersion {
        violations.append(
          Violation(logID: log.position.logID, sequence: entry.sequence, rule: .contradiction))
      }
    }
  }

  private mutating func collectEpochsAndShares(of log: MemberLog) {
    for entry in log.control where !isVoid(entry, in: log) {
      switch entry.control {
      case .success(.epoch(let epoch)):
        if epochs.count < Limits.epochs {
          epochs.append(EpochRecord(id: entry.id, logID: log.position.logID, epoch: epoch))
        }
      case .success(.share(let share)):
        shares.append(
          ShareRecord(
            id: entry.id, logID: log.position.logID, sequence: entry.sequence, share: share))
      default: break
      }
    }
  }

  private func hash(of logs: [MemberLog]) -> Bytes32 {
    var out = CBOREncoder()
    out.encodeArray(count: 5)
    out.encodeIdentifier(caseID)
    out.encodeArray(count: members.count)
    for member in members {
      out.encodeArray(count: 2)
      out.encodeIdentifier(member.logID)
      out.encodeUInt(member.role.rawValue)
    }
    let counted = logs.filter { member($0.position.logID) != nil && $0.position.size > 0 }
    out.encodeArray(count: counted.count)
    for log in counted {
      out.encodeArray(count: 3)
      out.encodeIdentifier(log.position.logID)
      out.encodeUInt(log.position.size)
      out.encodeBytes32(log.position.root)
    }
    out.encodeArray(count: epochs.count)
    for epoch in epochs { out.encodeIdentifier(epoch.id) }
    out.encodeArray(count: violations.count)
    for violation in violations {
      out.encodeArray(count: 3)
      out.encodeIdentifier(violation.logID)
      out.encodeUInt(violation.sequence)
      out.encodeUInt(violation.rule.rawValue)
    }
    return Domain.state.hash(out.bytes)
  }
}
