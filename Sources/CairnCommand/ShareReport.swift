import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// What is said before and after something was shared.
enum ShareText {
  /// What cannot be taken back.
  static func warning(_ preview: SharePreview, isNew: Bool, until: UInt64?) -> String {
    let count = Quantity.count(preview.entries.count, "entry", "entries")
    var text = "They will be able to open \(count) of \(SafeText.quoted(preview.caseName)) now"
    if isNew {
      text += ", and what is added to it later"
      text += until.map { ", until \(Clock.text($0))" } ?? ""
    }
    text += ". What somebody has opened cannot be taken back: they may keep it."
    let rest =
      privateOnes(preview.privateOnes)
      + leftOut(preview.along, keptBack: preview.keptBack)
    return ([text] + rest).joined(separator: " ") + " “cairn share --preview” shows all of it."
  }

  /// What is not shared with the entries, if there is anything.
  static func leftOut(_ along: SharedAlong, keptBack: [EntryID]) -> [String] {
    var said = !keptBack.isEmpty ? [Self.keptBack(keptBack)] : []
    let count = along.additionsLeftOut
    if count > 0 {
      said.append(
        "\(Quantity.count(count, "addition", "additions")) about these entries"
          + " \(count == 1 ? "is" : "are") not shared (\(ShortID.list(along.leftOut))); --with-additions shares"
          + " \(count == 1 ? "it" : "them") too.")
    }
    let rest = along.additionsKeptBack
    if rest > 0 {
      said.append(
        "\(Quantity.count(rest, "addition", "additions")) about these entries"
          + " \(rest == 1 ? "has" : "have") to be named with --entries to be shared"
          + " (\(ShortID.list(along.keptBack))): taken back,"
          + " meant for fewer, about something else too, or not written by you.")
    }
    return said
  }

  /// What is among the entries because of others, in words that follow their number; empty if nothing is.
  static func along(_ along: SharedAlong) -> String {
    var parts: [String] = []
    if along.retractionCount > 0 {
      parts.append(Quantity.count(along.retractionCount, "retraction", "retractions"))
    }
    if along.additionCount > 0 {
      parts.append(Quantity.count(along.additionCount, "addition", "additions"))
    }
    return parts.isEmpty ? "" : ", \(parts.joined(separator: " and ")) among them"
  }

  /// That what was named had been private.
  static func privateOnes(_ entries: [EntryID]) -> [String] {
    entries.isEmpty
      ? []
      : [
        "\(entries.count) of them you had kept private, or may have on another of your devices:"
          + " \(ShortID.list(entries))."
      ]
  }

  private static func keptBack(_ entries: [EntryID]) -> String {
    let ids = ShortID.list(entries)
    return entries.count == 1
      ? "One entry was kept back (\(ids)): it was kept private, or another device entered it and nobody else"
        + " could open it yet. Name it with --entries to share it."
      : "\(entries.count) entries were kept back (\(ids)): they were kept private, or another device entered them and"
        + " nobody else could open them yet. Name them with --entries to share them."
  }

  static func report(
    _ shared: ShareOutcome, typedCase: String, output: String, _ until: UInt64?, _ isJSON: Bool
  ) throws {
    if isJSON {
      struct Object: Encodable {
        let along: AlongObject
        let `case`: String
        let entryCount: Int
        let keptBack: Int
        let member: String
        let output: String
        let until: String?
        let words: String
      }
      try Output.json(
        Object(
          along: AlongObject(shared.along), case: shared.caseName, entryCount: shared.entryCount,
          keptBack: shared.keptBack.count,
          member: shared.member.base32, output: output, until: until.map(Clock.iso),
          words: SixWords.shown(shared.caseWords)))
      return
    }
    let count = Quantity.count(shared.entryCount, "entry", "entries")
    Output.paragraph(
      "The case \(SafeText.quoted(shared.caseName)) is shared: \(count) so far"
        + "\(along(shared.along)), and what is added later"
        + (until.map { ", until \(Clock.text($0))." } ?? "."))
    for text in privateOnes(shared.privateOnes) + leftOut(shared.along, keptBack: shared.keptBack) {
      Output.paragraph(text)
    }
    Output.paragraph(
      "The invitation is in \(SafeText.line(output)). Send it to them; it is for their card only.")
    Output.line("When they ask for the six words of the case, say these by voice:")
    Output.line()
    Output.line("    " + SixWords.shown(shared.caseWords))
    Output.line()
    Output.paragraph(
      "Then meet in a folder: cairn sync \(SafeText.argument(typedCase)) --mailbox FOLDER")
    Output.paragraph(
      "To give them a name of your own: cairn members name \(MemberText.shortID(shared.member))"
        + " NAME --case \(SafeText.argument(typedCase))")
  }

