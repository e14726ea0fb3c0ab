import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A survivor's device that signed two histories of one size: each lies in a folder of its own, and nobody has seen both.
struct Forked {
  let meeting: Meeting
  /// She knows the log as it was before.
  var advocate: Person { meeting.advocate }
  /// A further device, which read the second history.
  let other: Person
  let first: TemporaryFolder
  let second: TemporaryFolder

  init() async throws {
    meeting = try await Meeting()
    first = try TemporaryFolder(meeting.files)
    second = try TemporaryFolder(meeting.files)
    let vault = meeting.survivor.vault
    let image = try Self.names.map { try Data(contentsOf: URL(filePath: vault + "/" + $0)) }
    try await Self.write("the other", meeting.survivor, second)
    // A disk image put back whole: the files have their old content, and are the same files.
    for (name, bytes) in zip(Self.names, image) {
      let handle = try FileHandle(forWritingTo: URL(filePath: vault + "/" + name))
      try handle.truncate(atOffset: 0)
      try handle.write(contentsOf: bytes)
      try handle.close()
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
        #expect(try await vault.meet(forked.first.path).problems == [])
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
        // What she had stays in view, and what is beyond the fork is told as disputed.
        #expect(try await vault.texts() == Meeting.texts.union(["the one"]))
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
    }
  }

  @Test func `Row 7: a fork is shown to one peer only`() async throws {
    try await Row(7, "each of two histories shown to one peer only").hold { row in
      let forked = try await Forked()
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
      var states: Set<Bytes32> = []
      for person in [forked.advocate, forked.other] {
        try await person.opened { vault in
          #expect(try await vault.meet(meeting.path).problems.contains(.fork(log)))
          #expect(try await vault.check().findings.contains(.fork(log)))
          states.insert(try await vault.state())
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
      row.passes(.verifier, because: "one bundle is one copy")
    }
  }
}
