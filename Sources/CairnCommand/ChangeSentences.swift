import Vault

extension Sentences {
  /// About entries that are to go, to stay, or to come again.
  static func ofErasing(_ code: VaultError.Code) -> Sentence? {
    switch code {
    case .notErased:
      return Sentence(
        "Nobody erased this entry.", safe: unchanged, next: "There is nothing to be done.")
    case .entryErased:
      return Sentence(
        "This entry was erased, so what it said is not here to be opened.", safe: unchanged,
        next: "Where its erasure was withdrawn (“cairn keep”), a sync with a copy that still has it"
          + " brings it back.")
    case .erasedHere:
      return Sentence(
        "This device erased the entry itself, or has destroyed it since.", safe: unchanged,
        next: "Another device that still has it can say “cairn keep”; so can this one, with the"
          + " twelve words (--kit). It comes back with a sync from a copy that has it.")
    case .keptByAnother:
      return Sentence(
        "Another of your devices, or the twelve words, said that this stays.", safe: unchanged,
        next: "It is kept on every copy; nothing can erase it but its author’s removal.")
    case .differentCases:
      return Sentence(
        "These entries are of different cases.", safe: unchanged,
        next: "Name those of one case at a time.")
    case .notSetAside:
      return Sentence(
        "This entry was not set aside, or this copy cannot open it.", safe: unchanged,
        next: "“cairn list --state set-aside” shows what can be entered again.")
    default: return nil
    }
  }
}
