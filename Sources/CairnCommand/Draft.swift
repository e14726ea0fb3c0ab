import CaseLog
import Foundation
import Vault
import VerifiableLog

#if canImport(Glibc)
  import Glibc
#endif

/// What is known of a new entry beside its file, each part already checked.
struct Draft {
  var content = EntryContent()

  /// Neither address nor time nor words: nothing that could stand without a file.
  var isEmpty: Bool { content.url == nil && content.seen == nil && content.words == nil }

  init(
    url: String? = nil, seenAt: String? = nil, text: String? = nil,
    particulars: ParticularsOptions? = nil
  ) throws {
    content.url = try url.map(Self.address)
    content.seen = try seenAt.flatMap(Self.time)
    content.words = try text.map(Self.words)
    if let particulars { try particulars.fill(&content) }
  }

  // MARK: - Address

  /// The address as it was typed, if it is one.
  static func address(_ typed: String) throws -> String {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else {
      throw invalidAddress("The address is empty.", "Leave out --url if there is none.")
    }
    guard text.utf8.count <= Limits.url else {
      throw invalidAddress(
        "This address is longer than 8 KiB.", "Shorten it, or save it as a file.")
    }
    guard !text.unicodeScalars.contains(where: isForbidden) else {
      throw invalidAddress(
        "This address has a space or a hidden character in it.",
        "Copy it again from the browser's address line.")
    }
    guard let mark = text.range(of: "://") else {
      throw invalidAddress(
        "\(SafeText.quoted(Columns.cut(text, to: 60))) is not a whole address: its beginning is missing.",
        "Perhaps https:// belongs in front of it.")
    }
    let scheme = text[..<mark.lowerBound]
    guard let first = scheme.unicodeScalars.first, isLetter(first),
      scheme.unicodeScalars.allSatisfy({
        isLetter($0) || ("0"..."9").contains($0) || "+-.".unicodeScalars.contains($0)
      }), let host = URL(string: text)?.host(), !host.isEmpty
    else {
      throw invalidAddress(
        "\(SafeText.quoted(Columns.cut(text, to: 60))) is not an address that can be read.",
        "Copy it again from the browser's address line; it looks like https://example.org/page.")
    }
    return text
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    !SafeText.isHarmless(scalar) || scalar.properties.isWhitespace
  }

  private static func invalidAddress(_ what: String, _ next: String) -> Failure {
    .usage("invalidURL", Sentence(what, safe: "Nothing was added.", next: next))
  }

  // MARK: - Time

  /// When it happened; nil for nothing.
  static func time(_ typed: String) throws -> ClaimedTime? {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.isEmpty { return nil }
    if let time = ClaimedTime(typed: text) { return time }
    if isInAnotherOrder(text) {
      throw Failure.usage(
        "invalidTime",
        Sentence(
          "\(SafeText.quoted(Columns.cut(text, to: 60))) is a day that not everybody reads alike. Write"
            + " the year first, then month and day: 2024-05-31.", safe: "Nothing was added.",
          next: "With the hour, that is 2024-05-31T14:30+02:00."))
    }
    throw Failure.usage(
      "invalidTime",
      Sentence(
        whyNotATime(text), safe: "Nothing was added.",
        next: "Any of these will do: 2024-05-31, 2024-05, “about 2024-05-31”, “2024-05-01 to"
          + " 2024-05-31”, or with the hour 2024-05-31T14:30+02:00."))
  }

  /// Three numbers for a day, and not as ISO 8601 has them: never guessed, since 05/06/2024 is a day in May
  /// to some and one in June to others.
  private static func isInAnotherOrder(_ text: String) -> Bool {
    let dayFirst = #/(^|\s)\d{1,2}([./-])\s?\d{1,2}\2\s?(\d{4}|\d{2})\b/#
    let yearFirst = #/(^|\s)\d{4}([./])\s?\d{1,2}\2\s?\d{1,2}\b/#
    return text.firstMatch(of: dayFirst) != nil || text.firstMatch(of: yearFirst) != nil
  }

