import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import Vault
import VerifiableLog

#if canImport(Glibc)
  import Glibc
#endif

/// Whatever people do in whatever order, all copies come to the same. Here a few schedules with the program and both
/// verifiers; `Scripts/simulate` runs a hundred thousand.
@Suite struct `Schedules by chance` {
  @Test func `Row 40: edits, exchanges, crashes and cuts come in any order`() async throws {
    try await Row(40, "schedules by chance of edits, exchanges, crashes and cuts").hold { row in
      let seed = UInt64.random(in: 0..<1_000_000)
      let simulated = try await Campaign.run(
        ["--seed", "\(seed)", "--count", "2", "--shrink"], of: "Simulation")
      #expect(simulated.status == 0, "\(simulated.said)")
      #expect(simulated.figures["schedules"] == 2 && simulated.figures["failed"] == 0)
      let household = try await Household.copy()
      var schedule = try Schedule(household, seed: seed)
      try await schedule.run(steps: 24)
      #expect(schedule.done == Set(Schedule.Act.allCases), "seed \(seed)")
      let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
      for _ in 0..<3 { try await household.meet(laptop, phone, advocate) }
      // Whoever was removed opens no epoch that begins then, and is no honest copy any more.
      let state = try await household.expectAgreement(laptop, advocate)
      row.saw(.agreed, at: .library, .folder)
      for (person, name) in [(laptop, nil), (phone, "theirs"), (advocate, "theirs")] {
        let synced = try await person.cairn(
          "sync", name ?? "default", "--mailbox", household.mailbox.path, "--json")
        #expect([0, 13, 21].contains(synced.status), "seed \(seed): \(synced.all)")
        if person.vault == phone.vault { continue }
        #expect(try await person.opened { try await $0.state() } == state, "seed \(seed)")
        let findings = try await person.opened { try await $0.check().findings }
        #expect(findings.allSatisfy { !$0.isDamage }, "seed \(seed): \(findings)")
      }
      row.saw(.agreed, at: .program)
      try await row.agrees(state, in: household, as: .agreed)
      let attempt = try await laptop.bundle()
      #expect(attempt.verdict.record?.state.stateHash == state, "seed \(seed)")
      let said = try await attempt.said(isRefused: false)
      #expect(said.allSatisfy { $0.said.status == 21 }, "seed \(seed)")
      row.saw(.agreed, at: .verifier)
    }
  }
}

/// What three copies do by chance, each by itself or by way of two folders.
private struct Schedule {
  enum Act: CaseIterable {
    case add, erase, exchange
    /// The program is killed while it adds something.
    case crash
    /// The survivor removes her phone; once, and not at the beginning.
    case cut
  }

  let household: Household
  let seed: UInt64
  private var chance: SplitMix64
  private let other: TemporaryFolder
  private(set) var done: Set<Act> = []

  init(_ household: Household, seed: UInt64) throws {
    self.household = household
    self.seed = seed
    chance = SplitMix64(state: seed)
    other = try TemporaryFolder(household.mailbox.allFiles())
  }

  /// Each thing is done at least once.
  mutating func run(steps: Int) async throws {
    let people = [household.laptop, household.phone, household.advocate]
    let common: [Act] = [.add, .add, .erase, .exchange, .exchange, .crash]
    let first = common.shuffled(using: &chance)
    let cutting = Int.random(in: steps / 2..<steps, using: &chance)
    for step in 0..<steps {
      let index = Int.random(in: 0..<people.count, using: &chance)
      let drawn = common.randomElement(using: &chance) ?? .exchange
      let act = step == cutting ? .cut : step < first.count ? first[step] : drawn
      do {
        try await run(act, step, by: act == .cut ? 0 : act == .erase ? index % 2 : index, people)
      } catch let error as VaultError {
        // Who was cut is told so, and what there is not cannot be erased.
        #expect(
          [.removed, .notAllowed, .unknownEntry, .entryErased, .alreadyRemoved]
            .contains(error.code), "seed \(seed), step \(step), \(act): \(error)")
      }
      done.insert(act)
    }
  }

  private mutating func run(
    _ act: Act, _ step: Int, by index: Int, _ people: [Person]
  ) async throws {
    let person = people[index]
    guard act != .crash else { return try await crash(step, by: index, person) }
    let folder = Bool.random(using: &chance) ? household.mailbox : other
    let isClosed = Bool.random(using: &chance)
    // A vault that is not closed is one whose process died.
    let vault = try person.open()
    switch act {
    case .add, .crash:
      let outcome = try await vault.add(
        [words("\(index) at \(step)")], toCase: try await vault.theirName())
      if let failure = outcome.failure { throw failure.error }
    case .erase:
      let entries = try await vault.entries(ofCase: try await vault.theirName())
      if let entry = entries.randomElement(using: &chance) {
        _ = try await vault.erase([entry.id.base32])
      }
    case .exchange: _ = try await vault.meet(folder.path)
    case .cut: _ = try await vault.remove(household.phoneLog.base32, fromCase: nil)
    }
    if isClosed { try await vault.close() }
  }

  /// What was told as saved is there, and else all of it or nothing.
  private mutating func crash(_ step: Int, by index: Int, _ person: Person) async throws {
    let text = "killed at \(step)"
    let before = try await person.opened { try await $0.texts() }
    let milliseconds = Int.random(in: 0..<400, using: &chance)
    let running = try person.begin(
      "add", "--text", text, "--json", "--case", index == 0 ? "default" : "theirs")
    try await Task.sleep(for: .milliseconds(milliseconds))
    running.send(SIGKILL)
    let ended = try await running.finish()
    try await person.opened { vault in
      let texts = try await vault.texts()
      #expect(texts.subtracting([text]) == before, "seed \(seed), step \(step)")
      #expect(ended.status != 0 || texts.contains(text), "seed \(seed), step \(step)")
    }
  }
}
