public import VerifiableLog

// What the authors of control entries had seen when they wrote them, and how much of that is here. Whoever
// serves a copy can keep from it what others know: a cut above all.

extension CaseState {
  /// How far a survivor's log can be followed: of each entry below this place all is here that its author had seen of
  /// what could count, and open. What stands at it or behind may follow from a cut that this copy does not know.
  public func followedUntil(_ logID: LogID) -> UInt64 {
    guard let log = logs.log(logID) else { return 0 }
    let end = member(logID)?.settledFrom ?? .max
    var reaches: [LogID: UInt64] = [:]
    var opened = log.control[...]
    for sequence in log.controlLeaves where sequence < end {
      opened = opened.drop { $0.sequence < sequence }
      guard let entry = opened.first, entry.sequence == sequence else { return sequence }
      for position in entry.acknowledged where position.size <= Limits.entriesOfLog {
        let reach = reaches[position.logID] ?? reach(of: position.logID)
        reaches[position.logID] = reach
        if reach < position.size { return sequence }
      }
    }
    return .max
  }

  /// How much of a log is here and open, as far as anything in it can count.
  private func reach(of logID: LogID) -> UInt64 {
    guard let log = logs.log(logID) else { return 0 }
    guard let member = member(logID), member.role == .survivor else { return .max }
    let end = member.settledFrom ?? .max
    var opened = log.control[...]
    for sequence in log.controlLeaves where sequence < end {
      opened = opened.drop { $0.sequence < sequence }
      guard opened.first?.sequence == sequence else { return sequence }
    }
    return end <= log.position.size ? .max : log.position.size
  }
}
