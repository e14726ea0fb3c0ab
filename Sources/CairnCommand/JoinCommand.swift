import ArgumentParser
import CaseLog
import Vault

struct JoinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Join a case that somebody shares with you.",
    discussion: """
      The invitation answers a card of this vault (“cairn card”). You join only after you \
      compared the six words of the case by voice with whoever shares it.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The file with the invitation.")
  var invitation: String

  @Option(
    name: [.customLong("name"), .customLong("case")],
    help: ArgumentHelp(
      "What to call the case in this vault; nobody else sees it.", valueName: "name"))
  var name: String?

  @Option(help: ArgumentHelp("The case's six words, for scripts.", valueName: "words"))
  var words: String?

  func run() async throws {
    guard let text = try SmallFile.read(invitation, limit: 2 * Limits.invitation) else {
      throw VaultError(.invitationDamaged)
    }
    let name = try name.map(CaseName.checked)
    let terminal = global.terminal
    let joined = try await global.withVault(terminal: terminal) { vault in
      if let known = try await vault.checkInvitation(text) { throw Self.joined(known) }
      let words = try SixWords.get(
        words,
        explanation: "Let the person who shares the case tell you its six words, by voice: then you"
          + " know that the invitation is theirs.", terminal: terminal)
      return try await vault.join(text, words: words, name: try name ?? ask(terminal))
    }
    if global.json {
      struct Object: Encodable {
        let `case`: String
        let caseID: String
      }
      try Output.json(Object(case: joined.caseName, caseID: joined.caseID.fingerprint))
    } else {
      Output.line("You are a member of the case \(SafeText.quoted(joined.caseName)).")
      Output.paragraph(
        "Fetch what it holds: cairn sync \(SafeText.argument(joined.caseName)) --mailbox FOLDER")
    }
  }

  private static func joined(_ name: String) -> Failure {
    Failure(
      code: VaultError.Code.caseHeldAlready.rawValue, status: .other,
      Sentence(
        "You are a member of this case already: here it is called \(SafeText.quoted(name)).",
        safe: Sentences.unchanged,
        next: "Fetch what is new with: cairn sync \(SafeText.argument(name))"))
  }

  /// Nil when nobody can say, or leaves it to the program.
  private func ask(_ terminal: Terminal?) throws -> String? {
    guard let terminal else { return nil }
    while let typed = try terminal.ask("What to call the case here (Enter for a number): ") {
      if typed.isEmpty { return nil }
      do {
        return try CaseName.checked(typed)
      } catch let failure as Failure {
        terminal.explain(failure.sentence.text)
      }
    }
    return nil
  }
}
