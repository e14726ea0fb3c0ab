import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

/// What the commands share that enter something about other entries: one new entry, with what it is
/// about, its files and what is said once it is saved.
struct NewRecord {
  let global: GlobalOptions
  /// Ids, or their first characters.
  var targets: [String] = []
  /// Where there are no targets to tell it.
  var caseName: String?
  var files: [String] = []
  var content = EntryContent()
  /// Who is to open it, where that can be chosen.
  var readers: AudienceOptions?

  /// How the record is entered and told, once it is known what it is about.
  struct Form {
    var kind: EntryKind
    var content: EntryContent
    /// "an addition", "a note".
    let noun: String
    /// Between the noun and what it is about.
    var link = "about"
    /// Said after "Saved", if there is more to say.
    var remark: @Sendable (_ saved: EntryID) -> String? = { _ in nil }
  }

  /// Saves it and tells so.
  ///
  /// - Parameters:
  ///   - asksForWords: whether the words are asked for on a terminal if there is nothing else.
  ///   - form: is told what was referred to; may refuse, also by `AlreadySo`, which saves nothing and is
  ///     no failure.
  func save(
    asksForWords: Bool = false,
    _ form: (OpenVault, EntryReferences?, EntryContent) async throws -> Form
  ) async throws {
    let sources = try AddSource.list(files)
    let terminal = global.terminal
    let saved: ExitStatus?
    do {
      saved = try await enter(sources, terminal, asksForWords: asksForWords, form)
    } catch let already as AlreadySo {
      return try tell(already)
    }
    if let status = saved { throw AlreadyTold(status: status) }
  }

  private func enter(
    _ sources: [AddSource], _ terminal: Terminal?, asksForWords: Bool,
    _ form: (OpenVault, EntryReferences?, EntryContent) async throws -> Form
  ) async throws -> ExitStatus? {
    try await global.withVault(terminal: terminal) { vault in
      try await vault.requireSound()
      let references =
        targets.isEmpty ? nil : try await vault.references(targets)
      var content = content
      if asksForWords, content == EntryContent(), sources.isEmpty, let terminal {
        content.words = try AddDialogue(terminal: terminal).askForWords()
      }
      content.about = references?.entries.map(\.id) ?? []
      let form = try await form(vault, references, content)
      return try await save(form, sources, references, in: vault)
    }
  }

  private func save(
    _ form: Form, _ sources: [AddSource], _ references: EntryReferences?, in vault: OpenVault
  ) async throws -> ExitStatus? {
    let input = sources.contains { $0.name == nil } ? try StandardInput() : nil
    let caseName = references?.caseID.fingerprint ?? caseName
    var entry = NewEntry(
      kind: form.kind, sources: sources.map { $0.taken(from: input) }, content: form.content)
    if let readers { entry.audience = try await readers.audience(in: vault, caseName: caseName) }
    let progress = Progress("Saving", total: AddSource.total(sources), isQuiet: global.json)
    defer { progress.finish() }
    let outcome = try await vault.add(
      [entry], toCase: caseName
    ) { (bytes) throws(VaultError) in
      try progress.advance(bytes)
      try input?.check()
    }
    progress.finish()
    guard let saved = outcome.saved.first else {
      throw outcome.failure.map { failed in
        Failure(failed.error, subject: sources.count == 1 ? sources[0].quoted : nil)
      } ?? Failure(VaultError(.inputOutput))
    }
    if global.json {
      try Output.json(
        Object(
          form, saved, sources, outcome, isLimited: readers?.isLimited ?? false))
    } else {
      tell(
        form, saved, sources, outcome, inCase: try await vault.nameAmongSeveral(caseName))
    }
    return nil
  }

  // MARK: - Telling

  private func tell(
    _ form: Form, _ saved: AddOutcome.Saved, _ sources: [AddSource], _ outcome: AddOutcome,
    inCase caseName: String?
  ) {
    var line = "Saved  \(ShortID.of(saved.id))  \(form.noun)"
    if !form.content.about.isEmpty { line += " \(form.link) " + ShortID.list(form.content.about) }
    Output.line(line)
    for source in sources { Output.line("       with " + source.described) }
    if !saved.sameContentAs.isEmpty {
      Output.line("       the same content as " + ShortID.list(saved.sameContentAs))
    }
    if saved.isMinor, !sources.isEmpty {
      MinorText.told(sameContentAs: saved.sameContentAs)
    }
    if let remark = form.remark(saved.id) { Output.paragraph(remark) }
    Output.paragraph(
      AddReport.readers(of: 1, sharedWith: outcome.sharedWith, inCase: caseName))
  }

  private func tell(_ already: AlreadySo) throws {
    if global.json {
      struct Object: Encodable {
        let alreadySo: Bool
        let id: String
      }
      return try Output.json(Object(alreadySo: true, id: already.by.base32))
    }
    let by = ShortID.of(already.by)
    Output.paragraph(
      "\(already.what) already (\(by)), so nothing was saved."
        + (content.words == nil
          ? "" : " What you have to say of it can be a note: cairn note \(by)"))
  }

  private struct Object: Encodable {
    struct File: Encodable {
      let name: String?
      let size: UInt64?
    }
    let about: [String]
    let alreadySo = false
    let files: [File]
    let hashOnly: Bool
    let id: String
    let kind: String?
    let sameContentAs: [String]
    let sharedWith: Int
    /// Members of a shared case see how many entries are not shared with them.
    let withheld: Bool

    init(
      _ form: Form, _ saved: AddOutcome.Saved, _ sources: [AddSource], _ outcome: AddOutcome,
      isLimited: Bool
    ) {
      about = form.content.about.map(\.base32)
      files = sources.map { File(name: $0.name, size: $0.size) }
      hashOnly = saved.isMinor
      id = saved.id.base32
      kind = form.kind.name
      sameContentAs = saved.sameContentAs.map(\.base32)
      sharedWith = outcome.sharedWith
      withheld = isLimited
    }
  }
}

/// What was asked for is so, by an entry that is there.
struct AlreadySo: Error {
  let by: EntryID
  /// "It is taken back".
  let what: String
}

extension Failure {
  /// Of a kind that only survivors write.
  static func survivorsOnly(_ what: String, next: String) -> Failure {
    Failure(
      code: VaultError.Code.notAllowed.rawValue, status: .notAllowed,
      Sentence(what, safe: Sentences.unchanged, next: next))
  }

  static func nothingToSay(_ next: String) -> Failure {
    .usage(
      "nothingToAdd", Sentence("There was nothing to add.", safe: Sentences.unchanged, next: next))
  }
}
