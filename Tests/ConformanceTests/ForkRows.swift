import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A survivor's device that signed two histories: each lies in a folder of its own, and nobody has seen both.
struct Forked {
  let meeting: Meeting
  /// She knows the log as it was before.
  var advocate: Person { meeting.advocate }
  /// A further device, which read the second history.
  let other: Person
  let first: TemporaryFolder
  let second: TemporaryFolder
  /// So many entries are the same in both.
  let common: UInt64

  /// - Parameter isErasing: one of them has an erasure as well, which then has no effect anywhere.
  init(isErasing: Bool = false) async throws {
    let meeting = try await Meeting.copy()
    self.meeting = meeting
    let ranges = meeting.files.keys.filter { $0.contains("/r-\(meeting.survivorLog.base32)-") }
    common = try #require(ranges.compactMap { UInt64($0.suffix(10)) }.max())
    first = try TemporaryFolder(meeting.files)
    second = try TemporaryFolder(meeting.files)
    let vault = meeting.survivor.vault
    let image = try Self.names.map { try Data(contentsOf: URL(filePath: vault + "/" + $0)) }
    if isErasing {
      try await meeting.survivor.opened { vault in
        let one = try await vault.entries(ofCase: nil).first { $0.content?.words == "one" }
        _ = try await vault.erase([try #require(one).id.base32])
      }
    }
    try await Self.write("the other", meeting.survivor, second)
    // A disk image put back whole: the files have their old content, and are the same files.
    for (name, bytes) in zip(Self.names, image) {
      try overwrite(vault + "/" + name, with: [UInt8](bytes))
    }
    try await Self.write("the one", meeting.survivor, first)
    other = try await meeting.newcomer()
    let folder = second.path
    try await other.opened { vault in _ = try await vault.meet(folder) }
  }

  private static let names = ["vault.db", "anchor"]

  private static func write(_ text: String, _ who: Person, _ folder: TemporaryFolder) async throws {
    try await who.opened { vault in
      _ = try await vault.add([words(text)], toCase: nil)
      let outcome = try await vault.meet(folder.path)
      #expect(outcome.problems == [])
    }
  }
}

@Suite struct `Attacks with two histories` {
  @Test func `Row 6: one log has two roots at one size`() async throws {
    try await Row(6, "one size of a log with two roots, both signed").hold { row in
      let forked = try await Forked()
      let log = forked.meeting.survivorLog
      try await forked.advocate.opened { vault in
        let met = try await vault.meet(forked.first.path)
        #expect(met.problems == [])
        let outcome = try await vault.meet(forked.second.path)
        #expect(outcome.problems.contains(.fork(log)))
      }
      // The forger goes on with one of them.
      try await forked.meeting.survivor.opened { vault in
        _ = try await vault.add([words("and more")], toCase: nil)
        _ = try await vault.meet(forked.first.path)
      }
      try await forked.advocate.opened { vault in
        _ = try await vault.meet(forked.first.path)
        // What she had stays in view, and from where the histories part on it is told as disputed.
        #expect(try await vault.texts() == Meeting.texts)
        #expect(try await vault.standing(of: "the one") == .disputed)
        #expect(try await vault.standing(of: "and more") == .disputed)
        #expect(try await vault.standing(of: "the other") == nil)
        let check = try await vault.check()
        #expect(check.findings == [.fork(log)])
      }
      row.saw(.proven, at: .library, .folder)
      let again = try await forked.advocate.cairn(
        "sync", "theirs", "--mailbox", forked.second.path, "--json")
      #expect(again.status == 20, "\(again.all)")
      let problems = try again.json()["problems"] as? [[String: Any]]
      #expect(problems?.contains { $0["code"] as? String == "fork" } == true)
      let checked = try await forked.advocate.cairn("check")
      #expect(checked.status == 20, "\(checked.all)")
      row.saw(.proven, at: .program)
      let said = try await Verifiers.folder(
        forked.second.path, kit: forked.meeting.survivor.path("kit"))
      #expect(said.status == 20 && said.codes.contains("fork"), "\(said.object)")
      row.saw(.proven, at: .independent)
      try await row.tells([.disputed], of: try await forked.advocate.bundle(), as: .proven)
      try await row.agree(forked, in: try TemporaryFolder())
    }
  }

  @Test func `Row 7: a fork is shown to one peer only`() async throws {
    try await Row(7, "each of two histories shown to one peer only").hold { row in
      let forked = try await Forked(isErasing: true)
      let log = forked.meeting.survivorLog
      try await forked.advocate.opened { vault in
        let outcome = try await vault.meet(forked.first.path)
        #expect(outcome.problems == [])
      }
      // The two whom the forger told different things meet without her.
      let meeting = try TemporaryFolder()
      for _ in 0..<2 {
        for person in [forked.advocate, forked.other] {
          try await person.opened { vault in _ = try await vault.meet(meeting.path) }
        }
      }
      for person in [forked.advocate, forked.other] {
        try await person.opened { vault in
          let outcome = try await vault.meet(meeting.path)
          #expect(outcome.problems.contains(.fork(log)))
          let check = try await vault.check()
          #expect(check.findings.contains(.fork(log)))
        }
        let synced = try await person.cairn("sync", "theirs", "--mailbox", meeting.path)
        #expect(synced.status == 20, "\(synced.all)")
        #expect(synced.told.contains("signed two histories that contradict each other"))
      }
      row.saw(.proven, at: .library, .folder, .program)
      let said = try await Verifiers.folder(
        meeting.path, kit: forked.meeting.survivor.path("kit"))
      #expect(said.status == 20 && said.codes.contains("fork"), "\(said.object)")
      row.saw(.proven, at: .independent)
      try await row.agree(forked, in: meeting)
      row.passes(.verifier, because: "one bundle is one copy")
    }
  }
}

extension Row {
  /// The two who hold different histories meet, without the forger: each keeps its own, what the one history
  /// erased is erased nowhere, and all come to one state, `verify.py` from the folder too.
  fileprivate func agree(_ forked: Forked, in folder: TemporaryFolder) async throws {
    let people = [forked.advocate, forked.other]
    for _ in 0..<2 {
      for person in people { try await person.opened { _ = try await $0.meet(folder.path) } }
    }
    var states: Set<Bytes32> = []
    for (person, own) in zip(people, ["the one", "the other"]) {
      try await person.opened { vault in
        states.insert(try await vault.state())
        let texts = try await vault.texts()
        #expect(texts == Meeting.texts, "\(texts)")
        #expect(try await vault.standing(of: own) == .disputed)
        #expect(try await vault.forkedAt(forked.meeting.survivorLog) == forked.common)
      }
    }
    #expect(states.count == 1, "all copies come to the same")
    saw(.agreed, at: .library, .folder)
    for person in people {
      let synced = try await person.cairn("sync", "theirs", "--mailbox", folder.path, "--json")
      #expect(synced.status == 20, "\(synced.all)")
      states.insert(try await person.opened { try await $0.state() })
    }
    #expect(states.count == 1, "the program changes nothing of it")
    saw(.agreed, at: .program)
    let said = try await Verifiers.folder(
      folder.path, kit: forked.meeting.survivor.path("kit"))
    #expect(said.object["state"] as? String == states.first?.hex, "\(said.object)")
    saw(.agreed, at: .independent)
  }
}

extension OpenVault {
  /// Where the histories of a log part, as far as this copy can prove it.
  fileprivate func forkedAt(_ log: LogID) throws -> UInt64? {
    let name = try theirName()
    return try read { db in try CaseView.state(db, of: CaseRow.find(db, name)).forkedAt(log) }
  }
}