  static func report(
    _ shared: FurtherShareOutcome, typedCase: String, member: String, _ isJSON: Bool
  ) throws {
    if isJSON {
      struct Object: Encodable {
        let along: AlongObject
        let alreadyShared: Int
        let `case`: String
        let entries: [String]
        let keptBack: Int
        let member: String
      }
      try Output.json(
        Object(
          along: AlongObject(shared.along), alreadyShared: shared.alreadySharedCount,
          case: shared.caseName,
          entries: shared.entries.map(\.base32), keptBack: shared.keptBack.count,
          member: shared.member.base32))
      return
    }
    let who = SafeText.line(member)
    if shared.entries.isEmpty {
      Output.paragraph("There was nothing to share: \(who) can open all of that already.")
    } else {
      let count = Quantity.count(shared.entries.count, "entry", "entries")
      Output.paragraph(
        "\(count) \(shared.entries.count == 1 ? "is" : "are") shared with \(who)"
          + "\(along(shared.along)). They arrive with the next exchange: cairn sync"
          + " \(SafeText.argument(typedCase))")
    }
    if shared.alreadySharedCount > 0, !shared.entries.isEmpty {
      Output.paragraph("\(shared.alreadySharedCount) of those chosen could be opened there before.")
    }
    for text in privateOnes(shared.privateOnes) + leftOut(shared.along, keptBack: shared.keptBack) {
      Output.paragraph(text)
    }
  }
}

/// What came with the entries that were shared, or did not, as scripts read it.
struct AlongObject: Encodable {
  let additions: Int
  let additionsKeptBack: Int
  let additionsLeftOut: Int
  let retractions: Int

  init(_ along: SharedAlong) {
    additions = along.additionCount
    additionsKeptBack = along.additionsKeptBack
    additionsLeftOut = along.additionsLeftOut
    retractions = along.retractionCount
  }
}

/// An entry as somebody else would be shown it.
struct SharedEntryText {
  let entry: EntrySummary

  var lines: [String] {
    let what = [EntryKind.amend: "an addition", .retract: "a retraction"]
    let remarks =
      [entry.kind.flatMap { what[$0] }, entry.isRetracted ? "taken back since" : nil]
    var lines = [([ShortID.of(entry.id)] + remarks.compactMap(\.self)).joined(separator: "  ")]
    guard let content = entry.content else { return lines }
    if !content.about.isEmpty {
      lines += ContentText.field(
        "About", content.about.map(ShortID.of).joined(separator: ", "), isNested: true)
    }
    lines +=
      ContentText(
        content: content, presentAttachments: content.attachments.map(\.number), isNested: true
      ).lines
    for line in EntryText(summary: entry).timeLines {
      lines += Columns.paragraph(line, indent: 4)
    }
    return lines
  }
}

/// What somebody would see.
struct SharePreviewReport {
  let preview: SharePreview
  let until: UInt64?

  func printText() {
    let count = Quantity.count(preview.entries.count, "entry", "entries")
    let along = ShareText.along(preview.along)
    Output.paragraph("Nothing is shared yet. They would see \(count)\(along), as it stands here:")
    Output.line()
    for entry in preview.entries {
      for line in SharedEntryText(entry: entry).lines { Output.line(line) }
    }
    if !preview.entries.isEmpty { Output.line() }
    if preview.alreadySharedCount > 0 {
      Output.paragraph("\(preview.alreadySharedCount) of those chosen can be opened there already.")
    }
    for text in ShareText.privateOnes(preview.privateOnes)
      + ShareText.leftOut(preview.along, keptBack: preview.keptBack)
    {
      Output.paragraph(text)
    }
    if preview.member == nil {
      Output.paragraph(
        "Also what is added later" + (until.map { ", until \(Clock.text($0))." } ?? "."))
    }
    Output.paragraph("Whoever is a member sees of everybody, without being able to open it:")
    for log in preview.logs {
      Output.paragraph(
        "\(log.role.name) \(MemberText.shortID(log.logID)), public keys,"
          + " \(Quantity.count(log.entryCount, "entry", "entries")), of which"
          + " \(log.withheldCount) not shared with them", indent: 4)
    }
    Output.paragraph(
      "They also see when entries were shared with whom, removed or erased, and not what they say."
        + " What takes back an entry always comes with it. Additions come with --with-additions, or"
        + " by their ids.")
  }

  private struct Object: Encodable {
    struct Member: Encodable {
      let entryCount: Int
      let id: String
      let receiptKey: String
      let role: String
      let signingKey: String
      let withheldCount: Int
    }
    let additionsLeftOut: [EntryObject]
    let along: AlongObject
    let alreadyShared: Int
    let entries: [EntryObject]
    let keptBack: Int
    let laterToo: Bool
    let member: String?
    let members: [Member]
    let until: String?
  }

  func printJSON() throws {
    try Output.json(
      Object(
        additionsLeftOut: preview.additionsLeftOut.map(Self.shown),
        along: AlongObject(preview.along), alreadyShared: preview.alreadySharedCount,
        entries: preview.entries.map(Self.shown), keptBack: preview.keptBack.count,
        laterToo: preview.member == nil, member: preview.member?.base32,
        members: preview.logs.map { log in
          Object.Member(
            entryCount: log.entryCount, id: log.logID.base32,
            receiptKey: Hex.encode(log.receiptKey.bytes), role: log.role.name,
            signingKey: Hex.encode(log.signingKey.bytes), withheldCount: log.withheldCount)
        }, until: until.map(Clock.iso)))
  }

  /// Without what this vault calls the case, which is never sent to anybody.
  private static func shown(_ entry: EntrySummary) -> EntryObject {
    var object = EntryObject(entry)
    object.case = nil
    return object
  }
}
