import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// A salvaged entry for people: what it says, and where that comes from.
struct SalvagedText {
  private let entry: SalvagedEntry

  init(_ entry: SalvagedEntry) { self.entry = entry }

  var text: String {
    var lines = ["Salvaged, NOT VERIFIED", ""]
    func line(_ label: String, _ value: String?) {
      guard let value else { return }
      lines.append(Columns.padded(label + ":", to: 12) + SafeText.line(value))
    }
    line("entry", entry.id?.base32 ?? "its name is lost")
    line("source", entry.source.rawValue)
    if entry.isOld { line("old", "yes") }
    if entry.isDoubtful { line("doubtful", "yes: another row of it says something else") }
    line("case", entry.caseName ?? "unknown")
    line("kind", entry.kind.name ?? "kind \(entry.kind.code)")
    line("author", entry.authorName ?? entry.author?.base32 ?? "unknown")
    line("entered", Clock.text(entry.clock) + ", by its author's clock")
    guard let content = entry.content else {
      return (lines + ["", "It breaks the rules of its kind, so what it says was left out.", ""])
        .joined(separator: "\n")
    }
    line("title", content.title)
    line("address", content.url)
    line("happened", content.seen.map { $0.text + ", as its author says" })
    line("platform", content.place)
    line("account", content.account)
    if !content.tags.isEmpty { line("tags", content.tags.joined(separator: ", ")) }
    for about in content.about { line("about", about.base32) }
    if let takedown = content.takedown {
      line(
        "takedown",
        [takedown.step.name, takedown.recipient, takedown.reference].compactMap { $0 }
          .joined(separator: ", "))
    }
    if content.showsMinor { line("under 18", "yes") }
    if let words = content.words { lines += [""] + SafeText.lines(words) }
    for attachment in content.attachments {
      lines += [
        "", "file \(attachment.number + 1)",
        "  its name was \(attachment.name.map(SafeText.name) ?? "not kept")",
        "  \(attachment.size) bytes, \(SafeText.line(attachment.mediaType))",
        "  SHA-256 in the entry: \(Hex.encode(attachment.sha256.bytes))",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Below the text of its entry, once it is written.
  static func text(of file: SalvagedEntry.File) -> String {
    var lines = ["", "file \(file.attachment.number + 1): " + (file.path ?? "not written")]
    switch file.state {
    case .whole:
      lines.append(
        file.givesHash ? "  whole, and gives this SHA-256" : "  whole, and gives ANOTHER SHA-256")
    case .hashOnly: lines.append("  only its hash, size and type were ever kept")
    case .lost: lines.append("  nothing of it could be read")
    case .tooLarge: lines.append("  too large for the disk that this was written to")
    case .noRoom: lines.append("  there was no room left for it")
    case .notWritten: lines.append("  the disk that this was written to gave an error")
    case .damaged(let missing):
      lines.append("  IN PART. Zeros stand where these bytes are lost (the first is 0):")
      for range in missing { lines.append("    \(range.lowerBound) to \(range.upperBound - 1)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// For the report; nil for one that is whole.
  static func lack(of file: SalvagedEntry.File) -> String? {
    let number = "file \(file.attachment.number + 1)"
    switch file.state {
    case .hashOnly: return nil
    case .whole:
      return file.givesHash ? nil : "\(number) gives another SHA-256 than the entry names"
    case .lost: return "\(number), \(Quantity.bytes(file.attachment.size)): nothing could be read"
    case .tooLarge:
      return "\(number), \(Quantity.bytes(file.attachment.size)): too large for this disk"
    case .noRoom:
      return "\(number), \(Quantity.bytes(file.attachment.size)): there was no room left for it"
    case .notWritten:
      return "\(number), \(Quantity.bytes(file.attachment.size)): this disk gave an error"
    case .damaged(let missing):
      let lost = missing.reduce(0) { $0 + UInt64($1.count) }
      return
        "\(number): \(lost) of \(file.attachment.size) bytes are lost; \(file.path ?? "") has zeros there"
    }
  }
}

/// The same for programs.
struct SalvagedObject: Encodable {
  struct File: Encodable {
    let mediaType: String
    let name: String?
    let number: UInt64
    let sha256: String
    let size: UInt64

    init(_ attachment: Attachment) {
      mediaType = attachment.mediaType
      name = attachment.name.map(SafeText.name)
      number = attachment.number
      sha256 = Hex.encode(attachment.sha256.bytes)
      size = attachment.size
    }
  }
  struct Takedown: Encodable {
    let place: String?
    let reference: String?
    let step: String
  }

  let about: [String]
  let account: String?
  let author: String?
  let authorName: String?
  let `case`: String?
  let caseID: String?
  let doubtful: Bool
  let enteredAt: String
  let files: [File]
  let id: String?
  let kind: String?
  let minor: Bool
  let number: Int
  let old: Bool
  let place: String?
  let seenAt: String?
  let source: String
  let tags: [String]
  let takedown: Takedown?
  let title: String?
  let url: String?
  let verified = false
  let words: String?

  init(_ entry: SalvagedEntry) {
    let content = entry.content
    about = content?.about.map(\.base32) ?? []
    account = content?.account
    author = entry.author?.base32
    authorName = entry.authorName
    `case` = entry.caseName
    caseID = entry.caseID?.fingerprint
    enteredAt = Clock.iso(entry.clock)
    doubtful = entry.isDoubtful
    files = content?.attachments.map(File.init) ?? []
    id = entry.id?.base32
    kind = entry.kind.name
    minor = content?.showsMinor ?? false
    number = entry.number
    old = entry.isOld
    place = content?.place
    seenAt = content?.seen?.text
    source = entry.source.rawValue
    tags = content?.tags ?? []
    takedown = content?.takedown.map {
      Takedown(place: $0.recipient, reference: $0.reference, step: $0.step.name)
    }
    title = content?.title
    url = content?.url
    words = content?.words
  }
}

/// What became of a file, for programs.
struct SalvagedFileObject: Encodable {
  let entry: Int
  let givesHash: Bool
  /// First byte that is lost, and the first after it that is not.
  let missing: [[UInt64]]
  let number: UInt64
  let path: String?
  let state: String

  init(_ file: SalvagedEntry.File) {
    let attachment = file.attachment
    switch file.state {
    case .whole: (state, missing) = ("whole", [])
    case .lost: (state, missing) = ("lost", [[0, attachment.size]])
    case .tooLarge: (state, missing) = ("tooLarge", [[0, attachment.size]])
    case .noRoom: (state, missing) = ("noRoom", [[0, attachment.size]])
    case .notWritten: (state, missing) = ("notWritten", [[0, attachment.size]])
    case .hashOnly: (state, missing) = ("hashOnly", [])
    case .damaged(let ranges):
      (state, missing) = ("damaged", ranges.map { [$0.lowerBound, $0.upperBound] })
    }
    entry = file.entry
    givesHash = file.givesHash
    number = attachment.number
    path = file.path
  }
}
