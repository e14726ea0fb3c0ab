import ArgumentParser
import Vault

struct RenewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "renew", abstract: "Let a copied or restored vault write again, with new keys.",
    discussion: """
      A vault that was copied, moved to another machine or put back from a backup writes nothing, \
      so that no two of them sign under one name. This gives it new keys in each case: from then \
      on it is a device of its own, beside the one that it was copied from, if that still exists. \
      Everything in it stays, and what it lacks comes with the next sync.

      With --somebody-has-a-copy a vault that is in order takes new keys too: for when somebody may \
      have copied it together with its passphrase. Do it before they do. They could write under the \
      old keys, or take new ones with their copy; “cairn members” shows who is there, and “cairn \
      decide” with the twelve words cuts what is not you.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Take new keys even though this vault is in order.")
  var somebodyHasACopy = false

  func run() async throws {
    let outcome = try await global.withVault(terminal: global.terminal, isTelling: false) { vault in
      try await vault.renew(evenIfSound: somebodyHasACopy)
    }
    if global.json {
      struct Object: Encodable {
        let cardsDropped: Int
        let cases: [String]
        let casesNotRenewed: [String]
      }
      return try Output.json(
        Object(
          cardsDropped: outcome.cardsDropped, cases: outcome.cases,
          casesNotRenewed: outcome.casesNotRenewed))
    }
    guard !outcome.cases.isEmpty || !outcome.casesNotRenewed.isEmpty else {
      return Output.paragraph("This vault has keys of its own, and needs no new ones.")
    }
    let count = Quantity.count(outcome.cases.count, "case", "cases")
    Output.paragraph(
      "This vault has new keys in \(count)" + (somebodyHasACopy ? "." : ", and writes again."))
    Output.paragraph(
      "Others learn of them when you sync. What was signed with the old keys stays, under its old"
        + " name.")
    if !outcome.casesNotRenewed.isEmpty {
      let names = outcome.casesNotRenewed.map { SafeText.quoted($0) }.joined(separator: ", ")
      Output.remark(
        "Note: not in \(names): as many copies of this vault as may have new keys there already."
          + " Everything stays and can be read; to write there, set up this device anew with"
          + " “cairn recover” and the recovery kit, or ask for a new invitation.")
    }
    if outcome.cardsDropped > 0 {
      let cards = Quantity.count(outcome.cardsDropped, "card", "cards")
      Output.remark(
        "Note: \(cards) that you made and that nobody had answered can be used no more. Make a new"
          + " one with “cairn card”.")
    }
  }
}
