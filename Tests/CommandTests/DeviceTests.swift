import Foundation
import People
import Support
import Testing

@Suite struct `Devices` {
  @Test func `a smashed laptop: kit and the folder of the advocate bring the case back`()
    async throws
  {
    let pair = try await Pair()
    let picture = noise(150_000)
    _ = try pair.survivor.folder.file("shot.png", picture)
    _ = try await pair.survivor.cairn("add", "shot.png", "--text", "Mine.")
    try await pair.join()
    _ = try await pair.syncSurvivor()
    _ = try await pair.syncAdvocate()
    let kit = try Data(contentsOf: URL(filePath: pair.survivor.path("kit")))
    try FileManager.default.removeItem(atPath: pair.survivor.vault)
    let fresh = try TemporaryFolder()
    #expect(
      try await pair.advocate.cairn("sync", "shared", "--mailbox", fresh.path).status == 0)

    let back = try await Person(hasVault: false)
    _ = try back.folder.file("words", [UInt8](kit))
    let found = try await back.cairn(
      "recover", "--kit", "words", "--mailbox", fresh.path, "--kdf", "light", "--json")
    #expect(found.status == 0, "\(found.all)")
    let told = try found.json()
    #expect(told["entries"] as? Int == 1)
    #expect(told["files"] as? Int == 1)
    #expect(told["survivorDevices"] as? Int == 2)
    #expect(told["advocates"] as? Int == 1)
    let id = try #require(try await back.entries().first?["id"] as? String)
    #expect(try await back.cairn("extract", id, "--output", "out").status == 0)
    #expect(try [UInt8](Data(contentsOf: URL(filePath: back.path("out/shot.png")))) == picture)

