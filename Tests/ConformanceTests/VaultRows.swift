import CaseLog
import Cryptography
import Foundation
import People
import Support
import Testing
import VerifiableLog

@testable import Vault

/// What is done to a vault's own folder, and to what goes into it.
@Suite struct `Attacks on a vault` {
  private static let noBundle = "it has no vault"

  private func passVerifiers(_ row: Row, folder: String = "it is about the vault’s own files") {
    row.passes(.verifier, .independent, because: Self.noBundle)
    row.passes(.folder, because: folder)
  }

  @Test func `Row 41: the vault is opened with what does not belong to it`() async throws {
    try await Row(
      41, "wrong passphrase; locks damaged or missing; database swapped, or an older one"
    ).hold { row in
      let person = try await Person()
      let database = "vault.db"
      let older = try person.read(database)
      try await person.opened { vault in _ = try await vault.add([words("one")], toCase: nil) }
      let newer = try person.read(database)
      let locks = try person.read("keys")
      let stranger = try await Person()
      let foreign = try stranger.read(database)
      let wrong = try person.folder.file("wrong", Array("wrong\n".utf8))
      var codes: [VaultError.Code?] = []
      var sentences: [String] = []
      func look(_ passphrase: String? = nil) async throws {
        let before = try person.vaultFiles()
        if passphrase == nil {
          codes.append(try refusal { try person.open(Person.passphrase) })
        } else {
          codes.append(try refusal { try person.open("wrong") })
        }
        let told = try await person.cairn("add", "--text", "No.", passphraseFile: passphrase)
        #expect(told.status != 0, "\(told.all)")
        sentences.append(told.told)
        #expect(try person.vaultFiles() == before, "nothing is written")
      }
      try await look(wrong)
      for name in ["keys", "keys.bak"] { try person.write(Data(repeating: 7, count: 4096), name) }
      try await look()
      for name in ["keys", "keys.bak"] {
        try FileManager.default.removeItem(atPath: person.vault + "/" + name)
      }
      try await look()
      for name in ["keys", "keys.bak"] { try person.write(locks, name) }
      try person.write(foreign, database)
      try await look()
      #expect(codes == [.wrongPassphrase, .keysDamaged, .keysMissing, .databaseOfAnother])
      try person.write(older, database)
      let told = try await person.cairn("add", "--text", "No.")
      #expect(
        told.status == 20 && told.told.contains("older than what it has signed"), "\(told.all)")
      sentences.append(told.told)
      let old = try person.open()
      #expect(await old.standing == .rolledBack)
      await #expect(throws: VaultError(.rolledBack)) {
        try await old.add([words("no")], toCase: nil)
      }
      try await old.close()
      #expect(Set(sentences).count == 5, "each has its own sentence: \(sentences)")
      row.saw(.refused, at: .library, .program)
      // Put back as it was, nothing is lost.
      try person.write(newer, database)
      #expect(try await person.opened { try await $0.texts() } == ["one"])
      passVerifiers(row)
    }
  }

  @Test func `Row 22: a restored copy signs again at an old size`() async throws {
    try await Row(22, "a restored copy signs again at an old size").hold { row in
      let meeting = try await Meeting.copy()
      let mailbox = try TemporaryFolder(meeting.files)
      let person = meeting.survivor
      let image = try person.read("vault.db")
      try await person.opened { vault in
        _ = try await vault.add([words("later")], toCase: nil)
        _ = try await vault.meet(mailbox.path)
      }
      try person.write(image, "vault.db")
      try await person.opened { vault in
        #expect(await vault.standing == .rolledBack)
        await #expect(throws: VaultError(.rolledBack)) {
          try await vault.add([words("no")], toCase: nil)
        }
        await #expect(throws: VaultError(.rolledBack)) { try await vault.meet(mailbox.path) }
      }
      row.saw(.refused, at: .library)
      let before = try mailbox.allFiles()
      let refused = try await person.cairn("add", "--text", "No.")
      #expect(refused.status == 20, "\(refused.all)")
      #expect(try await person.cairn("sync").status == 20)
      #expect(try mailbox.allFiles() == before)
      let renewed = try await person.cairn("renew")
      #expect(renewed.status == 0, "\(renewed.all)")
      row.saw(.refused, at: .program)
      // With new keys it goes on, and gets back what it had forgotten.
      try await person.opened { vault in
        _ = try await vault.add([words("with new keys")], toCase: nil)
        #expect(try await vault.meet(mailbox.path).problems == [])
        #expect(try await vault.ownLog() != meeting.survivorLog)
        #expect(
          try await vault.texts() == Meeting.texts.union(["later", "with new keys"]))
      }
      row.saw(.mended, at: .folder)
      row.passes(.verifier, .independent, because: Self.noBundle)
    }
  }

  @Test func `Row 47: an old passphrase or old locks are tried after a change`() async throws {
    try await Row(47, "an old passphrase or old locks after a change").hold { row in
      let person = try await Person()
      let new = "grapple unreal vowel stopper ember"
      let old = try person.read("keys")
      try await person.opened { vault in
        _ = try await vault.add([words("one")], toCase: nil)
        try await vault.changePassphrase(to: try locked(new))
      }
      #expect(try refusal { try person.open(Person.passphrase) } == .wrongPassphrase)
      let file = try person.folder.file("new", Array((new + "\n").utf8))
      let refused = try await person.cairn("list", "--json")
      #expect(try refused.errorCode() == "wrongPassphrase")
      // After new keys, old locks put back open nothing either.
      let newest = "a third passphrase, long"
      let third = try person.folder.file("third", Array((newest + "\n").utf8))
      let changed = try await person.cairn(
        "passphrase", "--new-passphrase-file", third, "--somebody-may-know-it",
        passphraseFile: file)
      #expect(changed.status == 0, "\(changed.all)")
      let current = try person.read("keys")
      for name in ["keys", "keys.bak"] { try person.write(old, name) }
      #expect(try refusal { try person.open(Person.passphrase) } == .keysOutdated)
      let outdated = try await person.cairn("list", "--json")
      #expect(outdated.status == 20, "\(outdated.all)")
      row.saw(.refused, at: .library, .program)
      for name in ["keys", "keys.bak"] { try person.write(current, name) }
      let vault = try person.open(newest)
      #expect(try await vault.texts() == ["one"])
      try await vault.close()
      passVerifiers(row)
    }
  }

  @Test func `Row 28: it is killed, the disk is full or fails, at every point`() async throws {
    try await Row(28, "kill -9, a full disk, an I/O error, a torn log, at every point").hold {
      row in
      let seed = "\(UInt64.random(in: 0..<1_000_000))"
      // Each state that a power cut may leave is opened by the library.
      let crashes = try await Campaign.run(["crashes", "--states", "100", "--seed", seed])
      #expect(crashes.status == 0, "\(crashes.said)")
      #expect((crashes.figures["crash states, each different"] ?? 0) > 70)
      row.saw(.whole, at: .library)
      let kills = try await Campaign.run(["kills", "--count", "15", "--seed", seed])
      #expect(kills.status == 0 && kills.figures["kills"] == 15, "\(kills.said)")
      let first = "\(Int.random(in: 1...4))"
      for arguments in [
        ["--commands", "words", "--faults", "eio", "--every", "4", "--from", first],
        [
          "--commands", "small,several,erase", "--faults", "enospc:0,short,kill-half", "--every",
          "41",
        ],
      ] {
        let faults = try await Campaign.run(["faults"] + arguments)
        #expect(faults.status == 0, "\(faults.said)")
        #expect((faults.figures["told as a failure"] ?? 0) > 5)
      }
      row.saw(.whole, at: .program)
      passVerifiers(row)
    }
  }

  @Test func `Row 38: known plaintext is planted in evidence`() async throws {
    try await Row(38, "known plaintext planted in evidence").hold { row in
      let meeting = try await Meeting.shared.value
      let planted =
        [Array("a picture".utf8), Array("for you".utf8), Array("shot.png".utf8)]
        + [Array(Meeting.picture[70_000..<70_032])]
      for person in [meeting.survivor, meeting.advocate] {
        for (name, bytes) in try person.vaultFiles() {
          #expect(planted.allSatisfy { bytes.firstRange(of: $0) == nil }, "\(name)")
        }
      }
      row.saw(.sealed, at: .library)
      for (name, bytes) in meeting.files {
        #expect(planted.allSatisfy { bytes.firstRange(of: $0) == nil }, "\(name)")
      }
      row.saw(.sealed, at: .folder)
      // Every command of the program, watched: what it writes, and where.
      let campaign = try await Campaign.run(["plaintext"])
      #expect(campaign.status == 0, "\(campaign.said)")
      #expect((campaign.figures["files searched"] ?? 0) > 10)
      #expect((campaign.figures["commands watched with strace"] ?? 0) > 20)
      row.saw(.sealed, at: .program)
      row.passes(.verifier, .independent, because: "what is handed over is to be read")
    }
  }
}

extension Person {
  func read(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: vault + "/" + name))
  }

  /// Into the file that is there, so that it stays the same file.
  func write(_ bytes: Data, _ name: String) throws {
    let path = vault + "/" + name
    guard FileManager.default.fileExists(atPath: path) else {
      try bytes.write(to: URL(filePath: path))
      return
    }
    try overwrite(path, with: [UInt8](bytes))
  }

  /// All files of the vault but the record of attempts.
  func vaultFiles() throws -> Files {
    try folder.allFiles().filter { $0.key.hasPrefix("vault/") && $0.key != "vault/attempts" }
  }
}
