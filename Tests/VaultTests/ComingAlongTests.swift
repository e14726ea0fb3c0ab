import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

@discardableResult
func say(
  _ text: String, about targets: [EntryID], as kind: EntryKind = .amend,
  for audience: EntryAudience = .allReaders, in vault: OpenVault, caseNamed name: String? = nil
) async throws -> EntryID {
  var content = EntryContent()
  content.words = text
  content.about = targets
  var entry = NewEntry(kind: kind, content: content)
  entry.audience = audience
  let outcome = try await vault.add([entry], toCase: name)
  if let failure = outcome.failure { throw failure.error }
  return try #require(outcome.saved.first?.id)
}

/// What comes with an entry that is shared later, and what does not.
@Suite struct ComingAlongTests {
  /// Whether a member's copy shows the entry as taken back.
  private func isTakenBack(_ id: EntryID, in vault: OpenVault) async throws -> Bool {
    let history = try await vault.history(of: id.base32)
    let listed = try await vault.entry(id.base32).summary.isRetracted
    #expect(listed == (history.entry.takenBackBy != nil))
    return listed
  }

  @Test func `a retraction reaches whoever could open the entry before`() async throws {
    let circle = try await Circle()
    let anna = try await circle.admit(circle.anna, "Anna").member
    try await circle.admit(circle.bea, "Bea")
    let open = try await circle.add("open")
    let secret = try await circle.add("private", for: .ownDevices)
    let onlyAnna = try await circle.add("for Anna", for: .members([anna]))
    // One of them is nobody's, one is not Bea's, and for whom it was asked does not matter.
    try await say(
      "taken back", about: [open, secret, onlyAnna], as: .retract, for: .ownDevices,
      in: circle.hers)
    try await circle.sync()
    #expect(try await isTakenBack(open, in: circle.anna))
    #expect(try await isTakenBack(onlyAnna, in: circle.anna))
    #expect(try await isTakenBack(open, in: circle.bea))
    #expect(
      try await circle.anna.entries(ofCase: "theirs").count { $0.standing == .locked } == 1)
  }

  /// One device takes back what the other one, which does not know, shares.
  @Test func `a retraction that crosses a sharing on another device reaches her all the same`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("other")])
    let (_, theirs) = try await survivor.admitAdvocate()
    var secret = words("secret")
    secret.audience = .ownDevices
    let saved = try await survivor.vault.add([secret], toCase: nil)
    let id = try #require(saved.saved.first?.id)
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    try await survivor.vault.meet(survivor.own, own: true)
    let (_, laptop) = try await survivor.recover("laptop", from: survivor.own)
    for _ in 0..<2 {
      for vault in [laptop, survivor.vault] {
        try await vault.meet(survivor.own, own: true)
        try await vault.meet(survivor.shared)
      }
    }
    try await say("taken back", about: [id], as: .retract, in: laptop)
    let members = try await survivor.vault.members(ofCase: nil).members
    let member = try #require(members.first { $0.role == .advocate })
    _ = try await survivor.vault.share(
      .entries([id.base32]), ofCase: nil, withMember: member.logID.base32)
    for _ in 0..<2 {
      for vault in [laptop, survivor.vault] { try await vault.meet(survivor.own, own: true) }
      for vault in [laptop, survivor.vault, theirs] { try await vault.meet(survivor.shared) }
    }
    #expect(try await isTakenBack(id, in: survivor.vault))
    #expect(try await isTakenBack(id, in: laptop))
    #expect(try await isTakenBack(id, in: theirs))
    // What is mended is mended once.
    func shares() async throws -> Int {
      try await survivor.vault.write { db in
        try Int.fetchOne(
          db, sql: "SELECT count(*) FROM entry WHERE kind = ?",
          arguments: [Int64(EntryKind.share.code)]) ?? 0
      }
    }
    let count = try await shares()
    for vault in [laptop, survivor.vault, theirs] { try await vault.meet(survivor.shared) }
    #expect(try await shares() == count)
  }

  @Test func `a private retraction stays private while nobody can open the entry`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let secret = try await circle.add("private", for: .ownDevices)
    let retraction = try await say(
      "taken back", about: [secret], as: .retract, in: circle.hers)
    #expect(try await circle.hers.readers(ofEntry: retraction.base32) == [])
  }

  @Test(arguments: [0, 1, 2, 3])
  func `an entry shared later is taken back there as it is here`(retractions: Int) async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let secret = try await circle.add("private", for: .ownDevices)
    var chain = [secret]
    for number in 0..<retractions {
      chain.append(
        try await say("back \(number)", about: [chain[number]], as: .retract, in: circle.hers))
    }
    let other = try await circle.add("other", for: .ownDevices)
    try await say("other back", about: [other], as: .retract, in: circle.hers)
    let preview = try await circle.hers.previewShare(
      .entries([secret.base32]), ofCase: nil, with: .member("Anna"))
    #expect(preview.entries.map(\.id) == chain)
    #expect(preview.along.retractionCount == retractions)
    let shared = try await circle.hers.share(
      .entries([secret.base32]), ofCase: nil, withMember: "Anna")
    #expect(shared.entries == chain)
    #expect(shared.along == preview.along)
    try await circle.sync([circle.anna])
    #expect(try await isTakenBack(secret, in: circle.anna) == (retractions % 2 == 1))
    #expect(try await circle.seen(by: circle.anna).count == 1 + retractions)
  }

  @Test func `a retraction that somebody lacks is shared with an entry that she has`()
    async throws
  {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let open = try await circle.add("open")
    let retraction = try await say("taken back", about: [open], as: .retract, in: circle.hers)
    // As if another device had taken it back without knowing of her.
    try await circle.hers.close(retraction)
    let shared = try await circle.hers.share(
      .entries([open.base32]), ofCase: nil, withMember: "Anna")
    #expect(shared.entries == [retraction])
    #expect(shared.alreadySharedCount == 1)
  }

  @Test(arguments: [false, true])
  func `a card gives an entry with its retraction, and no additions unless wished`(
    withAdditions: Bool
  ) async throws {
    let circle = try await Circle()
    let secret = try await circle.add("private", for: .ownDevices)
    try await say("added", about: [secret], in: circle.hers)
    try await say("taken back", about: [secret], as: .retract, in: circle.hers)
    let card = try await circle.bea.makeCard()
    let shared = try await circle.hers.share(
      caseNamed: nil, with: card.text, words: card.words, selection: .entries([secret.base32]),
      withAdditions: withAdditions)
    #expect(shared.entryCount == (withAdditions ? 3 : 2))
    #expect(shared.along.retractionCount == 1)
    #expect(shared.along.additionsLeftOut == (withAdditions ? 0 : 1))
    _ = try await circle.bea.join(shared.invitation, words: shared.caseWords, name: "theirs")
    try await circle.sync([circle.bea])
    #expect(try await isTakenBack(secret, in: circle.bea))
    #expect(try await circle.seen(by: circle.bea).contains("added") == withAdditions)
  }

  @Test func `additions come when they are wished, and then tell the whole history`()
    async throws
  {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let secret = try await circle.add("private", for: .ownDevices)
    let amendment = try await say("added", about: [secret], in: circle.hers)
    try await say("of the addition", about: [amendment], as: .note, in: circle.hers)
    let wrong = try await say("wrong addition", about: [secret], in: circle.hers)
    try await say("takes it back", about: [wrong], as: .retract, in: circle.hers)
    let again = try await say("back and again", about: [secret], in: circle.hers)
    let back = try await say("again taken back", about: [again], as: .retract, in: circle.hers)
    try await say("given back", about: [back], as: .retract, in: circle.hers)

    let first = try await circle.hers.share(
      .entries([secret.base32]), ofCase: nil, withMember: "Anna")
    #expect(first.entries == [secret])
    #expect(first.along.additionsLeftOut == 5)
    // What was taken back, and its retraction.
    #expect(first.along.additionsKeptBack == 2)
    try await circle.sync([circle.anna])
    #expect(try await circle.seen(by: circle.anna) == ["private"])
    #expect(try await circle.anna.history(of: secret.base32).later.isEmpty)

    let preview = try await circle.hers.previewShare(
      .entries([secret.base32]), ofCase: nil, with: .member("Anna"))
    let wished = try await circle.hers.previewShare(
      .entries([secret.base32]), withAdditions: true, ofCase: nil, with: .member("Anna"))
    #expect(preview.entries == [] && preview.additionsLeftOut == wished.entries)
    #expect(wished.additionsLeftOut == [])
    let second = try await circle.hers.share(
      .entries([secret.base32]), withAdditions: true, ofCase: nil, withMember: "Anna")
    #expect(second.entries == wished.entries.map(\.id))
    #expect(second.along.additionCount == 5 && second.along.additionsLeftOut == 0)
    try await circle.sync([circle.anna])
    let history = try await circle.anna.history(of: secret.base32)
    #expect(
      history.later.map(\.summary.content?.words) == [
        "added", "of the addition", "back and again", "again taken back", "given back",
      ])
    #expect(history.entry.takenBackBy == nil)
    #expect(history.later.map { $0.takenBackBy != nil } == [false, false, false, true, false])
    #expect(try await circle.agrees(circle.anna))
  }

  @Test func `all leaves out no retraction, and tells of additions that were for fewer`()
    async throws
  {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    try await circle.admit(circle.bea, "Bea", selection: .none)
    try await circle.sync()
    let early = try await circle.add("open")
    let open = try await circle.add("open two")
    // Not Bea's when this is said: she cannot open the entry yet.
    try await circle.hers.close(early, to: "Bea")
    try await say("added", about: [early], in: circle.hers)
    try await say("taken back", about: [early], as: .retract, in: circle.hers)
    try await say("secret about it", about: [open], as: .note, for: .ownDevices, in: circle.hers)
    try await circle.add("secret", for: .ownDevices)
    let all = try await circle.hers.previewShare(.all, ofCase: nil, with: .member("Bea"))
    #expect(all.entries.map { $0.content?.words } == ["open", "taken back"])
    #expect(all.keptBack.count == 1)
    #expect(all.along.additionsLeftOut == 1 && all.along.additionsKeptBack == 1)
    let shared = try await circle.hers.share(
      .all, withAdditions: true, ofCase: nil, withMember: "Bea")
    #expect(shared.entries.count == 3)
    #expect(shared.along.additionsKeptBack == 1)
    try await circle.sync()
    #expect(
      try await circle.seen(by: circle.bea) == ["open", "open two", "added", "taken back"])
  }
}

