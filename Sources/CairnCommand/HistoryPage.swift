import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// One entry, in full, and what became of it.
struct HistoryPage {
  let history: EntryHistory
  let privateOnes: [EntryID: KeptPrivate]
  private var entry: EntryHistory.Item { history.entry }

  func print() {
    EntryPage(item: entry, keptPrivate: privateOnes[entry.summary.id]).print()
    shown()
    section("Added later", of: [.amend])
    section("Notes", of: [.note])
    takedowns()
    requests()
    section("Taken back", of: [.retract])
    let known: [EntryKind] = [.amend, .note, .takedown, .request, .retract]
    let others = history.later.compactMap(\.summary.kind).filter { !known.contains($0) }
    section("Of other kinds", of: others)
  }

  private func section(_ title: String, of kinds: [EntryKind]) {
    let items = history.later.filter { item in
      item.summary.kind.map { kinds.contains($0) } ?? false
    }
    guard !items.isEmpty else { return }
    Output.line()
    Output.line(title)
    for item in items { later(item) }
  }

  /// Something that was said later, in a few lines.
  private func later(_ item: EntryHistory.Item) {
    let page = EntryPage(item: item, keptPrivate: privateOnes[item.summary.id])
    var head = "  \(ShortID.of(item.summary.id))  by \(page.author)"
    if item.takenBackBy != nil { head += ", taken back since" }
    Output.line(head)
    let targets = (item.summary.content?.about ?? []).filter { $0 != entry.summary.id }
    if !targets.isEmpty {
      page.field("about", targets.map(ShortID.of).joined(separator: ", "), isNested: true)
    }
    page.privacy(isNested: true)
    page.says(isNested: true)
    page.times(isNested: true)
  }

  // MARK: - Where things stand

  private func takedowns() {
    let records = history.later.filter { $0.summary.kind == .takedown }
    guard !records.isEmpty else { return }
    Output.line()
    Output.line("Takedown")
    for takedown in history.takedowns {
      let place = takedown.recipient.map(SafeText.line) ?? "no place named"
      let reference = takedown.reference.map { ", reference " + SafeText.line($0) } ?? ""
      Output.paragraph("\(place): \(takedown.step.said)\(reference)", indent: 2)
    }
    for record in records { later(record) }
  }

  private func requests() {
    let items = history.later.filter { $0.summary.kind == .request }
    let open = history.requests.count { $0.answer == nil }
    if let own = history.requests.first(where: { $0.request.id == entry.summary.id }) {
      Output.line()
      Output.line(
        own.answer == nil ? "This request is open." : "This request is \(own.state.name).")
    }
    guard !items.isEmpty else { return }
    Output.line()
    Output.line("Requests" + (open == 0 ? "" : ", \(open) open"))
    for item in items { later(item) }
  }

  // MARK: - Who was shown it

  private func shown() {
    let page = EntryPage(item: entry)
    for showing in entry.shown {
      let audience: String
      switch showing.audience {
      case .devices: audience = entry.summary.isOwn ? "your own devices" : "the survivor's devices"
      case .advocate(let log): audience = "advocate " + ShortID.of(log)
      case .everyone: audience = "everybody in the case"
      }
      let whose =
        entry.summary.author == .survivor && !entry.summary.isOwn ? "the survivor's" : page.whose
      let since: String
      if showing.share == nil {
        since = ", from the beginning"
      } else {
        since = ", since \(showing.time.map(Clock.text) ?? "later"), by \(whose) clock"
      }
      page.field("Shown to", audience + since)
    }
  }
}

/// One entry by itself.
struct EntryPage {
  let item: EntryHistory.Item
  var keptPrivate: KeptPrivate?
  private var detail: EntryDetail { item.detail }
  private var summary: EntrySummary { detail.summary }
  private var text: EntryText { EntryText(summary: summary) }

  func print() {
    field("Entry", summary.id.base32)
    field("Case", SafeText.line(summary.caseName))
    field("Author", author)
    if let by = item.takenBackBy {
      field("", "Taken back (\(ShortID.of(by))); it stays as it was.")
    }
    if summary.standing != .open { field("", text.title) }
    guard let content = summary.content else { return times() }
    privacy()
    if !content.about.isEmpty {
      field("About", content.about.map(ShortID.of).joined(separator: ", "))
    }
    says()
    Output.line()
    times()
    if content.unknownParts > 0 {
      Output.line()
      Output.paragraph(
        "A newer version of Cairn wrote more into this entry than can be shown here.")
    }
  }

  func privacy(isNested: Bool = false) {
    if let keptPrivate { field("Private", keptPrivate.said, isNested: isNested) }
  }

  /// "you", or a role with the beginning of the log's id, so that two advocates can be told apart.
  var author: String {
    summary.isOwn ? "you" : text.byWhom + " (\(ShortID.of(summary.logID)))"
  }

