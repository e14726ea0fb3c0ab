import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct EraseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase", abstract: "Take entries away from every copy of a case.",
    discussion: """
      On this device they are destroyed at once. Every other copy hides them with its next sync, \
      and destroys them 14 days later, unless another of your devices says “cairn keep”: so \
      nobody who steals one device can empty the others. Amendments of an entry go with it; notes \
      of other people about it stay, unless you name them too.

      Whoever opened an entry before may have kept it. Backups, and what a mailbox or the disk \
      still holds of older files, stay sealed, but may be opened with their keys. Place and time of \
      the entry stay visible as a gap.

      EXAMPLES
        cairn erase k3ov            after a question
        cairn erase k3ov m2ba --yes   for scripts
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "Ids as “cairn list” shows them, all of one case.")
  var entries: [String]

  @Flag(help: "Do it without asking.")
  var yes = false

  func run() async throws {
    let terminal = global.terminal
    let outcome = try await global.withVault(terminal: terminal) { vault in
      let preview = try await vault.previewErasure(entries)
      guard !preview.entries.isEmpty else { return preview }
      try Confirmation.require(
        yes, terminal: terminal, explanation: Self.explanation(preview),
        question: "Erase \(Quantity.count(preview.entries.count, "entry", "entries"))?")
      return try await vault.erase(entries)
    }
    if global.json {
      struct Object: Encodable {
        let erased: [String]
        let erasedBefore: [String]
        let fileCount: Int
        let filesKept: Int
      }
      return try Output.json(
        Object(
          erased: outcome.entries.map(\.base32),
          erasedBefore: outcome.erasedBefore.map(\.base32), fileCount: outcome.fileCount,
          filesKept: outcome.filesKept))
    }
    if let before = Self.before(outcome) { Output.paragraph(before) }
    guard !outcome.entries.isEmpty else { return }
    Output.paragraph(
      "\(Quantity.count(outcome.entries.count, "entry is", "entries are")) destroyed on this device"
        + Self.ids(outcome)
        + (outcome.fileCount > 0
          ? ", with \(Quantity.count(outcome.fileCount, "file", "files"))." : "."))
    if let kept = Self.kept(outcome) { Output.paragraph(kept) }
    Output.paragraph(
      "Sync, so that the other copies learn of it. They hide it at once and destroy it after 14 days."
    )
  }

  /// All of them by id, and which of them nobody named.
  private static func ids(_ outcome: EraseOutcome) -> String {
    let all = outcome.entries.map(ShortID.of).joined(separator: ", ")
    let along = outcome.comingAlong.map(ShortID.of).joined(separator: ", ")
    return " (\(all)\(along.isEmpty ? "" : "; of these, added to what you named: \(along)"))"
  }

  private static func before(_ outcome: EraseOutcome) -> String? {
    let ids = outcome.erasedBefore
    guard !ids.isEmpty else { return nil }
    return "Erased before, and destroyed on this device already: "
      + ids.map(ShortID.of).joined(separator: ", ") + "."
  }

  private static func kept(_ outcome: EraseOutcome) -> String? {
    guard outcome.filesKept > 0 else { return nil }
    return Quantity.count(outcome.filesKept, "of its files stays", "of their files stay")
      + ", because another entry that is not erased has it too, such as one that was entered again."
  }

  private static func explanation(_ preview: EraseOutcome) -> String {
    let readers =
      preview.readers == 0
      ? "Nobody but you could open it so far."
      : "\(Quantity.count(preview.readers, "other member", "other members")) could open it, and may"
        + " have kept it."
    let before = before(preview).map { $0 + " " } ?? ""
    return before
      + "This destroys \(Quantity.count(preview.entries.count, "entry", "entries"))\(ids(preview)) and"
      + " \(Quantity.count(preview.fileCount, "file", "files")) on this device now, and it cannot be"
      + " undone here. Other copies hide it with the next sync, and destroy it 14 days later."
      + " \(kept(preview).map { $0 + " " } ?? "")\(readers) Backups and what the disk still holds of old"
      + " files stay sealed, but are not reached. A gap stays visible."
  }
}

struct KeepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keep", abstract: "Keep an entry that another of your devices erased.",
    discussion: """
      The entry is back on every copy that still has it. It works for 14 days, from a device that \
      did not erase the entry itself; with the twelve words, from any device, and whoever erased it.

      EXAMPLES
        cairn keep k3ov
        cairn keep k3ov --kit kit.txt
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp("The twelve words, in a file; “-” asks for them.", valueName: "file"))
  var kit: String?

  @Argument(help: "An id; “cairn list --state erased” shows those that are hidden.")
  var entry: String

  func run() async throws {
    let (kept, missing) = try await kept()
    if global.json {
      struct Object: Encodable {
        let kept: [String]
        let missing: [String]
      }
      return try Output.json(
        Object(kept: kept.map(\.base32), missing: missing.map(\.base32)))
    }
    guard missing.isEmpty else {
      return Output.paragraph(
        "The erasure is withdrawn, but the content of"
          + " \(missing.map(ShortID.of).joined(separator: ", ")) is not on this device any more. It"
          + " comes back only if another copy still has it, and both sync.")
    }
    Output.paragraph(
      (kept.count == 1
        ? "The entry stays." : "The entry stays, with what was added to it (\(kept.count - 1)).")
        + " Sync, so that the other copies learn of it.")
  }

  /// What is kept, and what of it is not on this device.
  private func kept() async throws -> ([EntryID], missing: [EntryID]) {
    let terminal = global.terminal
    guard let kit else {
      return try await global.withVault(terminal: terminal) { vault in
        let kept = try await vault.keep(entry)
        return (kept, try await missing(of: kept, in: vault))
      }
    }
    let words = try KitOption.get(kit, terminal: terminal)
    return try await global.withVault(terminal: terminal) { vault in
      let summary = try await vault.entry(entry).summary
      try await vault.keepByRoot(
        summary.id, inCase: summary.caseID.fingerprint, kit: words)
      return ([summary.id], try await missing(of: [summary.id], in: vault))
    }
  }

  private func missing(of kept: [EntryID], in vault: OpenVault) async throws -> [EntryID] {
    var missing: [EntryID] = []
    for id in kept where try await vault.entry(id.base32).summary.content == nil {
      missing.append(id)
    }
    return missing
  }
}

