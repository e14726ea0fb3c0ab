import CaseLog
import Cryptography
import Foundation
import Support
import Vault

/// Kills the real program, again and again, and looks each time for all that it had said was saved.
struct KillCampaign {
  struct Figures {
    var kills = 0
    var tooLate = 0
    var acknowledged = 0
    var notTold = 0
    var vaults = 0
    var failures: [String] = []
  }

  /// So many rounds a vault, lest each opening takes longer and longer.
  private static let roundsOfVault = 150

  private var random: SplitMix64
  private let seed: UInt64
  private var figures = Figures()

  init(seed: UInt64) {
    self.seed = seed
    random = SplitMix64(seed, 77)
  }

  mutating func run(kills: Int, progress: Progress) async throws -> Figures {
    while figures.kills < kills, figures.failures.count < 20 {
      let workshop = try Workshop("kills")
      figures.vaults += 1
      try await useUp(workshop, upTo: kills, progress: progress)
      try workshop.remove()
    }
    return figures
  }

  /// What was said to be saved, by id: the digest of its one file, or its words.
  private struct Known {
    var files: [String: Bytes32] = [:]
    var words: [String: String] = [:]
  }

  private mutating func useUp(_ workshop: Workshop, upTo kills: Int, progress: Progress)
    async throws
  {
    let person = Person(name: "vault", workshop: workshop)
    try await person.makeVault()
    var known = Known()
    let trace = workshop.path + "/trace"
    let began = ContinuousClock.now
    let first = try person.done(
      "add", "--text", "first", "--json", trial: Person.Trial(trace: trace))
    let duration = ContinuousClock.now - began
    for id in try first.savedIDs() { known.words[id] = "first" }
    let calls = try Trace(reading: trace).calls.count
    for round in 0..<Self.roundsOfVault where figures.kills < kills {
      progress.tell("\(figures.kills) of \(kills) kills, \(figures.failures.count) failures")
      let isFile = random.chance(1, in: 2)
      let bytes = noise(
        1 + random.below(random.chance(1, in: 2) ? 20_000 : 400_000), seed: random.next())
      let words = "round \(round) \(random.next())"
      var arguments = ["add", "--json"]
      arguments += isFile ? [try workshop.input("file.bin", bytes)] : ["--text", words]
      var trial = Person.Trial()
      if random.chance(1, in: 2) {
        let what = ["kill", "kill-half", "kill-after"][random.below(3)]
        trial.fault = "\(1 + random.below(calls + (isFile ? 12 : 0))):\(what)"
      } else {
        trial.killAfter = duration * random.below(1100) / 1000
      }
      let run = try person.cairn(arguments, trial)
      if run.wasKilled { figures.kills += 1 } else { figures.tooLate += 1 }
      // Whatever it came to say before its end was said.
      if run.output.last == UInt8(ascii: "\n"), let id = Self.id(in: run) {
        figures.acknowledged += 1
        if isFile { known.files[id] = SHA256Hash.hash(bytes) } else { known.words[id] = words }
      }
      do {
        try await look(person, known, isWhole: round % 25 == 24, attempts: round + 2)
      } catch {
        figures.failures.append("seed \(seed), vault \(figures.vaults), round \(round): \(error)")
        say("FAILED: \(figures.failures.last ?? "")")
      }
    }
  }

  /// Nil where the object was cut off.
  private static func id(in run: Run) -> String? {
    do { return try run.savedIDs().first } catch { return nil }
  }

  private mutating func look(_ person: Person, _ known: Known, isWhole: Bool, attempts: Int)
    async throws
  {
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(person.kitFile))
    let standing = await vault.standing
    guard standing == .sound else { throw Unexpected("standing is \(standing)") }
    if isWhole { _ = try await CrashCampaign.examine(vault) }
    var entries: [String: EntrySummary] = [:]
    for entry in try await vault.entries(ofCase: nil) { entries[entry.id.base32] = entry }
    for (id, words) in known.words where entries[id]?.content?.words != words {
      throw Unexpected("an entry that was saved is not there: \(id)")
    }
    for (id, digest) in known.files where entries[id]?.content?.attachments.first?.sha256 != digest
    {
      throw Unexpected("a file that was saved is not there: \(id)")
    }
    guard entries.count <= attempts else { throw Unexpected("more entries than were made") }
    figures.notTold = max(figures.notTold, entries.count - known.words.count - known.files.count)
    try await vault.close()
  }
}
