import ArgumentParser
import CaseLog
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// What `list` and `search` choose entries by, and how they go through them.
struct FindingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("That happened then or later, as it is said.", valueName: "time"))
  var happenedFrom: String?

  @Option(
    help: ArgumentHelp(
      "That happened then or earlier: a day, a month and a year are meant to their end, in UTC.",
      valueName: "time"))
  var happenedTo: String?

  @Option(
    help: ArgumentHelp(
      "That were entered then or later, by the clock of their author's device.", valueName: "time"))
  var enteredFrom: String?

  @Option(help: ArgumentHelp("That were entered then or earlier.", valueName: "time"))
  var enteredTo: String?

  @Option(
    help: ArgumentHelp(
      "From this platform or site: example.org, or just example.", valueName: "name"))
  var place: String?

  @Option(help: ArgumentHelp("Of this account.", valueName: "name"))
  var account: String?

  @Option(help: ArgumentHelp("With this tag; again for more, all of which have to be there."))
  var tag: [String] = []

  @Option(
    help: ArgumentHelp(
      "Of this kind: \(KindNames.all.joined(separator: ", ")); again for one more."))
  var kind: [String] = []

  @Option(
    help: ArgumentHelp(
      "Written by: me, survivor, advocate, or the member whose id begins so.", valueName: "member"))
  var byMember: String?

  @Option(
    help: ArgumentHelp(
      "That this member can open, by the beginning of the id; “me”: that only you can open.",
      valueName: "member"))
  var audience: String?

  @Option(
    help: ArgumentHelp(
      "That are: \(StateNames.all.joined(separator: ", ")); again for one more."))
  var state: [String] = []

  @Option(
    help: ArgumentHelp("With a file of this type: image, image/png, video …", valueName: "type"))
  var type: String?

  @Flag(help: "With a file.")
  var withFile = false

  @Option(
    help: ArgumentHelp(
      "The order: entered (by the clocks of their authors, the usual one), happened (as it is said),"
        + " proven (by when another member had signed for it).", valueName: "time"))
  var by: String = "entered"

  @Flag(help: "The newest first.")
  var newestFirst = false

  @Option(help: ArgumentHelp("At most so many.", valueName: "number"))
  var limit: Int?

  @Option(help: ArgumentHelp("Go on where a list ended.", valueName: "mark"))
  var after: String?

  /// Whether anything was named that leaves entries out.
  var isFiltering: Bool {
    let texts = [
      happenedFrom, happenedTo, enteredFrom, enteredTo, place, account, byMember, audience, type,
    ]
    return texts.contains { $0 != nil } || !tag.isEmpty || !kind.isEmpty || !state.isEmpty
      || withFile
  }

  /// The query that was typed.
  ///
  /// - Throws: a failure that says which word could not be understood.
  func query(_ scope: EntryQuery.Scope) throws -> EntryQuery {
    var query = EntryQuery(scope)
    query.happened = EntryQuery.Span(
      from: try Self.time(happenedFrom), to: try Self.time(happenedTo))
    query.entered = EntryQuery.Span(from: try Self.time(enteredFrom), to: try Self.time(enteredTo))
    try Self.require(query.happened, "--happened-from", "--happened-to")
    try Self.require(query.entered, "--entered-from", "--entered-to")
    query.place = place
    query.account = account
    query.tags = tag
    query.kinds = try kind.map(KindNames.kind)
    query.author = byMember.map(Self.author)
    query.audience = audience.map { $0 == "me" ? .ownDevices : .member($0) }
    query.states = Set(try state.map(StateNames.state))
    query.mediaType = type
    if withFile { query.hasFile = true }
    query.order = try Self.order(by)
    query.isNewestFirst = newestFirst
    if let limit, !(1...Self.longestPage).contains(limit) {
      throw Failure.usage(
        "invalidLimit",
        Sentence(
          "--limit needs a number from 1 to \(Self.longestPage).", safe: Sentences.unchanged,
          next: "Give one, such as 50, or leave --limit out to see everything."))
    }
    query.limit = limit
    query.after = after
    return query
  }

  /// How many entries stand on a page for people, unless they say: as many as can be taken in on a terminal, and
  /// all where the output goes elsewhere.
  var pageLength: Int? { limit ?? (isatty(1) == 1 ? 50 : nil) }

  private static let longestPage = 1_000_000

  private static func time(_ typed: String?) throws -> ClaimedTime? {
    do { return try typed.flatMap(Draft.time) } catch let failure as Failure {
      let sentence = failure.sentence
      throw Failure.usage(
        failure.code, Sentence(sentence.what, safe: Sentences.unchanged, next: sentence.next))
    }
  }

  /// Nothing lies in a span that ends before it begins; that it is empty would be believed of the case.
  private static func require(
    _ span: EntryQuery.Span, _ from: String, _ to: String
  ) throws {
    guard let first = span.from, let last = span.to, last < first else { return }
    throw Failure.usage(
      "invalidSpan",
      Sentence(
        "\(to) is earlier than \(from), so nothing can lie in between.",
        safe: Sentences.unchanged, next: "Exchange the two, or correct one of them."))
  }

  private static func author(_ typed: String) -> EntryQuery.Author {
    switch typed {
    case "me": return .own
    case "survivor": return .role(.survivor)
    case "advocate": return .role(.advocate)
    default: return .member(typed)
    }
  }

  private static func order(_ typed: String) throws -> EntryQuery.Order {
    switch typed {
    case "entered": return .entered
    case "happened": return .happened
    case "proven": return .existedBy
    default:
      throw unknown(
        "unknownOrder", "There is no order by \(SafeText.quoted(typed)).",
        ["entered", "happened", "proven"])
    }
  }

  static func unknown(_ code: String, _ what: String, _ known: [String]) -> Failure {
    .usage(
      code,
      Sentence(
        what, safe: Sentences.unchanged,
        next: "Any of these will do: " + known.joined(separator: ", ") + "."))
  }
}

/// Kinds of entries as they are typed and printed.
enum KindNames {
  private static let kinds: [EntryKind] = [
    .evidence, .amend, .retract, .note, .takedown, .request,
  ]
  static var all: [String] { kinds.compactMap(\.name) }

  static func kind(_ typed: String) throws -> EntryKind {
    if let kind = kinds.first(where: { $0.name == typed }) { return kind }
    throw FindingOptions.unknown(
      "unknownKind", "There is no kind \(SafeText.quoted(typed)) of entries.", all)
  }
}

/// States of entries as they are typed.
enum StateNames {
  private static let states: [(name: String, state: EntryQuery.State)] = [
    ("open", .open), ("locked", .locked), ("retracted", .retracted), ("disputed", .disputed),
    ("set-aside", .setAside), ("erased", .erased), ("violation", .violation),
  ]
  static var all: [String] { states.map(\.name) }

  static func state(_ typed: String) throws -> EntryQuery.State {
    if let found = states.first(where: { $0.name == typed }) { return found.state }
    throw FindingOptions.unknown(
      "unknownState", "Entries are never \(SafeText.quoted(typed)).", all)
  }
}
