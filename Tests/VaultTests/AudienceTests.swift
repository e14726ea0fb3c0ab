import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A survivor, two advocates who do not know each other, and the folder between them.
struct Circle {
  let survivor: VaultFixture
  let first: VaultFixture
  let second: VaultFixture
  let mailbox: TemporaryFolder
  let hers: OpenVault
  let anna: OpenVault
  let bea: OpenVault

  init() async throws { try await self.init(kit: try RecoveryKit.make()) }

  init(kit: borrowing RecoveryKit) async throws {
    survivor = try VaultFixture(machine: "one")
    first = try VaultFixture(machine: "two")
    second = try VaultFixture(machine: "three")
    mailbox = try TemporaryFolder()
    hers = try OpenVault.create(
      at: survivor.path, passphrase: try locked(VaultFixture.passphrase), kit: kit, cost: .least,
      surroundings: survivor.surroundings)
    anna = try await first.create()
    bea = try await second.create()
  }

  @discardableResult
  func admit(
    _ vault: OpenVault, _ name: String, selection: EntrySelection = .all, until: UInt64? = nil
  ) async throws -> ShareOutcome {
    let card = try await vault.makeCard()
    let shared = try await hers.share(
      caseNamed: nil, with: card.text, words: card.words, selection: selection, until: until)
    _ = try await vault.join(shared.invitation, words: shared.caseWords, name: "theirs")
    _ = try await hers.nameMember(shared.member.base32, name, inCase: nil)
    return shared
  }

  /// Everybody meets, twice, so that what came in the first round is answered.
  func sync(_ vaults: [OpenVault]? = nil) async throws {
    for _ in 0..<2 {
      _ = try await hers.sync(caseNamed: nil, mailbox: mailbox.path)
      for vault in vaults ?? [anna, bea] {
        _ = try await vault.sync(caseNamed: "theirs", mailbox: mailbox.path)
      }
    }
    _ = try await hers.sync(caseNamed: nil, mailbox: mailbox.path)
  }

  /// Whether a member's copy is in the same state as the survivor's.
  func agrees(_ vault: OpenVault) async throws -> Bool {
    let state = try await hers.stateHash(ofCase: nil)
    return try await vault.stateHash(ofCase: "theirs") == state
  }

  /// What a member can open, as its words.
  func seen(by vault: OpenVault) async throws -> Set<String> {
    Set(
      try await vault.entries(ofCase: "theirs").compactMap {
        $0.standing == .open ? $0.content?.words : nil
      })
  }

  @discardableResult
  func add(_ text: String, for audience: EntryAudience = .allReaders) async throws -> EntryID {
    var entry = words(text)
    entry.audience = audience
    let outcome = try await hers.add([entry], toCase: nil)
    if let failure = outcome.failure { throw failure.error }
    return outcome.saved[0].id
  }
}

@Suite struct AudienceTests {
  @Test func `each advocate opens what is shared with her, and sees how much is not`()
    async throws
  {
    let circle = try await Circle()
    try await circle.add("before")
    let anna = try await circle.admit(circle.anna, "Anna").member
    let bea = try await circle.admit(circle.bea, "Bea", selection: .none).member
    try await circle.add("for both")
    let secret = try await circle.add("private", for: .ownDevices)
    let onlyAnna = try await circle.add("for Anna", for: .members([anna]))
    try await circle.sync()
    let note = try await circle.anna.add([words("Anna's note")], toCase: "theirs").saved[0].id
    try await circle.sync()

    #expect(
      try await circle.seen(by: circle.anna) == ["before", "for both", "for Anna", "Anna's note"])
    #expect(try await circle.seen(by: circle.bea) == ["for both"])
    let locked = try await circle.bea.entries(ofCase: "theirs").filter { $0.standing == .locked }
    #expect(locked.count == 4)

    #expect(try await circle.hers.readers(ofEntry: secret.base32) == [])
    #expect(try await circle.hers.readers(ofEntry: onlyAnna.base32).map(\.name) == ["Anna"])
    #expect(try await circle.hers.readers(ofEntry: note.base32).map(\.logID) == [anna])
    let members = try await circle.hers.members(ofCase: nil).members
    #expect(members.first { $0.logID == anna }?.entriesShared == 3)
    #expect(members.first { $0.logID == anna }?.entriesWritten == 1)
    #expect(members.first { $0.logID == bea }?.entriesShared == 1)
    for vault in [circle.anna, circle.bea] { #expect(try await circle.agrees(vault)) }
  }

