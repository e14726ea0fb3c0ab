import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import Vault
import VerifiableLog

/// Clocks that are wrong, or lie. A claimed time decides neither order nor permission.
@Suite struct `Attacks with times` {
  private static let start = SampleCase.start

  /// A case in which the survivor's clock and what she claims are these, and receipts say otherwise.
  private func attempt(
    clocks: [UInt64], seen: String? = nil, receiptAt time: UInt64
  ) throws -> BundleAttempt {
    let sample = try SampleCase()
    for clock in clocks {
      var content = EntryContent()
      content.words = "at \(clock)"
      if let seen { content.seen = ClaimedTime(typed: seen) }
      try sample.survivor.append(.evidence, content.parts, clock: clock)
    }
    sample.survivor.checkpoints[sample.survivor.size] = [
      try sample.advocate.receipt(for: sample.survivor, at: time)
    ]
    return BundleAttempt(archive: try sample.bundle(), trust: sample.trust)
  }

  @Test func `Row 23: clocks of 1970 and 2100, and a receipt from the future`() async throws {
    try await Row(23, "clocks of 1970 and 2100; a receipt from the future").hold { row in
      let future: UInt64 = 4_102_444_800
      let mixed = try attempt(clocks: [future, 0, Self.start], receiptAt: Self.start + 3600)
      try await row.tells([.clockAfterReceipt], of: mixed, as: .told)
      // Their order is that of the log, whatever the clocks said.
      let record = try #require(mixed.verdict.record)
      #expect(record.exhibits.map(\.entry.header.sequence) == [2, 3, 4])
      let late = try attempt(clocks: [Self.start], receiptAt: future)
      try await row.tells([.receiptAfterExport], of: late, as: .told)

      let meeting = try await Meeting.copy()
      let mailbox = try TemporaryFolder(meeting.files)
      for time in [future, 0] {
        let vault = try meeting.survivor.open(at: time)
        _ = try await vault.add([words("at \(time)")], toCase: nil)
        try await vault.meet(mailbox.path)
        try await vault.close()
      }
      let reader = try await meeting.newcomer()
      try await reader.opened { vault in
        let met = try await vault.meet(mailbox.path)
        #expect(met.problems == [])
        let late = try await vault.entries(ofCase: "theirs").filter {
          $0.content?.words?.hasPrefix("at ") == true
        }
        // Their places are those in which they were entered, and both clocks are shown as they were.
        let inOrder = late.sorted { $0.sequence < $1.sequence }
        #expect(inOrder.map(\.enteredAt) == [future, 0])
        #expect(late.allSatisfy { $0.standing == .open })
      }
      row.saw(.told, at: .folder)
    }
  }

  @Test func `Row 24: an entry is backdated`() async throws {
    try await Row(24, "an entry backdated").hold { row in
      // Made after a receipt that it embeds, and dated before it.
      let sample = try SampleCase()
      var content = EntryContent()
      content.words = "first"
      try sample.survivor.append(.evidence, content.parts, clock: Self.start)
      let receipt = try sample.advocate.receipt(for: sample.survivor, at: Self.start + 200_000)
      let embedded = try sample.survivor.note(at: sample.survivor.size, with: [receipt])
      content.words = "backdated"
      try sample.survivor.append(
        .evidence, content.parts, clock: Self.start - 900_000, embedding: [embedded])
      sample.survivor.checkpoints[sample.survivor.size] = [
        try sample.advocate.receipt(for: sample.survivor, at: Self.start + 300_000)
      ]
      let attempt = BundleAttempt(archive: try sample.bundle(), trust: sample.trust)
      try await row.tells([.clockBeforeReceipt], of: attempt, as: .told)
      let exhibit = try #require(attempt.verdict.record?.exhibits.last)
      #expect(exhibit.bracket.after?.time == Self.start + 200_000)
      #expect(exhibit.bracket.before?.time == Self.start + 300_000)
      let claimed = try self.attempt(
        clocks: [Self.start], seen: "2027-01-01", receiptAt: Self.start + 3600)
      try await row.tells([.claimedAfterReceipt], of: claimed, as: .told)
      try await backdateInFolder(row)
    }
  }

  private func backdateInFolder(_ row: Row) async throws {
    let meeting = try await Meeting.copy()
    let mailbox = try TemporaryFolder(meeting.files)
    let vault = try meeting.survivor.open(at: 1_600_000_000)
    let id = try #require(
      try await vault.add([words("backdated")], toCase: nil).saved.first?.id)
    try await vault.meet(mailbox.path)
    try await vault.close()
    try await meeting.advocate.opened { vault in
      try await vault.meet(mailbox.path)
      let detail = try await vault.entry(id.base32)
      // Claimed and attested time stand apart, and contradict each other.
      #expect(detail.summary.enteredAt == 1_600_000_000)
      #expect(try #require(detail.notBefore).time > 1_700_000_000)
    }
    row.saw(.told, at: .folder)
    let shown = try await meeting.advocate.cairn("show", id.base32, "--json")
    let object = try shown.json()
    #expect(shown.status == 0, "\(shown.all)")
    #expect("\(object)".contains("2020-09-13") && "\(object)".contains("madeAfter"), "\(object)")
  }
}
