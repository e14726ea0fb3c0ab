import CaseLog
import Foundation
import Support
import Vault

/// Changes single bits of a vault's files, one at a time, and asks what it says then.
struct FlipCampaign {
  struct Figures {
    var flips = 0
    var refused = 0
    var toldAtOnce = 0
    var errorWhenLooking = 0
    var foundByCheck = 0
    var withoutEffect = 0
    var failures: [String] = []
    var withoutEffectByFile: [String: Int] = [:]
  }

  private let workshop: Workshop
  private let person: Person
  private let kit: [UInt8]
  private var figures = Figures()
  private var random: SplitMix64

  init(seed: UInt64) async throws {
    random = SplitMix64(seed, 99)
    workshop = try Workshop("flips")
    person = Person(name: "vault", workshop: workshop)
    try await person.makeVault()
    kit = try Tree.read(person.kitFile)
    try person.done("add", "--text", "He wrote \(Baseline.word) to me.")
    try person.done("add", try workshop.input("small.bin", noise(2500, seed: seed)))
    try person.done("add", try workshop.input("large.bin", noise(70_000, seed: seed + 1)))
    let last = try person.done("add", "--text", "A second \(Baseline.word).", "--json").savedIDs()
    try person.done("retract", last[0], "--text", "Not so.")
  }

  /// Every byte of a file no larger than `whole`, and of larger ones each `stride`th, beginning with `first` or
  /// anywhere.
  mutating func run(
    stride step: Int, from first: Int?, whole: Int, progress: Progress
  ) async throws -> Figures {
    try await sweep("closed", stride: step, from: first, whole: whole, progress)
    try await person.killAfterCommit("A third \(Baseline.word), in the log.")
    try await sweep("with a log", stride: step, from: first, whole: whole, progress, only: "-wal")
    try workshop.remove()
    return figures
  }

  private mutating func sweep(
    _ state: String, stride step: Int, from first: Int?, whole: Int, _ progress: Progress,
    only suffix: String = ""
  ) async throws {
    let moment = try Moment(of: person.vault)
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kit))
    let baseline = try await Baseline(vault, kit: kit)
    try await vault.close()
    let names = moment.files.keys.filter { $0.hasSuffix(suffix) }.sorted()
    guard !names.isEmpty else { throw Unexpected("no file \(suffix) \(state)") }
    for name in names {
      guard let bytes = moment.files[name], !bytes.isEmpty else { continue }
      let step = bytes.count <= whole ? 1 : step
      let first = (first ?? random.below(step)) % step
      for offset in Swift.stride(from: first, to: bytes.count, by: step) {
        var changed = bytes
        let bit = UInt8(1) << UInt8(random.below(8))
        changed[offset] ^= bit
        try moment.restore(to: person.vault)
        try Tree.write(changed, to: person.vault + "/" + name)
        let verdict = try await baseline.verdict(
          of: person.vault, readsFiles: name.hasPrefix("blobs/"), endsWhenNoticed: true)
        count(verdict, Self.sort(name), "\(name) at \(offset), bit \(bit), \(state)")
        progress.tell(
          "\(figures.flips) flips, \(name) at \(offset) of \(bytes.count), \(figures.failures.count) failures"
        )
      }
    }
    try moment.restore(to: person.vault)
  }

  private static func sort(_ name: String) -> String { name.hasPrefix("blobs/") ? "blob" : name }

  private mutating func count(_ verdict: Verdict, _ file: String, _ what: String) {
    figures.flips += 1
    if verdict.isSilentlyWrong {
      figures.failures.append("\(what): \(verdict.showsOther ?? "")")
      say("FAILED: \(figures.failures.last ?? "")")
    } else if let opening = verdict.opening {
      if ["copied", "rolledBack"].contains(opening) {
        figures.toldAtOnce += 1
      } else {
        figures.refused += 1
      }
    } else if verdict.looking != nil {
      figures.errorWhenLooking += 1
    } else if !verdict.check.isEmpty {
      figures.foundByCheck += 1
    } else {
      figures.withoutEffect += 1
      figures.withoutEffectByFile[file, default: 0] += 1
    }
  }
}

extension Person {
  /// Adds words, and is killed when they are saved and the database's log still holds them.
  func killAfterCommit(_ words: String) async throws {
    let trace = workshop.path + "/trace-commit"
    // A rehearsal tells which call it is: the one after the anchor's folder was synced.
    let before = try Moment(of: workshop.world)
    try done("add", "--text", words, trial: Trial(trace: trace))
    let calls = try Trace(reading: trace).calls
    try before.restore(to: workshop.world)
    guard let rename = calls.lastIndex(of: UInt8(ascii: "n")) else {
      throw Unexpected("no anchor is renamed")
    }
    let run = try cairn(["add", "--text", words], Trial(fault: "\(rename + 3):kill"))
    guard run.wasKilled, Tree.exists(vault + "/vault.db-wal") else {
      throw Unexpected("it was not killed: \(run.text) \(run.errors)")
    }
  }
}