  @Test func `what is about a private entry is private too`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let secret = try await circle.add("private", for: .ownDevices)
    let open = try await circle.add("open")
    for (target, text) in [(secret, "about private"), (open, "about open")] {
      var content = EntryContent()
      content.words = text
      content.about = [target]
      _ = try await circle.hers.append(content, as: .amend, toCase: nil)
    }
    try await circle.sync([circle.anna])
    #expect(try await circle.seen(by: circle.anna) == ["open", "about open"])
  }

  @Test func `entries are shared later at the same place, with a trace`() async throws {
    let circle = try await Circle()
    let anna = try await circle.admit(circle.anna, "Anna").member
    let bea = try await circle.admit(circle.bea, "Bea").member
    let picture = noise(200_000, seed: 5)
    let file = try circle.survivor.folder.file("shot.png", picture)
    var entry = NewEntry(source: .file(path: file), content: EntryContent())
    entry.audience = .ownDevices
    let id = try await circle.hers.add([entry], toCase: nil).saved[0].id
    try await circle.add("kept", for: .members([bea]))
    try await circle.sync()
    let note = try await circle.anna.add([words("Anna's note")], toCase: "theirs").saved[0].id
    try await circle.sync()
    #expect(try await circle.seen(by: circle.anna) == ["Anna's note"])

    // All is what was not kept back; so there is nothing.
    let all = try await circle.hers.share(.all, ofCase: nil, withMember: "Bea")
    #expect(all.entries == [])
    // What was kept for her alone she has.
    #expect(all.keptBack.count == 1)
    let before = try await circle.hers.stateHash(ofCase: nil)

    let preview = try await circle.hers.previewShare(
      .entries([id.base32, note.base32]), ofCase: nil, with: .member("Bea"))
    #expect(Set(preview.entries.map(\.id)) == [id, note])
    #expect(preview.entries.allSatisfy { !$0.isOwn })
    #expect(preview.logs.first { $0.logID == anna }?.withheldCount == 0)
    #expect(try await circle.hers.stateHash(ofCase: nil) == before)

    let shared = try await circle.hers.share(
      .entries([id.base32, note.base32, String(id.base32.prefix(12))]), ofCase: nil,
      withMember: "Bea")
    #expect(Set(shared.entries) == [id, note])
    try await circle.sync()
    let got = try await circle.bea.entry(id.base32)
    #expect(got.summary.standing == .open)
    #expect(got.presentAttachments == [0])
    let hersOfNote = try await circle.bea.entry(note.base32).summary
    #expect(hersOfNote.author == .advocate && hersOfNote.logID == anna)
    let output = circle.second.folder.path + "/out"
    _ = try await circle.bea.extract(id.base32, to: output)
    #expect([UInt8](try Data(contentsOf: URL(filePath: output + "/shot.png"))) == picture)
    // The first advocate got nothing by it.
    #expect(try await circle.seen(by: circle.anna) == ["Anna's note"])
    let again = try await circle.hers.share(
      .entries([id.base32]), ofCase: nil, withMember: "Bea")
    #expect(again.entries == [])
    #expect(again.alreadySharedCount == 1)
    #expect(try await circle.agrees(circle.bea))
  }

  @Test func `a selection that cannot be carried out shares nothing`() async throws {
    let circle = try await Circle()
    let id = try await circle.add("one", for: .ownDevices)
    try await circle.admit(circle.anna, "Anna")
    _ = try await circle.hers.startCase(named: "other")
    let other = try await circle.hers.add([words("elsewhere")], toCase: "other").saved[0].id
    let before = try await circle.hers.stateHash(ofCase: nil)
    for (ids, code) in [
      ([id.base32, other.base32], VaultError.Code.differentCases),
      ([id.base32, "zzzzzz"], .unknownEntry), ([id.base32, "ab"], .unknownEntry),
    ] {
      await #expect(throws: VaultError(code)) {
        try await circle.hers.share(.entries(ids), ofCase: nil, withMember: "Anna")
      }
      let card = try await circle.bea.makeCard()
      await #expect(throws: VaultError(code)) {
        try await circle.hers.share(
          caseNamed: nil, with: card.text, words: card.words, selection: .entries(ids))
      }
    }
    let own = try await circle.hers.members(ofCase: nil).members.first { $0.isOwn }
    for (member, code) in [
      ("nobody", VaultError.Code.unknownMember), ("An", .unknownMember),
      (try #require(own?.logID.base32), .notAnAdvocate),
    ] {
      await #expect(throws: VaultError(code)) {
        try await circle.hers.share(.all, ofCase: nil, withMember: member)
      }
    }
    try await circle.sync([circle.anna])
    await #expect(throws: VaultError(.notAllowed)) {
      try await circle.anna.share(.all, ofCase: "theirs", withMember: "nobody")
    }
    var note = words("hers")
    note.audience = .ownDevices
    let forbidden = note
    await #expect(throws: VaultError(.notAllowed)) {
      try await circle.anna.add([forbidden], toCase: "theirs")
    }
    #expect(try await circle.hers.stateHash(ofCase: nil) == before)
    #expect(try await circle.seen(by: circle.anna) == [])
  }
}

