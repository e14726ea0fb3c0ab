import Vault

/// Six words that two people compare by voice.
enum SixWords {
  /// The words as given, or as typed when asked; six of them, in small letters.
  ///
  /// - Parameter explanation: whose words they are, and how to get them.
  static func get(
    _ given: String?, explanation: String, terminal: Terminal?
  ) throws -> [String] {
    if let given { return try split(given) ?? { throw wrongCount }() }
    guard let terminal else {
      throw Failure.usage(
        "noWords",
        Sentence(
          explanation, safe: Sentences.unchanged,
          next: "Run this on a terminal without --no-input, or pass them with --words."))
    }
    terminal.explain(explanation)
    while let typed = try terminal.ask("The six words: ") {
      if let words = split(typed) { return words }
      terminal.say("Six words are needed, with a space between them.")
    }
    throw VaultError(.cancelled)
  }

  static func shown(_ words: [String]) -> String { words.joined(separator: " ") }

  private static func split(_ text: String) -> [String]? {
    let words = text.lowercased().split { $0.isWhitespace || $0 == "," }.map(String.init)
    return words.count == 6 ? words : nil
  }

  private static var wrongCount: Failure {
    .usage(
      "wordCount",
      Sentence(
        "Six words are needed after --words.", safe: Sentences.unchanged,
        next: "Put them in quotation marks, with a space between them."))
  }
}
