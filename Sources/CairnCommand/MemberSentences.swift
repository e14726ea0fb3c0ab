import CaseLog
import Vault

// About members, and who may see what.

extension Sentences {
  static func ofMembers(_ error: VaultError) -> Sentence? {
    switch error.code {
    case .unknownMember:
      return Sentence(
        "No member of this case has this name, or an id that begins like this.", safe: unchanged,
        next: "“cairn members” shows them. Of an id, the first four characters are enough.")
    case .ambiguousMember:
      return Sentence(
        "More than one member has an id that begins like this.", safe: unchanged,
        next: "Give a few more of its characters, or the member's name.")
    case .memberNameTaken:
      return Sentence(
        "Another member of this case has this name already.", safe: unchanged,
        next: "Choose another name.")
    case .notAnAdvocate:
      return Sentence(
        "This member is a device of the person whose case it is, which can open everything"
          + " anyway.", safe: unchanged, next: "Name an advocate; “cairn members” shows them.")
    case .ownMember:
      return Sentence(
        "This is the device that you are using, and no device removes itself.", safe: unchanged,
        next: "Remove it from another device of yours.")
    case .alreadyRemoved:
      return Sentence(
        "This member was removed already.", safe: unchanged,
        next: "To share with the same person again, ask for a new card.")
    case .removalWithoutEffect:
      return Sentence(
        "This member cannot be removed from here: it was decided with the twelve words that they"
          + " stay, or this device has removed too many.", safe: unchanged,
        next: "Use the twelve words, or another device of yours.")
    case .timePassed:
      return Sentence(
        "That time is over already, by this device's clock.", safe: unchanged,
        next: "Choose a later day; if the day is right, check the device's clock.")
    case .removed where error.role == .advocate:
      return Sentence(
        "You were removed from this case, so nothing that you add to it would count.",
        safe: "Nothing was saved. Everything that is here can still be read.",
        next: "Only the person whose case it is can share with you anew: make a new card for that,"
          + " with “cairn card”.")
    case .removed:
      return Sentence(
        "This copy was removed from the case, so nothing that it adds would count.",
        safe: "Everything that is here can still be read, and nothing was changed.",
        next: "If it is your own case, the twelve words decide which device stays; until then"
          + " “cairn case new” starts a case to add to.")
    default: return nil
    }
  }
}