@Suite struct MemberNameTests {
  @Test func `a member is named by the beginning of an id, if it is the only one`() throws {
    let ids = [UInt8(0), 1, 255].map { LogID(Bytes32([$0] + [UInt8](repeating: 0, count: 31))!) }
    #expect(ids.map { $0.base32.prefix(6) } == ["aaaaaa", "aeaaaa", "74aaaa"])
    let twin = LogID(Bytes32([UInt8](repeating: 0, count: 31) + [1])!)
    #expect(try MemberTable.match("AEAAaa", among: ids) == ids[1])
    #expect(try MemberTable.match(twin.base32, among: ids + [twin]) == twin)
    for (text, code) in [
      ("aaaa", VaultError.Code.ambiguousMember), ("aea", .unknownMember), ("", .unknownMember),
      ("zzzz", .unknownMember), (ids[0].base32 + "a", .unknownMember), ("äöü€", .unknownMember),
    ] {
      #expect(throws: VaultError(code)) { try MemberTable.match(text, among: ids + [twin]) }
    }
  }
}

@Suite struct RemovalTests {
  @Test func `who is removed opens nothing new, and others go on`() async throws {
    let circle = try await Circle()
    try await circle.add("early")
    let anna = try await circle.admit(circle.anna, "Anna").member
    try await circle.admit(circle.bea, "Bea")
    try await circle.sync()
    let early = try await circle.anna.add([words("Anna early")], toCase: "theirs").saved[0].id
    try await circle.sync()
    let late = try await circle.anna.add([words("Anna late")], toCase: "theirs").saved[0].id

    let removed = try await circle.hers.remove("Anna", fromCase: nil)
    #expect(removed.opened.count == 1)
    #expect(removed.remainingReaders == 1)
    #expect(removed.member.standing == .removed(1))
    try await circle.add("later")
    try await circle.sync()

    #expect(try await circle.seen(by: circle.anna) == ["early", "Anna early"])
    #expect(try await circle.seen(by: circle.bea) == ["early", "later"])
    let refused = try await circle.anna.add([words("more")], toCase: "theirs")
    #expect(refused.failure?.error == VaultError(.removed, role: .advocate))
    #expect(try await circle.hers.check().findings == [])
    #expect(try await circle.anna.check().findings == [])
    // Nobody gives a receipt for what stands behind a cut.
    #expect(try await circle.hers.entry(late.base32).summary.standing == .setAside)
    #expect(try await circle.hers.entry(early.base32).summary.standing == .open)
    #expect(try await circle.agrees(circle.bea))

    // A member who comes after it reads the control entries of before.
    let clara = try VaultFixture(machine: "four")
    let fourth = try await clara.create()
    try await circle.admit(fourth, "Clara")
    try await circle.sync([circle.bea, fourth])
    #expect(try await circle.agrees(fourth))
    #expect(try await circle.seen(by: fourth) == ["early", "later"])
    let members = try await fourth.members(ofCase: "theirs").members
    #expect(members.first { $0.logID == anna }?.standing == .removed(1))
  }

