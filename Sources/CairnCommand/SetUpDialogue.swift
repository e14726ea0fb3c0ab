import Cryptography
import Foundation
import Passphrases
import QRCodes
import Vault

/// What `init` asks on a terminal.
struct SetUpDialogue {
  enum Purpose {
    case vault, bundle, change

    var explanation: String {
      switch self {
      case .vault:
        "A new vault needs a passphrase. Whoever has it can open the vault, and without it nobody can."
      case .bundle:
        "The bundle needs a passphrase of its own, not that of your vault: you tell it to whoever may"
          + " open the bundle, another way than you send it."
      case .change:
        "The vault gets a new passphrase. From then on the old one does not open it."
      }
    }
  }

  let terminal: Terminal
  /// What a guess at the passphrase will cost.
  var cost = KeyCost.standard

  /// Offers a passphrase and takes the one that was typed twice.
  func choosePassphrase(for purpose: Purpose = .vault) throws -> LockedBytes {
    let offer = try WordList.randomPassphrase()
    return try terminal.onOwnScreen {
      terminal.explain(purpose.explanation)
      terminal.say()
      terminal.explain("Here is a good one, made of six random words:")
      terminal.say()
      terminal.say(indented: offer)
      terminal.say()
      terminal.explain(
        "You may take it, or any other that you can remember and nobody can guess. If you write it"
          + " down, keep the paper where only you look. Nothing shows as you type.")
      terminal.say()
      while true {
        let first = try ask("Passphrase: ")
        if try !isFit(first) { continue }
        let second = try ask("Once more:  ")
        if first.isEqual(to: second) { return first }
        terminal.explain("These were not the same. Please type both again.")
      }
    }
  }

  private func ask(_ question: String) throws -> LockedBytes {
    guard let typed = try terminal.askSecret(question) else { throw VaultError(.cancelled) }
    return typed
  }

  private func isFit(_ passphrase: borrowing LockedBytes) throws -> Bool {
    if passphrase.count == 0 {
      terminal.explain("The passphrase cannot be empty. Please type one.")
      return false
    }
    if passphrase.count > Passphrase.longest {
      terminal.explain(
        "That is too long: 1,024 characters are the most. Please type a shorter one.")
      return false
    }
    let strength = try PassphraseStrength(of: passphrase)
    if let sentence = strength.sentence(at: cost) { terminal.explain(sentence) }
    if strength.isGuessable(at: cost) {
      return try terminal.confirm("Take it all the same?")
    }
    return true
  }

  /// Shows the words, and asks for two of them to see that they were written down.
  func hand(over kit: borrowing RecoveryKit) throws {
    let words = kit.words
    let check = try kit.check()
    try terminal.onOwnScreen {
      while true {
        show(words, check)
        if try asksForCode("When they are on paper, press Enter. (q shows them for a camera.) ") {
          try showCode(words)
          continue
        }
        terminal.clear()
        if try knows(words) { return }
      }
    }
    terminal.say("The twelve words are right, and no longer on the screen.")
    terminal.say()
  }

  /// Whether the answer was `q`.
  private func asksForCode(_ question: String) throws -> Bool {
    guard let answer = try terminal.ask(question) else { throw VaultError(.cancelled) }
    return answer.trimmingCharacters(in: .whitespaces).lowercased() == "q"
  }

  /// Dark on white, whatever the terminal's colours are.
  private func showCode(_ words: [String]) throws {
    terminal.clear()
    if let code = KitPaper.code(of: words) {
      for line in KitPaper.halfBlocks(code, margin: 2) {
        terminal.say("\u{1b}[30;107m" + line + "\u{1b}[0m")
      }
    }
    terminal.explain("A photograph may go to a cloud by itself: print it, or write the words.")
    guard try terminal.ask("Press Enter. ") != nil else { throw VaultError(.cancelled) }
  }

  private func show(_ words: [String], _ check: String) {
    terminal.clear()
    terminal.say(KitPaper.title)
    terminal.say()
    for row in 0..<6 {
      terminal.say("  " + numbered(row, words) + "      " + numbered(row + 6, words))
    }
    terminal.say()
    terminal.say("  " + KitPaper.checkLine(check))
    terminal.say()
    terminal.explain(
      "Write them on paper, in this order. They open the vault when the passphrase is lost, for you"
        + " and for anybody else who has them. Keep the paper away from this computer. They are not"
        + " shown again.")
    terminal.say()
  }

  private func numbered(_ index: Int, _ words: [String]) -> String {
    Columns.padded((index < 9 ? " " : "") + "\(index + 1)  " + words[index], to: 14)
  }

  private func knows(_ words: [String]) throws -> Bool {
    terminal.say("To be sure that they are right on the paper:")
    terminal.say()
    let first = Int(Randomness.uniform(below: 6))
    let second = 6 + Int(Randomness.uniform(below: 6))
    for index in [first, second] {
      guard let answer = try terminal.ask("Word \(index + 1): ") else {
        throw VaultError(.cancelled)
      }
      if answer.trimmingCharacters(in: .whitespaces).lowercased() != words[index] {
        terminal.explain("That is not word \(index + 1). Here they are once more.")
        guard try terminal.ask("Press Enter. ") != nil else { throw VaultError(.cancelled) }
        return false
      }
    }
    return true
  }
}

extension Terminal {
  fileprivate func say(indented secret: borrowing LockedBytes) {
    prompt("    ")
    say(secret: secret)
  }
}
