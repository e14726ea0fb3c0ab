import Cryptography
public import VerifiableLog

/// One member's log, as far as this copy has verified it: the input of `CaseState`. Of content and notes
/// it says nothing, so that a case costs what its control entries cost.
public struct MemberLog: Hashable, Sendable {
  public let position: LogPosition
  /// Sequences of all leaves of class control, ascending.
  public let controlLeaves: [UInt64]
  /// Sequences of all leaves of a class that no version has, ascending.
  public let strayLeaves: [UInt64]
  /// Control entries that this copy could open or found to be violations, by sequence. One that is
  /// missing here is locked.
  public let control: [ControlEntry]
  /// The least size from which on a fork is proven: where its histories part, as far as a proof shows it.
  /// What stands from there on is not the same on every copy, and nothing that all must agree on may follow
  /// from it. Nil if there is none.
  public let forkedAt: UInt64?

  public struct ControlEntry: Hashable, Sendable {
    public let sequence: UInt64
    public let id: EntryID
    public let control: Result<Control, CaseLogError>
    /// Other logs as far as the entry's context names them: its writer had seen them so long.
    public let acknowledged: [LogPosition]

    public init(
      sequence: UInt64, id: EntryID, control: Result<Control, CaseLogError>,
      acknowledged: [LogPosition] = []
    ) {
      self.sequence = sequence
      self.id = id
      self.control = control
      self.acknowledged = acknowledged
    }

    /// It breaks a rule or cannot be read, so that nothing in it says anything. What a newer version made is none.
    var isViolation: Bool {
      if case .failure(let error) = control { return error != .newerVersion }
      return false
    }
  }

  public init(
    position: LogPosition, controlLeaves: [UInt64], strayLeaves: [UInt64] = [],
    control: [ControlEntry], forkedAt: UInt64? = nil
  ) {
    self.position = position
    self.controlLeaves = controlLeaves
    self.strayLeaves = strayLeaves
    self.control = control
    self.forkedAt = forkedAt
  }

  /// From the class byte of each leaf.
  public init(
    position: LogPosition, classes: [UInt8], control: [ControlEntry], forkedAt: UInt64? = nil
  ) {
    var controlLeaves: [UInt64] = []
    var strayLeaves: [UInt64] = []
    for (index, byte) in classes.enumerated() {
      switch EntryClass(rawValue: byte) {
      case .control: controlLeaves.append(UInt64(index))
      case .content, .note: break
      case nil: strayLeaves.append(UInt64(index))
      }
    }
    self.init(
      position: position, controlLeaves: controlLeaves, strayLeaves: strayLeaves,
      control: control, forkedAt: forkedAt)
  }
}

extension [MemberLog] {
  /// One of these, which are ordered by log id.
  func log(_ id: LogID) -> MemberLog? {
    let index = lowerBound { $0.position.logID < id }
    return index < count && self[index].position.logID == id ? self[index] : nil
  }
}
