import ArgumentParser
import CaseLog
import Vault

struct RequestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "request", abstract: "Ask the others in the case for something, or answer.",
    discussion: """
      A request stays open until somebody answers it as done or declined. Nobody has to: a request \
      gives no right to anything.

        cairn request tesh7o --text "Could you add the full address?"
        cairn request --case shared --text "Is there a second account?"
        cairn request --done k3vq2a --text "Added it."
        cairn request --decline k3vq2a
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("Entries that it is about.", valueName: "entry"))
  var entries: [String] = []

  @Option(
    help: ArgumentHelp("Your words, @FILE, or “-” for standard input.", valueName: "words"))
  var text: String?

  @Option(help: ArgumentHelp("Answer: this request is done.", valueName: "request"))
  var done: String?

  @Option(help: ArgumentHelp("Answer: this request will not be met.", valueName: "request"))
  var decline: String?

  @Option(
    name: .customLong("case"),
    help: ArgumentHelp("The case, for a request about no entry.", valueName: "name"))
  var caseName: String?

  func validate() throws {
    guard done == nil || decline == nil else {
      throw ValidationError("A request is either --done or --decline.")
    }
    if done ?? decline != nil, !entries.isEmpty {
      throw ValidationError("An answer names the request only; leave out the entries.")
    }
  }

  func run() async throws {
    let draft = try Draft(text: text)
    if let answered = done ?? decline {
      try await answer(answered, draft.content)
    } else {
      try await ask(draft.content)
    }
  }

  private func ask(_ content: EntryContent) async throws {
    let record = NewRecord(
      global: global, targets: entries, caseName: caseName, content: content)
    try await record.save(asksForWords: true) { _, _, content in
      guard content.words != nil else {
        throw Failure.nothingToSay("Say with --text what you ask for.")
      }
      var content = content
      content.request = .asked
      return NewRecord.Form(kind: .request, content: content, noun: "a request") { saved in
        "It is answered with “cairn request --done \(ShortID.of(saved))”, or --decline."
      }
    }
  }

  private func answer(_ request: String, _ content: EntryContent) async throws {
    let record = NewRecord(global: global, targets: [request], content: content)
    try await record.save { vault, references, content in
      guard let asked = references?.entries.first, asked.kind == .request,
        (asked.content?.request ?? .asked) == .asked
      else {
        throw Failure.usage(
          "notARequest",
          Sentence(
            "This entry is not a request.", safe: Sentences.unchanged,
            next: "“cairn show” of the entry that it is about shows the id of the request."))
      }
      var content = content
      let answer: EntryContent.Request = done != nil ? .done : .declined
      content.request = answer
      let known = try await vault.history(of: request).requests.first { $0.request.id == asked.id }
      let before = known?.answer
      if let before, before.content.request == answer {
        throw AlreadySo(by: before.id, what: "This request is \(answer.name)")
      }
      return NewRecord.Form(
        kind: .request, content: content, noun: "your answer, \(answer.name),",
        link: "to the request"
      ) { _ in
        before.map { "Before, it was \($0.content.request?.name ?? "answered")." }
      }
    }
  }
}
