import ArgumentParser
import CaseLog
import Foundation
import Vault
import VerifiableLog

/// Short texts that can be said of every entry.
struct ParticularsOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A title of your choice.", valueName: "title"))
  var title: String?

  @Option(help: ArgumentHelp("The platform or site where it was seen.", valueName: "platform"))
  var place: String?

  @Option(help: ArgumentHelp("The account that it came from.", valueName: "account"))
  var account: String?

  @Option(
    name: .customLong("tag"),
    help: ArgumentHelp("A word to find it by; may be given several times.", valueName: "word"))
  var tags: [String] = []

  /// - Throws: a failure that says which of them cannot be used.
  func fill(_ content: inout EntryContent) throws {
    content.title = try title.map { try ShortText.checked($0, "title", option: "--title") }
    content.place = try place.map { try ShortText.checked($0, "platform", option: "--place") }
    content.account = try account.map { try ShortText.checked($0, "account", option: "--account") }
    content.tags = try ShortText.tags(tags)
  }
}

/// Texts of one line.
enum ShortText {
  static func checked(_ typed: String, _ what: String, option: String) throws -> String {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty, text.utf8.count <= Limits.shortText,
      text.unicodeScalars.allSatisfy(SafeText.isHarmless)
    else {
      throw Failure.usage(
        "invalidText",
        Sentence(
          text.isEmpty
            ? "The \(what) is empty."
            : "This \(what) is too long, or has a line break or a hidden character in it.",
          safe: "Nothing was added.",
          next: text.isEmpty
            ? "Leave out \(option) if there is none."
            : "It can have up to 1,024 characters on one line; longer things belong in --text."))
    }
    return text
  }

  /// Each once, in the order in which they were given.
  static func tags(_ typed: [String]) throws -> [String] {
    var tags: [String] = []
    for text in typed {
      let tag = try checked(text, "tag", option: "--tag")
      if !tags.contains(tag) { tags.append(tag) }
    }
    guard tags.count <= Limits.tags else {
      throw Failure.usage(
        "tooManyTags",
        Sentence(
          "One entry holds up to \(Limits.tags) tags.", safe: "Nothing was added.",
          next: "Give fewer of them."))
    }
    return tags
  }
}

/// Why no picture of somebody under 18 is kept.
enum MinorText {
  static let help: ArgumentHelp = """
    It shows, or may show, somebody under 18: then only size, type and SHA-256 of the files are kept.
    """

  static let kept = """
    In many countries nobody may hold a picture like this of somebody under 18, not even as \
    evidence. So the file itself is not kept, only its size, type and SHA-256: they can show later \
    which file it was. The original stays where it is. Before you copy it, send it or delete it, ask \
    the police or a helpline what is best for you.
    """

  /// - Parameter ids: entries that hold the same content, from before anybody said what it shows.
  static func told(sameContentAs ids: [EntryID]) {
    Output.paragraph(kept)
    guard !ids.isEmpty else { return }
    let word = ids.count == 1 ? "is" : "are"
    Output.paragraph(
      "The same content \(word) in \(ShortID.list(ids)), and the file itself may still be kept there."
        + " “cairn show” tells; “cairn erase” takes it out.")
  }
}
