import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct RemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove an advocate or a device from a case.",
    discussion: """
      From then on nothing new is sealed to them, and what they add does not count. What they \
      have already, they keep, and what they wrote until now stays where it is. Of a device that took \
      new keys, what it wrote with these is set aside; “cairn adopt” enters it again.

        cairn remove MEMBER
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The member, as “cairn members” shows it: id, its beginning, or name.")
  var member: String

  @Option(
    name: .customLong("case"),
    help: ArgumentHelp("The case; without it, the default one.", valueName: "name"))
  var caseName: String?

  @Flag(help: "Do it without asking: for scripts.")
  var yes = false

  func run() async throws {
    let terminal = global.terminal
    let outcome = try await global.withVault(terminal: terminal) { vault in
      let before = try await vault.previewRemoval(of: member, fromCase: caseName)
      try Confirmation.require(
        yes, terminal: terminal, explanation: Self.warning(before),
        question: "Remove \(Self.name(before.member))?")
      return try await vault.remove(member, fromCase: caseName)
    }
    if global.json { try printJSON(outcome) } else { printText(outcome) }
  }

  private static func name(_ member: MemberSummary) -> String {
    member.name.map { SafeText.quoted($0) }
      ?? (member.role == .survivor ? "device " : "advocate ") + MemberText.shortID(member.logID)
  }

  private static func warning(_ outcome: RemovalOutcome) -> String {
    let count = Quantity.count(outcome.opened.count, "entry", "entries")
    return "\(name(outcome.member)) can open \(count) of \(SafeText.quoted(outcome.caseName)), and"
      + " may keep what arrived there: that cannot be taken back. Nothing that comes later is"
      + " sealed to them. "
      + (outcome.setAside > 0
        ? "\(Quantity.count(Int(outcome.setAside), "record", "records")) that they wrote with newer keys"
          + " will be set aside. " : "")
      + "The removal itself stays: only the twelve words undo it."
  }

  private func printText(_ outcome: RemovalOutcome) {
    let name = Self.name(outcome.member)
    let count = Quantity.count(outcome.opened.count, "entry", "entries")
    Output.paragraph(
      "\(name.prefix(1).uppercased() + name.dropFirst()) is removed from"
        + " \(SafeText.quoted(outcome.caseName)). They could open \(count) until now; of what is added from"
        + " now on, none.")
    Output.paragraph(
      "Others learn of it with the next exchange. The old folder cannot refuse anybody, so choose a"
        + " new one that they cannot reach: cairn sync"
        + (caseName.map { " " + SafeText.argument($0) } ?? "") + " --mailbox NEW-FOLDER")
    if outcome.remainingReaders > 0 {
      Output.paragraph(
        (outcome.remainingReaders == 1
          ? "One advocate stays" : "\(outcome.remainingReaders) advocates stay")
          + ": tell them where the new folder is.")
    }
  }

  private func printJSON(_ outcome: RemovalOutcome) throws {
    struct Object: Encodable {
      let `case`: String
      let member: MemberObject
      let opened: [String]
      let remainingAdvocates: Int
    }
    try Output.json(
      Object(
        case: outcome.caseName, member: MemberObject(outcome.member),
        opened: outcome.opened.map(\.base32), remainingAdvocates: outcome.remainingReaders))
  }
}
