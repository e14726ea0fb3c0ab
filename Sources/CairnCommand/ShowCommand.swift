import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is known of one entry.")

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String

  func run() async throws {
    let detail = try await global.withVault(terminal: global.terminal) { vault in
      try await vault.entry(entry)
    }
    if global.json {
      struct Object: Encodable { let entry: EntryObject }
      try Output.json(Object(entry: EntryObject(detail.summary, detail: detail)))
    } else {
      EntryPage(detail: detail).print()
    }
  }
}

/// One entry, in full.
struct EntryPage {
  let detail: EntryDetail
  private var summary: EntrySummary { detail.summary }
  private var text: EntryText { EntryText(summary: summary) }

  func print() {
    field("Entry", summary.id.base32)
    field("Case", SafeText.line(summary.caseName))
    field("Author", text.byWhom)
    if summary.standing != .open { field("", text.title) }
    guard let content = summary.content else { return }
    if let url = content.url { field("Address", SafeText.line(url)) }
    for attachment in content.attachments { show(attachment) }
    Output.line()
    times(content)
    if let words = content.words {
      Output.line()
      for line in SafeText.lines(words) { Output.paragraph(line, indent: 2) }
    }
    if content.unknownParts > 0 {
      Output.line()
      Output.paragraph(
        "A newer version of Cairn wrote more into this entry than can be shown here.")
    }
  }

  private func show(_ attachment: Attachment) {
    field("File", EntryText.describe(attachment) + ", " + SafeText.line(attachment.mediaType))
    field("SHA-256", Hex.encode(attachment.sha256.bytes))
    if attachment.isWithoutContent {
      field("", "Only size, type and SHA-256 are kept.")
    } else if !detail.presentAttachments.contains(attachment.number) {
      field("", "The file itself has not arrived here yet.")
    }
  }

  private func times(_ content: EntryContent) {
    let whose = summary.isOwn ? "you say" : "its author says"
    field("Happened", content.seen.map { "\($0.text), as \(whose)" } ?? "not said")
    if let seconds = summary.enteredAt {
      let clock = summary.isOwn ? "this device's clock" : "its author's clock"
      field("Entered", "\(Clock.text(seconds)), by \(clock)")
    }
    if let after = detail.notBefore {
      field("Made after", "\(Clock.text(after.time)), by the clock of \(name(after.role))")
    }
    if detail.seenBy.isEmpty {
      field("Seen by", "no other member yet, so only this device vouches for the time")
    }
    for receipt in detail.seenBy {
      field("Seen by", "\(name(receipt.role)), before \(Clock.text(receipt.time)) by their clock")
    }
  }

  private func name(_ role: Role?) -> String {
    switch role {
    case .survivor?: return "the survivor"
    case .advocate?: return "an advocate"
    case nil: return "a member who is not known here"
    }
  }

  private func field(_ name: String, _ value: String) {
    let width = 12
    for (index, line) in Columns.wrap(value, to: Columns.width - 1 - width).enumerated() {
      Output.line(Columns.padded(index == 0 ? name : "", to: width) + line)
    }
  }
}
