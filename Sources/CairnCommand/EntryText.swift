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
    if let url = content?.url { lines.append(SafeText.line(url)) }
    if let content, let words = content.words, !content.isOnlyWords {
      lines.append("“" + SafeText.line(words.replacing("\n", with: " ")) + "”")
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
    var parts = content.attachments.map(Self.describe)
    if parts.isEmpty {
      if content.isOnlyWords, let words = content.words {
        parts = ["“" + SafeText.line(words.replacing("\n", with: " ")) + "”"]
      } else {
        parts = [content.url == nil ? "a note" : "an address"]
      }
    }
    let prefix = summary.isOwn ? "" : byWhom + ": "
    return prefix + parts.joined(separator: "; ")
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
