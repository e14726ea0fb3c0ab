import ArgumentParser
import CaseLog
import Vault

struct ShareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "share", abstract: "Share a case with somebody who made a card for it.",
    discussion: """
      Whoever holds the card can then open everything that the case holds now, and what is added \
      to it later; they can add notes of their own, and cannot change anything of yours. This \
      cannot be taken back for what they have seen.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The case's name, as “cairn case list” shows it.")
  var `case`: String

  @Option(name: .customLong("with"), help: ArgumentHelp("Their card.", valueName: "card"))
  var card: String

  @Option(
    help: ArgumentHelp("A new file for the invitation that you send back.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("The card's six words, for scripts.", valueName: "words"))
  var words: String?

  func run() async throws {
    guard let cardText = try SmallFile.read(card, limit: 2 * Limits.card) else {
      throw VaultError(.cardDamaged)
    }
    _ = try ComparedWords.ofCard(cardText)
    let terminal = global.terminal
    let file = try NewFile(reserving: output)
    let shared: ShareOutcome
    do {
      shared = try await global.withVault(terminal: terminal) { vault in
        let words = try SixWords.get(
          words,
          explanation: "Let the person who made the card tell you its six words, by voice: then you"
            + " know that it is theirs.", terminal: terminal)
        return try await vault.share(caseNamed: self.case, with: cardText, words: words)
      }
      try file.finish(with: shared.invitation)
    } catch {
      file.discard()
      throw error
    }
    try report(shared)
  }

  private func report(_ shared: ShareOutcome) throws {
    if global.json {
      struct Object: Encodable {
        let `case`: String
        let entryCount: Int
        let output: String
        let words: String
      }
      try Output.json(
        Object(
          case: shared.caseName, entryCount: shared.entryCount, output: output,
          words: SixWords.shown(shared.caseWords)))
      return
    }
    let count = Quantity.count(shared.entryCount, "entry", "entries")
    Output.paragraph(
      "The case \(SafeText.quoted(shared.caseName)) is shared: \(count) so far, and what is added later."
    )
    Output.paragraph(
      "The invitation is in \(SafeText.line(output)). Send it to them; it is for their card only.")
    Output.line("When they ask for the six words of the case, say these by voice:")
    Output.line()
    Output.line("    " + SixWords.shown(shared.caseWords))
    Output.line()
    Output.paragraph(
      "Then meet in a folder: cairn sync \(SafeText.argument(self.case)) --mailbox FOLDER")
  }
}