    let again = try await back.cairn("recover", "--kit", "words", "--mailbox", fresh.path)
    #expect(again.status == 1)
    #expect(again.told.contains("This case is in this vault already."))
    // What is entered from here reaches the advocate.
    #expect(try await back.cairn("add", "--text", "After.").status == 0)
    #expect(try await back.cairn("sync").status == 0)
    #expect(try await pair.advocate.cairn("sync", "shared").status == 0)
    #expect(try await pair.advocate.entries(inCase: "shared").count == 2)
  }

  @Test
  func `a wrong kit, wrong words and a wrong folder each have their sentence, and make nothing`()
    async throws
  {
    let person = try await Person()
    let mailbox = try TemporaryFolder()
    _ = try await person.cairn("add", "--text", "Mine.")
    #expect(try await person.cairn("sync", "--mailbox", mailbox.path).status == 0)
    let other = try await Person()
    let kit = try String(contentsOfFile: person.path("kit"), encoding: .utf8)
    let back = try await Person(hasVault: false)
    try FileManager.default.copyItem(atPath: other.path("kit"), toPath: back.path("other"))
    _ = try back.folder.file("kit", Array(kit.utf8))
    _ = try back.folder.file(
      "few",
      Array(
        kit.split(separator: "\n").filter { !$0.hasPrefix("12  ") }.joined(separator: "\n").utf8))
    _ = try back.folder.file(
      "wrong", Array(kit.replacingOccurrences(of: " 1  ", with: " 1  x").utf8))
    let empty = try TemporaryFolder()
    let attempts: [(kit: String, folder: String, status: Int32, sentence: String)] = [
      ("other", mailbox.path, 12, "do not open the case in this folder"),
      ("few", mailbox.path, 12, "Twelve words are needed, and these are 11."),
      ("wrong", mailbox.path, 12, "Word 1 is not one of those"),
      ("kit", empty.path, 1, "There is no case in this folder."),
      ("kit", empty.path + "/none", 69, "cannot be reached"),
      ("none", mailbox.path, 1, "There is no file"),
    ]
    for attempt in attempts {
      let refused = try await back.cairn(
        "recover", "--kit", attempt.kit, "--mailbox", attempt.folder, "--kdf", "light")
      #expect(refused.status == attempt.status, "\(refused.all)")
      #expect(refused.told.contains(attempt.sentence), "\(refused.all)")
      #expect(!FileManager.default.fileExists(atPath: back.vault))
    }
    let silent = try await back.cairn("recover", "--no-input", "--mailbox", mailbox.path)
    #expect(silent.status == 64)
    // Only leaves were where others meet, and that is said.
    let lacking = try await back.cairn(
      "recover", "--kit", "kit", "--mailbox", mailbox.path, "--kdf", "light")
    #expect(lacking.status == 0, "\(lacking.all)")
    #expect(lacking.told.contains("1 entry is known to exist"), "\(lacking.all)")
    #expect(lacking.told.contains("--own-devices"))
    let own = try TemporaryFolder()
    let warned = try await person.cairn("sync", "--mailbox", own.path, "--own-devices")
    #expect(warned.status == 0, "\(warned.all)")
    #expect(warned.told.contains("Without keys it is ciphertext"))
    let quiet = try await person.cairn("sync", "--mailbox", own.path, "--own-devices")
    #expect(!quiet.told.contains("Without keys it is ciphertext"))
    #expect(
      try await back.cairn("sync", "--mailbox", own.path, "--own-devices").status == 0)
    #expect(try await back.entries().count == 1)
  }

  @Test func `a copied vault says what to do, does it, and writes again`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let copy = person.path("copy")
    try FileManager.default.copyItem(atPath: person.vault, toPath: copy)
    let common = ["--vault", copy, "--passphrase-file", person.passphraseFile]
    let refused = try await person.run(["add", "--text", "Two."] + common)
    #expect(refused.status == 1)
    #expect(refused.told.contains("cairn renew"), "\(refused.all)")
    let renewed = try await person.run(["renew"] + common)
    #expect(renewed.status == 0, "\(renewed.all)")
    #expect(renewed.told.contains("new keys in 1 case"), "\(renewed.all)")
    #expect(try await person.run(["add", "--text", "Two."] + common).status == 0)
    let again = try await person.run(["renew", "--json"] + common)
    #expect(try again.json()["cases"] as? [String] == [])
  }

  @Test func `a stolen device is cut with the kit, and may be reinstated`() async throws {
    let person = try await Person()
    let own = try TemporaryFolder()
    _ = try await person.cairn("add", "--text", "Mine.")
    _ = try await person.cairn("sync", "--mailbox", own.path, "--own-devices")
    let second = try await Person(hasVault: false)
    try FileManager.default.copyItem(atPath: person.path("kit"), toPath: second.path("kit"))
    let made = try await second.cairn(
      "recover", "--kit", "kit", "--mailbox", own.path, "--own-devices", "--kdf", "light")
    #expect(made.status == 0, "\(made.all)")
    let synced = try await second.cairn("sync", "--json").json()
    let members = try #require(synced["members"] as? [[String: Any]])
    let stolen = try #require(members.first { $0["own"] as? Bool == false }?["id"] as? String)

    let unsure = try await second.cairn("decide", "--kit", "kit", "--cut", stolen)
    #expect(unsure.status == 64)
    let strange = try await second.cairn(
      "decide", "--kit", "kit", "--cut", "zzzz", "--yes", "--json")
    #expect(try strange.errorCode() == "unknownMember")
    let wrong = try await Person()
    try FileManager.default.copyItem(atPath: wrong.path("kit"), toPath: second.path("wrong"))
    let locked = try await second.cairn("decide", "--kit", "wrong", "--cut", stolen, "--yes")
    #expect(locked.status == 12, "\(locked.all)")
    let cut = try await second.cairn("decide", "--kit", "kit", "--cut", stolen, "--yes")
    #expect(cut.status == 0, "\(cut.all)")

    _ = try await person.cairn("add", "--text", "Forged.")
    _ = try await person.cairn("sync")
    #expect(try await second.cairn("sync").status == 0)
    let shown = try await second.entries()
    #expect(shown.first { $0["words"] as? String == "Forged." }?["standing"] as? String != "open")
    let lifted = try await second.cairn("reinstate", stolen, "--kit", "kit", "--yes")
    #expect(lifted.status == 0, "\(lifted.all)")
    let twice = try await second.cairn("reinstate", stolen, "--kit", "kit", "--yes", "--json")
    #expect(try twice.errorCode() == "notCut")
  }
}
