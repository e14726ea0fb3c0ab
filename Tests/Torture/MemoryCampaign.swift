import CFailingMemory
import CaseLog
import Cryptography
import Foundation
import Vault

/// SQLite asks for memory and does not get it: at each request in turn, once or from then on. What it was about to
/// do ends with an error, and everything that was acknowledged is there afterwards.
struct MemoryCampaign {
  struct Figures {
    var requests = 0
    var runs = 0
    var errors = 0
    var wentOn = 0
    var failures: [String] = []
  }

  private let workshop: Workshop
  private let person: Person
  private let kit: [UInt8]
  private let base: Moment
  private let before: Shown
  private var figures = Figures()
  private var counted = 0

  init() async throws {
    guard cairn_failing_memory_install() == 0 else { throw Unexpected("SQLite is in use already") }
    workshop = try Workshop("memory")
    person = Person(name: "vault", workshop: workshop)
    try await person.makeVault()
    kit = try Tree.read(person.kitFile)
    try person.done("add", "--text", "Before.")
    base = try Moment(of: person.vault)
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kit))
    before = try await CrashCampaign.examine(vault)
    try await vault.close()
  }

  mutating func run(every step: Int, progress: Progress) async throws -> Figures {
    // Once with enough, for the count, and to be warm.
    for _ in 0..<2 { _ = try await attempt(failingAt: 0, stays: false) }
    figures.requests = counted
    for stays in [false, true] {
      for number in stride(from: 1, through: figures.requests, by: step) {
        progress.tell(
          "request \(number) of \(figures.requests), \(figures.failures.count) failures")
        figures.runs += 1
        do {
          let added = try await attempt(failingAt: number, stays: stays)
          if added == nil { figures.errors += 1 } else { figures.wentOn += 1 }
          try await look(added)
        } catch {
          figures.failures.append("request \(number)\(stays ? " and all later" : ""): \(error)")
          say("FAILED: \(figures.failures.last ?? "")")
        }
      }
    }
    try workshop.remove()
    return figures
  }

  /// Opens, adds, looks and closes; the id of what was acknowledged, or nil after an error.
  private mutating func attempt(failingAt number: Int, stays: Bool) async throws -> String? {
    try base.restore(to: person.vault)
    var acknowledged: String?
    cairn_failing_memory_set(number, stays)
    defer {
      counted = cairn_failing_memory_count()
      cairn_failing_memory_set(0, false)
    }
    do {
      let vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kit))
      do {
        var content = EntryContent()
        content.words = "Without enough memory."
        let outcome = try await vault.add([NewEntry(content: content)], toCase: nil)
        acknowledged = outcome.saved.first?.id.base32
        let shown = try await Shown(vault)
        for (id, entry) in before.entries where shown.entries[id] != entry {
          throw Unexpected(
            "it shows something else: \(shown.entries[id]?.description ?? "nothing")")
        }
        if let acknowledged, shown.entries[acknowledged]?.content?.words != content.words {
          throw Unexpected("it does not show what it just saved")
        }
        try await vault.close()
      } catch let error as VaultError {
        cairn_failing_memory_set(0, false)
        _ = error
        try await vault.close()
      }
    } catch let error as VaultError {
      _ = error
    }
    return acknowledged
  }

  private func look(_ added: String?) async throws {
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kit))
    let shown = try await CrashCampaign.examine(vault)
    for (id, entry) in before.entries where shown.entries[id] != entry {
      throw Unexpected("an entry changed")
    }
    if let added, shown.entries[added] == nil { throw Unexpected("what was saved is not there") }
    guard shown.entries.count <= before.entries.count + 1 else {
      throw Unexpected("too many entries")
    }
    try await vault.close()
  }
}
