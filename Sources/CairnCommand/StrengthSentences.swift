import Passphrases
import Vault

/// What is said of a passphrase that could be guessed.
extension PassphraseStrength {
  /// One sentence or two; nil where there is nothing to say.
  func sentence(at cost: KeyCost) -> String? {
    let cost = Cost(cost)
    guard verdict(at: cost) != .good else { return nil }
    return
      "A program that guesses as people think would find this one within \(time(at: cost).words),"
      + " for somebody with fast computers and a copy of the files. Six random words would take it longer"
      + " than anybody lives."
  }

  func isGuessable(at cost: KeyCost) -> Bool { verdict(at: Cost(cost)) == .guessable }
}

extension PassphraseStrength.Cost {
  init(_ cost: KeyCost) { self = cost.memoryKiB < KeyCost.standard.memoryKiB ? .light : .standard }
}

extension PassphraseStrength.Time {
  fileprivate var words: String {
    switch self {
    case .moments: "seconds"
    case .minutes: "minutes"
    case .hours: "hours"
    case .days: "days"
    case .weeks: "weeks"
    case .months: "months"
    case .years: "years"
    case .decades: "decades"
    case .centuries: "centuries"
    }
  }
}
