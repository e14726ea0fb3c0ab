import ArgumentParser
import CaseLog
import Vault
import VerifiableLog

/// Who is to open a new entry, where that is not everyone with whom the case is shared.
struct AudienceOptions: ParsableArguments {
  @Flag(
    name: .customLong("private"),
    help: "Only your own devices can open it. Others see that there is an entry.")
  var isPrivate = false

  @Option(
    help: ArgumentHelp(
      "Of the case's advocates, only this one can open it; may be given several times.",
      valueName: "member"))
  var onlyFor: [String] = []

  /// For fewer than all with whom the case is shared.
  var isLimited: Bool { isPrivate || !onlyFor.isEmpty }

  func validate() throws {
    if isPrivate, !onlyFor.isEmpty {
      throw ValidationError("--private and --only-for contradict each other.")
    }
  }

  /// The audience that was chosen. Whoever keeps something back for the first time is told what others
  /// see of it, before anything is written.
  func audience(in vault: OpenVault, caseName: String?) async throws -> EntryAudience {
    guard isLimited else { return .allReaders }
    guard try await vault.role(inCase: caseName) == .survivor else {
      throw Failure.survivorsOnly(
        "In a case that is shared with you, what you write goes to the person whose case it is, and to"
          + " nobody else: there is no --private or --only-for.",
        next:
          "Leave it out. What is for you alone belongs in a case of your own; “cairn case list”"
          + " shows yours.")
    }
    var members: [LogID] = []
    for member in onlyFor { members.append(try await vault.reader(member, inCase: caseName)) }
    if try await vault.shouldTellOfWithheld(inCase: caseName) {
      Output.remark(Self.whatOthersSee)
      try await vault.noteToldOfWithheld(inCase: caseName)
    }
    return isPrivate ? .ownDevices : .members(members)
  }

  static let whatOthersSee =
    "Note: members of a shared case can see how many entries are not shared with them, and when the"
    + " case grew, though nothing of what they say. Whoever you hand a bundle sees the number too."
}
