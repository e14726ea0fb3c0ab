import Foundation
import People
import Support
import Testing

@Suite struct `Finding` {
  /// Four entries in two cases, as somebody might have them.
  private func person() async throws -> Person {
    let person = try await Person()
    _ = try person.folder.file("shot.png", [0x89] + Array("PNG\r\n\u{1a}\n".utf8) + noise(2000))
    for arguments in [
      [
        "shot.png", "--url", "https://www.example.org/post/1", "--seen-at",
        "2024-05-31T23:30+02:00",
        "--text", "He wrote: Café Noir, tonight.",
      ],
      ["--text", "A second threat, 彼は私を脅迫した", "--seen-at", "2024-05"],
      ["--text", "Nothing is said of when."],
    ] {
      let added = try await person.run(
        ["add"] + arguments + ["--vault", person.vault, "--passphrase-file", person.passphraseFile])
      #expect(added.status == 0, "\(added.all)")
    }
    _ = try await person.cairn("case", "new", "work")
    _ = try await person.cairn("add", "--case", "work", "--text", "A threat at work.")
    return person
  }

  /// Identifiers and times, which differ from run to run, taken out.
  private func normal(_ output: String) -> String {
    output.replacing(#/\n[a-z2-7]{10}  /#, with: "\n<entry>     ")
      .replacing(#/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, by this/#, with: "<time>, by this")
      .replacing(#/Entered on \d{4}-\d\d-\d\d/#, with: "Entered on <day>")
  }

  private func words(_ finished: Finished) throws -> [String] {
    #expect(finished.status == 0, "\(finished.all)")
    let entries = try #require(try finished.json()["entries"] as? [[String: Any]])
    return entries.map { String(($0["words"] as? String ?? "-").prefix(8)) }
  }

  @Test func `search shows where a word stands`() async throws {
    let person = try await person()
    let found = try await person.cairn("search", "cafe noir")
    #expect(found.status == 0)
    #expect(
      normal(found.output) == """
        Entered on <day>
        <entry>     shot.png, 2.0 kB
                    found: He wrote: Café Noir, tonight.
                    in the case “default”
                    https://www.example.org/post/1
                    “He wrote: Café Noir, tonight.”
                    happened, as you say: 2024-05-31 23:30:00 +02:00
                    entered: <time>, by this device's clock

        1 entry found, in the order in which they were entered, by the clocks of their
        authors.

        """)
  }

  @Test func `search takes words, phrases and beginnings, in all cases or in one`() async throws {
    let person = try await person()
    func found(_ arguments: String...) async throws -> [String] {
      try words(
        try await person.run(
          ["search"] + arguments + [
            "--json", "--vault", person.vault, "--passphrase-file", person.passphraseFile,
          ]))
    }
    #expect(try await found("threat") == ["A second", "A threat"])
    #expect(try await found("threat", "--case", "work") == ["A threat"])
    #expect(try await found("threat", "second") == ["A second"])
    #expect(try await found("\"threat second\"") == [])
    #expect(try await found("thr*", "--newest-first") == ["A threat", "A second"])
    #expect(try await found("脅迫") == ["A second"])
    #expect(try await found("example.org") == ["He wrote"])
    #expect(try await found("shot", "--with-file", "--type", "image") == ["He wrote"])
    #expect(try await found("tonight", "--place", "example") == ["He wrote"])
    #expect(try await found("tonight", "--place", "elsewhere") == [])
    #expect(try await found("\"a", "OR", "--tag", "no such tag") == [])
    let object = try await person.cairn("search", "noir", "--json").json()
    let entry = try #require((object["entries"] as? [[String: Any]])?.first)
    let excerpt = try #require(entry["excerpt"] as? [String: String])
    #expect(excerpt == ["before": "He wrote: Café ", "match": "Noir", "after": ", tonight."])
    #expect((entry["authorLog"] as? String)?.count == 52)
  }

  @Test func `what is found is made harmless for a terminal`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "a\u{1b}[31m threat\u{202e}\nand\tmore")
    let found = try await person.cairn("search", "threat")
    #expect(found.output.contains("found: a\\u{001B}[31m threat\\u{202E} and more"))
    #expect(!found.output.unicodeScalars.contains("\u{1b}"))
    let scripted = try await person.cairn("search", "threat", "--json")
    #expect(!scripted.output.unicodeScalars.contains("\u{202e}"))
  }

