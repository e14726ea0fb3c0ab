import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A survivor with two devices, an advocate, and the folder in which the three have met.
struct Household: Sendable {
  let meeting: Meeting
  let phone: Person
  let phoneLog: LogID
  let mailbox: TemporaryFolder

  var laptop: Person { meeting.survivor }
  var advocate: Person { meeting.advocate }

  private static let shared = Task { try await Household() }

  /// One whose vaults and folder a row may write to.
  static func copy() async throws -> Household {
    let shared = try await shared.value
    return Household(
      meeting: try await shared.meeting.copy(), phone: try await shared.phone.duplicate(),
      phoneLog: shared.phoneLog, mailbox: try TemporaryFolder(shared.mailbox.allFiles()))
  }

  private init(meeting: Meeting, phone: Person, phoneLog: LogID, mailbox: TemporaryFolder) {
    self.meeting = meeting
    self.phone = phone
    self.phoneLog = phoneLog
    self.mailbox = mailbox
  }

  private init() async throws {
    meeting = try await Meeting.copy()
    phone = try await meeting.newcomer()
    let mailbox = try TemporaryFolder(meeting.files)
    self.mailbox = mailbox
    phoneLog = try await phone.opened { vault in
      _ = try await vault.meet(mailbox.path)
      _ = try await vault.add([words("from the phone")], toCase: "theirs")
      return try await vault.ownLog()
    }
    for _ in 0..<2 { try await meet(phone, laptop, advocate) }
  }

  /// Each exchanges with the folder, in this order.
  func meet(_ people: Person..., in folder: TemporaryFolder? = nil) async throws {
    for person in people {
      try await person.opened { vault in _ = try await vault.meet((folder ?? mailbox).path) }
    }
  }

  func expectAgreement(_ people: Person...) async throws -> Bytes32 {
    var states: Set<Bytes32> = []
    for person in people { states.insert(try await person.opened { try await $0.state() }) }
    #expect(states.count == 1, "all copies come to the same")
    return try #require(states.first)
  }

  func standing(of text: String, by person: Person) async throws -> EntrySummary.Standing? {
    try await person.opened { try await $0.standing(of: text) }
  }
}

extension Row {
  /// `verify.py` makes of a folder what the copies do that met in it.
  func agrees(
    _ state: Bytes32, in household: Household, as outcome: Outcome,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let said = try await Verifiers.folder(
      household.mailbox.path, kit: household.laptop.path("kit"))
    #expect(
      said.object["state"] as? String == state.hex, "\(said.object)",
      sourceLocation: sourceLocation)
    saw(outcome, at: .independent)
  }
}

extension Row {
  /// A bundle shows what the phone entered before it was cut, and nothing of what it entered later.
  func leavesOut(_ phone: LogID, in attempt: BundleAttempt) async throws {
    let record = try #require(attempt.verdict.record)
    let shown = record.exhibits.filter { $0.entry.header.logID == phone }
    #expect(shown.count == 1)
    #expect(record.withheldCount == 1)
    try await tells([.noTrustedReceipt], of: attempt, as: .setAside)
  }
}

/// What members do who were cut, or who cut others.
@Suite struct `Attacks with a device that was cut` {
  @Test func `Row 11: a cut member writes later, backdated`() async throws {
    try await Row(11, "a cut member writes later, backdated, citing what she saw before").hold {
      row in
      let household = try await Household.copy()
      let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
      // The phone is gone, and told of nothing: it still cites what it saw before.
      try await laptop.opened { vault in
        _ = try await vault.remove(household.phoneLog.base32, fromCase: nil)
        _ = try await vault.meet(household.mailbox.path)
      }
      let long = try phone.open(at: 1_600_000_000)
      _ = try await long.add([words("forged")], toCase: "theirs")
      try await long.close()
      try await household.meet(phone, advocate, laptop)
      for person in [laptop, advocate] {
        #expect(try await household.standing(of: "forged", by: person) == .setAside)
        #expect(try await household.standing(of: "from the phone", by: person) == .open)
      }
      row.saw(.setAside, at: .library, .folder)
      let listed = try await advocate.standings(inCase: "theirs")
      #expect(listed["forged"] == "set-aside", "\(listed)")
      row.saw(.setAside, at: .program)
      try await household.meet(advocate, laptop)
      let state = try await household.expectAgreement(laptop, advocate)
      try await row.agrees(state, in: household, as: .setAside)
      try await row.leavesOut(household.phoneLog, in: try await laptop.bundle())
    }
  }