/// Whoever wants to learn of others by it.
@Suite struct ComingAlongAttackTests {
  @Test func `what an advocate wrote comes with nothing, nor what was answered to her`()
    async throws
  {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let open = try await circle.add("open")
    try await circle.admit(circle.bea, "Bea", selection: .none)
    try await circle.sync()
    let note = try await say(
      "Anna's note", about: [open], as: .note, in: circle.anna, caseNamed: "theirs")
    let request = try await say(
      "Anna asks", about: [open], as: .request, in: circle.anna, caseNamed: "theirs")
    try await circle.sync()
    var answer = EntryContent()
    answer.words = "answer to Anna"
    answer.about = [request]
    answer.request = .done
    _ = try await circle.hers.add([NewEntry(kind: .request, content: answer)], toCase: nil)
    try await say("of both", about: [open, note], as: .note, in: circle.hers)
    try await say("added", about: [open], as: .amend, in: circle.hers)
    let shared = try await circle.hers.share(
      .entries([open.base32]), withAdditions: true, ofCase: nil, withMember: "Bea")
    #expect(shared.along.additionCount == 1)
    #expect(shared.along.additionsKeptBack == 4)
    try await circle.sync()
    #expect(try await circle.seen(by: circle.bea) == ["open", "added"])
    // What she has not got stays without a name, too.
    let later = try await circle.bea.history(of: open.base32).later
    #expect(later.map(\.summary.content?.words) == ["added"])
  }

