import ArgumentParser
import CaseLog
import Cryptography
import Vault

struct AmendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "amend", abstract: "Add something to an entry that is there already.",
    discussion: """
      The entry stays exactly as it was, and what you add is shown with it, as a later addition \
      of yours. Several additions stand side by side. On a terminal it asks for your words if you \
      give nothing else.

        cairn amend tesh7o --text "He deleted the account the day after."
        cairn amend tesh7o --url https://example.org/p/4711 --tag threat
        cairn amend tesh7o second-screenshot.png
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var particulars: ParticularsOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String

  @Argument(help: ArgumentHelp("Further files of it; “-” is standard input.", valueName: "file"))
  var files: [String] = []

  @Option(help: ArgumentHelp("The address (URL) where it was seen.", valueName: "address"))
  var url: String?

  @Option(
    help: ArgumentHelp("When it happened, as “cairn add --help” says.", valueName: "time"))
  var seenAt: String?

  @Option(
    help: ArgumentHelp("Your words, @FILE, or “-” for standard input.", valueName: "words"))
  var text: String?

  @Flag(help: MinorText.help)
  var minor = false

  func run() async throws {
    try StandardInput.requireOneUse(files: files, text: text)
    let draft = try Draft(url: url, seenAt: seenAt, text: text, particulars: particulars)
    let record = NewRecord(
      global: global, targets: [entry], files: files, content: draft.content)
    try await record.save(asksForWords: true) { _, references, content in
      guard references?.role == .survivor else {
        throw Failure.survivorsOnly(
          "Only the person whose case it is adds to the evidence.",
          next:
            "“cairn note \(SafeText.argument(entry))” keeps what you have to say of it, as yours.")
      }
      var content = content
      let isNothing = files.isEmpty && content.isOnlyAbout
      if isNothing { throw Failure.nothingToSay("Give --text, --url, --tag or a file.") }
      content.showsMinor = minor
      return NewRecord.Form(kind: .amend, content: content, noun: "an addition")
    }
  }
}

struct RetractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retract",
    abstract: "Take back something that you entered, so that it no longer counts.",
    discussion: """
      It removes nothing: the entry stays, here and on every copy, and is shown as taken back. That \
      is what keeps the rest believable. What was taken back can be given back: retract the \
      retraction. An addition or its tags are taken back in the same way.

        cairn retract tesh7o --text "Wrong account; see the addition."
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String

  @Option(
    help: ArgumentHelp("Why, in your words; @FILE, or “-” for standard input.", valueName: "words"))
  var text: String?

  func run() async throws {
    let draft = try Draft(text: text)
    let record = NewRecord(global: global, targets: [entry], content: draft.content)
    try await record.save { vault, references, content in
      guard let references, references.role == .survivor else {
        throw Failure.survivorsOnly(
          "Only the person whose case it is takes entries back.",
          next:
            "“cairn note \(SafeText.argument(entry))” can say that something you wrote no longer"
            + " holds.")
      }
      if references.entries.contains(where: { $0.author == .advocate }) {
        throw Failure.survivorsOnly(
          "This was written by an advocate, and stays hers.",
          next: "“cairn note \(SafeText.argument(entry))” can say what you think of it.")
      }
      let history = try await vault.history(of: entry)
      if let by = history.entry.takenBackBy { throw AlreadySo(by: by, what: "It is taken back") }
      let effect = try await Self.effect(of: history.entry.summary, in: vault)
      return NewRecord.Form(kind: .retract, content: content, noun: "a retraction") { saved in
        history.entry.summary.kind == .retract
          ? effect : effect + " To give it back: cairn retract \(ShortID.of(saved))"
      }
    }
  }

  /// What it means for others that an entry is taken back.
  private static func effect(of entry: EntrySummary, in vault: OpenVault) async throws -> String {
    guard entry.kind == .retract else {
      return "This removes nothing: the entry stays, here and on every copy, and is shown as taken"
        + " back."
    }
    var effects: [String] = []
    for target in entry.content?.about ?? [] {
      let history = try await vault.history(of: target.base32)
      let other = history.later.first { item in
        item.summary.kind == .retract && item.summary.id != entry.id && item.takenBackBy == nil
          && item.summary.standing == .open && item.summary.content?.about.contains(target) ?? false
      }
      if let other {
        effects.append(
          "This retraction no longer counts, but \(ShortID.of(target)) stays taken back: by"
            + " \(ShortID.of(other.summary.id)).")
      } else if history.entry.summary.kind == .retract {
        effects.append("The retraction \(ShortID.of(target)) counts again.")
      } else {
        effects.append("What had been taken back counts again.")
      }
    }
    return effects.joined(separator: " ")
  }
}

struct TagCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tag", abstract: "Put words on an entry, to find it by.",
    discussion: """
      Tags are kept as a small addition to the entry (or, if the case is not yours, as a note), so \
      everybody with whom it is shared sees them. To take them away again, retract that addition; its \
      id is said when it is saved, and by “cairn show”.

        cairn tag tesh7o threat second-account
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String

  @Argument(help: ArgumentHelp("The words.", valueName: "tag"))
  var tags: [String]

  func run() async throws {
    var content = EntryContent()
    content.tags = try ShortText.tags(tags)
    let record = NewRecord(global: global, targets: [entry], content: content)
    try await record.save { _, references, content in
      let isSurvivor = references?.role == .survivor
      return NewRecord.Form(
        kind: isSurvivor ? .amend : .note, content: content,
        noun: Quantity.count(content.tags.count, "tag", "tags")
      ) { saved in
        isSurvivor ? "To take it back: cairn retract \(ShortID.of(saved))" : nil
      }
    }
  }
}

extension EntryContent {
  /// Names other entries and says nothing.
  var isOnlyAbout: Bool {
    var empty = EntryContent()
    empty.about = about
    return self == empty
  }
}
