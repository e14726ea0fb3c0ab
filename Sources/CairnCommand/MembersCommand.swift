import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct MembersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "members", abstract: "Show who is a member of a case, or give members names.",
    discussion: """
      A MEMBER is the beginning of an id, at least four characters, or the name that you gave:
        cairn members name abcd "Helpline, Ms K."
      """,
    subcommands: [List.self, Name.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Show the members of a case (what “cairn members” does).")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The case's name; without it, the default one.")
    var `case`: String?

    func run() async throws {
      let found = try await global.withVault(terminal: global.terminal) { vault in
        try await vault.members(ofCase: self.case)
      }
      if global.json {
        struct Object: Encodable {
          let `case`: String
          let members: [MemberObject]
        }
        try Output.json(
          Object(case: found.caseName, members: found.members.map(MemberObject.init)))
        return
      }
      Output.line("Members of the case \(SafeText.quoted(found.caseName)):")
      let hasWritten = found.members.contains { $0.isOwn && $0.entriesWritten > 0 }
      for member in found.members.sorted(by: MemberText.isBefore) {
        Output.line()
        for line in MemberText(member: member, awaitsReceipt: hasWritten).lines {
          Output.paragraph(line.text, indent: line.indent)
        }
      }
    }
  }

  struct Name: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "name",
      abstract: "Give a member a name. It stays in this vault; nobody else sees it.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The member, as “cairn members” shows it.")
    var member: String

    @Argument(help: "A name of your choice; an empty one (\"\") takes it away.")
    var name: String

    @Option(
      name: .customLong("case"),
      help: ArgumentHelp("The case; without it, the default one.", valueName: "name"))
    var caseName: String?

    func run() async throws {
      let name = name.allSatisfy(\.isWhitespace) ? "" : try CaseName.checked(name)
      let named = try await global.withVault(terminal: global.terminal) { vault in
        try await vault.nameMember(member, name, inCase: caseName)
      }
      if global.json {
        struct Object: Encodable { let member: MemberObject }
        try Output.json(Object(member: MemberObject(named)))
        return
      }
      let id = MemberText.shortID(named.logID)
      Output.line(
        named.name.map { "Member \(id) is called \(SafeText.quoted($0)) in this vault." }
          ?? "Member \(id) has no name any more.")
    }
  }
}

/// A member as people read it.
struct MemberText {
  let member: MemberSummary
  /// Whether there is anything of one's own that others could give a receipt for.
  var awaitsReceipt = true

  static func shortID(_ id: LogID) -> String { String(id.base32.prefix(10)) }

  /// You first, then devices, then advocates; of each the one who is there longest.
  static func isBefore(_ left: MemberSummary, _ right: MemberSummary) -> Bool {
    func rank(_ member: MemberSummary) -> (Int, UInt64) {
      (member.isOwn ? 0 : member.role == .survivor ? 1 : 2, member.since ?? .max)
    }
    return rank(left) < rank(right)
  }

  var lines: [(text: String, indent: Int)] {
    var result = [(headline, 0)]
    func add(_ text: String?) { if let text { result.append((text, 4)) } }
    add(origin)
    add(standing)
    if !member.isOwn {
      let none = awaitsReceipt ? "no receipt for what you entered yet" : nil
      add(member.lastReceipt.map { "last receipt \(Clock.text($0)) by their clock" } ?? none)
    }
    let written = Quantity.count(member.entriesWritten, "entry", "entries")
    add(
      "wrote \(written)"
        + (member.entriesShared.map { "; can open \($0) of others" } ?? ""))
    return result
  }

  private var headline: String {
    let role = member.role == .survivor ? "device of the survivor" : "advocate"
    let name = member.name.map { SafeText.quoted($0) + ", " } ?? ""
    return "\(Self.shortID(member.logID))  \(name)\(role)\(member.isOwn ? " (you)" : "")"
  }

  private var origin: String {
    let since = member.since.map { " \(Clock.text($0))" } ?? ""
    switch member.origin {
    case .founding: return "started the case\(since)"
    case .root: return "admitted with the twelve words"
    case .entry: return "admitted\(since)"
    case .succession(let old): return "new keys of \(Self.shortID(old))"
    }
  }

  private var standing: String {
    switch member.standing {
    case .good: return "in good standing"
    case .lapses(let time): return "in good standing until \(Clock.text(time))"
    case .lapsed(let time): return "lapsed \(Clock.text(time)): nothing more is shared with them"
    case .removed(let size):
      let records =
        switch size {
        case 0: "nothing that they wrote counts"
        case 1: "of their records the first counts"
        default: "of their records the first \(size) count"
        }
      return "removed: \(records), and nothing more is shared with them; what they could open"
        + " before, they may keep"
    case .contested:
      return "in dispute: members removed each other, and the twelve words have to decide"
    }
  }
}

/// A member as scripts read it. The names are stable.
struct MemberObject: Encodable {
  let entriesShared: Int?
  let entriesWritten: Int
  let id: String
  let lastReceipt: String?
  let name: String?
  let origin: String
  let own: Bool
  /// Of what the member wrote, so many records count.
  let removedAt: UInt64?
  let role: String
  let since: String?
  let standing: String
  let successorOf: String?
  let until: String?

  init(_ member: MemberSummary) {
    entriesShared = member.entriesShared
    entriesWritten = member.entriesWritten
    id = member.logID.base32
    lastReceipt = member.lastReceipt.map(Clock.iso)
    name = member.name
    own = member.isOwn
    role = member.role.name
    since = member.since.map(Clock.iso)
    var old: LogID?
    switch member.origin {
    case .founding: origin = "founding"
    case .root: origin = "root"
    case .entry: origin = "admitted"
    case .succession(let of):
      origin = "newKeys"
      old = of
    }
    successorOf = old?.base32
    var (removedAt, until): (UInt64?, UInt64?)
    switch member.standing {
    case .good: break
    case .lapses(let time), .lapsed(let time): until = time
    case .removed(let size), .contested(let size): removedAt = size
    }
    standing = member.standing.name
    self.removedAt = removedAt
    self.until = until.map(Clock.iso)
  }
}

extension MemberSummary.Standing {
  /// A stable name for scripts.
  var name: String {
    switch self {
    case .good: return "good"
    case .lapses: return "lapses"
    case .lapsed: return "lapsed"
    case .removed: return "removed"
    case .contested: return "contested"
    }
  }
}

/// Somebody who can open an entry, as scripts read it.
struct ReaderObject: Encodable {
  let id: String
  let name: String?
  let removed: Bool
  let role: String

  init(_ reader: EntryReader) {
    id = reader.logID.base32
    name = reader.name
    removed = reader.isRemoved
    role = reader.role.name
  }
}
