import CaseLog
import Cryptography
import Foundation
import People
import Support
import Testing
import VerifiableLog

@testable import Vault

/// One vault in two places, with the same keys in both.
@Suite struct `Attacks by copying a vault` {
  @Test func `Row 44: a vault is copied or restored, and both are used`() async throws {
    try await Row(
      44, "a whole vault copied, or restored from a backup or disk image, and both used"
    ).hold { row in
      let meeting = try await Meeting.copy()
      let mailbox = try TemporaryFolder(meeting.files)
      let original = meeting.survivor
      let copy = try await Person(hasVault: false)
      for name in ["vault", "kit"] {
        try FileManager.default.copyItem(atPath: original.path(name), toPath: copy.path(name))
      }
      let restored = try await backup(of: original)
      for person in [copy, restored] {
        try await refuse(row, person, mailbox)
        let renewed = try await person.cairn("renew", "--json")
        #expect(renewed.status == 0, "\(renewed.all)")
      }
      try await useAll([original, copy, restored], meeting, mailbox)
      row.saw(.agreed, at: .library, .program)
      try await putBackImage(of: original, meeting, mailbox)
      row.saw(.refused, at: .folder)
      try await useImage(of: copy, meeting, mailbox)
      row.saw(.proven, at: .folder)
      row.passes(.verifier, .independent, because: "it has no vault")
    }
  }

  /// What comes of a backup in another place, while the vault that it is of goes on.
  private func backup(of person: Person) async throws -> Person {
    let made = try await person.cairn("backup", person.path("stick"))
    #expect(made.status == 0, "\(made.all)")
    let restored = try await Person(hasVault: false)
    try FileManager.default.copyItem(atPath: person.path("kit"), toPath: restored.path("kit"))
    let put = try await restored.cairn("restore", person.path("stick"))
    #expect(put.status == 0, "\(put.all)")
    return restored
  }

  /// It can be read, and signs nothing: neither entries nor receipts, nor anything in the folder.
  private func refuse(_ row: Row, _ person: Person, _ mailbox: TemporaryFolder) async throws {
    let before = try mailbox.allFiles()
    let state = try await person.opened { vault in
      #expect(await vault.standing == .copied)
      await #expect(throws: VaultError(.copied)) {
        try await vault.add([words("no")], toCase: nil)
      }
      await #expect(throws: VaultError(.copied)) { try await vault.meet(mailbox.path) }
      #expect(try await vault.texts() == Meeting.texts)
      return try await vault.state()
    }
    row.saw(.refused, at: .library)
    for command in [["add", "--text", "No."], ["sync", "--mailbox", mailbox.path]] {
      let refused = try await person.run(
        command + ["--json", "--vault", person.vault, "--passphrase-file", person.passphraseFile])
      #expect(try refused.isRefusal("copied"), "\(refused.all)")
    }
    #expect(try await person.opened { try await $0.state() } == state)
    #expect(try mailbox.allFiles() == before)
    row.saw(.refused, at: .program)
  }

  /// Each has a log of its own now, and nobody is taken for a forger.
  private func useAll(
    _ people: [Person], _ meeting: Meeting, _ mailbox: TemporaryFolder
  ) async throws {
    var logs: Set<LogID> = []
    var all = Meeting.texts
    for (number, person) in people.enumerated() {
      try await person.opened { vault in
        _ = try await vault.add([words("by \(number)")], toCase: nil)
        #expect(try await vault.meet(mailbox.path).problems == [])
        logs.insert(try await vault.ownLog())
      }
      all.insert("by \(number)")
    }
    #expect(logs.count == 3 && logs.contains(meeting.survivorLog))
    for person in people + [meeting.advocate] {
      try await person.opened { try await $0.meet(mailbox.path) }
    }
    var states: Set<Bytes32> = []
    for person in people + [meeting.advocate] {
      try await person.opened { vault in
        let met = try await vault.meet(mailbox.path)
        #expect(met.problems == [])
        #expect(try await vault.check().findings == [])
        states.insert(try await vault.state())
      }
    }
    for person in people { #expect(try await person.opened { try await $0.texts() } == all) }
    let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
    #expect(said.status == 0, "\(said.object)")
    #expect(states.count == 1 && said.object["state"] as? String == states.first?.hex)
  }

  /// A disk image keeps machine and inode: the next exchange tells, before anything is signed.
  private func putBackImage(
    of person: Person, _ meeting: Meeting, _ mailbox: TemporaryFolder
  ) async throws {
    let image = try ["vault.db", "anchor"].map { ($0, try person.read($0)) }
    try await person.opened { vault in
      _ = try await vault.add([words("forgotten")], toCase: nil)
      _ = try await vault.meet(mailbox.path)
    }
    for (name, bytes) in image { try person.write(bytes, name) }
    let before = try mailbox.allFiles()
    let synced = try await person.cairn("sync", "--mailbox", mailbox.path, "--json")
    #expect(synced.status == 20, "\(synced.all)")
    let problems = try synced.json()["problems"] as? [[String: Any]] ?? []
    #expect(problems.map { $0["code"] as? String } == ["ownLogAhead"])
    #expect(try mailbox.allFiles() == before)
    try await person.opened { vault in
      #expect(await vault.standing == .rolledBack)
      await #expect(throws: VaultError(.rolledBack)) {
        try await vault.add([words("no")], toCase: nil)
      }
      _ = try await vault.renew()
      #expect(try await vault.meet(mailbox.path).problems == [])
      #expect(try await vault.texts().contains("forgotten"))
      #expect(try await vault.ownLog() != meeting.survivorLog)
    }
  }

  /// Put back and used before it met anybody: it signed two histories then, and learns it at the next exchange, before
  /// anybody else is shown the second.
  private func useImage(
    of person: Person, _ meeting: Meeting, _ mailbox: TemporaryFolder
  ) async throws {
    let log = try await person.opened { try await $0.ownLog() }
    let image = try ["vault.db", "anchor"].map { ($0, try person.read($0)) }
    try await person.opened { vault in
      _ = try await vault.add([words("the one")], toCase: nil)
      _ = try await vault.meet(mailbox.path)
    }
    for (name, bytes) in image { try person.write(bytes, name) }
    try await person.opened { vault in
      _ = try await vault.add([words("the other")], toCase: nil)
      let met = try await vault.meet(mailbox.path)
      #expect(met.problems.contains(.fork(log)), "\(met.problems)")
      #expect(await vault.standing == .rolledBack)
      await #expect(throws: VaultError(.rolledBack)) {
        try await vault.add([words("no")], toCase: nil)
      }
    }
    // Nothing of the second history has left it: nobody else has anything to doubt.
    try await meeting.advocate.opened { vault in
      let met = try await vault.meet(mailbox.path)
      #expect(met.problems == [], "\(met.problems)")
      let texts = try await vault.texts()
      #expect(!texts.contains("the other"), "\(texts)")
    }
    let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
    #expect(said.status == 0, "\(said.object)")
  }
}
