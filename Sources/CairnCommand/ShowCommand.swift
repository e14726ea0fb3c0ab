import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is known of one entry.",
    discussion: """
      The entry as it was entered; then all that was said about it later, which changes nothing of \
      it; where takedowns and requests stand; and who was shown it when. Each time is told with its \
      source: what somebody says, the clock of a device, or the signature of another member.

        cairn show tesh7o
        cairn show tesh7o --json
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String

  func run() async throws {
    let (history, readers, privateOnes) = try await global.withVault(terminal: global.terminal) {
      vault in
      let history = try await vault.history(of: entry)
      let ids = [history.entry.summary.id] + history.later.map(\.summary.id)
      return (
        history, try await vault.readers(of: ids), try await vault.privateEntries(among: ids)
      )
    }
    if global.json {
      try Output.json(HistoryObject(history, readers: readers, privateOnes: privateOnes))
    } else {
      HistoryPage(history: history, privateOnes: privateOnes).print()
    }
  }
}

/// An entry with its history, as scripts read it. The names are stable.
struct HistoryObject: Encodable {
  struct Takedown: Encodable {
    let lastRecord: String
    let place: String?
    let records: Int
    let reference: String?
    let step: String
    let time: String
  }
  struct Request: Encodable {
    let answer: String?
    let id: String
    let state: String
  }

  let entry: EntryObject
  /// What was said about it later, by (log id, sequence).
  let later: [EntryObject]
  let requests: [Request]
  let takedowns: [Takedown]

  init(
    _ history: EntryHistory, readers: [EntryID: [EntryReader]], privateOnes: [EntryID: KeptPrivate]
  ) {
    func object(_ item: EntryHistory.Item) -> EntryObject {
      var object = EntryObject(item)
      object.sharedWith = (readers[item.summary.id] ?? []).map(ReaderObject.init)
      object.private = privateOnes[item.summary.id] != nil
      return object
    }
    entry = object(history.entry)
    later = history.later.map(object)
    requests = history.requests.map {
      Request(
        answer: $0.answer?.id.base32, id: $0.request.id.base32, state: $0.state.name)
    }
    takedowns = history.takedowns.map {
      Takedown(
        lastRecord: $0.last.id.base32, place: $0.recipient, records: $0.recordCount,
        reference: $0.reference, step: $0.step.name, time: Clock.iso($0.last.clock))
    }
  }
}

extension EntryContent.Takedown.Step {
  /// A stable name for scripts, as it is typed.
  var name: String {
    switch self {
    case .reported: "reported"
    case .answered: "answered"
    case .removed: "removed"
    case .backAgain: "back-again"
    case .refused: "refused"
    }
  }
}

extension EntryContent.Request {
  /// A stable name for scripts.
  var name: String {
    switch self {
    case .asked: "open"
    case .done: "done"
    case .declined: "declined"
    }
  }
}
