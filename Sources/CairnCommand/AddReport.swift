import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// What `add` says of what it did.
struct AddReport {
  let sources: [AddSource]
  let outcome: AddOutcome
  let isHashOnly: Bool
  let isMinor: Bool
  /// Members of a shared case see how many entries are not shared with them.
  let isLimited: Bool
  /// What an entry without a file is.
  let fallback: String
  /// Nil where the vault has one case only.
  let caseName: String?

  // MARK: - For people

  func printText() {
    for (index, saved) in outcome.saved.enumerated() {
      let what = index < sources.count ? sources[index].described : fallback
      Output.line(
        Columns.cut(
          "Saved  \(ShortID.of(saved.id))  \(what)", to: Columns.width - 1))
      if !saved.sameContentAs.isEmpty {
        Output.line("       the same content as " + ShortID.list(saved.sameContentAs))
      }
    }
    if !outcome.saved.isEmpty {
      if isMinor, !sources.isEmpty {
        MinorText.told(sameContentAs: outcome.saved.flatMap(\.sameContentAs))
      } else if isHashOnly {
        Output.line("Of the files, only size, type and SHA-256 are kept.")
      }
      Output.paragraph(
        Self.readers(
          of: outcome.saved.count, sharedWith: outcome.sharedWith, inCase: caseName))
    }
    guard let failure else { return }
    let sentence = failure.sentence
    Output.remark(sentence.what)
    Output.remark(whatIsSaved)
    Output.remark(goingOn ?? sentence.next)
  }

  /// Of several files, some of which are saved: the same command would enter those once more.
  private var goingOn: String? {
    guard let failure, !outcome.saved.isEmpty, outcome.saved.count < sources.count else {
      return nil
    }
    let only =
      "name only the files that are not among those above: each that is named again becomes"
      + " an entry again."
    switch failure.code {
    case VaultError.Code.cancelled.rawValue: return "To go on, " + only
    case VaultError.Code.diskFull.rawValue: return "Make some room. Then " + only
    default: return failure.sentence.next + " To go on, " + only
    }
  }

  /// Who can open what was saved; and where it is, with a name of the case.
  static func readers(of count: Int, sharedWith: Int, inCase name: String?) -> String {
    let pronoun = count == 1 ? "it" : "them"
    if let name {
      let place = (count == 1 ? "It is" : "They are") + " in \(SafeText.quoted(name))"
      switch sharedWith {
      case 0: return "\(place), and only you can open \(pronoun)."
      case 1: return "\(place): you and one other member can open \(pronoun)."
      default: return "\(place): you and \(sharedWith) other members can open \(pronoun)."
      }
    }
    switch sharedWith {
    case 0: return "Only you can open \(pronoun)."
    case 1: return "You and one other member of this case can open \(pronoun)."
    default: return "You and \(sharedWith) other members of this case can open \(pronoun)."
    }
  }

  /// Of several, how many are in the vault now.
  private var whatIsSaved: String {
    let all = max(sources.count, 1)
    let saved = outcome.saved.count
    if all == 1, let failure, outcome.failure?.error.code == .storedUnconfirmed {
      return failure.sentence.safe
    }
    if outcome.unconfirmed.isEmpty {
      if saved == 0 {
        return all == 1
          ? "It was not added, and no part of it was kept." : "None of the \(all) files was added."
      }
      return "\(saved) of \(all) files were saved, those named above. The others were not added."
    }
    let others = all - saved - outcome.unconfirmed.count
    return [
      saved == 0 ? "" : "\(saved) of \(all) files were saved, those named above.",
      outcome.unconfirmedSentence,
      others == 0 ? "" : others == 1 ? "The other was not added." : "The others were not added.",
    ].filter { !$0.isEmpty }.joined(separator: " ")
  }

  private var failure: Failure? {
    outcome.failure.map { index, error in
      let source = index < sources.count ? sources[index] : nil
      return Failure(
        error, subject: source?.quoted ?? "this entry")
    }
  }

  // MARK: - For scripts

  private struct Object: Encodable {
    struct Saved: Encodable {
      let file: String?
      let id: String
      let sameContentAs: [String]
      let size: UInt64?
    }
    let error: ErrorObject?
    let saved: [Saved]
    let sharedWith: Int
    /// How many may be saved, or not.
    let unconfirmed: Int
    let withheld: Bool
  }

  func printJSON() throws {
    try Output.json(
      Object(
        error: failure.map(ErrorObject.init),
        saved: outcome.saved.enumerated().map { index, saved in
          let source = index < sources.count ? sources[index] : nil
          return Object.Saved(
            file: source?.name, id: saved.id.base32,
            sameContentAs: saved.sameContentAs.map(\.base32), size: source?.size)
        }, sharedWith: outcome.sharedWith, unconfirmed: outcome.unconfirmed.count,
        withheld: isLimited))
  }
}

extension AddOutcome {
  /// What can be said of those whose last step failed; empty if there are none.
  var unconfirmedSentence: String {
    let entries = Quantity.count(unconfirmed.count, "entry", "entries")
    if unconfirmed.isEmpty { return "" }
    let isOne = unconfirmed.count == 1
    return failure?.error.code == .storedUnconfirmed
      ? "\(entries) \(isOne ? "stands" : "stand") in the vault, whole, without that confirmation."
      : "Of \(entries) it is not certain whether \(isOne ? "it was" : "they were") added:"
        + " look with “cairn list” before adding \(isOne ? "it" : "them") again."
  }
}

extension OpenVault {
  /// The case's name, where it does not go without saying: in a vault with several.
  func nameAmongSeveral(_ caseName: String?) throws(VaultError) -> String? {
    let place = try place(ofCase: caseName)
    return place.isOnlyOne ? nil : place.name
  }
}

/// The beginning of an id: enough to name an entry of even a large case, short enough to read out.
enum ShortID {
  static func of(_ id: EntryID) -> String { String(id.base32.prefix(10)) }
  static func of(_ log: LogID) -> String { String(log.base32.prefix(10)) }

  /// The first few of many.
  static func list(_ ids: [EntryID]) -> String {
    let more = ids.count > 3 ? " and \(ids.count - 3) more" : ""
    return ids.prefix(3).map(of).joined(separator: ", ") + more
  }
}
