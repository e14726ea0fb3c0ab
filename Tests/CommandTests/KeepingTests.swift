import Foundation
import People
import Support
import Testing

@Suite struct `Keeping` {
  @Test func `a file comes out of the vault as it went in`() async throws {
    let person = try await Person()
    let original = noise(300_000)
    _ = try person.folder.file("shot.png", original)
    let added = try await person.cairn(
      "add", "shot.png", "--url", "https://example.org/post/1", "--seen-at",
      "2024-05-31T14:30+02:00", "--text", "He wrote this the day after.")
    #expect(added.status == 0, "\(added.all)")
    #expect(added.output.contains("shot.png, 300 kB"))
    #expect(added.output.contains("Only you can open it."))

    let entry = try #require(try await person.entries().first)
    #expect(entry["url"] as? String == "https://example.org/post/1")
    #expect(entry["seenAt"] as? String == "2024-05-31 14:30:00 +02:00")
    #expect(entry["words"] as? String == "He wrote this the day after.")
    let id = try #require(entry["id"] as? String)
    #expect(id.count == 52)
    #expect(added.output.contains(id.prefix(10)))

    let written = try await person.cairn("extract", String(id.prefix(8)), "--output", "out")
    #expect(written.status == 0, "\(written.all)")
    #expect(try [UInt8](Data(contentsOf: URL(filePath: person.path("out/shot.png")))) == original)
    // A second time beside the first, which stays as it is.
    let again = try await person.cairn("extract", id, "--output", "out", "--json")
    let files = try #require(try again.json()["written"] as? [[String: Any]])
    #expect(files.first?["path"] as? String == "out/shot-2.png")
  }

  @Test func `each file is an entry, and the same content is told`() async throws {
    let person = try await Person()
    _ = try person.folder.file("one.png", noise(2000))
    _ = try person.folder.file("two.png", noise(2000))
    _ = try person.folder.file("three.png", noise(2000, seed: 3))
    let added = try await person.cairn("add", "one.png", "two.png", "three.png", "--json")
    let saved = try #require(try added.json()["saved"] as? [[String: Any]])
    #expect(saved.map { $0["file"] as? String } == ["one.png", "two.png", "three.png"])
    #expect(saved.map { ($0["sameContentAs"] as? [String])?.count } == [0, 1, 0])
    #expect((saved[1]["sameContentAs"] as? [String])?.first == saved[0]["id"] as? String)
    #expect(try await person.entries().count == 3)
  }

  @Test func `what is stored without its confirmation is told so, and not called lost`()
    async throws
  {
    let person = try await Person()
    for name in ["one", "two", "three"] {
      _ = try person.folder.file(name + ".png", noise(2000, seed: UInt64(name.utf8.count)))
    }
    let table = Array("url,title\nhttps://example.org/1,a\nhttps://example.org/2,b\n".utf8)
    _ = try person.folder.file("links.csv", table)
    try FileManager.default.createDirectory(
      atPath: person.path("phone"), withIntermediateDirectories: false)
    for index in 0..<4 {
      _ = try person.folder.file("phone/\(index).png", noise(3000, seed: UInt64(index) + 10))
    }
    var stored = 0
    for (arguments, count, said) in [
      (["add", "one.png"], 1, "Nothing is lost: it stands in the vault, whole."),
      (
        ["add", "one.png", "two.png", "three.png"], 3,
        "3 entries stand in the vault, whole, without that confirmation."
      ),
      (
        ["add", "phone"], 4,
        "4 entries stand in the vault, whole, without that confirmation."
      ),
      (
        ["import", "links.csv"], 2,
        "2 entries stand in the vault, whole, without that confirmation."
      ),
      (["note", "--text", "Seen."], 1, "Nothing is lost: it stands in the vault, whole."),
    ] {
      // Where the new anchor would be written first.
      let obstacle = person.vault + "/anchor.new"
      try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
      let told = try await person.run(
        arguments + ["--vault", person.vault, "--passphrase-file", person.passphraseFile])
      try FileManager.default.removeItem(atPath: obstacle)
      #expect(told.status == 1, "\(told.all)")
      #expect(told.told.contains("the last step, which confirms it, did not succeed."))
      #expect(told.told.contains(said), "\(told.all)")
      for wrong in ["It was not added", "he others were not added", "no part of it", "None of"] {
        #expect(!told.told.contains(wrong), "\(told.all)")
      }
      stored += count
      #expect(try await person.entries().count == stored, "\(arguments)")
    }
  }

