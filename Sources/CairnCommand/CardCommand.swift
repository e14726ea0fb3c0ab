import ArgumentParser
import Vault

struct CardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "card", abstract: "Make a card, so that somebody can share a case with you.",
    discussion: """
      A card is for one case. Send it in any way you like; it is not secret. Say its six words \
      by voice to whoever shares the case: so both of you know that nobody exchanged the card on \
      its way.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp("Write the card to this new file instead of printing it.", valueName: "file")
  )
  var output: String?

  func run() async throws {
    let file = try output.map { try NewFile(reserving: $0) }
    let card: CardOffer
    do {
      card = try await global.withVault(terminal: global.terminal) { vault in
        try await vault.makeCard()
      }
      try file?.finish(with: card.text)
    } catch {
      file?.discard()
      throw error
    }
    let text = String(decoding: card.text, as: UTF8.self)
    if global.json {
      struct Object: Encodable {
        let card: String
        let output: String?
        let words: String
      }
      try Output.json(Object(card: text, output: output, words: SixWords.shown(card.words)))
    } else if let output {
      Output.line("The card is in \(SafeText.line(output)). Send it to whoever shares the case.")
      say(card.words, Output.line)
    } else {
      // The card alone on standard output, so that it can be piped; the words go another way.
      Output.line(text.hasSuffix("\n") ? String(text.dropLast()) : text)
      say(card.words, Output.remark)
    }
  }

  private func say(_ words: [String], _ line: (String) -> Void) {
    line("Its six words, to say by voice when they ask for them:")
    line("")
    line("    " + SixWords.shown(words))
  }
}
