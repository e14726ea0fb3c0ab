import Foundation
import People
import Support
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension Person {
  /// Makes a file, and the folders that it lies in.
  func place(_ name: String, _ bytes: [UInt8]) throws {
    let folder = URL(filePath: path(name)).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    _ = try self.folder.file(name, bytes)
  }
}

@Suite struct `Moving in: folders` {
  /// Some of everything that is found in a folder.
  private func tree() async throws -> Person {
    let person = try await Person()
    try person.place("phone/b.png", noise(70_000, seed: 1))
    try person.place("phone/a/chat.txt", Array("He wrote.".utf8))
    try person.place("phone/a/copy.png", noise(70_000, seed: 1))
    try person.place("phone/.DS_Store", noise(10))
    try person.place("phone/a/Thumbs.db", noise(10))
    try person.place("phone/a/._chat.txt", noise(10))
    try person.place("phone/empty.png", [])
    try person.place("elsewhere/secret.txt", noise(10, seed: 9))
    try FileManager.default.createSymbolicLink(
      atPath: person.path("phone/link"), withDestinationPath: person.path("elsewhere"))
    let made = unsafe mkfifo(person.path("phone/pipe"), 0o600)
    #expect(made == 0)
    return person
  }

  @Test func `each file below a folder becomes an entry, and the rest is told`() async throws {
    let person = try await tree()
    let added = try await person.cairn("add", "phone/", "--tag", "phone", "--url", "https://e.org/")
    #expect(added.status == 0, "\(added.all)")
    for text in [
      "2 files were saved; 1 was in the case already", "phone/a/chat.txt, 9 bytes",
      "Passed over phone/b.png: the same content as", "phone/.DS_Store: hidden",
      "phone/a/Thumbs.db: hidden", "phone/link: a link to somewhere else",
      "phone/pipe: neither a file nor a folder", "phone/empty.png: empty, with 0 bytes",
      "Only you can open them.",
    ] { #expect(added.told.contains(text), "\(text)\n\(added.all)") }
    let entries = try await person.entries()
    #expect(entries.map { $0["title"] as? String } == ["phone/a/chat.txt", "phone/a/copy.png"])
    #expect(entries.allSatisfy { $0["tags"] as? [String] == ["phone"] })
    #expect(try person.temporaryFiles() == [])
    #expect(try person.blobFiles().count == 1)

    // Again: nothing twice, and what is new comes in.
    try person.place("phone/c/new.txt", Array("New.".utf8))
    let again = try await person.cairn("add", "phone", "--json")
    let object = try again.json()
    #expect(
      (object["saved"] as? [[String: Any]])?.map { $0["file"] as? String } == ["phone/c/new.txt"])
    #expect(
      (object["held"] as? [[String: Any]])?.map { $0["sameTitle"] as? Bool } == [true, true, false])
    #expect((object["skipped"] as? [Any])?.count == 0)
    #expect(
      (object["passedOver"] as? [[String: Any]])?.count { $0["reason"] as? String == "empty" } == 1)
    #expect((object["passedOver"] as? [Any])?.count == 6)
    #expect(object["error"] == nil || object["error"] is NSNull)
    #expect(try await person.entries().count == 3)
    let all = try await person.cairn("add", "phone/c", "phone/b.png", "--again")
    #expect(all.status == 0, "\(all.all)")
    #expect(all.told.contains("2 files were saved."))
    #expect(all.told.contains("the same content as"))
  }

  @Test func `names that are not text, and the vault itself`() async throws {
    let person = try await Person()
    let folder = Array(person.folder.path.utf8)
    let name: [UInt8] = folder + Array("/odd-".utf8) + [0xff, 0xfe, 0]
    let descriptor = unsafe name.withUnsafeBytes { bytes in
      unsafe open(bytes.assumingMemoryBound(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY, 0o600)
    }
    #expect(descriptor >= 0)
    try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(
      contentsOf: Data("odd".utf8))
    let page = try await person.run([
      "init", "--kdf", "light", "--vault", person.path(".other"), "--kit", "kit.html",
      "--passphrase-file", person.passphraseFile,
    ])
    #expect(page.status == 0, "\(page.all)")
    let text = "# Twelve words. Keep them on paper\n 1  word\n" + String(repeating: "#", count: 80)
    _ = try person.folder.file("words.txt", Array(text.utf8))
    // The folder that holds the vault, kits and the passphrase. With the case, the twelve words would go to
    // whoever it is shared with.
    let added = try await person.run([
      "add", ".", "--vault", person.vault, "--passphrase-file", person.passphraseFile, "--json",
    ])
    #expect(added.status == 0, "\(added.all)")
    let object = try added.json()
    let files = (object["saved"] as? [[String: Any]])?.compactMap { $0["file"] as? String } ?? []
    #expect(files.contains { $0.hasSuffix("/odd-\\xFF\\xFE") }, "\(files)")
    #expect(!files.contains { $0.contains("vault.db") })
    let passed = object["passedOver"] as? [[String: Any]]
    #expect(passed?.map { $0["reason"] as? String } == ["hidden", "kit", "ownVault", "kit"])
    let entries = try await person.entries()
    let odd = try #require(entries.first { ($0["title"] as? String)?.contains("odd-") ?? false })
    let out = try await person.cairn(
      "extract", try #require(odd["id"] as? String), "--output", "out")
    #expect(out.status == 0, "\(out.all)")
  }

  @Test func `what cannot be done with a folder is said before anything is kept`() async throws {
    let person = try await Person()
    try person.place("phone/a.txt", noise(10))
    for arguments in [
      ["add", "phone", "--title", "x"], ["add", "phone", "-"], ["add", "phone", "missing.png"],
      ["add", "phone", "--case", "nowhere"],
    ] {
      let refused = try await person.run(
        arguments + ["--vault", person.vault, "--passphrase-file", person.passphraseFile])
      #expect(refused.status != 0, "\(arguments)")
      #expect(!refused.all.contains("Saved"), "\(refused.all)")
    }
    try await person.expectNothingKept()
    try FileManager.default.createDirectory(
      atPath: person.path("none"), withIntermediateDirectories: false)
    let empty = try await person.cairn("add", "none")
    #expect(empty.status == 0)
    #expect(empty.told.contains("0 files were saved."))
  }

  @Test func `a stopped run is gone on with`() async throws {
    let person = try await Person()
    for number in 0..<3 {
      try person.place("phone/\(number).txt", noise(1000, seed: UInt64(number + 1)))
    }
    try makeSparseFile(person.path("phone/9-large.mp4"), byteCount: 20 << 30)
    let running = try person.begin("add", "phone")
    #expect(try await running.send(SIGINT) { try !person.temporaryFiles().isEmpty })
    let stopped = try await running.finish()
    #expect(stopped.status == 130, "\(stopped.all)")
    #expect(stopped.told.contains("Run the same command again"), "\(stopped.all)")
    #expect(try person.temporaryFiles() == [])
    try FileManager.default.removeItem(atPath: person.path("phone/9-large.mp4"))
    #expect(try await person.cairn("add", "phone").status == 0)
    #expect(try await person.entries().count == 3)
  }
}

@Suite struct `Moving in: tables` {
  private static let good = """
    \u{FEFF}Link;Seen at;Remark;Platform;Tags;Colour\r
    https://example.org/1;2024-05-31 14:30;"He said ""no"";\r
    twice";example.org;threat, chat;red\r
    \r
    https://example.org/2;about 2024-05;'=1+1;;;\r
    ;;Only words;;;\r

    """

  @Test func `a table becomes entries, once`() async throws {
    let person = try await Person()
    _ = try person.folder.file("links.csv", Array(Self.good.utf8))
    let preview = try await person.cairn("import", "links.csv", "--zone", "+02:00", "--preview")
    #expect(preview.status == 0, "\(preview.all)")
    #expect(preview.told.contains("3 rows can be added. Nothing was changed."))
    #expect(preview.told.contains("Line 2 2024-05-31 14:30:00 +02:00"))
    #expect(preview.told.contains("Columns that are not taken over: “Colour”"))
    #expect(try await person.entries().isEmpty)

    let imported = try await person.cairn("import", "links.csv", "--zone", "+02:00")
    #expect(
      imported.told.contains("3 entries were saved. Only you can open them."), "\(imported.all)")
    let entries = try await person.entries()
    #expect(
      entries.map { $0["url"] as? String } == [
        "https://example.org/1", "https://example.org/2", nil,
      ])
    #expect(
      entries.map { $0["words"] as? String } == ["He said \"no\";\r\ntwice", "=1+1", "Only words"])
    #expect(entries[0]["tags"] as? [String] == ["threat", "chat"])
    #expect(entries[0]["seenAt"] as? String == "2024-05-31 14:30:00 +02:00")
    let again = try await person.cairn("import", "links.csv", "--zone", "+02:00", "--json")
    #expect(try again.json()["held"] as? Int == 3)
    #expect(try await person.entries().count == 3)
  }

  @Test func `unless every row is understood, nothing is added`() async throws {
    let person = try await Person()
    let table = """
      url,time,words
      https://example.org/1,2024-05-31,one
      https://example.org/2,31.05.2024,two
      not an address,2024-05-31,three
      https://example.org/4,2024-05-31T14:30,"four"x
      https://example.org/5,2024-05-31T14:30,five
      ,2024-05-31,
      https://example.org/7,,a,b,c
      """
    _ = try person.folder.file("links.csv", Array(table.utf8))
    let refused = try await person.cairn("import", "links.csv")
    #expect(refused.status == 1)
    for text in [
      "Line 3: “31.05.2024” is a day that not everybody reads alike. Write the year first",
      "Line 4: This address has a space",
      "Line 5: Something stands behind the closing quotation mark",
      "Line 6: “2024-05-31T14:30” lacks",
      "Line 7: It has neither an address", "Line 8: It has more cells",
      "6 rows of 7 cannot be understood. Nothing was added.",
    ] { #expect(refused.told.contains(text), "\(text)\n\(refused.all)") }
    let scripted = try await person.cairn("import", "links.csv", "--json")
    #expect(try scripted.errorCode() == "badRows")
    #expect(
      (try scripted.json()["badRows"] as? [[String: Any]])?.map { $0["line"] as? Int } == [
        3, 4, 5, 6, 7, 8,
      ])
    #expect(try await person.entries().isEmpty)
    let rest = try await person.cairn("import", "links.csv", "--skip-bad")
    #expect(rest.status == 0, "\(rest.all)")
    #expect(rest.told.contains("1 entry was saved."))
    #expect(try await person.entries().count == 1)
  }

  @Test func `what is no table is refused in a sentence`() async throws {
    let person = try await Person()
    let cases: [(String, [UInt8], String, String)] = [
      ("utf16.csv", [0xff, 0xfe, 0x75, 0], "notATable", "CSV UTF-8"),
      ("quote.csv", Array("url,words\nhttps://e.org/,\"open\n".utf8), "notATable", "In line 2"),
      ("columns.csv", Array("colour,size\nred,2\n".utf8), "noColumns", "names no column"),
      ("double.csv", Array("url,link\na,b\n".utf8), "doubleColumn", "two columns for the same"),
      ("time.csv", Array("time\n2024\n".utf8), "noColumns", "names no column"),
      ("picture.png", noise(5000), "notATable", "is not a table"),
    ]
    for (name, bytes, code, sentence) in cases {
      _ = try person.folder.file(name, bytes)
      #expect(try await person.cairn("import", name, "--json").errorCode() == code, "\(name)")
      let told = try await person.cairn("import", name)
      #expect(told.told.contains(sentence), "\(told.all)")
      #expect(told.status != 0)
    }
    let zone = try await person.cairn("import", "time.csv", "--zone", "CET", "--json")
    #expect(zone.status == 64)
    try await person.expectNothingKept()
  }
}
