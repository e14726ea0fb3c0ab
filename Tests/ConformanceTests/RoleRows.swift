import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// What a member writes that is not hers to write, with a patched program and by way of the folder.
@Suite struct `Attacks by an advocate` {
  @Test func `Row 13: an advocate writes what only survivors may`() async throws {
    try await Row(
      13, "an advocate writes evidence, amend, retract, erase, admit, share or cut"
    ).hold { row in
      let meeting = try await Meeting.copy()
      let mailbox = try TemporaryFolder(meeting.files)
      let one = try await meeting.survivor.opened { vault in
        try await vault.entries(ofCase: nil).first { $0.content?.words == "one" }?.id
      }
      let forgeries = try await forge(about: try #require(one), meeting, mailbox)
      let reader = try await meeting.newcomer()
      let state = try await reader.opened { vault in
        _ = try await vault.meet(mailbox.path)
        return try await vault.state()
      }
      try await meeting.survivor.opened { vault in
        let outcome = try await vault.meet(mailbox.path)
        #expect(outcome.violations == forgeries)
        #expect(try await vault.meet(mailbox.path).problems == [])
        // Nothing was erased, cut, admitted or taken back.
        #expect(try await vault.texts() == Meeting.texts)
        #expect(try await vault.members(ofCase: nil).members.count == 3)
        let listed = try await vault.entries(ofCase: nil)
        #expect(listed.allSatisfy { !$0.isRetracted })
        #expect(listed.count { $0.standing == .violation } == 4)
        let check = try await vault.check()
        #expect(
          check.findings.count { if case .violation = $0 { true } else { false } } == forgeries)
        #expect(try await vault.state() == state)
      }
      row.saw(.setAside, at: .library, .folder)

      try await expectSetAside(row, by: reader, forgeries, mailbox)
      let kit = meeting.survivor.path("kit")
      let said = try await Verifiers.folder(mailbox.path, kit: kit)
      #expect(said.status == 0, "\(said.object)")
      #expect(said.object["state"] as? String == state.hex)
      row.saw(.setAside, at: .independent)
      try await row.tells([.violation], of: try await meeting.survivor.bundle(), as: .setAside)
    }
  }

  /// Everything that is not hers: three kinds of content, four of control, and what the patched program of the
  /// demonstration writes.
  private func forge(
    about one: EntryID, _ meeting: Meeting, _ mailbox: TemporaryFolder
  ) async throws -> Int {
    try await meeting.advocate.opened { vault in
      var content = EntryContent()
      content.words = "forged"
      _ = try await vault.append(content, as: .evidence, toCase: "theirs")
      content.about = [one]
      for kind in [EntryKind.amend, .retract] {
        _ = try await vault.append(content, as: kind, toCase: "theirs")
      }
      let card = try Card(
        decoding: try Armor.card.decode(try await vault.makeCard().text, max: 4096))
      let cut = LogPosition(logID: meeting.survivorLog, size: 0, root: CompactRange().root)
      let everyone = try await vault.everyone()
      for control in [
        Control.erase([one]), .admit(.init(card: card, role: .advocate)),
        .cut(.init(position: cut)),
        .share(
          .init(
            epoch: everyone,
            entries: [.init(logID: meeting.survivorLog, first: 0, count: 1)], slotBatch: .zero)),
      ] {
        try await vault.forge(control)
      }
    }
    let patched = try ChildProcess.run(
      [
        Program.path(of: "PatchedAdvocate"), meeting.advocate.vault,
        meeting.advocate.passphraseFile, "theirs",
      ], withErrors: true)
    #expect(patched.status == 0, "\(patched.output)")
    // Her own copy shows it as what it is, too.
    try await meeting.advocate.opened { vault in
      let outcome = try await vault.meet(mailbox.path)
      #expect(outcome.violations == 8)
    }
    return 8
  }