  @Test func `what was written for one advocate does not come to another`() async throws {
    let circle = try await Circle()
    let early = try await circle.add("open")
    try await say("nobody's", about: [early], as: .note, for: .ownDevices, in: circle.hers)
    let anna = try await circle.admit(circle.anna, "Anna").member
    // Anna is the only one there is, so nobody is left out by it.
    try await say("for Anna", about: [early], as: .note, for: .members([anna]), in: circle.hers)
    try await say("for all", about: [early], as: .note, in: circle.hers)
    let secret = try await circle.add("private", for: .ownDevices)
    try await say("private too", about: [secret], as: .note, for: .ownDevices, in: circle.hers)
    try await say(
      "private for Anna", about: [secret], as: .note, for: .members([anna]), in: circle.hers)
    try await circle.admit(circle.bea, "Bea", selection: .none)
    let shared = try await circle.hers.share(
      .entries([early.base32, secret.base32]), withAdditions: true, ofCase: nil,
      withMember: "Bea")
    #expect(shared.along.additionsKeptBack == 4)
    try await circle.sync()
    #expect(try await circle.seen(by: circle.bea) == ["open", "for all", "private"])
  }

  /// She signs what her role may not, with a patched program.
  @Test func `a forged retraction brings nothing along`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    try await circle.admit(circle.bea, "Bea")
    let open = try await circle.add("open")
    let secret = try await circle.add("private", for: .ownDevices)
    try await circle.sync()
    var forged = EntryContent()
    forged.words = "forged"
    // It is about an entry that Bea is to be shown, and about one that nobody is.
    forged.about = [open, secret]
    let retraction = try await circle.bea.append(forged, as: .retract, toCase: "theirs")
    _ = try await circle.bea.append(forged, as: .note, toCase: "theirs")
    try await circle.sync()
    #expect(try await circle.hers.entry(retraction.base32).summary.standing == .violation)
    for (ids, withAdditions) in [([open], false), ([open], true), ([secret], true)] {
      let preview = try await circle.hers.previewShare(
        .entries(ids.map(\.base32)), withAdditions: withAdditions, ofCase: nil,
        with: .member("Anna"))
      #expect(preview.entries.map(\.id) == ids.filter { $0 == secret })
    }
  }

  @Test func `what is about a private entry too stays, and a retraction brings only itself`()
    async throws
  {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let one = try await circle.add("one", for: .ownDevices)
    let two = try await circle.add("two", for: .ownDevices)
    try await say("of both", about: [one, two], as: .note, in: circle.hers)
    try await say("both taken back", about: [one, two], as: .retract, in: circle.hers)
    try await say("of two", about: [two], as: .amend, in: circle.hers)
    let shared = try await circle.hers.share(
      .entries([one.base32]), withAdditions: true, ofCase: nil, withMember: "Anna")
    #expect(shared.along.additionsKeptBack == 1)
    try await circle.sync([circle.anna])
    #expect(try await circle.seen(by: circle.anna) == ["one", "both taken back"])
  }

  @Test func `somebody new is not told what was answered to another advocate`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let open = try await circle.add("open")
    try await circle.sync([circle.anna])
    let note = try await say(
      "Anna's note", about: [open], as: .note, in: circle.anna, caseNamed: "theirs")
    try await circle.sync([circle.anna])
    let answer = try await say("do not tell Bea", about: [note], as: .note, in: circle.hers)
    try await say("about the answer", about: [open, answer], as: .note, in: circle.hers)
    let outcome = try await circle.admit(circle.bea, "Bea")
    #expect(outcome.along.additionsKeptBack == 3)
    try await circle.sync()
    #expect(try await circle.seen(by: circle.bea) == ["open"])
  }

  @Test func `what another device added for nobody else has to be named`() async throws {
    let survivor = try await SurvivorWithKit([words("open")])
    let (_, theirs) = try await survivor.admitAdvocate()
    let open = try #require(try await survivor.vault.entries(ofCase: nil).first?.id)
    try await survivor.vault.meet(survivor.own, own: true)
    let (_, laptop) = try await survivor.recover("laptop", from: survivor.own)
    for _ in 0..<2 {
      for vault in [laptop, survivor.vault] { try await vault.meet(survivor.own, own: true) }
    }
    try await say("secret", about: [open], as: .note, for: .ownDevices, in: laptop)
    for vault in [laptop, survivor.vault] { try await vault.meet(survivor.own, own: true) }
    _ = theirs
    let card = try await survivor.fixture("second advocate").create().makeCard()
    let shared = try await survivor.vault.share(
      caseNamed: nil, with: card.text, words: card.words, selection: .entries([open.base32]),
      withAdditions: true)
    #expect(shared.entryCount == 1)
    #expect(shared.along.additionsKeptBack == 1)
  }
}

extension OpenVault {
  /// Takes slots of advocates from an entry: of all, or of one.
  func close(_ entry: EntryID, to member: String? = nil) throws {
    try commit { db in
      let row = try CaseRow.find(db, nil)
      let state = try CaseView.state(db, of: row)
      let first = try member.map { try MemberTable.find(db, $0, of: row, in: state).firstLogID }
      for record in state.epochs {
        guard case .advocate(let log) = record.epoch.audience, log == first ?? log else { continue }
        try db.execute(
          sql: """
            DELETE FROM slot WHERE epoch = ? AND leaf_ref = (SELECT id FROM leaf WHERE entry_id = ?)
            """, arguments: [record.id.bytes.data, entry.bytes.data])
      }
    }
  }
}