  @Test func `nothing found is no failure, and says what else could be tried`() async throws {
    let person = try await person()
    let found = try await person.cairn("search", "thr")
    #expect(found.status == 0)
    #expect(
      found.output == """
        Nothing was found.
        A word is found as it is written; “wor*” also finds what begins so.

        """)
    let scripted = try await person.cairn("search", "thr", "--json")
    #expect(try words(scripted) == [])
    #expect(try scripted.json()["next"] == nil)
  }

  @Test func `a list is grouped by the days of one kind of time`() async throws {
    let person = try await person()
    let listed = try await person.cairn("list", "--by", "happened")
    #expect(
      normal(listed.output) == """
        Happened in 2024-05
        <entry>     “A second threat, 彼は私を脅迫した”
                    happened, as you say: 2024-05
                    entered: <time>, by this device's clock

        Happened on 2024-05-31
        <entry>     shot.png, 2.0 kB
                    https://www.example.org/post/1
                    “He wrote: Café Noir, tonight.”
                    happened, as you say: 2024-05-31 23:30:00 +02:00
                    entered: <time>, by this device's clock

        Not said when it happened
        <entry>     “Nothing is said of when.”
                    entered: <time>, by this device's clock

        3 entries in the case “default”, in the order in which they happened, as it is
        said.

        """)
    let proven = try await person.cairn("list", "--by", "proven")
    #expect(proven.output.hasPrefix("Seen by no other member yet\n"))
    let all = try await person.cairn("list", "--all-cases")
    #expect(all.told.contains("4 entries in all cases"))
    #expect(all.output.contains("in the case “work”"))
  }

  @Test func `filters of a list`() async throws {
    let person = try await person()
    func list(_ arguments: String...) async throws -> [String] {
      try words(
        try await person.run(
          ["list"] + arguments + [
            "--json", "--vault", person.vault, "--passphrase-file", person.passphraseFile,
          ]))
    }
    #expect(try await list().count == 3)
    #expect(try await list("--all-cases").count == 4)
    #expect(try await list("--happened-from", "2024-05-31").count == 2)
    #expect(try await list("--happened-to", "2024-05-30") == ["A second"])
    #expect(try await list("--happened-from", "2024-06") == [])
    #expect(try await list("--entered-to", "2024") == [])
    #expect(try await list("--entered-from", "2024").count == 3)
    #expect(try await list("--with-file") == ["He wrote"])
    #expect(try await list("--kind", "evidence", "--state", "open").count == 3)
    #expect(try await list("--kind", "note") == [])
    #expect(try await list("--by-member", "me").count == 3)
    #expect(try await list("--by-member", "advocate") == [])
    #expect(try await list("--audience", "me").count == 3)
    #expect(try await list("--state", "locked", "--state", "violation") == [])
    let empty = try await person.cairn("list", "--tag", "unknown")
    #expect(empty.status == 0)
    #expect(empty.output == "Nothing that fits is in this case.\n")
  }

  @Test func `a span that ends before it begins is not understood, and says so`() async throws {
    let person = try await Person(hasVault: false)
    for kind in ["happened", "entered"] {
      let refused = try await person.cairn(
        "list", "--\(kind)-from", "2024-06-01", "--\(kind)-to", "2024-05-01")
      #expect(refused.status == 64, "\(refused.all)")
      #expect(refused.told.contains("--\(kind)-to is earlier than --\(kind)-from"))
    }
    for (typed, sentence) in [
      ("2024-02-30", "“2024-02-30” is not in the calendar."),
      ("2024-13", "“2024-13” is not in the calendar."),
      ("2024-06-01 to 2024-05-01", "“2024-06-01 to 2024-05-01” ends before it begins."),
      ("2024-05-01T25:00Z", "is not a time that can be understood."),
    ] {
      let refused = try await person.cairn("list", "--happened-from", typed)
      #expect(refused.status == 64)
      #expect(refused.told.contains(sentence), "\(refused.all)")
    }
  }

  @Test func `pages go on where the last one ended`() async throws {
    let person = try await person()
    let first = try await person.cairn("list", "--limit", "2", "--json")
    #expect(try words(first) == ["He wrote", "A second"])
    let mark = try #require(try first.json()["next"] as? String)
    let second = try await person.cairn("list", "--limit", "2", "--after", mark, "--json")
    #expect(try words(second) == ["Nothing "])
    #expect(try second.json()["next"] == nil)
    let shown = try await person.cairn("list", "--limit", "2")
    #expect(
      shown.output.contains(
        "There are more. To go on, repeat the command with:\n  --after \(mark)\n"))
    let other = try await person.cairn("list", "--by", "happened", "--after", mark, "--json")
    #expect(other.status == 64)
    #expect(try other.errorCode() == "cursorUnknown")
  }

  @Test func `on a terminal a page is as long as can be taken in`() async throws {
    let person = try await Person()
    let notes = (1...60).map { number in person.path("note\(number)") }
    for (number, path) in notes.enumerated() {
      _ = try person.folder.file("note\(number + 1)", Array("note \(number + 1)".utf8))
      #expect(path.hasSuffix("note\(number + 1)"))
    }
    _ = try await person.run(
      ["add"] + notes + ["--vault", person.vault, "--passphrase-file", person.passphraseFile])
    let command =
      "'\(Program.path)' list --vault '\(person.vault)' --passphrase-file '\(person.passphraseFile)'"
    let shown = try await Running(
      ["/usr/bin/script", "-q", "-e", "-c", command, "/dev/null"], in: person.folder.path,
      environment: person.environment
    ).finish()
    #expect(shown.status == 0)
    #expect(shown.output.contains("50 entries in the case"))
    #expect(shown.output.contains("--after "))
    let piped = try await person.cairn("list")
    #expect(piped.output.contains("60 entries in the case"))
    // More than one page of those that are read at a time would be: see the library's own tests.
    #expect(try await person.entries().count == 60)
  }

  private static let meaningless: [(arguments: [String], code: String)] = [
    (["--by", "size"], "unknownOrder"), (["--kind", "letter"], "unknownKind"),
    (["--state", "lost"], "unknownState"), (["--happened-from", "yesterday"], "invalidTime"),
    (["--happened-to", "2024-02-30"], "invalidTime"),
    (["--entered-from", "2024-05-31T14:30"], "invalidTime"), (["--limit", "0"], "invalidLimit"),
    (["--limit", "\(Int.max)"], "invalidLimit"),
    (["--by-member", "zzzz"], "unknownMember"), (["--audience", "zzzz"], "unknownMember"),
    (["--happened-from", "31.05.2024"], "invalidTime"),
    (["--limit", "many"], "usage"), (["--after", "nonsense"], "cursorUnknown"),
    (["--after", ""], "cursorUnknown"), (["--colour", "red"], "usage"),
  ]

  @Test func `what cannot be meant is told`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let place = ["--vault", person.vault, "--passphrase-file", person.passphraseFile]
    for (arguments, code) in Self.meaningless {
      for command in [["list"], ["search", "one"]] {
        let refused = try await person.run(command + arguments + place)
        #expect(refused.status == 64, "\(arguments): \(refused.all)")
        #expect(refused.output == "", "\(arguments)")
        #expect(refused.told.contains("Nothing was changed."), "\(arguments)")
        let scripted = try await person.run(command + arguments + ["--json"] + place)
        #expect(scripted.status == 64, "\(arguments)")
        #expect(try scripted.errorCode() == code, "\(arguments)")
      }
    }
  }

  @Test func `a search for nothing is told`() async throws {
    let person = try await Person()
    for typed in ["!?", "", "*", "\"\""] {
      let refused = try await person.cairn("search", typed, "--json")
      #expect(refused.status == 64)
      #expect(try refused.errorCode() == "nothingToSearch")
    }
    let long = try await person.cairn("search", String(repeating: "a", count: 5000), "--json")
    #expect(try long.errorCode() == "searchTooLong")
    let both = try await person.cairn("list", "--all-cases", "--case", "default", "--json")
    #expect(both.status == 64)
    #expect(
      try await person.cairn("search", "one", "--case", "none", "--json").errorCode()
        == "unknownCase")
  }
}
