import Foundation
import People
import Support
import Testing

@Suite struct `Handing over` {
  /// A case of two entries and its bundle, sealed with a passphrase.
  static func exported() async throws -> (Person, [UInt8]) {
    let person = try await Person()
    let picture = noise(150_000)
    _ = try person.folder.file("shot.png", picture)
    _ = try await person.cairn("add", "shot.png", "--url", "https://example.org/1")
    _ = try await person.cairn("add", "--text", "My own words.")
    _ = try person.folder.file("seal", Array("a passphrase for the bundle\n".utf8))
    let made = try await person.cairn(
      "export", "default", "--output", "case.age", "--seal-passphrase-file", "seal")
    #expect(made.status == 0, "\(made.all)")
    #expect(made.told.contains("2 entries with 1 file, sealed in case.age"))
    #expect(made.told.contains("It was read back, and everything in it verifies."))
    return (person, picture)
  }

  @Test func `a bundle is written, verified and opened`() async throws {
    let (person, picture) = try await Self.exported()
    let verified = try await person.run(["verify", "case.age", "--seal-passphrase-file", "seal"])
    #expect(verified.status == 21, "\(verified.all)")
    #expect(verified.output.hasPrefix("CONSISTENT, author and time not proven\n"))
    #expect(verified.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    let fingerprint =
      try #require(
        try await person.cairn("case", "list", "--json").json()["cases"] as? [[String: Any]]
      ).first?["caseID"] as? String
    let other = String(repeating: "a", count: 51) + "q"
    let foreign = try await person.run([
      "verify", "case.age", "--seal-passphrase-file", "seal", "--fingerprint", other,
    ])
    #expect(foreign.status == 20, "\(foreign.all)")
    #expect(foreign.output.hasPrefix("ANOTHER CASE\n"))
    #expect(foreign.told.contains("not the fingerprint that you gave. Check it for a typing error"))
    #expect(!foreign.told.contains("is not as it was made"))
    let scripted = try await person.run([
      "verify", "case.age", "--seal-passphrase-file", "seal", "--fingerprint", other, "--json",
    ])
    let findings = try scripted.json()["findings"] as? [[String: Any]]
    #expect(findings?.map { $0["code"] as? String } == ["case-differs"])
    let opened = try await person.run([
      "open", "case.age", "--seal-passphrase-file", "seal", "--output", "out", "--fingerprint",
      fingerprint ?? "",
    ])
    // The same word as that of verify: no receipt proves the time.
    #expect(opened.status == 21, "\(opened.all)")
    #expect(
      try [UInt8](Data(contentsOf: URL(filePath: person.path("out/data/exhibits/1-0")))) == picture)
    let report = try String(contentsOfFile: person.path("out/data/report.html"), encoding: .utf8)
    #expect(report.contains("My own words."))
    let again = try await person.run([
      "open", "case.age", "--seal-passphrase-file", "seal", "--output", "out", "--json",
    ])
    #expect(again.status == 1)
    #expect(try again.errorCode() == "outputExists")
  }

  @Test func `an empty case, and one with a damaged file, are told before they are handed over`()
    async throws
  {
    let person = try await Person()
    _ = try person.folder.file("seal", Array("a passphrase for the bundle\n".utf8))
    let common = ["--seal-passphrase-file", "seal"]
    let empty = try await person.cairn(
      "export", "default", "--output", "none.age", common[0], common[1])
    #expect(empty.status == 0, "\(empty.all)")
    #expect(empty.told.contains("shows nothing but who the members of the case are"))
    _ = try person.folder.file("shot.png", noise(150_000))
    _ = try await person.cairn("add", "shot.png")
    let name = try #require(try person.blobFiles().first)
    let blob = person.vault + "/blobs/" + name
    var bytes = try [UInt8](Data(contentsOf: URL(filePath: blob)))
    bytes[1000] ^= 1
    try Data(bytes).write(to: URL(filePath: blob))
    let refused = try await person.cairn(
      "export", "default", "--output", "one.age", common[0], common[1])
    #expect(refused.status == 20, "\(refused.all)")
    #expect(refused.told.contains("A file of this case is damaged on this disk"))
    #expect(refused.told.contains("“cairn check” names its entry"))
  }

  @Test func `a damaged bundle is told as changed, and nothing is taken out of it`() async throws {
    let (person, _) = try await Self.exported()
    var bytes = try [UInt8](Data(contentsOf: URL(filePath: person.path("case.age"))))
    bytes[bytes.count / 2] ^= 1
    _ = try person.folder.file("changed.age", bytes)
    _ = try person.folder.file("cut.age", Array(bytes.dropLast(5000)))
    let before = try FileManager.default.contentsOfDirectory(atPath: person.folder.path).count
    for name in ["changed.age", "cut.age"] {
      let opened = try await person.run([
        "open", name, "--seal-passphrase-file", "seal", "--output", "out",
      ])
      #expect(opened.status == 20, "\(opened.all)")
      #expect(opened.output.hasPrefix("CHANGED\n"))
      #expect(opened.told.contains("Nothing was written."))
      let verified = try await person.run([
        "verify", name, "--seal-passphrase-file", "seal", "--json",
      ])
      #expect(verified.status == 20)
      #expect(try verified.json()["verdict"] as? String == "changed")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: person.folder.path).count == before)
  }

  @Test func `an empty file, or one that is no bundle, cannot be checked`() async throws {
    let person = try await Person(hasVault: false)
    _ = try person.folder.file("empty.age", [])
    _ = try person.folder.file("other.age", Array("No bundle.".utf8))
    for arguments in [["verify"], ["open", "--output", "out"]] {
      let empty = try await person.run(arguments + ["empty.age"])
      #expect(empty.status == 22, "\(empty.all)")
      #expect(empty.told.contains("“empty.age” is empty"))
      #expect(!empty.told.contains("added"))
      #expect(try await person.run(arguments + ["other.age"]).status == 22)
    }
  }

  @Test func `a bundle opens with its own key only`() async throws {
    let (person, _) = try await Self.exported()
    let wrong = try await person.run([
      "verify", "case.age", "--seal-passphrase-file", person.passphraseFile, "--json",
    ])
    #expect(wrong.status == 12)
    #expect(try wrong.errorCode() == "wrongPassphrase")
    let none = try await person.run(["verify", "case.age", "--json"])
    #expect(none.status == 22)
    #expect(try none.errorCode() == "keyNeeded")
    let missing = try await person.run(["verify", "missing.age", "--json"])
    #expect(missing.status == 1)
    #expect(try missing.errorCode() == "fileMissing")
    _ = try person.folder.file("not-a-bundle", noise(1000))
    #expect(try await person.run(["verify", "not-a-bundle"]).status == 22)
    let opened = try await person.run(["open", "case.age", "--output", "out", "--json"])
    #expect(try opened.errorCode() == "keyNeeded")
    let names = try FileManager.default.contentsOfDirectory(atPath: person.folder.path)
    #expect(names.allSatisfy { !$0.hasPrefix(".") && $0 != "out" }, "\(names)")
  }

  @Test func `chosen entries are exported, and wrong choices write nothing`() async throws {
    let (person, _) = try await Self.exported()
    let ids = try await person.entries().compactMap { $0["id"] as? String }
    let some = try await person.cairn(
      "export", "default", "--entries", String(ids[1].prefix(8)), "--output", "some.age",
      "--seal-passphrase-file", "seal", "--json")
    #expect(try some.json()["entries"] as? Int == 1)
    let verified = try await person.run(["verify", "some.age", "--seal-passphrase-file", "seal"])
    #expect(verified.told.contains("1 shown, 1 not shown"), "\(verified.all)")
    for (arguments, code, status) in [
      (["none", "--seal-passphrase-file", "seal"], "unknownCase", 1),
      (["default", "--entries", "aaaaaaaa", "--seal-passphrase-file", "seal"], "unknownEntry", 1),
      (["default", "--entries", ",", "--seal-passphrase-file", "seal"], "unknownEntry", 1),
      (["default", "--to", "age1nonsense"], "invalidRecipient", 64),
      (["default"], "noSeal", 64),
      (["default", "--seal-passphrase-file", "missing"], "passphraseFile", 64),
    ] as [([String], String, Int32)] {
      let refused = try await person.run(
        ["export"] + arguments + [
          "--output", "new.age", "--json", "--vault", person.vault, "--passphrase-file",
          person.passphraseFile,
        ])
      #expect(refused.status == status, "\(arguments)")
      #expect(try refused.errorCode() == code)
    }
    let taken = try await person.cairn(
      "export", "default", "--output", "case.age", "--seal-passphrase-file", "seal", "--json")
    #expect(try taken.errorCode() == "outputExists")
    let names = try FileManager.default.contentsOfDirectory(atPath: person.folder.path)
    #expect(names.allSatisfy { !$0.hasPrefix(".") && $0 != "new.age" }, "\(names)")
  }

  /// How many entries of a bundle were kept private, and how many such were left out.
  private func exportAll(
    _ person: Person, to file: String, _ more: String...
  ) async throws -> [Int?] {
    let made = try await person.run(
      ["export", "default", "--output", file, "--seal-passphrase-file", "seal", "--json"]
        + ["--vault", person.vault, "--passphrase-file", person.passphraseFile] + more)
    #expect(made.status == 0, "\(made.all)")
    let object = try made.json()
    return ["entries", "keptPrivate", "privateLeftOut"].map { object[$0] as? Int }
  }

  @Test func `what was kept private is not handed over without a word`() async throws {
    let (person, _) = try await Self.exported()
    let secret = try await person.addWords("For me.", "--private")
    #expect(try await exportAll(person, to: "1.age") == [2, 0, 1])
    #expect(try await exportAll(person, to: "2.age", "--include-private") == [3, 1, 0])
    #expect(try await exportAll(person, to: "3.age", "--entries", secret) == [1, 1, 0])
    let told = try await person.cairn(
      "export", "default", "--output", "4.age", "--seal-passphrase-file", "seal")
    #expect(
      told.told.contains(
        "1 entry that you kept private, or may have on another of your devices, was left out."),
      "\(told.all)")
    let verified = try await person.run(["verify", "4.age", "--seal-passphrase-file", "seal"])
    #expect(verified.told.contains("2 shown, 1 not shown"), "\(verified.all)")
    let both = try await person.cairn(
      "export", "default", "--output", "5.age", "--seal-passphrase-file", "seal",
      "--include-private", "--entries", secret)
    #expect(both.status == 64)
  }

  /// One file with two lines, and an armored bundle of a passphrase.
  @Test func `both programs read the same passphrase out of a file`() async throws {
    let (person, _) = try await Self.exported()
    _ = try person.folder.file("two lines", Array("one line\nand another\n".utf8))
    let made = try await person.cairn(
      "export", "default", "--output", "2.age", "--seal-passphrase-file", "two lines")
    #expect(made.status == 0, "\(made.all)")
    for program in ["cairn", "cairn-verify"] {
      let verb = program == "cairn" ? ["verify"] : []
      let verified = try await person.start(
        verb + ["2.age", "--seal-passphrase-file", "two lines"], program: program
      ).finish()
      #expect(verified.status == 21, "\(program): \(verified.all)")
    }
  }

  @Test(arguments: ["cairn", "cairn-verify"])
  func `a passphrase is asked for where there is one`(program: String) async throws {
    let (person, _) = try await Self.exported()
    try Self.armor("case.age", as: "case.asc", in: person)
    let verb = program == "cairn" ? ["verify"] : []
    for bundle in ["case.age", "case.asc"] {
      let terminal = try FakeTerminal(verb + [bundle], by: person, program: program)
      try await terminal.answer("Passphrase of the bundle", "a passphrase for the bundle")
      let finished = try await terminal.finish()
      #expect(finished.status == 21, "\(bundle): \(terminal.screen)")
    }
    let terminal = try FakeTerminal(verb + ["case.age"], by: person, program: program)
    try await terminal.wait(for: "Passphrase of the bundle")
    #expect(try await eventually { !terminal.isEchoing })
    terminal.type("dromedary\u{3}")
    #expect(try await terminal.finish().status == 130)
    #expect(terminal.isEchoing)
    #expect(!terminal.screen.contains("dromedary"))
  }

  /// As `age --armor` writes it.
  private static func armor(_ name: String, as other: String, in person: Person) throws {
    let bytes = try Data(contentsOf: URL(filePath: person.path(name)))
    let lines = bytes.base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
    _ = try person.folder.file(
      other,
      Array(
        ("-----BEGIN AGE ENCRYPTED FILE-----\n" + lines
          + "\n-----END AGE ENCRYPTED FILE-----\n").utf8))
  }

  @Test(arguments: [("y", "3 entries with 1 file"), ("n", "2 entries with 1 file")])
  func `on a terminal it is asked whether to hand over what is private`(
    answer: String, sentence: String
  ) async throws {
    let (person, _) = try await Self.exported()
    _ = try await person.addWords("For me.", "--private")
    let terminal = try FakeTerminal(
      ["export", "default", "--output", "asked.age", "--seal-passphrase-file", "seal"]
        + ["--vault", person.vault, "--passphrase-file", person.passphraseFile], by: person)
    try await terminal.wait(for: "There is 1 entry that you kept private")
    try await terminal.answer("Put it into the bundle too? [y/n]", answer)
    let finished = try await terminal.finish()
    #expect(finished.status == 0, "\(terminal.screen)")
    #expect(finished.output.contains(sentence), "\(finished.output)")
  }
}
