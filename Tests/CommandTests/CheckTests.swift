import Foundation
import People
import Support
import Testing

@Suite struct `Checking the vault` {
  @Test func `a whole vault is told as whole`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try await person.cairn("add", "shot.png")
    let checked = try await person.cairn("check")
    #expect(checked.status == 0, "\(checked.all)")
    #expect(
      checked.output.hasPrefix("Everything in this vault is whole.\n1 case, 1 entry, 1 file ("))
    let scripted = try await person.cairn("check", "--json").json()
    #expect((scripted["findings"] as? [Any])?.isEmpty == true)
    #expect(scripted["files"] as? Int == 1)
  }

  @Test func `a file that was changed or removed on the disk is found`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try await person.cairn("add", "shot.png")
    let id = try #require(try await person.entries().first?["id"] as? String)
    let path = person.vault + "/blobs/" + (try #require(try person.blobFiles().first))
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[1000] ^= 1
    try bytes.write(to: URL(filePath: path))
    let changed = try await person.cairn("check")
    #expect(changed.status == 20)
    #expect(changed.told.contains("The file of entry \(id.prefix(10)) is damaged, or was changed."))
    #expect(changed.told.contains("delete nothing"))
    let taken = try await person.cairn("extract", id, "--output", "out", "--json")
    #expect(taken.status == 20)
    #expect(try taken.errorCode() == "contentDamaged")
    #expect(try FileManager.default.contentsOfDirectory(atPath: person.path("out")) == [])
    try FileManager.default.removeItem(atPath: path)
    let missing = try await person.cairn("check", "--json")
    #expect(missing.status == 20)
    let findings = try #require(try missing.json()["findings"] as? [[String: Any]])
    #expect(findings.map { $0["code"] as? String } == ["contentMissing"])
    #expect(findings.first?["subject"] as? String == id)
    let told = try await person.cairn("check").told
    #expect(told.contains("Nothing else was found."))
    #expect(told.contains("“cairn sync” brings it back"))
    let lost = try await person.cairn("extract", id, "--output", "out", "--json")
    #expect(lost.status == 1)
    #expect(try lost.errorCode() == "contentLost")
    #expect(try await person.cairn("add", "shot.png").status == 0)
    #expect(try person.blobFiles().count == 1)
  }

  @Test(arguments: ["keys", "keys.bak"])
  func `a lost copy of the locks is made again, and told once`(name: String) async throws {
    let person = try await Person()
    try FileManager.default.removeItem(atPath: person.vault + "/" + name)
    let checked = try await person.cairn("check")
    #expect(checked.status == 21, "\(checked.all)")
    #expect(checked.told.components(separatedBy: "was made again").count == 2)
    #expect(FileManager.default.fileExists(atPath: person.vault + "/" + name))
    #expect(try await person.cairn("check").status == 0)
    try FileManager.default.removeItem(atPath: person.vault + "/" + name)
    let status = try await person.cairn("status")
    #expect(status.status == 0)
    #expect(status.told.contains("was made again from the other. Nothing is lost."))
  }

  /// Nobody shall read a count that stopped at the damage for what is left.
  @Test func `of a damaged database it is told how far it was looked at`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let path = URL(filePath: person.vault + "/vault.db")
    let whole = try Data(contentsOf: path)
    var isFound = false
    for page in (8..<whole.count / 4096).reversed() where !isFound {
      let file = try FileHandle(forUpdating: path)
      try file.write(contentsOf: whole)
      try file.seek(toOffset: UInt64(page * 4096 + 100))
      try file.write(contentsOf: [whole[page * 4096 + 100] ^ 1])
      try file.close()
      let checked = try await person.cairn("check")
      guard checked.told.contains("The database of this vault is damaged") else { continue }
      isFound = true
      #expect(checked.status == 20)
      #expect(checked.told.contains("As far as it could be looked at: 1 case,"), "\(checked.all)")
      #expect(checked.told.contains("What is not counted may still be readable."))
    }
    #expect(isFound)
  }

  @Test func `of damaged locks it is told what else opens or brings back`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    for name in ["keys", "keys.bak"] {
      let file = try FileHandle(forUpdating: URL(filePath: person.vault + "/" + name))
      try file.seek(toOffset: 4000)
      try file.write(contentsOf: [1, 2, 3, 4])
      try file.close()
    }
    let listed = try await person.cairn("list")
    #expect(listed.status == 20)
    for way in ["backup of the folder", "cairn recover --vault NEW-FOLDER", "cairn salvage"] {
      #expect(listed.told.contains(way), "\(listed.all)")
    }
    let salvaged = try await person.cairn("salvage", "--output", "out")
    #expect(salvaged.status == 0, "\(salvaged.all)")
  }

  @Test func `the index of words is built anew on request`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "He wrote tamarind.")
    let built = try await person.cairn("check", "--repair-search")
    #expect(built.status == 0, "\(built.all)")
    #expect(built.output.hasPrefix("The index of words was built anew.\nEverything in this vault"))
    #expect(try await person.cairn("search", "tamarind").output.contains("tamarind"))
  }

  @Test func `a vault that was copied can be read and not added to`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    try FileManager.default.copyItem(atPath: person.vault, toPath: person.path("copy"))
    let copy = ["--vault", "copy", "--passphrase-file", person.passphraseFile]
    let listed = try await person.run(["list"] + copy)
    #expect(listed.status == 0)
    #expect(listed.output.contains("“One.”"))
    #expect(listed.told.contains("This vault is a copy, came from another machine,"))
    let added = try await person.run(["add", "--text", "Two.", "--json"] + copy)
    #expect(added.status == 1)
    #expect(try added.errorCode() == "copied")
    // People are told once, not by a note and then by an error again.
    for command in [["add", "--text", "Two."], ["sync", "--all"]] {
      let told = try await person.run(
        command + ["--vault", person.path("copy"), "--passphrase-file", person.passphraseFile])
      #expect(told.told.components(separatedBy: "This vault is a copy").count == 2, "\(told.all)")
      #expect(told.told.contains("So this was not done. Nothing was changed."))
    }
    #expect(try await person.run(["check"] + copy).status == 21)
    #expect(try await person.cairn("check").status == 0)
  }

  @Test func `what a shorter look leaves out is said`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try await person.cairn("add", "shot.png")
    let path = person.vault + "/blobs/" + (try #require(try person.blobFiles().first))
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[1000] ^= 1
    try bytes.write(to: URL(filePath: path))
    for (option, said) in [
      ("--quick", "What a quick look shows of this vault is whole."),
      ("--full", "Every entry in this vault is whole, and every file is there."),
    ] {
      let checked = try await person.cairn("check", option)
      #expect(checked.status == 0, "\(checked.all)")
      #expect(checked.told.contains(said))
      #expect(checked.told.contains("Not looked at:"))
      #expect(!checked.told.contains("Everything in this vault is whole."))
    }
    let deep = try await person.cairn("check", "--deep", "--json")
    #expect(deep.status == 20)
    #expect(try deep.json()["depth"] as? String == "deep")
    let told = try await person.cairn("check")
    #expect(told.told.contains("cairn restore") && told.told.contains("cairn salvage"))
    #expect(try await person.cairn("check", "--quick", "--deep").status == 64)
  }
}
