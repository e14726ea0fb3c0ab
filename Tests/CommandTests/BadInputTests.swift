import Foundation
import People
import Support
import Testing

/// What is typed or handed over and cannot be used: a sentence, an exit code, and nothing kept.
@Suite struct `Bad input` {
  @Test func `a wrong passphrase opens nothing and changes nothing`() async throws {
    let person = try await Person()
    let wrong = try person.folder.file("wrong", Array("incorrect horse".utf8))
    // But for the record of attempts.
    func files() throws -> [String: [UInt8]] {
      try person.folder.allFiles().filter {
        $0.key.hasPrefix("vault/") && $0.key != "vault/attempts"
      }
    }
    let before = try files()
    let refused = try await person.cairn("list", passphraseFile: wrong)
    #expect(refused.status == 12)
    #expect(refused.output == "")
    #expect(refused.errors.hasPrefix("That passphrase does not open this vault.\n"))
    #expect(!refused.told.contains("incorrect"))
    #expect(try files() == before)
    let scripted = try await person.cairn("list", "--json", passphraseFile: wrong)
    #expect(scripted.status == 12)
    #expect(try scripted.errorCode() == "wrongPassphrase")
    #expect(scripted.errors == "")
  }

  @Test func `what is missing of a command, or has another name, is said in plain words`()
    async throws
  {
    let person = try await Person(hasVault: false)
    let missing = try await person.cairn("show")
    #expect(missing.status == 64)
    #expect(missing.told.contains("Something is missing: '<entry>'. Nothing was changed."))
    let found = try await person.run(["find", "x"])
    #expect(found.status == 64)
    #expect(found.told.contains("There is no command “find”."))
    #expect(found.told.contains("Perhaps you meant “cairn search”."))
  }

  @Test func `a result that could not be written is not called done`() async throws {
    let person = try await Person()
    let lost = try await person.start(
      ["list", "--vault", person.vault, "--passphrase-file", person.passphraseFile],
      through: ["/bin/sh", "-c", "exec \"$@\" > /dev/full", "sh"]
    ).finish()
    #expect(lost.status == 1, "\(lost.all)")
    #expect(lost.told.contains("Not all of the output could be written"))
  }

  @Test func `a time that lies ahead is kept as it was said, with a word about it`() async throws {
    let person = try await Person()
    let saved = try await person.cairn("add", "--text", "x", "--seen-at", "2124-05-31")
    #expect(saved.status == 0, "\(saved.all)")
    #expect(saved.told.contains("Note: when it happened, as you say, lies ahead: 2124-05-31."))
    #expect(saved.told.contains("--seen-at TIME"))
    let usual = try await person.cairn("add", "--text", "y", "--seen-at", "2024-05-31")
    #expect(usual.errors == "")
  }

  @Test func `no vault, an empty folder and something else are told apart`() async throws {
    let person = try await Person(hasVault: false)
    let missing = try await person.cairn("list")
    #expect(missing.status == 10)
    #expect(missing.told.contains("There is no vault at “\(person.vault)” yet."))
    try FileManager.default.createDirectory(
      atPath: person.path("empty"), withIntermediateDirectories: false)
    _ = try person.folder.file("a-file", [1])
    for (place, code) in [("empty", "noVault"), (".", "notAVault"), ("a-file", "notAVault")] {
      let refused = try await person.run([
        "list", "--json", "--vault", person.path(place), "--passphrase-file", person.passphraseFile,
      ])
      #expect(refused.status == 10)
      #expect(try refused.errorCode() == code, "\(place)")
    }
  }

  @Test func `a vault with missing or damaged files says which`() async throws {
    let person = try await Person()
    let keys = [person.vault + "/keys", person.vault + "/keys.bak"]
    let saved = try Data(contentsOf: URL(filePath: keys[0]))
    func code() async throws -> String? {
      let refused = try await person.cairn("list", "--json")
      #expect(refused.status == 20)
      return try refused.errorCode()
    }
    for path in keys { try FileManager.default.removeItem(atPath: path) }
    #expect(try await code() == "keysMissing")
    for path in keys { try Data(repeating: 7, count: 4096).write(to: URL(filePath: path)) }
    #expect(try await code() == "keysDamaged")
    try saved.write(to: URL(filePath: keys[1]))
    let second = try await person.cairn("list")
    #expect(second.status == 0)
    #expect(second.told.contains("was made again from the other"))
    try saved.write(to: URL(filePath: keys[0]))
    try FileManager.default.moveItem(
      atPath: person.vault + "/vault.db", toPath: person.path("moved"))
    #expect(try await code() == "databaseMissing")
    var database = try Data(contentsOf: URL(filePath: person.path("moved")))
    database[5000] ^= 1
    try database.write(to: URL(filePath: person.vault + "/vault.db"))
    #expect(try await code() == "databaseDamaged")
  }