  /// Whose clock it was.
  var whose: String { summary.isOwn ? "this device's" : "its author's" }

  // MARK: - What it says

  func says(isNested: Bool = false) {
    guard let content = summary.content else { return }
    ContentText(
      content: content, presentAttachments: detail.presentAttachments, isNested: isNested
    ).print()
  }

  // MARK: - Times, each with its source

  func times(isNested: Bool = false) {
    let content = summary.content
    let says = summary.isOwn ? "you say" : "its author says"
    if let seen = content?.seen {
      field("Happened", "\(seen.text), as \(says)", isNested: isNested)
    } else if !isNested, content != nil {
      field("Happened", "not said")
    }
    if let seconds = summary.enteredAt {
      field("Entered", "\(Clock.text(seconds)), by \(whose) clock", isNested: isNested)
    }
    if let after = detail.notBefore {
      field(
        "Not before", "\(Clock.text(after.time)), by the clock of \(name(after))",
        isNested: isNested)
    }
    if detail.seenBy.isEmpty, !isNested {
      field("Seen by", "no other member yet, so only \(whose) clock vouches for the time")
    }
    for receipt in detail.seenBy {
      field(
        "Seen by", "\(name(receipt)), before \(Clock.text(receipt.time)) by their clock",
        isNested: isNested)
    }
  }

  private func name(_ receipt: Attestation) -> String {
    switch receipt.role {
    case .survivor?: return "the survivor"
    case .advocate?: return "an advocate"
    case nil: return "a member who is not known here"
    }
  }

  func field(_ name: String, _ value: String, isNested: Bool = false) {
    for line in ContentText.field(name, value, isNested: isNested) { Output.line(line) }
  }
}

extension KeptPrivate {
  /// In words that follow "private".
  var said: String {
    switch self {
    case .ownDevices: "only your own devices can open it"
    case .fewer: "only those whom you chose for it can open it"
    case .perhaps: "perhaps, as another of your devices entered it"
    }
  }
}

extension EntryContent.Takedown.Step {
  /// As a sentence has it.
  var said: String {
    switch self {
    case .reported: "reported"
    case .answered: "answered"
    case .removed: "removed"
    case .backAgain: "back again"
    case .refused: "refused"
    }
  }
}

/// All that an entry says, uncut: for showing it, and for showing what somebody else would be shown.
struct ContentText {
  let content: EntryContent
  /// Attachments of which the bytes are here.
  let presentAttachments: [UInt64]
  let isNested: Bool

  func print() {
    for line in lines { Output.line(line) }
  }

  var lines: [String] {
    var lines = particulars
    for attachment in content.attachments { lines += shown(attachment) }
    guard let words = content.words else { return lines }
    if !isNested { lines.append("") }
    for line in SafeText.lines(words) {
      lines += Columns.paragraph(line, indent: isNested ? 4 : 2)
    }
    return lines
  }

  private var particulars: [String] {
    var lines = said("Title", content.title)
    lines += said("Address", content.url)
    lines += said("Place", content.place)
    lines += said("Account", content.account)
    if !content.tags.isEmpty { lines += said("Tags", content.tags.joined(separator: ", ")) }
    if let takedown = content.takedown {
      lines += said("Takedown", takedown.step.said + (takedown.recipient.map { ", " + $0 } ?? ""))
      lines += said("Reference", takedown.reference)
    }
    if let request = content.request, request != .asked { lines += said("Answer", request.name) }
    if content.showsMinor {
      lines += said("Under 18", "It shows, or may show, somebody under 18.")
    }
    return lines
  }

  private func said(_ name: String, _ value: String?) -> [String] {
    value.map { Self.field(name, SafeText.line($0), isNested: isNested) } ?? []
  }

  private func shown(_ attachment: Attachment) -> [String] {
    var lines = said(
      "File", EntryText.describe(attachment) + ", " + SafeText.line(attachment.mediaType))
    lines += said("SHA-256", Hex.encode(attachment.sha256.bytes))
    if attachment.isWithoutContent {
      lines += said("", "Only size, type and SHA-256 are kept.")
    } else if !presentAttachments.contains(attachment.number) {
      lines += said("", "The file itself has not arrived here yet.")
    }
    return lines
  }

  static func field(_ name: String, _ value: String, isNested: Bool = false) -> [String] {
    let indent = isNested ? 4 : 0
    let width = 12
    // To the last column, so that a SHA-256 stays on one line.
    return Columns.wrap(value, to: Columns.width - width - indent).enumerated().map {
      index, line in
      String(repeating: " ", count: indent) + Columns.padded(index == 0 ? name : "", to: width)
        + line
    }
  }
}
