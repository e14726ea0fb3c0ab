import Foundation
import People
import Support
import Testing

/// What a list says of entries that are about others.
@Suite struct `What is listed` {
  /// The list without its times.
  private func listed(_ person: Person, _ more: String...) async throws -> String {
    let finished = try await person.run(
      ["list", "--vault", person.vault, "--passphrase-file", person.passphraseFile] + more)
    #expect(finished.status == 0, "\(finished.all)")
    return finished.output.replacing(#/ *entered: .*\n/#, with: "")
  }

  @Test func `a line may end as other systems end it, and nothing else of that is hidden`()
    async throws
  {
    let person = try await Person()
    let id = try await person.addWords("One.\r\nTwo.\rThree.")
    #expect(try await listed(person).contains("“One. Two.\\rThree.”"))
    let shown = try await person.cairn("show", id).output
    #expect(shown.contains("One.\n") && shown.contains("Two.\\rThree.\n"), "\(shown)")
  }

  @Test func `each kind of entry is called what it is, with what it is about`() async throws {
    let person = try await Person()
    _ = try person.folder.file("call.txt", noise(3000))
    let id = try await person.addWords("He wrote.", "--title", "First message", "--tag", "threat")
    let request = try await person.cairn("request", id, "--text", "See it?", "--json").savedID()
    let short = id.prefix(10)
    for arguments in [
      ["amend", id, "--text", "On the 3rd.", "--title", "The date"],
      ["tag", id, "chat", "second"], ["note", id, "call.txt"],
      ["note", "--text", "Of the case."],
      ["takedown", id, "--step", "reported", "--where", "example.org", "--text", "By form."],
      ["request", "--done", request, "--text", "Yes."], ["retract", id, "--text", "Not his."],
    ] {
      let saved = try await person.run(
        arguments + ["--vault", person.vault, "--passphrase-file", person.passphraseFile])
      #expect(saved.status == 0, "\(saved.all)")
    }
    let list = try await listed(person)
    for text in [
      "\(short)  “He wrote.”\n            taken back\n            title: First message\n            tags: threat\n",
      "  a request about \(short)\n            “See it?”\n",
      "  an addition to \(short)\n            title: The date\n            “On the 3rd.”\n",
      "  tags on \(short)\n            tags: chat, second\n",
      "  a note about \(short): call.txt, 3.0 kB\n",
      "  a note\n            “Of the case.”\n",
      "  a takedown step (reported, example.org) about \(short)\n            “By form.”\n",
      "  an answer (done) to the request \(request.prefix(10))\n            “Yes.”\n",
      "  a retraction of \(short)\n            “Not his.”\n",
    ] { #expect(list.contains(text), "\(text)\n\(list)") }
    let found = try await person.cairn("search", "form")
    #expect(found.output.contains("  a takedown step (reported, example.org) about \(short)\n"))

    let entries = try await person.entries()
    let answer = try #require(entries.first { $0["request"] as? String == "done" })
    #expect(answer["kind"] as? String == "request")
    #expect(answer["about"] as? [String] == [request])
  }

  @Test func `what only the own devices can open is marked so, and nothing else`() async throws {
    let pair = try await Pair()
    let alone = try await pair.survivor.addWords("Before it was shared.")
    let early = try await pair.survivor.addWords("Kept.", "--private")
    try await pair.join()
    let shared = try await pair.survivor.addWords("For both.")
    let secret = try await pair.survivor.addWords("For me.", "--private")
    let list = try await listed(pair.survivor)
    let mark = "\n            private: only your own devices can open it\n"
    for (id, isPrivate) in [(alone, false), (early, true), (shared, false), (secret, true)] {
      let block = try #require(
        list.components(separatedBy: "\n\n").first { $0.contains(id.prefix(10)) })
      #expect((block + "\n").contains(mark) == isPrivate, "\(block)")
    }
    let entries = try await pair.survivor.entries()
    #expect(entries.map { $0["private"] as? Bool } == [false, true, false, true])
    let shown = try await pair.survivor.cairn("show", secret, "--json").json()
    #expect((shown["entry"] as? [String: Any])?["private"] as? Bool == true)
    _ = try await pair.syncSurvivor()
    _ = try await pair.syncAdvocate()
    #expect(
      try await pair.advocate.entries(inCase: "shared").allSatisfy {
        $0["private"] as? Bool == false
      })
  }
}