  @Test func `a vault that another process has open is left alone`() async throws {
    let person = try await Person()
    let pipe = Pipe()
    // It waits for standard input with the vault open.
    let other = try person.begin("add", "-", input: pipe.fileHandleForReading)
    #expect(
      try await eventually {
        FileManager.default.fileExists(atPath: person.vault + "/vault.db-wal")
      })
    let refused = try await person.cairn("list", "--json")
    #expect(refused.status == 11)
    #expect(try refused.errorCode() == "inUse")
    try pipe.fileHandleForWriting.write(contentsOf: Data(noise(10)))
    try pipe.fileHandleForWriting.close()
    #expect(try await other.finish().status == 0)
    #expect(try await person.entries().count == 1)
  }

  @Test func `a file that cannot be kept stops all before the first is stored`() async throws {
    let person = try await Person()
    _ = try person.folder.file("good.png", noise(100_000))
    _ = try person.folder.file("empty.png", [])
    for (name, code, sentence) in [
      ("missing.png", "fileMissing", "There is no file “missing.png”."),
      ("empty.png", "fileEmpty", "“empty.png” is empty: it has 0 bytes."),
      ("vault", "ownVault", "“vault” is the folder of this vault, or lies in it."),
      ("./vault/blobs/", "ownVault", "“./vault/blobs” is the folder of this vault, or lies in it."),
      ("/dev/null", "notAFile", "“/dev/null” is not a file, but a folder or a device."),
    ] {
      let refused = try await person.cairn("add", "good.png", name)
      #expect(refused.status == 1)
      #expect(refused.told.contains(sentence), "\(refused.all)")
      #expect(refused.output == "")
      let scripted = try await person.cairn("add", "good.png", name, "--json")
      #expect(try scripted.errorCode() == code)
    }
    try await person.expectNothingKept()
  }

  /// Root reads everything, so the program runs without the two capabilities that let it.
  @Test func `a file without permission is told as such`() async throws {
    let person = try await Person()
    _ = try person.folder.file("locked.png", noise(1000))
    try FileManager.default.setAttributes(
      [.posixPermissions: 0], ofItemAtPath: person.path("locked.png"))
    let dropped = "-dac_override,-dac_read_search"
    let isRoot = getuid() == 0
    let running = try person.start(
      ["add", "locked.png", "--vault", person.vault, "--passphrase-file", person.passphraseFile],
      through: isRoot
        ? ["/usr/bin/setpriv", "--bounding-set", dropped, "--inh-caps", dropped] : [])
    let refused = try await running.finish()
    #expect(refused.status == 1)
    #expect(refused.told.contains("“locked.png” cannot be read"), "\(refused.all)")
    try await person.expectNothingKept()
  }

  @Test func `a file that changes while it is read is not kept`() async throws {
    let person = try await Person()
    try makeSparseFile(person.path("growing.mp4"), byteCount: 200 << 20)
    // Somebody keeps writing to it, from before the reading begins until after it ends.
    let writer = try Running(
      ["/bin/sh", "-c", "while :; do printf x >> growing.mp4; sleep 0.01; done"],
      in: person.folder.path, environment: person.environment)
    let refused = try await person.cairn("add", "growing.mp4")
    writer.send(SIGTERM)
    _ = try await writer.finish()
    #expect(refused.status == 1)
    #expect(refused.told.contains("“growing.mp4” changed while it was read."))
    try await person.expectNothingKept()
  }

  @Test func `empty standard input is not an entry`() async throws {
    let person = try await Person()
    let refused = try await person.cairn("add", "-")
    #expect(refused.status == 1)
    #expect(refused.told.contains("Standard input is empty: it has 0 bytes."), "\(refused.all)")
    try await person.expectNothingKept()
  }

  @Test func `names with line ends or turned text are shown harmlessly`() async throws {
    let person = try await Person()
    let name = "a\nb\u{202e}gnp.exe\u{1b}[2J.png"
    _ = try person.folder.file(name, noise(500))
    let added = try await person.cairn("add", name)
    #expect(added.status == 0)
    let listed = try await person.cairn("list")
    let entry = try #require(try await person.entries().first)
    let id = try #require(entry["id"] as? String)
    let shown = try await person.cairn("show", id)
    let scripted = try await person.cairn("list", "--json")
    let written = try await person.cairn("extract", id, "--output", "out")
    for text in [added.all, listed.all, shown.all, scripted.all, written.all] {
      #expect(!text.contains("\u{202e}") && !text.contains("\u{1b}"))
    }
    #expect(listed.output.contains(#"a\nb\u{202E}gnp.exe\u{001B}[2J.png"#))
    // A script gets the name as it was.
    #expect((entry["files"] as? [[String: Any]])?.first?["name"] as? String == name)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: person.path("out")) == [
        "a_b_gnp.exe_[2J.png"
      ])
  }

  @Test(arguments: [
    ("example.org/post/1", "its beginning is missing"),
    ("https://", "is not an address that can be read"),
    ("https:///path", "is not an address that can be read"),
    ("javascript:alert(1)", "its beginning is missing"),
    ("https://example.org/a b", "a space or a hidden character"),
    ("https://example.org/a\nb", "a space or a hidden character"),
    ("https://example.org/\u{202e}gnp", "a space or a hidden character"),
    ("https://example.org/" + String(repeating: "a", count: 9000), "longer than 8 KiB"),
  ])
  func `an address that is none is refused before anything is read`(
    url: String, sentence: String
  ) async throws {
    let person = try await Person(hasVault: false)
    let refused = try await person.cairn("add", "missing.png", "--url", url)
    #expect(refused.status == 64)
    #expect(refused.told.contains(sentence), "\(refused.all)")
    #expect(!refused.errors.contains("\u{202e}"))
    let scripted = try await person.cairn("add", "--json", "--url", url)
    #expect(try scripted.errorCode() == "invalidURL")
  }

  @Test(arguments: [
    "yesterday", "2024-02-30", "2024-05-31T14:30", "2024-05-31 to 2024-05-01",
  ])
  func `a time that is none is refused with examples`(time: String) async throws {
    let person = try await Person(hasVault: false)
    let refused = try await person.cairn("add", "--text", "One.", "--seen-at", time)
    #expect(refused.status == 64)
    #expect(refused.told.contains("“about 2024-05-31”"), "\(refused.all)")
    if time.contains("T") { #expect(refused.told.contains("lacks the time zone")) }
    let scripted = try await person.cairn("add", "--json", "--text", "One.", "--seen-at", time)
    #expect(try scripted.errorCode() == "invalidTime")
  }

  @Test(arguments: [
    "31.05.2024", "05/31/2024", "5/6/24", "31-05-2024", "2024/05/31", "2024.5.31",
    "about 31.05.2024", "30. 05. 2024 to 31. 05. 2024", "31.05.2024 14:30",
  ])
  func `a day in another order is never guessed`(time: String) async throws {
    let person = try await Person(hasVault: false)
    let refused = try await person.cairn("add", "--text", "One.", "--seen-at", time)
    #expect(refused.status == 64)
    #expect(
      refused.told.contains("Write the year first, then month and day: 2024-05-31."),
      "\(refused.all)")
  }

  @Test func `words that do not fit or are empty are refused`() async throws {
    let person = try await Person()
    _ = try person.folder.file("long.txt", [UInt8](repeating: 0x61, count: 600_000))
    _ = try person.folder.file("latin.txt", [0x48, 0xe9, 0x0a])
    _ = try person.folder.file("spaces.txt", Array("  \n".utf8))
    for (text, code, status) in [
      ("@long.txt", "entryTooLarge", 1), ("@latin.txt", "notText", 1),
      ("@missing.txt", "fileMissing", 1), ("@spaces.txt", "emptyText", 64), ("", "emptyText", 64),
    ] as [(String, String, Int32)] {
      let refused = try await person.cairn("add", "--json", "--text", text)
      #expect(refused.status == status, "\(text)")
      #expect(try refused.errorCode() == code)
    }
    try await person.expectNothingKept()
  }

  @Test func `an id that names none or several entries is refused`() async throws {
    let person = try await Person()
    for _ in 0..<3 { _ = try await person.cairn("add", "--text", "One.") }
    for id in ["aaaaaaaaaaaa", "ab", "", "not an id", "ünknown"] {
      let refused = try await person.cairn("show", "--json", id)
      #expect(refused.status == 1)
      #expect(try refused.errorCode() == "unknownEntry", "\(id)")
    }
    let refused = try await person.cairn("extract", "aaaaaaaaaaaa", "--output", "out")
    #expect(refused.status == 1)
    #expect(!FileManager.default.fileExists(atPath: person.path("out")))
  }

  @Test func `cases that are unknown, there already or without a name are refused`() async throws {
    let person = try await Person()
    let unknown = try await person.cairn("add", "--json", "--case", "none", "--text", "One.")
    #expect(unknown.status == 1)
    #expect(try unknown.errorCode() == "unknownCase")
    #expect(try await person.cairn("list", "--case", "none").status == 1)
    let twice = try await person.cairn("case", "new", "default", "--json")
    #expect(try twice.errorCode() == "caseExists")
    for name in ["", "  ", "a\nb", "\u{202e}a", String(repeating: "a", count: 300)] {
      let refused = try await person.cairn("case", "new", name, "--json")
      #expect(refused.status == 64)
      #expect(try refused.errorCode() == "invalidName")
    }
  }
}