  private static func whyNotATime(_ text: String) -> String {
    let shown = SafeText.quoted(Columns.cut(text, to: 60))
    if ClaimedTime(typed: text + "Z") != nil {
      return "\(shown) lacks the time zone, such as +02:00 or Z for UTC"
        + (localZone(at: text).map { "; where this computer is, it is \($0)." } ?? ".")
    }
    if endsBeforeItBegins(text) { return "\(shown) ends before it begins." }
    // A day or month in it, of the right form, that is in no calendar.
    let missing = text.matches(of: #/\b\d{4}-\d{2}(-\d{2})?\b/#).map { String($0.output.0) }
      .first { ClaimedTime(typed: $0) == nil }
    if let missing { return "\(SafeText.quoted(missing)) is not in the calendar." }
    return "\(shown) is not a time that can be understood."
  }

  /// Whether it is two times that can be understood, in the wrong order.
  private static func endsBeforeItBegins(_ text: String) -> Bool {
    let separators = [" to ", "..", "/"]
    guard let middle = separators.compactMap({ text.range(of: $0) }).first else { return false }
    let ends = [text[..<middle.lowerBound], text[middle.upperBound...]].map {
      ClaimedTime(typed: String($0))
    }
    guard let first = ends[0], let last = ends[1] else { return false }
    return last.firstSecond < first.firstSecond
  }

  /// The offset of this machine's zone at that time, as `+02:00`.
  private static func localZone(at text: String) -> String? {
    guard case .exact(let utc)? = ClaimedTime(typed: text + "Z") else { return nil }
    let seconds = TimeZone.current.secondsFromGMT(
      for: Date(timeIntervalSince1970: Double(utc.seconds)))
    let minutes = abs(seconds) / 60
    return (seconds < 0 ? "-" : "+") + String(format: "%02d:%02d", minutes / 60, minutes % 60)
  }

  /// A time that has not come yet is kept as it was said, since nothing is corrected here, but is mostly a slip.
  func remarkIfAhead(of saved: EntryID) {
    // Where days begin first, one begins 14 hours before it does in UTC.
    guard let seen = content.seen, seen.firstSecond - 50_400 > Int64(clamping: ProcessRules.now())
    else {
      return
    }
    Output.remark(
      "Note: when it happened, as you say, lies ahead: \(seen.text). If that was a slip, add the right"
        + " time: cairn amend \(ShortID.of(saved)) --seen-at TIME")
  }

  // MARK: - Words

  /// The words themselves, those of the file that `@FILE` names, or `-` for those on standard input;
  /// `@@` begins words with an @.
  static func words(_ typed: String) throws -> String {
    let text: String
    if typed == "-" {
      text = try TextFile.readStandardInput()
    } else if typed.hasPrefix("@@") {
      text = String(typed.dropFirst())
    } else if typed.hasPrefix("@") {
      text = try TextFile.read(String(typed.dropFirst()))
    } else {
      text = typed
    }
    return try checked(words: text)
  }

  static func checked(words: String) throws -> String {
    guard words.utf8.count <= Limits.words else { throw Failure(VaultError(.entryTooLarge)) }
    guard !words.allSatisfy(\.isWhitespace) else {
      throw Failure.usage(
        "emptyText",
        Sentence(
          "The text is empty.", safe: "Nothing was added.",
          next: "Leave out --text if there is nothing to say."))
    }
    return words
  }
}

/// Texts that are given as files.
enum TextFile {
  static func read(_ path: String) throws -> String {
    let subject = SafeText.quoted(path)
    let size = try FileCheck(path: path).size
    guard size <= UInt64(Limits.words) else { throw Failure(VaultError(.entryTooLarge)) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(VaultError(.fileUnreadable), subject: subject)
    }
    return try text([UInt8](data), subject)
  }

  /// All that comes on standard input; Ctrl-C ends the waiting.
  static func readStandardInput() throws -> String {
    let input = try StandardInput()
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe Glibc.read(input?.descriptor ?? STDIN_FILENO, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw VaultError(.inputOutput, systemError: errno) }
      try Interruption.check()
      if count == 0 { break }
      bytes += buffer[..<count]
      guard bytes.count <= Limits.words else { throw Failure(VaultError(.entryTooLarge)) }
    }
    try input?.check()
    return try text(bytes, "What came on standard input")
  }

  private static func text(_ bytes: [UInt8], _ subject: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        code: "notText", status: .other,
        Sentence(
          "\(subject) is not a text in UTF-8.", safe: "Nothing was added.",
          next: "Add it as a file instead: cairn add FILE"))
    }
    return text
  }
}
