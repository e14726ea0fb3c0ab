import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// An entry as people read it. Three kinds of time stay apart: what somebody says, what the
/// author's clock said, and what other members have signed for.
struct EntryText {
  let summary: EntrySummary
  private var content: EntryContent? { summary.content }

  /// A few lines, each of one row: for lists.
  var listLines: [String] {
    var lines = [title]
    if let title = content?.title { lines.append("title: " + SafeText.line(title)) }
    if let tags = content?.tags, !tags.isEmpty {
      lines.append("tags: " + SafeText.line(tags.joined(separator: ", ")))
    }
    if let url = content?.url { lines.append(SafeText.line(url)) }
    // Words that stand above already are not repeated.
    if let content, let words = content.words, !content.isOnlyWords || !isEvidence {
      lines.append(Self.quoted(words))
    }
    lines += timeLines
    let indent = String(repeating: " ", count: 12)
    return lines.enumerated().map { index, line in
      let head = index == 0 ? ShortID.of(summary.id) + "  " : indent
      return head + Columns.cut(line, to: Columns.width - 1 - 12)
    }
  }

  /// What is said of its time, each with its source.
  var timeLines: [String] {
    [content?.seen.map { Self.claimed($0, by: summary) }, entered].compactMap { $0 }
  }

  /// What it is, in one line.
  var title: String {
    switch summary.standing {
    case .locked where summary.isDestroyedHere: return "erased once: its content was destroyed here"
    case .locked: return "not shared with this copy, or its key has not arrived yet"
    case .violation: return "set aside: its author's role does not include it"
    case .erased: return "erased"
    case .setAside: return "set aside: written after its author was removed"
    case .disputed: return "disputed: " + opened
    case .open: return opened
    }
  }

  private var opened: String {
    guard let content else { return "made by a newer version" }
    return (summary.isOwn ? "" : byWhom + ": ") + says(content)
  }

  private var isEvidence: Bool { summary.kind == .evidence }

  /// Its kind, and what it is about; of evidence, what there is of it.
  private func says(_ content: EntryContent) -> String {
    let files = content.attachments.map(Self.describe)
    let tail = files.isEmpty ? "" : ": " + files.joined(separator: "; ")
    switch summary.kind {
    case .amend?:
      return
        (content.isOnlyTags ? "tags" + about("on", content) : "an addition" + about("to", content))
        + tail
    case .retract?: return "a retraction" + about("of", content)
    case .note?: return "a note" + about("about", content) + tail
    case .takedown?:
      let takedown = content.takedown
      let place = takedown?.recipient.map { ", " + SafeText.line($0) } ?? ""
      let step = takedown.map { " (\($0.step.said)\(place))" } ?? ""
      return "a takedown step" + step + about("about", content) + tail
    case .request?:
      guard let answer = content.request, answer != .asked else {
        return "a request" + about("about", content)
      }
      return "an answer (\(answer.name))" + about("to the request", content)
    default: return evidence(content, files)
    }
  }

  private func evidence(_ content: EntryContent, _ files: [String]) -> String {
    if !files.isEmpty { return files.joined(separator: "; ") }
    if content.isOnlyWords, let words = content.words { return Self.quoted(words) }
    return content.url == nil ? "an entry without words" : "an address"
  }

  /// " about tesh7o7g4q"; empty for what is about the case.
  private func about(_ word: String, _ content: EntryContent) -> String {
    content.about.isEmpty ? "" : " \(word) \(ShortID.list(content.about))"
  }

  private static func quoted(_ words: String) -> String {
    "“" + SafeText.joined(words) + "”"
  }

  var byWhom: String {
    if summary.isOwn { return "you" }
    switch summary.author {
    case .survivor?: return "the survivor"
    case .advocate?: return "an advocate"
    case nil: return "somebody who is not known here yet"
    }
  }

  static func describe(_ attachment: Attachment) -> String {
    let name = attachment.name.map(SafeText.name) ?? "unnamed"
    let kept = attachment.isWithoutContent ? ", hash only" : ""
    return "\(name), \(Quantity.bytes(attachment.size))\(kept)"
  }

  static func claimed(_ seen: ClaimedTime, by summary: EntrySummary) -> String {
    (summary.isOwn ? "happened, as you say: " : "happened, as its author says: ") + seen.text
  }

  var entered: String? {
    summary.enteredAt.map { seconds in
      let clock = summary.isOwn ? "this device's clock" : "its author's clock"
      return "entered: \(Clock.text(seconds)), by \(clock)"
    }
  }
}

extension EntryContent {
  /// Neither a file nor an address: its words are what it is.
  var isOnlyWords: Bool { attachments.isEmpty && url == nil && words != nil }

  /// As `cairn tag` adds them.
  var isOnlyTags: Bool {
    var rest = self
    rest.tags = []
    return !tags.isEmpty && rest.isOnlyAbout
  }
}

/// Times by clocks, as people and as scripts read them.
enum Clock {
  /// `2024-05-31 14:30:05 UTC`
  static func text(_ seconds: UInt64) -> String {
    Int64(exactly: seconds).flatMap { ZonedTime(seconds: $0)?.text } ?? "second \(seconds)"
  }

  /// `2024-05-31T14:30:05Z`
  static func iso(_ seconds: UInt64) -> String {
    text(seconds).replacing(" UTC", with: "Z").replacing(" ", with: "T")
  }
}