  @Test func `standard input, words and an address are kept without a file`() async throws {
    let person = try await Person()
    #expect(try await person.cairn("add", "-", input: noise(100_000)).status == 0)
    #expect(try await person.cairn("add", "--text", "Only words.").status == 0)
    #expect(try await person.cairn("add", "--url", "https://example.org/2").status == 0)
    _ = try person.folder.file("long.txt", Array("Line one.\nLine two, ünd mehr.\n".utf8))
    #expect(try await person.cairn("add", "--text", "@long.txt").status == 0)
    #expect(try await person.cairn("add", "--text", "@@handle wrote to me").status == 0)

    let entries = try await person.entries()
    #expect(entries.count == 5)
    let files = entries.map { $0["files"] as? [[String: Any]] ?? [] }
    #expect(files[0].first?["size"] as? Int == 100_000)
    #expect(files.dropFirst().allSatisfy { $0.isEmpty })
    #expect(
      entries.map { $0["words"] as? String }.dropFirst(3) == [
        "Line one.\nLine two, ünd mehr.\n", "@handle wrote to me",
      ])
    let shown = try await person.cairn("show", try #require(entries[3]["id"] as? String))
    #expect(shown.output.contains("  Line one.\n  Line two, ünd mehr.\n"))
  }

  @Test func `a hash can be kept without the file`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    let added = try await person.cairn("add", "--hash-only", "shot.png")
    #expect(added.told.contains("only size, type and SHA-256 are kept"))
    #expect(try person.blobFiles() == [])
    let entry = try #require(try await person.entries().first)
    let file = try #require((entry["files"] as? [[String: Any]])?.first)
    #expect(file["withoutContent"] as? Bool == true)
    #expect((file["sha256"] as? String)?.count == 64)
    let id = try #require(entry["id"] as? String)
    let written = try await person.cairn("extract", id, "--output", "out")
    #expect(written.status == 0)
    #expect(written.told.contains("there is nothing to write"))
  }

  @Test func `cases keep things apart`() async throws {
    let person = try await Person()
    #expect(try await person.cairn("case", "new", "at work").status == 0)
    let added = try await person.cairn("add", "--case", "at work", "--text", "One.")
    #expect(added.status == 0)
    #expect(added.output.hasSuffix("\nIt is in “at work”, and only you can open it.\n"))
    #expect(try await person.entries().count == 0)
    #expect(try await person.entries(inCase: "at work").count == 1)
    let listed = try await person.cairn("case", "list", "--json")
    let cases = try #require(try listed.json()["cases"] as? [[String: Any]])
    #expect(cases.map { $0["name"] as? String } == ["default", "at work"])
    #expect(cases.map { $0["entryCount"] as? Int } == [0, 1])
  }

  @Test func `three kinds of time stay apart`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.", "--seen-at", "about 2024-05")
    let entry = try #require(try await person.entries().first)
    let shown = try await person.cairn("show", try #require(entry["id"] as? String))
    #expect(shown.output.contains("Happened    about 2024-05, as you say"))
    #expect(shown.output.contains("UTC, by this device's clock"))
    #expect(shown.output.contains("Seen by     no other member yet"))
  }

  @Test func `no line is wider than eighty columns`() async throws {
    let person = try await Person()
    let long = "https://example.org/" + String(repeating: "a/long/path/", count: 30)
    let words = String(repeating: "漢字とかな ", count: 40)
    _ = try person.folder.file(String(repeating: "名", count: 60) + ".png", noise(10))
    let added = try await person.cairn(
      "add", String(repeating: "名", count: 60) + ".png", "--url", long, "--text", words)
    let listed = try await person.cairn("list")
    let entry = try #require(try await person.entries().first)
    let shown = try await person.cairn("show", try #require(entry["id"] as? String))
    for line in (added.output + listed.output + shown.output).split(separator: "\n") {
      let columns = line.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2fff ? 2 : 1) }
      #expect(columns <= 80, "\(line)")
    }
    #expect(listed.output.contains("…"))
  }

  @Test func `nothing that was given stands in the clear in the vault`() async throws {
    let person = try await Person(hasVault: false)
    #expect(try await person.cairn("init", "--kit", "kit", "--kdf", "light").status == 0)
    let marker = "planted-7f3a9c"
    _ = try person.folder.file(
      "\(marker)-name.txt", Array(String(repeating: marker, count: 9000).utf8))
    _ = try await person.cairn(
      "add", "\(marker)-name.txt", "--url", "https://example.org/\(marker)", "--text",
      "words with \(marker)")
    _ = try await person.cairn("add", "-", input: Array(marker.utf8))
    _ = try await person.cairn("case", "new", "case \(marker)")
    let wanted = Data(marker.utf8)
    let root = person.vault
    var count = 0
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
      #expect(!name.contains(marker))
      guard let data = FileManager.default.contents(atPath: root + "/" + name) else { continue }
      count += 1
      #expect(data.range(of: wanted) == nil, "\(name)")
      let permissions = try FileManager.default.attributesOfItem(atPath: root + "/" + name)[
        .posixPermissions]
      #expect(permissions as? Int == 0o600, "\(name)")
    }
    #expect(count > 4)
  }
}