  private func expectSetAside(
    _ row: Row, by reader: Person, _ count: Int, _ mailbox: TemporaryFolder
  ) async throws {
    let synced = try await reader.cairn("sync", "--mailbox", mailbox.path, "--json")
    #expect(synced.status == 0 || synced.status == 21, "\(synced.all)")
    #expect(try synced.json()["violations"] as? Int == count)
    let standings = try await reader.standings(inCase: "theirs")
    for text in Meeting.texts { #expect(standings[text] == "open", "\(standings)") }
    let listed = try await reader.entries(inCase: "theirs")
    #expect(listed.count { $0["standing"] as? String == "violation" } == 4)
    let checked = try await reader.cairn("check", "--json")
    #expect(checked.status == 21, "\(checked.all)")
    row.saw(.setAside, at: .program)
  }

  @Test func `Row 14: a leaf is copied into another log`() async throws {
    try await Row(14, "a leaf copied into one’s own log, as it is or as a note").hold { row in
      let meeting = try await Meeting.copy()
      let mailbox = try TemporaryFolder(meeting.files)
      try await meeting.advocate.opened { vault in
        let one = try #require(
          try await vault.entries(ofCase: "theirs").first { $0.content?.words == "one" })
        try await vault.forgeLeaf(copying: one.id, as: .content)
        try await vault.forgeLeaf(copying: one.id, as: .note)
        // What it says, as a note of her own: that she may.
        var content = try #require(one.content)
        content.about = []
        _ = try await vault.append(content, as: .note, toCase: "theirs")
        try await vault.meet(mailbox.path)
      }
      let reader = try await meeting.newcomer()
      try await reader.opened { vault in
        _ = try await vault.meet(mailbox.path)
        let own = try await vault.entries(ofCase: "theirs")
          .filter { $0.logID == meeting.advocateLog }.sorted { $0.sequence < $1.sequence }
        #expect(own.map(\.standing) == [.open, .violation, .violation, .open])
        #expect(own.last?.author == .advocate && own.last?.content?.words == "one")
      }
      row.saw(.setAside, at: .library, .folder)
      let listed = try await reader.entries(inCase: "theirs").filter {
        $0["words"] as? String == "one" && $0["standing"] as? String == "open"
      }
      #expect(Set(listed.compactMap { $0["author"] as? String }) == ["survivor", "advocate"])
      row.saw(.setAside, at: .program)
      let state = try await reader.opened { try await $0.state() }
      try await reader.opened { vault in _ = try await vault.meet(mailbox.path) }
      let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
      #expect(said.object["state"] as? String == state.hex)
      row.saw(.setAside, at: .independent)
      try await row.tells([.violation], of: try await reader.bundle(), as: .setAside)
    }
  }

  @Test func `Row 15: a role is edited, or somebody certifies herself`() async throws {
    try await Row(15, "a role field edited; a certificate issued to oneself").hold { row in
      let meeting = try await Meeting.shared.value
      let reader = try await meeting.newcomer()
      let offer = try await meeting.advocate.opened { try await $0.makeCard() }
      let card = try Card(decoding: try Armor.card.decode(offer.text, max: 4096))
      // The role is the last byte of the body: 4: 2.
      let end = try #require(card.bytes.firstRange(of: card.body)?.upperBound)
      var edited = card.bytes
      edited[end - 1] = UInt8(Role.survivor.rawValue)
      #expect(throws: CaseLogError.badSignature) { try Card(decoding: edited) }
      let statement = try await meeting.advocate.opened { try await $0.forgedAdmission(of: card) }
      let root = try meeting.rootKey()
      #expect(throws: CaseLogError.self) {
        try RootStatement(decoding: statement, caseID: meeting.caseID, root: root)
      }
      row.saw(.refused, at: .library)

      _ = try reader.folder.file("edited", Armor.card.encode(edited))
      let shared = try await reader.cairn(
        "share", "theirs", "--with", "edited", "--words", offer.words.joined(separator: " "),
        "--output", "invitation", "--yes", "--json")
      #expect(try shared.errorCode() == "cardDamaged", "\(shared.all)")
      #expect(!FileManager.default.fileExists(atPath: reader.path("invitation")))
      row.saw(.refused, at: .program)

      // By way of the folder: in the place where the root's own statements lie.
      var files = meeting.files
      let head = try files.name("head", of: meeting.advocateLog)
      files.put(
        try files.frames(head).map { frame in
          if case .statements(let items) = frame { .statements(items + [statement]) } else { frame }
        }, in: head)
      try await row.refuses(
        FolderAttempt(
          meeting: meeting, files: files, problems: ["forgedStatement"], lacksSomething: false))
      let vector = try #require(
        try ProtocolVector.all("bundle").first { $0.name == "statement-forged" })
      try await row.refuses(try vector.attempt(), as: .statementInvalid)
    }
  }
}

extension OpenVault {
  /// The newest epoch of everyone.
  func everyone() throws -> EpochID {
    let name = try theirName()
    return try read { db in
      let row = try CaseRow.find(db, name)
      let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
      return try #require(epochs.last { $0.key.audience == .everyone }).key.id
    }
  }
}

extension Meeting {
  func rootKey() throws -> VerifyingKey {
    for case .statements(let items) in try files.frames(try files.name("head", of: survivorLog)) {
      for item in items {
        do throws(CaseLogError) {
          let key = try RootStatement.claimedRoot(of: item)
          if CaseID(root: key) == caseID { return key }
        } catch { continue }
      }
    }
    throw CocoaError(.fileReadCorruptFile)
  }
}