/// A question before something that cannot be taken back.
enum Confirmation {
  /// - Throws: a usage failure where nobody can be asked and `isGiven` is false; a failure when the answer is no.
  static func require(
    _ isGiven: Bool, terminal: Terminal?, explanation: String, question: String
  ) throws {
    if isGiven { return }
    guard let terminal else {
      throw Failure.usage(
        "confirmationNeeded",
        Sentence(
          explanation, safe: Sentences.unchanged,
          next: "Add --yes to do it without a question, or run it on a terminal."))
    }
    terminal.explain(explanation)
    guard try terminal.confirm(question) else {
      throw Failure(
        code: "declined", status: .interrupted,
        Sentence("You said no.", safe: Sentences.unchanged, next: ""))
    }
  }
}

struct AdoptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt", abstract: "Enter again what was set aside, as your own entry.",
    discussion: """
      For what somebody wrote after they were removed from the case, or a device after it was lost: \
      you vouch for it from now on. The new entry names the old one, which stays where it is.

      EXAMPLE
        cairn list --state set-aside
        cairn adopt k3ov
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "An id; “cairn list --state set-aside” shows what there is.")
  var entry: String

  func run() async throws {
    let adoption = try await global.withVault(terminal: global.terminal) { vault in
      try await vault.adopt(entry)
    }
    if global.json {
      struct Object: Encodable {
        let adopted: String
        let isNew: Bool
      }
      return try Output.json(Object(adopted: adoption.id.base32, isNew: adoption.isNew))
    }
    Output.paragraph(
      adoption.isNew
        ? "It is entered again as yours: \(ShortID.of(adoption.id))."
        : "It was entered again already, as \(ShortID.of(adoption.id)). Nothing was saved.")
  }
}
