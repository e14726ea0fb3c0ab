import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct DecideCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decide",
    abstract: "Take away the power of a lost, stolen or disputed device, with the kit.",
    discussion: """
      What a member entered from the given size of its log on counts for nothing, also where it \
      was backdated, unless another member had seen it before. Without a size, what this device \
      has seen of it stays. Give a smaller one if somebody else had the device before the last sync.

      When devices removed each other, --stays names the one that was right; without it, it is \
      this device. This cannot be undone but by “cairn reinstate”.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var kitOption: KitOption

  @Option(help: ArgumentHelp("The member that stays.", valueName: "member"))
  var stays: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "A member to cut, and how many of its records stand. May be given more than once.",
      valueName: "member[:size]"))
  var cut: [String]

  @Option(help: ArgumentHelp("The case; the default one without it.", valueName: "name"))
  var `case`: String?

  @Flag(help: "Do not ask whether to go on.")
  var yes = false

  func run() async throws {
    let terminal = global.terminal
    let limits = try cut.map(Self.limit)
    guard !limits.isEmpty else { throw Self.nobody }
    let kit = try kitOption.get(terminal: terminal)
    let decision = try await global.withVault(terminal: terminal) { vault in
      let preview = try await vault.previewDecision(
        stays: stays, cut: limits, inCase: self.case)
      try RootWord.confirm(
        preview.cut.map(Self.sentence) + [
          "What a removed device has opened it may have kept."
        ], isSure: yes, terminal: terminal)
      return try await RootWord.spoken {
        try await vault.decide(stays: stays, cut: limits, inCase: self.case, kit: kit)
      }
    }
    if global.json { return try printJSON(decision) }
    for limit in decision.cut { Output.paragraph(Self.sentence(limit)) }
    Output.paragraph("Others learn of it when you sync.")
  }

  private static func limit(_ text: String) throws -> (member: String, size: UInt64?) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, !parts[0].isEmpty else { throw notALimit }
    guard parts.count == 2 else { return (String(parts[0]), nil) }
    guard let size = UInt64(parts[1]), size <= 1 << 32 else { throw notALimit }
    return (String(parts[0]), size)
  }

  private static func sentence(_ limit: RootDecision.Limit) -> String {
    let who = limit.role == .survivor ? "The device" : "The advocate"
    let stands =
      switch limit.size {
      case 0: "nothing that it wrote stands"
      case 1: "its first record stands"
      default: "its first \(limit.size) records stand"
      }
    var text = "\(who) \(limit.logID.base32.prefix(10)): \(stands)."
    if limit.setAside > 0 {
      text += " \(limit.setAside) that \(limit.setAside == 1 ? "is" : "are") here already"
      text += " \(limit.setAside == 1 ? "is" : "are") behind that."
    }
    return text
  }

  private func printJSON(_ decision: RootDecision) throws {
    struct Limit: Encodable {
      let member: String
      let setAside: UInt64
      let size: UInt64
    }
    struct Object: Encodable {
      let `case`: String
      let cut: [Limit]
      let stays: String
    }
    try Output.json(
      Object(
        case: decision.caseName,
        cut: decision.cut.map {
          Limit(member: $0.logID.base32, setAside: $0.setAside, size: $0.size)
        }, stays: decision.stays.base32))
  }

  private static let notALimit = Failure.usage(
    "invalidLimit",
    Sentence(
      "A member to cut is the beginning of its id, and perhaps a colon and a number.",
      safe: Sentences.unchanged, next: "For example: --cut tesh7o7g4q:12"))

  private static let nobody = Failure.usage(
    "nobody",
    Sentence(
      "This needs somebody to cut.", safe: Sentences.unchanged,
      next: "Name at least one member with --cut."))
}

struct ReinstateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reinstate", abstract: "Let a member that was removed count again, with the kit.",
    discussion: """
      Everything that it entered counts again. What was written meanwhile was sealed to keys that \
      it does not have; your devices hand them on when they sync.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var kitOption: KitOption

  @Argument(help: "The member, by the beginning of its id.")
  var member: String

  @Option(help: ArgumentHelp("The case; the default one without it.", valueName: "name"))
  var `case`: String?

  @Flag(help: "Do not ask whether to go on.")
  var yes = false

  func run() async throws {
    let terminal = global.terminal
    let kit = try kitOption.get(terminal: terminal)
    let logID = try await global.withVault(terminal: terminal) { vault in
      try RootWord.confirm(
        ["Everything that this member entered counts again."], isSure: yes, terminal: terminal)
      return try await RootWord.spoken {
        try await vault.reinstate(member, inCase: self.case, kit: kit)
      }
    }
    if global.json {
      struct Object: Encodable { let member: String }
      return try Output.json(Object(member: logID.base32))
    }
    Output.paragraph(
      "The member \(logID.base32.prefix(10)) counts again. Others learn of it when you sync.")
  }
}

/// What the commands have in common that sign with the root of a case.
enum RootWord {
  /// Says what will be so, and asks whether to go on.
  static func confirm(_ sentences: [String], isSure: Bool, terminal: Terminal?) throws {
    if isSure { return }
    guard let terminal else {
      throw Failure.usage(
        "notConfirmed",
        Sentence(
          "This is for every copy of the case, and there was nobody to ask.",
          safe: Sentences.unchanged, next: "Pass --yes if it is what you want."))
    }
    for sentence in sentences { terminal.explain(sentence) }
    guard try terminal.confirm("Go on?") else { throw VaultError(.cancelled) }
  }

  static func spoken<Result>(
    _ body: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await body()
    } catch let error as VaultError where error.code == .kitMismatch {
      throw KitOption.mismatch("this case")
    }
  }
}
