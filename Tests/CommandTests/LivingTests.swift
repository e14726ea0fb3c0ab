import Foundation
import People
import Support
import Testing

extension Finished {
  /// The id in the one object of a command that saved something.
  func savedID() throws -> String { try #require(try json()["id"] as? String, "\(all)") }
}

extension Person {
  /// An entry of words only; its id.
  func addWords(_ words: String, _ more: String...) async throws -> String {
    let added = try await run(
      ["add", "--text", words, "--json", "--vault", vault, "--passphrase-file", passphraseFile]
        + more)
    let saved = try #require(try added.json()["saved"] as? [[String: Any]], "\(added.all)")
    return try #require(saved.first?["id"] as? String)
  }
}

extension Person {
  /// The retraction by which an entry is taken back.
  fileprivate func takenBackBy(_ id: String) async throws -> String? {
    let entry = try await cairn("show", id, "--json").json()["entry"] as? [String: Any]
    #expect(entry != nil)
    return entry?["takenBackBy"] as? String
  }
}

/// What is said about an entry later.
@Suite struct `Living entries` {
  @Test func `an addition stands beside the entry, and both are shown`() async throws {
    let person = try await Person()
    let id = try await person.addWords(
      "He wrote to me.", "--title", "First message", "--place", "example.org", "--account",
      "@second", "--tag", "threat", "--tag", "chat")
    _ = try person.folder.file("one.png", noise(3000))
    _ = try person.folder.file("two.png", noise(70_000, seed: 2))
    let amended = try await person.cairn(
      "amend", String(id.prefix(8)), "--text", "It was the 3rd.", "--seen-at", "2024-06-03",
      "one.png", "two.png")
    #expect(amended.status == 0, "\(amended.all)")
    #expect(amended.output.contains("an addition about \(id.prefix(10))\n"))
    #expect(amended.output.contains("with two.png, 70 kB"))
    #expect(amended.output.contains("Only you can open it."))

    let shown = try await person.cairn("show", id)
    for text in [
      "Title       First message", "Place       example.org", "Account     @second",
      "Tags        threat, chat", "Shown to    your own devices, from the beginning",
      "  He wrote to me.\n", "Added later", "    It was the 3rd.\n",
      "    Happened    2024-06-03, as you say", "    File        two.png, 70 kB",
    ] { #expect(shown.output.contains(text), "\(text)\n\(shown.output)") }

    let object = try await person.cairn("show", id, "--json").json()
    let entry = try #require(object["entry"] as? [String: Any])
    #expect(entry["words"] as? String == "He wrote to me.")
    #expect(entry["title"] as? String == "First message")
    #expect(entry["tags"] as? [String] == ["threat", "chat"])
    let later = try #require(object["later"] as? [[String: Any]])
    #expect(later.map { $0["kind"] as? String } == ["amend"])
    #expect(later[0]["about"] as? [String] == [id])
    #expect((later[0]["files"] as? [Any])?.count == 2)
    // Both files come out again, from the addition.
    let amendment = try #require(later[0]["id"] as? String)
    #expect(try await person.cairn("extract", amendment, "--output", "out").status == 0)
    #expect(
      try [UInt8](Data(contentsOf: URL(filePath: person.path("out/two.png"))))
        == noise(70_000, seed: 2))
  }

  @Test func `what is taken back stays, and comes back when that is taken back`() async throws {
    let person = try await Person()
    let id = try await person.addWords("Wrong account.")
    let told = try await person.cairn("retract", id, "--text", "It was another.")
    #expect(told.told.contains("This removes nothing: the entry stays"), "\(told.all)")
    let shown = try await person.cairn("show", id)
    #expect(shown.told.contains("it stays as it was"))
    #expect(shown.output.contains("  Wrong account.\n"))
    let first = try await person.takenBackBy(id)
    #expect(told.told.contains("To give it back: cairn retract \(first?.prefix(10) ?? "none")"))
    let back = try await person.cairn("retract", try #require(first))
    #expect(back.told.contains("What had been taken back counts again."), "\(back.all)")
    #expect(try await person.takenBackBy(id) == nil)
  }

  @Test func `what is so already is told, and no second entry written`() async throws {
    let person = try await Person()
    let id = try await person.addWords("Wrong account.")
    let first = try await person.cairn("retract", id, "--json").savedID()
    let request = try await person.cairn("request", id, "--text", "See it?", "--json").savedID()
    let done = try await person.cairn("request", "--done", request, "--json").savedID()
    let count = try await person.entries().count
    let again = try await person.cairn("retract", id, "--text", "Really.")
    #expect(again.status == 0, "\(again.all)")
    #expect(
      again.told.hasPrefix(
        "It is taken back already (\(first.prefix(10))), so nothing was saved."), "\(again.all)")
    #expect(again.told.contains("cairn note \(first.prefix(10))"))
    let scripted = try await person.cairn("retract", id, "--json").json()
    #expect(scripted["id"] as? String == first)
    #expect(scripted["alreadySo"] as? Bool == true)
    let answered = try await person.cairn("request", "--done", request)
    #expect(answered.status == 0)
    #expect(answered.told.hasPrefix("This request is done already (\(done.prefix(10)))"))
    #expect(try await person.entries().count == count)
    // Another answer is something new, and says what it was before.
    let declined = try await person.cairn("request", "--decline", request)
    #expect(declined.told.contains("Before, it was done."), "\(declined.all)")
    #expect(
      declined.told.contains("your answer, declined, to the request \(request.prefix(10))"))
    #expect(try await person.entries().count == count + 1)
  }

