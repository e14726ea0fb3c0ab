import ArgumentParser
import CaseLog
import Vault

struct CaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "case", abstract: "Start a case, or list them.",
    discussion: """
      A case is what is kept and shared together. Every vault begins with one, called “default”; \
      a second is worth starting for things that other people are to see.

      """,
    subcommands: [New.self, List.self])

  struct New: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Start a case. Its name stays in this vault; nobody else sees it.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "A name of your choice.") var name: String

    func run() async throws {
      let name = try CaseName.checked(name)
      let caseID = try await global.withVault(terminal: global.terminal) { vault in
        try await vault.startCase(named: name)
      }
      if global.json {
        struct Object: Encodable {
          let caseID: String
          let name: String
        }
        try Output.json(Object(caseID: caseID.fingerprint, name: name))
      } else {
        Output.line("The case \(SafeText.quoted(name)) is ready.")
        Output.line("Add to it with “cairn add --case NAME”.")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the cases of this vault.")

    @OptionGroup var global: GlobalOptions

    func run() async throws {
      let cases = try await global.withVault(terminal: global.terminal) { vault in
        try await vault.cases()
      }
      if global.json {
        struct Object: Encodable { let cases: [CaseObject] }
        try Output.json(Object(cases: cases.map(CaseObject.init)))
      } else {
        for one in cases { describe(one) }
      }
    }

    private func describe(_ summary: CaseSummary) {
      Output.line(
        Columns.cut(SafeText.line(summary.name), to: 60)
          + (summary.isDefault ? "  (the default)" : ""))
      var facts = [Quantity.count(summary.entryCount, "entry", "entries")]
      facts.append(summary.memberCount > 1 ? "\(summary.memberCount) members" : "not shared")
      if summary.role == .advocate { facts.append("you are its advocate") }
      Output.line("    " + facts.joined(separator: ", "))
      if let mailbox = summary.mailbox {
        Output.line("    mailbox: " + Columns.cut(SafeText.line(mailbox), to: Columns.width - 14))
      }
      Output.line("    id: " + summary.caseID.fingerprint)
      if summary.memberCount > 1 {
        Output.line("    your receipt key, for whoever checks a bundle of this case:")
        Output.line("    " + summary.receiptKey)
      }
    }
  }
}

/// A case as scripts read it.
struct CaseObject: Encodable {
  let caseID: String
  let entryCount: Int
  let isDefault: Bool
  let mailbox: String?
  let memberCount: Int
  let name: String
  let receiptKey: String
  let role: String

  init(_ summary: CaseSummary) {
    caseID = summary.caseID.fingerprint
    entryCount = summary.entryCount
    isDefault = summary.isDefault
    mailbox = summary.mailbox
    memberCount = summary.memberCount
    name = summary.name
    receiptKey = summary.receiptKey
    role = summary.role.name
  }
}

/// Names that people can tell apart and type again.
enum CaseName {
  static func checked(_ typed: String) throws -> String {
    let name = String(
      typed.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    guard !name.isEmpty, name.utf8.count <= 200,
      name.unicodeScalars.allSatisfy(SafeText.isHarmless)
    else {
      throw Failure.usage(
        "invalidName",
        Sentence(
          "This cannot be used as a name.", safe: Sentences.unchanged,
          next: "Choose one of at most 200 characters, on one line and without hidden ones."))
    }
    return name
  }
}
