import ArgumentParser
import CFailingMemory
import CaseLog
import Cryptography
import Foundation
import Support
import Vault

/// SQLite asks for memory and does not get it: at each request in turn, once or from then on. What it was about to
/// do ends with an error, or the program ends, since GRDB does not go on where SQLite has no memory to roll back
/// with; and everything that was acknowledged is there afterwards. Hence each attempt is a process of its own.
struct MemoryCampaign {
  struct Figures {
    var requests = 0
    var runs = 0
    var errors = 0
    var wentOn = 0
    var ended = 0
    var failures: [String] = []
  }

  private let workshop: Workshop
  private let person: Person
  private let base: Moment
  private let before: Shown
  private var figures = Figures()

  init() async throws {
    workshop = try Workshop("memory")
    person = Person(name: "vault", workshop: workshop)
    try await person.makeVault()
    try person.done("add", "--text", "Before.")
    base = try Moment(of: person.vault)
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(person.kitFile))
    before = try await CrashCampaign.examine(vault)
    try await vault.close()
  }

  /// - Parameter first: the first request that is tried.
  mutating func run(every step: Int, from first: Int, progress: Progress) async throws -> Figures {
    let whole = try attempt(failingAt: 0, stays: false)
    guard whole.status == 0, whole.saved != nil, let requests = whole.requests else {
      throw Unexpected("with enough memory it fails: \(whole.said)")
    }
    figures.requests = requests
    for stays in [false, true] {
      for number in stride(from: first, through: requests, by: step) {
        progress.tell("request \(number) of \(requests), \(figures.failures.count) failures")
        figures.runs += 1
        do {
          let attempt = try attempt(failingAt: number, stays: stays)
          switch attempt.status {
          case 0 where attempt.saved != nil: figures.wentOn += 1
          case 0: figures.errors += 1
          case -1: figures.ended += 1
          default: throw Unexpected(attempt.said)
          }
          try await look(attempt.saved)
        } catch {
          figures.failures.append("request \(number)\(stays ? " and all later" : ""): \(error)")
          say("FAILED: \(figures.failures.last ?? "")")
        }
      }
    }
    try workshop.remove()
    return figures
  }

  private struct Attempt {
    /// -1: it ended itself.
    let status: Int32
    let said: String

    private func word(after first: Substring) -> Substring? {
      for line in said.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count == 2, words[0] == first { return words[1] }
      }
      return nil
    }
    /// The id of what was acknowledged.
    var saved: String? { word(after: "saved").map(String.init) }
    var requests: Int? { word(after: "requests").flatMap { Int($0) } }

    init(_ run: (status: Int32, output: String)) { (status, said) = run }
  }

  private func attempt(failingAt number: Int, stays: Bool) throws -> Attempt {
    try base.restore(to: person.vault)
    return Attempt(
      try ChildProcess.run(
        [
          "/usr/bin/env", "SWIFT_BACKTRACE=enable=no", Program.own, "hold-without-memory",
          person.vault, person.kitFile, "--failing-at", "\(number)",
        ] + (stays ? ["--stays"] : [])))
  }

  private func look(_ added: String?) async throws {
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(person.kitFile))
    let shown = try await CrashCampaign.examine(vault)
    for (id, entry) in before.entries where shown.entries[id] != entry {
      throw Unexpected("an entry changed")
    }
    if let added, shown.entries[added]?.content?.words != HoldWithoutMemory.words {
      throw Unexpected("what was saved is not there")
    }
    guard shown.entries.count <= before.entries.count + 1 else {
      throw Unexpected("too many entries")
    }
    try await vault.close()
  }
}

/// Opens a vault, adds, looks and closes, with a request for memory that fails; says what was acknowledged as soon
/// as it is. Ends with 0 also after an error, and with 1 where something else is shown than was there.
struct HoldWithoutMemory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Adds an entry without enough memory.", shouldDisplay: false)

  static let words = "Without enough memory."

  @Argument var vault: String
  @Argument var kit: String
  @Option var failingAt: Int
  @Flag var stays = false

  func run() async throws {
    guard cairn_failing_memory_install() == 0 else { throw Unexpected("SQLite is in use already") }
    // To be warm, and for what is to be shown.
    let warm = try open()
    let before = try await Shown(warm)
    try await warm.close()
    cairn_failing_memory_set(failingAt, stays)
    try await attempt(before)
    say("requests \(cairn_failing_memory_count())")
  }

  private func open() throws -> OpenVault {
    try Vaults.open(vault, kit: try Vaults.kit(kit))
  }

  private func attempt(_ before: Shown) async throws {
    let vault: OpenVault
    do { vault = try open() } catch is VaultError { return }
    do {
      var content = EntryContent()
      content.words = Self.words
      let outcome = try await vault.add([NewEntry(content: content)], toCase: nil)
      let saved = outcome.saved.first?.id.base32
      if let saved { say("saved \(saved)") }
      let shown = try await Shown(vault)
      for (id, entry) in before.entries where shown.entries[id] != entry {
        throw Unexpected("it shows something else: \(shown.entries[id]?.description ?? "nothing")")
      }
      if let saved, shown.entries[saved]?.content?.words != content.words {
        throw Unexpected("it does not show what it just saved")
      }
      try await vault.close()
    } catch is VaultError {
      cairn_failing_memory_set(0, false)
      do { try await vault.close() } catch {}
    }
  }
}