  @Test func `that something counts again is said only where it does`() async throws {
    let person = try await Person()
    let id = try await person.addWords("Wrong account.")
    let first = try await person.cairn("retract", id, "--json").savedID()
    let second = try await person.cairn("retract", first, "--json").savedID()
    let third = try await person.cairn("retract", id, "--json").savedID()
    let restored = try await person.cairn("retract", second)
    #expect(
      restored.told.contains("The retraction \(first.prefix(10)) counts again."), "\(restored.all)")
    let back = try await person.cairn("retract", first)
    #expect(
      back.told.contains("but \(id.prefix(10)) stays taken back: by \(third.prefix(10))"),
      "\(back.all)")
    #expect(try await person.takenBackBy(id) == third)
  }

  @Test func `tags are an addition that can be taken back`() async throws {
    let person = try await Person()
    let id = try await person.addWords("One.")
    let tagged = try await person.cairn("tag", id, "threat", "second account")
    #expect(tagged.output.contains("2 tags about"))
    #expect(tagged.output.contains("To take it back: cairn retract "))
    let empty = try await person.cairn("tag", id, " ", "--json")
    #expect(empty.status == 64)
    #expect(try empty.errorCode() == "invalidText")
    let many = try await person.run(
      ["tag", id] + (0..<65).map { "t\($0)" }
        + ["--vault", person.vault, "--passphrase-file", person.passphraseFile])
    #expect(many.status == 64)
    #expect(many.told.contains("up to 64 tags"))
  }

  @Test func `a takedown has steps, and can come back again`() async throws {
    let person = try await Person()
    let id = try await person.addWords("A picture of me.", "--place", "example.org")
    _ = try person.folder.file("answer.txt", Array("We removed it.".utf8))
    let reported = try await person.cairn(
      "takedown", id, "--step", "reported", "--reference", "Ticket 55-1")
    #expect(
      reported.output.contains("takedown step (reported, example.org) about"), "\(reported.all)")
    _ = try await person.cairn(
      "takedown", id, "answer.txt", "--step", "removed", "--where", "Example.ORG")
    let shown = try await person.cairn("show", id)
    #expect(shown.output.contains("  example.org: removed, reference Ticket 55-1\n"))
    #expect(shown.output.contains("answer.txt"))
    _ = try await person.cairn("takedown", id, "--step", "back-again")
    let object = try await person.cairn("show", id, "--json").json()
    let takedowns = try #require(object["takedowns"] as? [[String: Any]])
    #expect(takedowns.map { $0["step"] as? String } == ["back-again"])
    #expect(takedowns.first?["records"] as? Int == 3)
    let wrong = try await person.cairn("takedown", id, "--step", "deleted", "--json")
    #expect(wrong.status == 64)
  }

  @Test func `nothing about nothing, and nothing about what is not there`() async throws {
    let person = try await Person()
    let id = try await person.addWords("One.")
    let cases: [([String], Int32, String)] = [
      (["amend", id], 64, "nothingToAdd"),
      (["amend", "aaaaaaaa", "--text", "x"], 1, "unknownEntry"),
      (["note"], 64, "nothingToAdd"), (["note", id], 64, "nothingToAdd"),
      (["note", id, "missing.png"], 1, "fileMissing"), (["retract", "zzzz"], 1, "unknownEntry"),
      (["request", id], 64, "nothingToAdd"), (["request", "--done", id], 64, "notARequest"),
      (["request", "--done", id, "--decline", id], 64, "usage"),
      (["request", id, "--done", id], 64, "usage"),
      (["takedown", "aaaa", "--step", "removed"], 1, "unknownEntry"),
      (["amend", id, "--title", "two\nlines"], 64, "invalidText"),
      (["amend", id, "--url", "nothing"], 64, "invalidURL"),
      (["amend", id, "-", "--text", "-"], 64, "usage"),
    ]
    for (arguments, status, code) in cases {
      let refused = try await person.run(
        arguments + ["--json", "--vault", person.vault, "--passphrase-file", person.passphraseFile])
      #expect(refused.status == status, "\(arguments): \(refused.all)")
      #expect(try refused.errorCode() == code, "\(arguments)")
    }
    #expect(try await person.entries().count == 1)
  }

  @Test func `a file whose name could be an id has to be told apart`() async throws {
    let person = try await Person()
    let id = try await person.addWords("One.")
    let name = String(id.prefix(5))
    _ = try person.folder.file(name, noise(100))
    let refused = try await person.cairn("note", name, "--text", "x", "--json")
    #expect(try refused.errorCode() == "ambiguousSubject")
    let kept = try await person.cairn(
      "note", id, "./" + name, "--text", "-", input: Array("é".utf8))
    #expect(kept.status == 0, "\(kept.all)")
    #expect(kept.output.contains("with \(name), 100 bytes"))
    #expect(try await person.cairn("show", id).output.contains("    é\n"))
  }

  @Test func `of a picture of somebody under 18, nothing but its hash is kept`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    let added = try await person.cairn("add", "--minor", "shot.png", "--json")
    let id = try #require((try added.json()["saved"] as? [[String: Any]])?.first?["id"] as? String)
    let told = try await person.cairn("amend", id, "shot.png")
    #expect(told.told.contains("not even as evidence"))
    #expect(told.told.contains("only its size, type and SHA-256"))
    // A word of the second is enough: it is about the first.
    #expect(try person.blobFiles() == [])
    let entries = try await person.entries()
    #expect(entries.map { $0["minor"] as? Bool } == [true, true])
    let files = entries.compactMap { ($0["files"] as? [[String: Any]])?.first }
    #expect(files.map { $0["withoutContent"] as? Bool } == [true, true])
    #expect(try await person.cairn("check").status == 0)
  }

  @Test func `that the same picture was kept before is not passed over`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(2000))
    let before = try await person.cairn("add", "shot.png", "--json").json()
    let id = try #require((before["saved"] as? [[String: Any]])?.first?["id"] as? String)
    let told = try await person.cairn("add", "--minor", "shot.png").told
    #expect(told.contains("The same content is in \(id.prefix(8))"))
    #expect(told.contains("the file itself may still be kept there"))
  }
}

