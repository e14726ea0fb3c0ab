package import CaseLog
package import VerifiableLog

/// What people and keys are called in a report. Cards carry no names, so roles and numbers must do.
package struct ReportNames {
  private var names: [(LogID, String)] = []

  package init(_ state: CaseState) {
    for (role, noun) in [(Role.survivor, "Survivor’s device"), (Role.advocate, "Advocate")] {
      let members = state.members.filter { $0.role == role }
      for (index, member) in members.enumerated() {
        names.append((member.logID, members.count == 1 ? noun : noun + " \(index + 1)"))
      }
    }
  }

  /// The name of a member.
  package func name(_ logID: LogID?) -> String {
    names.first { $0.0 == logID }?.1 ?? "Unknown key"
  }

  /// What an entry is.
  static func kind(_ kind: EntryKind) -> StaticString {
    switch kind {
    case .evidence: "Evidence"
    case .amend: "Addition"
    case .retract: "Retraction"
    case .note: "Note"
    case .takedown: "Takedown record"
    case .request: "Request"
    default: "Entry of a newer kind"
    }
  }

  /// A time by some clock, in UTC.
  package static func time(_ seconds: UInt64) -> String {
    guard let seconds = Int64(exactly: seconds), let time = ZonedTime(seconds: seconds) else {
      return "\(seconds) seconds after 1970"
    }
    return time.text
  }

  /// What was asked of a platform, or what it did.
  static func step(_ step: EntryContent.Takedown.Step) -> StaticString {
    switch step {
    case .reported: "Reported"
    case .answered: "Answered"
    case .removed: "Removed"
    case .backAgain: "Back again"
    case .refused: "Refused"
    }
  }
}
