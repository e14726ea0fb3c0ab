import ArgumentParser
import CaseLog
import Foundation
import Vault
import VerifiableLog

struct ShareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "share", abstract: "Share a case with an advocate, or more of it.",
    discussion: """
      Whoever holds the card becomes a member: they can open what you choose of the case now, and \
      what is added to it later; they can add notes of their own, and cannot change anything of \
      yours. They see how many entries are not shared with them.

        cairn share default --with card.txt --output invitation.txt
        cairn share default --with card.txt --output invitation.txt --none --until 2027-05-31

      Later, with a member who is there already:
        cairn share default --with MEMBER --entries abcd,efgh
        cairn share default --with MEMBER --entries abcd --with-additions

      What takes back an entry always comes with it. What you added about it comes if you want it \
      to; what other advocates wrote about it does not.

      --preview shows what they would see, and does nothing. What somebody has seen cannot be \
      taken back.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The case's name, as “cairn case list” shows it.")
  var `case`: String

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp(
      "Their card; or a member, as “cairn members” shows it.", valueName: "card or member"))
  var with: String

  @Option(
    help: ArgumentHelp(
      "With a card: a new file for the invitation that you send back.", valueName: "file"))
  var output: String?

  @OptionGroup var choice: EntrySelectionOptions

  @Option(
    help: ArgumentHelp(
      "With a card: the day after which they are removed and nothing more is shared.",
      valueName: "day"))
  var until: String?

  @Flag(help: "Show exactly what they would see, and change nothing.")
  var preview = false

  @Flag(help: "Do it without asking: for scripts.")
  var yes = false

  @Option(help: ArgumentHelp("The card's six words, for scripts.", valueName: "words"))
  var words: String?

  func run() async throws {
    let until = try until.map(EndTime.parse)
    let target = try target()
    let selection = try selection(for: target)
    if preview {
      let shown = try await global.withVault(terminal: global.terminal) { vault in
        try await vault.previewShare(
          selection, withAdditions: choice.withAdditions, ofCase: self.case, with: target,
          until: until)
      }
      let report = SharePreviewReport(preview: shown, until: until)
      if global.json { try report.printJSON() } else { report.printText() }
      return
    }
    switch target {
    case .card(let text): try await admit(text, selection, until)
    case .member(let member): try await shareFurther(selection, with: member)
    }
  }

  // MARK: - What was given

  private func target() throws -> ShareTarget {
    if output == nil {
      guard FileManager.default.fileExists(atPath: with) else { return .member(with) }
      if !preview {
        throw Failure.usage(
          "noOutput",
          Sentence(
            "A card is answered with an invitation.", safe: Sentences.unchanged,
            next: "Name a new file for it with --output. If you mean a member, give the beginning"
              + " of the id that “cairn members” shows."))
      }
    }
    guard let text = try SmallFile.read(with, limit: 2 * Limits.card) else {
      throw VaultError(.cardDamaged)
    }
    _ = try ComparedWords.ofCard(text)
    return .card(text)
  }

  private func selection(for target: ShareTarget) throws -> EntrySelection {
    let selection = try choice.selection()
    guard case .member = target else { return selection ?? .all }
    guard until == nil, words == nil, let selection, selection != .none else {
      throw Failure.usage(
        "nothingChosen",
        Sentence(
          "With a member who is there already, entries are shared: it needs --entries or --all, and"
            + " neither --until nor --words.", safe: Sentences.unchanged,
          next: "“cairn list” shows the ids of entries. With a card, give --output too."))
    }
    return selection
  }

  // MARK: - Sharing

  private func admit(_ card: [UInt8], _ selection: EntrySelection, _ until: UInt64?) async throws {
    guard let output else { return }
    let terminal = global.terminal
    let file = try NewFile(reserving: output)
    let shared: ShareOutcome
    do {
      shared = try await global.withVault(terminal: terminal) { vault in
        let (preview, withAdditions) = try await previewAsking(
          vault, selection, with: .card(card), until: until)
        try Confirmation.require(
          yes, terminal: terminal,
          explanation: ShareText.warning(preview, isNew: true, until: until),
          question: "Share it?")
        let words = try SixWords.get(
          words,
          explanation: "Let the person who made the card tell you its six words, by voice: then you"
            + " know that it is theirs.", terminal: terminal)
        return try await vault.share(
          caseNamed: self.case, with: card, words: words, selection: selection,
          withAdditions: withAdditions, until: until)
      }
      try file.finish(with: shared.invitation)
    } catch {
      file.discard()
      throw error
    }
    try ShareText.report(shared, typedCase: self.case, output: output, until, global.json)
  }

  private func shareFurther(_ selection: EntrySelection, with member: String) async throws {
    let terminal = global.terminal
    let shared = try await global.withVault(terminal: terminal) { vault in
      let (preview, withAdditions) = try await previewAsking(
        vault, selection, with: .member(member))
      if !preview.entries.isEmpty {
        try Confirmation.require(
          yes, terminal: terminal,
          explanation: ShareText.warning(preview, isNew: false, until: nil),
          question: "Share \(preview.entries.count == 1 ? "it" : "them")?")
      }
      return try await vault.share(
        selection, withAdditions: withAdditions, ofCase: self.case, withMember: member)
    }
    try ShareText.report(shared, typedCase: self.case, member: member, global.json)
  }

  /// What would be shared, and whether with additions: on a terminal they are shown and asked about, since
  /// they may hold words that were meant for nobody else.
  private func previewAsking(
    _ vault: OpenVault, _ selection: EntrySelection, with target: ShareTarget,
    until: UInt64? = nil
  ) async throws -> (SharePreview, withAdditions: Bool) {
    let preview = try await vault.previewShare(
      selection, withAdditions: choice.withAdditions, ofCase: self.case, with: target,
      until: until)
    let additions = preview.additionsLeftOut
    guard !additions.isEmpty, !yes, let terminal = global.terminal else {
      return (preview, choice.withAdditions)
    }
    let isOne = additions.count == 1
    terminal.explain(
      isOne
        ? "There is an addition about these entries. It is:"
        : "There are \(additions.count) additions about these entries. They are:")
    terminal.say()
    for line in additions.flatMap({ SharedEntryText(entry: $0).lines }) { terminal.say(line) }
    terminal.say()
    guard
      try terminal.confirm(
        isOne ? "Share this addition too?" : "Share these \(additions.count) additions too?")
    else { return (preview, false) }
    let wished = try await vault.previewShare(
      selection, withAdditions: true, ofCase: self.case, with: target, until: until)
    return (wished, true)
  }
}

/// Which entries are meant.
struct EntrySelectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only these entries: ids or their beginnings, with commas between.", valueName: "ids"))
  var entries: String?

  @Flag(
    help: ArgumentHelp(
      "All that you entered (the default with a card), but for what was kept private, and for what"
        + " another of your devices entered that nobody else could open yet: name that with --entries."
    ))
  var all = false

  @Flag(help: "With a card: nothing of what is there now.")
  var none = false

  @Flag(
    help: ArgumentHelp(
      "With the entries also what you added about them: amendments, tags, notes, takedown steps,"
        + " answers. On a terminal it is asked."))
  var withAdditions = false

  /// Nil if nothing was said.
  func selection() throws -> EntrySelection? {
    guard [entries != nil, all, none].count(where: { $0 }) <= 1 else {
      throw Failure.usage(
        "usage",
        Sentence(
          "--entries, --all and --none contradict each other.", safe: Sentences.unchanged,
          next: "Give one of them."))
    }
    if none, withAdditions {
      throw Failure.usage(
        "usage",
        Sentence(
          "--none and --with-additions contradict each other.", safe: Sentences.unchanged,
          next: "Leave one of them out."))
    }
    if all { return .all }
    if none { return EntrySelection.none }
    guard let entries else { return nil }
    let ids = entries.split { $0 == "," || $0.isWhitespace }.map(String.init)
    guard !ids.isEmpty else {
      throw Failure.usage(
        "noEntries",
        Sentence(
          "--entries names no entry.", safe: Sentences.unchanged,
          next: "Give ids or their beginnings, with commas between; “cairn list” shows them."))
    }
    return .entries(ids)
  }
}
