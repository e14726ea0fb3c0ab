import ArgumentParser
import CaseLog
import Foundation
import Vault

struct NoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "note", abstract: "Write a note about entries, or about the case.",
    discussion: """
      Everybody in a case can write notes, advocates too; each is shown and exported as its \
      author's own. What is an id names an entry, everything else is a file: write ./NAME for a \
      file whose name looks like an id. On a terminal it asks for your words if you give nothing \
      else.

        cairn note tesh7o --text "Called the platform on Monday."
        cairn note --case "at work" --text @call.txt
        cairn note tesh7o ./found-again.png --text "Found on a second site."
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(
    help: ArgumentHelp(
      "Entries that it is about, and files to keep with it.", valueName: "entry|file"))
  var subjects: [String] = []

  @Option(
    help: ArgumentHelp("Your words, @FILE, or “-” for standard input.", valueName: "words"))
  var text: String?

  @Option(
    name: .customLong("tag"),
    help: ArgumentHelp("A word to find it by; may be given several times.", valueName: "word"))
  var tags: [String] = []

  @Option(
    name: .customLong("case"),
    help: ArgumentHelp("The case, for a note about no entry.", valueName: "name"))
  var caseName: String?

  @Flag(help: MinorText.help)
  var minor = false

  @OptionGroup var readers: AudienceOptions

  func run() async throws {
    let (entries, files) = try Subjects.split(subjects)
    try StandardInput.requireOneUse(files: files, text: text)
    var draft = try Draft(text: text)
    draft.content.tags = try ShortText.tags(tags)
    let record = NewRecord(
      global: global, targets: entries, caseName: caseName, files: files, content: draft.content,
      readers: readers)
    try await record.save(asksForWords: true) { _, _, content in
      if files.isEmpty, content.isOnlyAbout { throw Failure.nothingToSay("Give --text or a file.") }
      var content = content
      content.showsMinor = minor
      return NewRecord.Form(kind: .note, content: content, noun: "a note")
    }
  }
}

/// Ids and files in one list.
enum Subjects {
  /// What consists of the letters of an id is one; a file of such a name has to be written otherwise.
  static func split(_ arguments: [String]) throws -> (entries: [String], files: [String]) {
    var entries: [String] = []
    var files: [String] = []
    for argument in arguments {
      let isID =
        (4...52).contains(argument.utf8.count)
        && argument.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains(byte)
        }
      guard isID else {
        files.append(argument)
        continue
      }
      if FileManager.default.fileExists(atPath: argument) {
        throw Failure.usage(
          "ambiguousSubject",
          Sentence(
            "\(SafeText.quoted(argument)) is a file here, and could be the id of an entry.",
            safe: Sentences.unchanged,
            next: "Write ./\(argument) for the file, or more characters of the id."))
      }
      entries.append(argument)
    }
    return (entries, files)
  }
}

struct TakedownCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "takedown",
    abstract: "Record what a platform was asked to take down, and what came of it.",
    discussion: """
      Each step is an entry of its own, so that there is a history: reported, answered, removed, \
      refused, and back-again if it turned up again. The last step is where it stands. Both survivor \
      and advocate can record steps, with files such as the platform's answer.

        cairn takedown tesh7o --step reported --where example.org --reference "Ticket 55-1"
        cairn takedown tesh7o --step removed
        cairn takedown tesh7o --step back-again --text "Same picture, new address."
      """)

  enum Step: String, CaseIterable, ExpressibleByArgument {
    case reported, answered, removed
    case backAgain = "back-again"
    case refused

    var code: EntryContent.Takedown.Step {
      switch self {
      case .reported: .reported
      case .answered: .answered
      case .removed: .removed
      case .backAgain: .backAgain
      case .refused: .refused
      }
    }
  }

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String

  @Argument(help: ArgumentHelp("Files that belong to the step.", valueName: "file"))
  var files: [String] = []

  @Option(help: "What was done, or came of it.")
  var step: Step

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "The platform or office. Without it: the one of the step before, or the entry's own.",
      valueName: "platform"))
  var recipient: String?

  @Option(help: ArgumentHelp("The number that they gave to it.", valueName: "reference"))
  var reference: String?

  @Option(
    help: ArgumentHelp("Your words, @FILE, or “-” for standard input.", valueName: "words"))
  var text: String?

  func run() async throws {
    try StandardInput.requireOneUse(files: files, text: text)
    let draft = try Draft(text: text)
    let recipient = try recipient.map {
      try ShortText.checked($0, "platform", option: "--where")
    }
    let reference = try reference.map {
      try ShortText.checked($0, "reference", option: "--reference")
    }
    let record = NewRecord(
      global: global, targets: [entry], files: files, content: draft.content)
    try await record.save { vault, references, content in
      var content = content
      content.takedown = .init(
        step: step.code,
        recipient: try await place(recipient, of: references, in: vault), reference: reference)
      let place = content.takedown?.recipient.map { ", " + SafeText.line($0) } ?? ""
      return NewRecord.Form(
        kind: .takedown, content: content, noun: "takedown step (\(step.rawValue)\(place))")
    }
  }

  /// One place is written in one way, or the steps would not come together.
  private func place(
    _ typed: String?, of references: EntryReferences?, in vault: OpenVault
  ) async throws -> String? {
    guard let references, let entry = references.entries.first else { return typed }
    let known = try await vault.takedowns(ofCase: references.caseID.fingerprint)
      .filter { $0.about == entry.id }.map(\.recipient)
    if let typed {
      return known.compactMap(\.self).first {
        $0.caseInsensitiveCompare(typed) == .orderedSame
      } ?? typed
    }
    return known.count == 1 ? known[0] : entry.content?.place
  }
}