@Suite struct `Living entries of two` {
  @Test func `an advocate notes, records and asks, and changes nothing`() async throws {
    let pair = try await Pair()
    let id = try await pair.survivor.addWords("Mine.", "--place", "example.org")
    try await pair.join()
    #expect(try await pair.syncSurvivor().status == 0)
    #expect(try await pair.syncAdvocate().status == 0)
    _ = try pair.advocate.folder.file("found.png", noise(90_000))

    let refused = try await pair.advocate.cairn("amend", id, "--text", "x", "--json")
    #expect(refused.status == 13)
    #expect(try refused.errorCode() == "notAllowed")
    let kindly = try await pair.advocate.cairn("amend", id, "--text", "x")
    #expect(kindly.told.contains("“cairn note \(id)” keeps what you have to say"))
    #expect(try await pair.advocate.cairn("retract", id).status == 13)

    let noted = try await pair.advocate.cairn(
      "note", id, "found.png", "--text", "Also on a second site.", "--json")
    let note = try noted.savedID()
    #expect(try await pair.advocate.cairn("tag", id, "urgent").status == 0)
    let step = try await pair.advocate.cairn(
      "takedown", id, "--step", "reported", "--reference", "R-1")
    #expect(step.status == 0, "\(step.all)")
    let request = try await pair.advocate.cairn(
      "request", id, "--text", "Could you add the full address?", "--json"
    ).savedID()
    #expect(try await pair.syncAdvocate().status == 0)
    #expect(try await pair.syncSurvivor().status == 0)

    let shown = try await pair.survivor.cairn("show", id)
    for text in [
      "Also on a second site.", "found.png, 90 kB", "Tags        urgent",
      "  example.org: reported, reference R-1\n", "Requests, 1 open",
      "Could you add the full address?", "by an advocate (", "Shown to    advocate ",
    ] { #expect(shown.output.contains(text), "\(text)\n\(shown.output)") }
    #expect(shown.told.contains("since 20"))
    // Her notes are hers.
    let hers = try await pair.survivor.cairn("retract", note)
    #expect(hers.status == 13)
    #expect(hers.told.contains("written by an advocate"))

    _ = try await pair.survivor.cairn("amend", id, "--url", "https://example.org/p/1?full=1")
    let done = try await pair.survivor.cairn("request", "--done", request, "--text", "Added.")
    #expect(done.status == 0, "\(done.all)")
    #expect(try await pair.syncSurvivor().status == 0)
    #expect(try await pair.syncAdvocate().status == 0)
    let object = try await pair.advocate.cairn("show", id, "--json").json()
    let requests = try #require(object["requests"] as? [[String: Any]])
    #expect(requests.map { $0["state"] as? String } == ["done"])
    let entry = try #require(object["entry"] as? [String: Any])
    #expect((entry["seenBy"] as? [[String: Any]])?.count == 1)
    // Both copies tell the same story in the same order.
    let there = try #require(object["later"] as? [[String: Any]]).map { $0["id"] as? String }
    let here = try await pair.survivor.cairn("show", id, "--json").json()
    #expect((here["later"] as? [[String: Any]])?.map { $0["id"] as? String } == there)
    #expect(there.count == 6)
  }
}