  @Test func `what a removed member adds is set aside where nobody else saw it`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    try await circle.sync([circle.anna])
    let late = try await circle.anna.add([words("late")], toCase: "theirs").saved[0].id
    _ = try await circle.hers.remove("Anna", fromCase: nil)
    try await circle.sync([circle.anna])
    #expect(try await circle.hers.entry(late.base32).summary.standing == .setAside)
    #expect(try await circle.anna.entry(late.base32).summary.standing == .setAside)
    // Nothing of it can be shared on either.
    try await circle.admit(circle.bea, "Bea")
    await #expect(throws: VaultError(.entryLocked)) {
      try await circle.hers.share(.entries([late.base32]), ofCase: nil, withMember: "Bea")
    }
  }

  @Test func `a removal that cannot be is refused, and nothing is written`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    try await circle.admit(circle.bea, "Bea")
    try await circle.sync()
    let own = try #require(
      try await circle.hers.members(ofCase: nil).members.first { $0.isOwn }?.logID.base32)
    let before = try await circle.hers.stateHash(ofCase: nil)
    for (member, code) in [(own, VaultError.Code.ownMember), ("nobody", .unknownMember)] {
      await #expect(throws: VaultError(code)) {
        try await circle.hers.remove(member, fromCase: nil)
      }
    }
    await #expect(throws: VaultError(.notAllowed)) {
      try await circle.anna.remove(own, fromCase: "theirs")
    }
    await #expect(throws: VaultError(.memberNameTaken)) {
      try await circle.hers.nameMember("Bea", "Anna", inCase: nil)
    }
    #expect(try await circle.hers.stateHash(ofCase: nil) == before)
    _ = try await circle.hers.remove("Anna", fromCase: nil)
    await #expect(throws: VaultError(.alreadyRemoved)) {
      try await circle.hers.remove("Anna", fromCase: nil)
    }
    await #expect(throws: VaultError(.alreadyRemoved)) {
      try await circle.hers.share(.all, ofCase: nil, withMember: "Anna")
    }
  }

  @Test func `a member whose time is over is removed before the next entry`() async throws {
    let circle = try await Circle()
    try await circle.add("early")
    let end = circle.survivor.clock.now + 1000
    await #expect(throws: VaultError(.timePassed)) {
      try await circle.admit(circle.anna, "Anna", until: circle.survivor.clock.now)
    }
    let anna = try await circle.admit(circle.anna, "Anna", until: end).member
    try await circle.admit(circle.bea, "Bea")
    try await circle.sync()
    func standing() async throws -> MemberSummary.Standing? {
      try await circle.hers.members(ofCase: nil).members.first { $0.logID == anna }?.standing
    }
    #expect(try await standing() == .lapses(end))
    circle.survivor.clock.advance(1000)
    try await circle.add("in time")
    circle.survivor.clock.advance(1)
    #expect(try await standing() == .lapsed(end))
    try await circle.add("late")
    #expect(try await standing() == .removed(0))
    try await circle.add("later")
    try await circle.sync()
    #expect(try await circle.seen(by: circle.anna) == ["early", "in time"])
    #expect(try await circle.seen(by: circle.bea) == ["early", "in time", "late", "later"])
    // Once: the second entry found her removed.
    #expect(try await circle.hers.controlCount(.cut) == 1)
  }

  @Test func `epochs begun by another are wrapped for whom it did not know`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    try await circle.sync([circle.anna])
    // As if the admission had lost its wraps on the way.
    try await circle.hers.forgetWraps()
    try await circle.admit(circle.bea, "Bea")
    try await circle.hers.forgetWraps()
    try await circle.add("new")
    try await circle.sync()
    #expect(try await circle.seen(by: circle.bea) == ["new"])
    let count = try await circle.hers.wrapCount()
    try await circle.sync()
    #expect(try await circle.hers.wrapCount() == count)
  }
}

extension OpenVault {
  func controlCount(_ kind: EntryKind) throws -> Int {
    try read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM entry WHERE kind = ?", arguments: [Int64(kind.code)]) ?? 0
    }
  }

  func forgetWraps() throws {
    try commit { db in try db.execute(sql: "DELETE FROM wrap; DELETE FROM wrapped") }
  }

  func wrapCount() throws -> Int {
    try read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM wrap") ?? 0 }
  }
}
