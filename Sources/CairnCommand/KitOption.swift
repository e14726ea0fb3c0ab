import ArgumentParser
import Cryptography
import Vault

/// Where the twelve words of a recovery kit come from.
struct KitOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The file with the twelve words; without it, or with “-”, they are asked for.",
      valueName: "file"))
  var kit: String?

  /// The kit of the words, from the file or as typed, in locked memory all the way.
  func get(terminal: Terminal?) throws -> RecoveryKit {
    try Self.get(kit, terminal: terminal)
  }

  static func get(_ file: String?, terminal: Terminal?) throws -> RecoveryKit {
    if let file, file != "-" { return try read(file) }
    return try ask(terminal)
  }

  static func read(_ file: String) throws -> RecoveryKit {
    guard let text = try SmallFile.readSecret(file, limit: RecoveryKit.longestPaper) else {
      throw Self.failure(.wrongCount(0))
    }
    return try Self.kit(of: text)
  }

  private static func ask(_ terminal: Terminal?) throws -> RecoveryKit {
    guard let terminal else { throw Self.noKit }
    for attempt in 1... {
      guard
        let typed = try terminal.askSecret("The twelve words, on one line (nothing shows): ")
      else { break }
      do {
        return try Self.kit(of: typed)
      } catch let failure as Failure where attempt < 3 {
        terminal.explain(failure.sentence.what + " Please type them once more.")
      }
    }
    throw Self.noKit
  }

  private static func kit(of paper: borrowing LockedBytes) throws -> RecoveryKit {
    do throws(KitWordsError) {
      return try paper.withBytes { (bytes) throws(KitWordsError) in try RecoveryKit(paper: bytes) }
    } catch {
      throw failure(error)
    }
  }

  private static func failure(_ error: KitWordsError) -> Failure {
    let what: String
    switch error {
    case .wrongCount(let count):
      what =
        count == 0
        ? "These are not twelve words." : "Twelve words are needed, and these are \(count)."
    case .unknownWord(let position):
      what = "Word \(position) is not one of those that kits are made of."
    case .checksum: what = "The words are not right: one of them is another, or two changed places."
    case .outOfMemory: what = "There was no memory left that is safe for the words."
    }
    return Failure(
      code: "kitWords", status: .wrongPassphrase,
      Sentence(
        what, safe: Sentences.unchanged,
        next: "Compare each word with the paper, in its order."))
  }

  private static let noKit = Failure.usage(
    "noKit",
    Sentence(
      "This needs the twelve words, and there was nobody to ask.", safe: Sentences.unchanged,
      next: "Run this on a terminal without --no-input, or name a file with --kit."))

  /// The kit opens something else: said of what it was tried on.
  static func mismatch(_ what: String) -> Failure {
    Failure(
      code: VaultError.Code.kitMismatch.rawValue, status: .wrongPassphrase,
      Sentence(
        "The twelve words are right as words, and do not open \(what): they belong to another kit.",
        safe: Sentences.unchanged,
        next: "Look for the paper that was written when that case was begun."))
  }
}