  @Test func `Row 12: what a cut member wrote earlier arrives late`() async throws {
    try await Row(
      12, "what a cut member wrote earlier arrives late"
    ).hold { row in
      let household = try await Household.copy()
      let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
      try await phone.opened { vault in
        _ = try await vault.add([words("before it was lost")], toCase: "theirs")
      }
      try await laptop.opened { vault in
        _ = try await vault.remove(household.phoneLog.base32, fromCase: nil)
      }
      try await household.meet(phone, laptop, advocate)
      #expect(
        try await household.standing(of: "before it was lost", by: laptop) == .setAside)
      try await row.leavesOut(household.phoneLog, in: try await laptop.bundle())
      // A survivor enters it again, and then it counts.
      let listed = try await laptop.entries()
      let late = try #require(listed.first { $0["words"] as? String == "before it was lost" })
      let adopted = try await laptop.cairn("adopt", try #require(late["id"] as? String))
      #expect(adopted.status == 0, "\(adopted.all)")
      row.saw(.setAside, at: .program)
      try await household.meet(laptop, advocate, laptop)
      #expect(
        try await advocate.opened { try await $0.texts() }
          == Meeting.texts.union(["from the phone", "before it was lost"]))
      row.saw(.setAside, at: .library, .folder)
      let state = try await household.expectAgreement(laptop, advocate)
      try await row.agrees(state, in: household, as: .setAside)
    }
  }

  @Test func `Row 16: a certificate is issued after its issuer was cut`() async throws {
    try await Row(16, "a certificate issued after its issuer was cut").hold { row in
      let household = try await Household.copy()
      let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
      let stranger = try await Person()
      // Where the phone and she meet, nobody has heard of the cut.
      let aside = try TemporaryFolder(household.mailbox.allFiles())
      try await laptop.opened { vault in
        _ = try await vault.remove(household.phoneLog.base32, fromCase: nil)
        _ = try await vault.meet(household.mailbox.path)
      }
      let strangerLog = try await invite(stranger, by: phone)
      // What hangs from it: what she writes, and whom she lets in.
      let friend = try await Person()
      let offer = try await friend.opened { try await $0.makeCard() }
      let card = try Card(decoding: try Armor.card.decode(offer.text, max: 4096))
      let friendLog = card.logID(in: household.meeting.caseID)
      try await household.meet(phone, stranger, in: aside)
      try await stranger.opened { vault in
        _ = try await vault.add([words("by the stranger")], toCase: "theirs")
        try await vault.forge(.admit(.init(card: card, role: .advocate)))
      }
      try await household.meet(phone, stranger, laptop, advocate, laptop)
      let own = Meeting.texts.union(["from the phone"])
      for person in [laptop, advocate] {
        try await person.opened { vault in
          let name = try await vault.theirName()
          let members = try await vault.members(ofCase: name).members.map(\.logID)
          #expect(members.count == 3)
          #expect(!members.contains(strangerLog) && !members.contains(friendLog))
          #expect(try await vault.texts() == own)
          let logs = Set(try await vault.entries(ofCase: name).map(\.logID))
          #expect(logs.isDisjoint(with: [strangerLog, friendLog]))
          #expect(try await vault.check().findings.allSatisfy { !$0.isDamage })
        }
      }
      row.saw(.refused, at: .library, .folder)
      let told = try await advocate.cairn("members", "theirs", "--json")
      #expect(told.status == 0, "\(told.all)")
      for log in [strangerLog, friendLog] { #expect(!told.output.contains(log.base32)) }
      let listed = try await advocate.standings(inCase: "theirs")
      #expect(Set(listed.filter { $0.value == "open" }.keys) == own, "\(listed)")
      row.saw(.refused, at: .program)
      let state = try await household.expectAgreement(laptop, advocate)
      try await row.agrees(state, in: household, as: .refused)
      // Nor does a bundle count a word or a receipt of theirs.
      let attempt = try await laptop.bundle()
      let record = try #require(attempt.verdict.record)
      #expect(record.state.members.allSatisfy { ![strangerLog, friendLog].contains($0.logID) })
      #expect(
        Set(record.exhibits.map(\.entry.header.logID)).isDisjoint(with: [strangerLog, friendLog]))
      try await row.tells([.noTrustedReceipt], of: attempt, as: .refused)
    }
  }

  /// Makes somebody a member, with all that the program does for it.
  private func invite(_ person: Person, by other: Person) async throws -> LogID {
    let card = try await person.opened { try await $0.makeCard() }
    let shared = try await other.opened { vault in
      try await vault.share(caseNamed: "theirs", with: card.text, words: card.words)
    }
    return try await person.opened { vault in
      _ = try await vault.join(shared.invitation, words: shared.caseWords, name: "theirs")
      return try await vault.ownLog()
    }
  }

  @Test func `Row 17: two devices cut each other`() async throws {
    try await Row(
      17, "two devices cut each other, in either order of delivery; the root cuts one at size 0"
    ).hold { row in
      for phoneIsFirst in [true, false] {
        let household = try await Household.copy()
        let (laptop, phone, advocate) = (household.laptop, household.phone, household.advocate)
        try await phone.opened { vault in
          let laptopLog = household.meeting.survivorLog.base32
          _ = try await vault.remove(laptopLog, fromCase: "theirs")
        }
        try await laptop.opened { vault in
          _ = try await vault.remove(household.phoneLog.base32, fromCase: nil)
        }
        let (first, second) = phoneIsFirst ? (phone, laptop) : (laptop, phone)
        try await household.meet(first, advocate, second, first, advocate)
        // Both have lost their power, and neither its evidence.
        for person in [advocate, laptop, phone] { try await expectFrozen(person) }
        #expect(
          try await advocate.opened { try await $0.texts() }
            == Meeting.texts.union(["from the phone"]))
        row.saw(.agreed, at: .library, .folder)
        let told = try await advocate.cairn("members", "theirs", "--json")
        #expect(told.output.components(separatedBy: "contested").count >= 3, "\(told.all)")
        row.saw(.agreed, at: .program)
        let state = try await household.expectAgreement(advocate)
        try await row.agrees(state, in: household, as: .agreed)
      }
      try await cutAtNothing(row)
      row.passes(.verifier, because: "one bundle is one copy")
    }
  }

  private func expectFrozen(_ person: Person) async throws {
    try await person.opened { vault in
      let members = try await vault.members(ofCase: try await vault.theirName()).members
      let contested = members.filter { if case .contested = $0.standing { true } else { false } }
      #expect(contested.count == 2, "\(members.map(\.standing))")
    }
  }

  /// What others gave receipts for stays in view, marked, though the root cuts all that was ever written.
  private func cutAtNothing(_ row: Row) async throws {
    let household = try await Household.copy()
    let (laptop, phone) = (household.laptop, household.phone)
    // The advocate was admitted by what is cut; a third device was not.
    let tablet = try await household.meeting.newcomer(1)
    try await household.meet(tablet, phone, laptop, tablet)
    let kit = try laptop.kit()
    let vault = try phone.open()
    _ = try await vault.decide(
      stays: nil, cut: [(household.meeting.survivorLog.base32, 0)], inCase: "theirs", kit: kit)
    try await vault.close()
    try await household.meet(phone, tablet, phone, tablet)
    let listed = try await tablet.standings(inCase: "theirs")
    for text in ["one", "two"] { #expect(listed[text] == "disputed", "\(listed)") }
    let state = try await household.expectAgreement(phone, tablet)
    try await row.agrees(state, in: household, as: .agreed)
  }

  @Test func `Row 39: a removed advocate looks for what is new`() async throws {
    try await Row(
      39, "a removed advocate, after a new epoch (what a relay hands out waits for a relay)"
    ).hold { row in
      let household = try await Household.copy()
      let (laptop, advocate) = (household.laptop, household.advocate)
      let before = try await advocate.opened { try await $0.texts() }
      let hers = try await advocate.bundle()
      try await laptop.opened { vault in
        _ = try await vault.remove(household.meeting.advocateLog.base32, fromCase: nil)
        _ = try await vault.add([words("after she left")], toCase: nil)
      }
      try await household.meet(laptop, advocate)
      try await advocate.opened { vault in
        #expect(try await vault.texts() == before)
        let new = try await vault.entries(ofCase: "theirs").filter { $0.standing == .locked }
        #expect(new.count <= 1)
      }
      row.saw(.locked, at: .library, .folder)
      let shown = try await advocate.cairn("search", "after she left", "--json")
      #expect(!shown.all.contains("after she left\""), "\(shown.all)")
      #expect(try await advocate.standings(inCase: "theirs")["after she left"] == nil)
      row.saw(.locked, at: .program)
      // What she had still verifies, for whoever reads it.
      #expect(hers.verdict.outcome == .consistent)
      let said = try await hers.said(isRefused: false)
      #expect(said.allSatisfy { $0.said.status == 21 })
      row.saw(.stillVerifies, at: .verifier, .independent)
    }
  }
}

extension EntryID {
  init?(base32 text: String) throws {
    guard let raw = Bytes32(try Base32.decode(text)) else { return nil }
    self.init(raw)
  }
}
