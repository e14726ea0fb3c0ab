import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Erasures by those who may not, and by a device in the wrong hands.
@Suite struct `Attacks by erasing` {
  @Test func `Row 33: an erasure is forged, or made by a stolen device`() async throws {
    try await Row(33, "an erasure by an advocate, or by a stolen device, then cut or kept").hold {
      row in
      let household = try await Household.copy()
      let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
      let ids = try await laptop.ids()
      try await advocate.opened { vault in
        try await vault.forge(.erase([try #require(try EntryID(base32: ids["one"] ?? ""))]))
      }
      // The stolen one erases what has an attachment, and more.
      for text in ["a picture", "two"] {
        try await phone.opened { _ = try await $0.erase([try #require(ids[text])]) }
      }
      try await household.meet(advocate, phone, laptop, advocate)
      for person in [laptop, advocate] {
        for text in ["a picture", "two"] {
          #expect(try await household.standing(of: text, by: person) != .open, "\(text)")
        }
        #expect(try await household.standing(of: "one", by: person) == .open)
      }
      // One is kept by name; then the phone is cut, below all that it erased.
      let kept = try await laptop.cairn("keep", try #require(ids["a picture"]))
      #expect(kept.status == 0, "\(kept.all)")
      row.saw(.undone, at: .program)
      try await laptop.opened { vault in
        let kit = try laptop.kit()
        let sizes = try await vault.sizes()
        let before = try #require(sizes[household.phoneLog]) - 2
        _ = try await vault.decide(
          stays: nil, cut: [(household.phoneLog.base32, before)], inCase: nil, kit: kit)
      }
      try await household.meet(laptop, advocate, laptop)
      try await expectAllThere(row, household, ids)
      let state = try await household.expectAgreement(laptop, advocate)
      try await row.agrees(state, in: household, as: .undone)
      try await expectBundle(row, household)
    }
  }

  /// Also after the time in which whoever kept nothing would have lost it.
  private func expectAllThere(
    _ row: Row, _ household: Household, _ ids: [String: String]
  ) async throws {
    let now = Person.surroundings.now()
    for person in [household.laptop, household.advocate] {
      for week in [1, 2] as [UInt64] {
        let vault = try person.open(at: now + week * OpenVault.longestCounted)
        try await vault.settleErasures()
        try await vault.close()
      }
      let vault = try person.open(at: now + OpenVault.erasureGrace + 86_400)
      try await vault.settleErasures()
      _ = try await vault.meet(household.mailbox.path)
      #expect(try await vault.texts() == Meeting.texts.union(["from the phone"]))
      let out = try await vault.extract(
        try #require(ids["a picture"]), to: person.path("out")
      ).written
      let path = try #require(out.first?.path)
      #expect(try Data(contentsOf: URL(filePath: path)) == Data(Meeting.picture))
      #expect(try await vault.check().findings.allSatisfy { !$0.isDamage })
      try await vault.close()
      let listed = try await person.standings(
        inCase: person.vault == household.laptop.vault ? nil : "theirs")
      for text in ["one", "two", "a picture"] { #expect(listed[text] == "open", "\(listed)") }
    }
    row.saw(.undone, at: .library, .folder)
  }

  private func expectBundle(_ row: Row, _ household: Household) async throws {
    let attempt = try await household.laptop.bundle()
    #expect(attempt.verdict.record?.erasedCount == 0)
    let shown = attempt.verdict.record?.exhibits.compactMap { $0.content?.words } ?? []
    #expect(Set(shown).isSuperset(of: ["one", "two", "a picture"]), "\(shown)")
    try await row.tells([.violation], of: attempt, as: .undone)
    for (level, said) in try await attempt.said(isRefused: false) {
      #expect(said.object["erased"] as? Int == 0, "\(level): \(said.object)")
    }
  }

  /// That the row can fail: where nobody keeps it and nobody cuts, it is destroyed on other copies, too, and not before its
  /// time.
  @Test func `what a device of the survivor's erased is destroyed elsewhere after a fortnight`()
    async throws
  {
    let household = try await Household.copy()
    let (laptop, phone) = (household.laptop, household.phone)
    let ids = try await laptop.ids()
    try await phone.opened { _ = try await $0.erase([try #require(ids["a picture"])]) }
    try await household.meet(phone, laptop)
    let blobs = try laptop.blobFiles()
    #expect(blobs.count == 1)
    let seen = Person.surroundings.now()
    for (time, count) in [
      (seen + OpenVault.longestCounted, 1), (seen + OpenVault.erasureGrace - 3600, 1),
      (seen + OpenVault.erasureGrace + 3600, 0),
    ] {
      let vault = try laptop.open(at: time)
      try await vault.settleErasures()
      try await vault.close()
      #expect(try laptop.blobFiles().count == count)
    }
  }
}

extension Person {
  /// The ids of entries by their words.
  fileprivate func ids() async throws -> [String: String] {
    var found: [String: String] = [:]
    for entry in try await entries() {
      if let words = entry["words"] as? String { found[words] = entry["id"] as? String }
    }
    return found
  }
}
