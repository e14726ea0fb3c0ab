import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import Vault
import VerifiableLog

/// Whatever people do in whatever order, all copies come to the same.
@Suite struct `Schedules by chance` {
  @Test func `Row 40: edits, exchanges, crashes and cuts come in any order`() async throws {
    try await Row(40, "schedules by chance of edits, exchanges, crashes and cuts").hold { row in
      let seed = UInt64.random(in: 0..<1_000_000)
      let household = try await Household()
      var schedule = try Schedule(household, seed: seed)
      try await schedule.run(steps: 24)
      let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
      for _ in 0..<3 { try await household.meet(laptop, phone, advocate) }
      // Whoever was removed opens no epoch that begins then.
      let state =
        schedule.hasCut
        ? try await household.expectAgreement(laptop, advocate)
        : try await household.expectAgreement(laptop, phone, advocate)
      row.saw(.agreed, at: .library, .folder)
      for (person, name) in [(laptop, nil), (phone, "theirs"), (advocate, "theirs")] {
        let synced = try await person.cairn(
          "sync", name ?? "default", "--mailbox", household.mailbox.path, "--json")
        #expect([0, 13, 21].contains(synced.status), "seed \(seed): \(synced.all)")
        if schedule.hasCut, name == "theirs", person.vault == phone.vault { continue }
        #expect(try await person.opened { try await $0.state() } == state, "seed \(seed)")
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
  let household: Household
  let seed: UInt64
  private var chance: SplitMix64
  private let other: TemporaryFolder
  private(set) var hasCut = false

  init(_ household: Household, seed: UInt64) throws {
    self.household = household
    self.seed = seed
    chance = SplitMix64(state: seed)
    other = try TemporaryFolder(household.mailbox.allFiles())
  }

  mutating func run(steps: Int) async throws {
    let people = [household.laptop, household.phone, household.advocate]
    for step in 0..<steps {
      let index = Int.random(in: 0..<people.count, using: &chance)
      let choice = Int.random(in: 0..<8, using: &chance)
      let folder = Bool.random(using: &chance) ? household.mailbox : other
      do {
        // A vault that is not closed is one whose process died.
        let vault = try people[index].open()
        try await act(choice, step, by: index, vault, folder)
        if choice % 2 == 0 { try await vault.close() }
      } catch let error as VaultError {
        // Who was cut is told so, and what there is not cannot be erased.
        #expect(
          [.removed, .notAllowed, .unknownEntry, .entryErased, .alreadyRemoved]
            .contains(error.code), "seed \(seed), step \(step): \(error)")
      }
    }
  }

  private mutating func act(
    _ choice: Int, _ step: Int, by index: Int, _ vault: OpenVault, _ folder: TemporaryFolder
  ) async throws {
    switch choice {
    case 0, 1, 2:
      let outcome = try await vault.add(
        [words("\(index) at \(step)")], toCase: try await vault.theirName())
      if let failure = outcome.failure { throw failure.error }
    case 3 where index < 2:
      let entries = try await vault.entries(ofCase: try await vault.theirName())
      guard let entry = entries.randomElement(using: &chance) else { return }
      _ = try await vault.erase([entry.id.base32])
    case 4 where index == 0 && !hasCut && step > 12:
      hasCut = true
      _ = try await vault.remove(household.phoneLog.base32, fromCase: nil)
    default:
      _ = try await vault.meet(folder.path)
    }
  }
}
