import Foundation
import People
import Support
import Testing

@Suite struct `On a terminal` {
  @Test func `a vault is set up by questions, and secrets leave the screen`() async throws {
    let person = try await Person(hasVault: false)
    let terminal = try FakeTerminal(
      ["init", "--kdf", "light", "--vault", person.vault], by: person)
    try await terminal.wait(for: "made of six random words")
    try await terminal.answer("Passphrase: ", "")
    try await terminal.wait(for: "cannot be empty")
    try await terminal.answer("Passphrase: ", "short")
    try await terminal.answer("Take it all the same? [y/n]", "n")
    try await terminal.answer("Passphrase: ", "one long passphrase")
    try await terminal.answer("Once more:", "another long passphrase")
    try await terminal.wait(for: "not the same")
    #expect(try await eventually { !terminal.isEchoing })
    try await terminal.answer("Passphrase: ", Person.passphrase)
    try await terminal.answer("Once more:", Person.passphrase)

    try await terminal.wait(for: "Twelve words to keep")
    try await terminal.wait(for: "press Enter.")
    let words = numberedWords(in: terminal.screen)
    #expect(words.count == 12)
    terminal.type("q\n")
    try await terminal.wait(for: "\u{1b}[30;107m")
    try await terminal.wait(for: "A photograph may go to a cloud")
    terminal.type("\n")
    try await terminal.wait(for: "press Enter.")
    terminal.type("\n")
    try await terminal.answer("Word ", "wrong")
    try await terminal.wait(for: "Here they are once more")
    terminal.type("\n")
    try await terminal.wait(for: "press Enter.")
    terminal.type("\n")
    for _ in 0..<2 {
      try await terminal.wait(for: "Word ")
      try await terminal.wait(for: ": ")
      let number = try #require(
        terminal.screen.split(separator: "Word ").last?.split(separator: ":").first.flatMap {
          Int($0)
        })
      terminal.type((words[number] ?? "") + "\n")
    }
    let finished = try await terminal.finish()
    #expect(finished.status == 0, "\(terminal.screen)")
    #expect(finished.output.contains("The vault is ready"))
    #expect(!terminal.screen.contains(Person.passphrase))
    #expect(terminal.isEchoing)
    // After the last screen of its own was left, no word of the kit is there.
    let rest = try #require(terminal.screen.components(separatedBy: "\u{1b}[?1049l").last)
    #expect(rest.contains("no longer on the screen"))
    #expect(words.values.allSatisfy { !rest.contains(" \($0) ") })
    #expect(try await person.entries().count == 0)
  }

  private func numberedWords(in screen: String) -> [Int: String] {
    let page = screen.components(separatedBy: "Twelve words to keep").last ?? ""
    let parts = page.split(whereSeparator: \.isWhitespace).map(String.init)
    var words: [Int: String] = [:]
    for (part, next) in zip(parts, parts.dropFirst()) {
      if let number = Int(part), (1...12).contains(number) { words[number] = next }
    }
    return words
  }

  @Test func `what is missing of an entry is asked for, and may be left empty`() async throws {
    let person = try await Person()
    _ = try person.folder.file("a shot.png", noise(1000))
    let terminal = try FakeTerminal(["add", "--vault", person.vault], by: person)
    try await terminal.answer("Passphrase", "not the right one")
    try await terminal.wait(for: "Please try again")
    try await terminal.answer("Passphrase", Person.passphrase)
    try await terminal.answer("File", "'\(person.path("missing.png"))'")
    try await terminal.wait(for: "There is no file")
    try await terminal.answer("File", "'\(person.path("a shot.png"))'")
    try await terminal.answer("Address", "example.org/post")
    try await terminal.wait(for: "https:// belongs in front")
    try await terminal.answer("Address", "https://example.org/post")
    try await terminal.answer("When it happened", "yesterday")
    try await terminal.answer("When it happened", "")
    try await terminal.answer("> ", "First line,")
    try await terminal.answer("> ", "second line: ünïcödé.")
    try await terminal.answer("> ", "")
    let finished = try await terminal.finish()
    #expect(finished.status == 0, "\(terminal.screen)")
    #expect(finished.output.contains("a shot.png, 1.0 kB"))
    #expect(!terminal.screen.contains(Person.passphrase))
    let entry = try #require(try await person.entries().first)
    #expect(entry["url"] as? String == "https://example.org/post")
    #expect(entry["seenAt"] == nil)
    #expect(entry["words"] as? String == "First line,\nsecond line: ünïcödé.")
  }

  @Test func `on a narrow terminal lines are broken between words`() async throws {
    let person = try await Person()
    let terminal = try FakeTerminal(
      ["show", "aaaaaaaa", "--vault", person.vault, "--passphrase-file", person.passphraseFile],
      by: person, columns: 40)
    #expect(try await terminal.finish().status == 1)
    let lines = terminal.screen.split(whereSeparator: \.isNewline)
    #expect(lines.count > 3 && lines.allSatisfy { $0.count < 40 }, "\(terminal.screen)")
    #expect(terminal.screen.contains("“cairn list” shows the ids. The first\r\n"))
  }

  @Test func `an address that is pasted where a file is asked for is taken as one`() async throws {
    let person = try await Person()
    let terminal = try FakeTerminal(
      ["add", "--vault", person.vault, "--passphrase-file", person.passphraseFile], by: person)
    try await terminal.answer("File", "https://example.org/post")
    try await terminal.answer("When it happened", "2024-05-31")
    try await terminal.answer("> ", "")
    #expect(try await terminal.finish().status == 0, "\(terminal.screen)")
    #expect(!terminal.screen.contains("Address (URL)"))
    let entry = try #require(try await person.entries().first)
    #expect(entry["url"] as? String == "https://example.org/post")
    #expect((entry["files"] as? [Any] ?? []).isEmpty)
  }

  @Test func `Ctrl-C at a question gives the terminal back as it was`() async throws {
    let person = try await Person()
    let terminal = try FakeTerminal(["list", "--vault", person.vault], by: person)
    try await terminal.wait(for: "Passphrase")
    #expect(try await eventually { !terminal.isEchoing })
    terminal.type("dromedary")
    terminal.type("\u{3}")
    let finished = try await terminal.finish()
    #expect(finished.status == 130)
    #expect(terminal.isEchoing)
    #expect(!terminal.screen.contains("dromedary"))
    #expect(terminal.screen.contains("Stopped, as you asked."))
  }

  /// The second one ends the process at once, before it comes to put anything back.
  @Test(arguments: ["\u{3}\u{3}", "\u{1c}\u{1c}", "\u{1a}\u{3}\u{3}"])
  func `two of them give it back too, and take the words from the screen`(
    keys: String
  ) async throws {
    let person = try await Person(hasVault: false)
    let terminal = try FakeTerminal(
      ["init", "--kdf", "light", "--vault", person.vault], by: person)
    try await terminal.wait(for: "Passphrase: ")
    #expect(try await eventually { !terminal.isEchoing })
    terminal.type("dromedary" + keys)
    let finished = try await terminal.finish()
    #expect(finished.status == 130, "\(terminal.screen)")
    #expect(terminal.isEchoing)
    let rest = try #require(
      terminal.screen.components(separatedBy: "made of six random words").last)
    #expect(rest.contains("\u{1b}[2J\u{1b}[H\u{1b}[?1049l"))
  }

  @Test func `Ctrl-C while standard input is awaited ends it, and keeps nothing`() async throws {
    let person = try await Person()
    let terminal = try FakeTerminal(
      [
        "add", "-", "--no-input", "--vault", person.vault, "--passphrase-file",
        person.passphraseFile,
      ], by: person)
    terminal.type("Something to keep?\n")
    #expect(
      try await eventually {
        FileManager.default.fileExists(atPath: person.vault + "/vault.db-wal")
      })
    terminal.type("\u{3}")
    let finished = try await terminal.finish()
    #expect(finished.status == 130, "\(terminal.screen)")
    try await person.expectNothingKept()
  }

  @Test func `a bundle gets a passphrase of its own, typed twice`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let terminal = try FakeTerminal(
      [
        "export", "default", "--output", "case.age", "--vault", person.vault, "--passphrase-file",
        person.passphraseFile,
      ], by: person)
    try await terminal.wait(for: "a passphrase of its own, not that of your vault")
    try await terminal.answer("Passphrase: ", "told over the telephone")
    try await terminal.answer("Once more:", "told over the telephone")
    #expect(try await terminal.finish().status == 0, "\(terminal.screen)")
    let reader = try FakeTerminal(["verify", "case.age"], by: person)
    try await reader.answer("Passphrase of the bundle", "told over the telephone")
    #expect(try await reader.finish().status == 21, "\(reader.screen)")
  }

  @Test func `three wrong passphrases are enough, and the last says what to do`() async throws {
    let person = try await Person()
    let terminal = try FakeTerminal(["list", "--vault", person.vault], by: person)
    for _ in 0..<3 { try await terminal.answer("Passphrase", "not the right one") }
    #expect(try await terminal.finish().status == 12)
    #expect(terminal.screen.contains("everything in the vault is still there"))
  }

  @Test func `nobody is asked when the place is wrong or questions are not wanted`() async throws {
    let person = try await Person()
    let missing = try FakeTerminal(["list", "--vault", person.path("none")], by: person)
    #expect(try await missing.finish().status == 10)
    #expect(!missing.screen.contains("Passphrase"))
    let quiet = try FakeTerminal(["list", "--no-input", "--vault", person.vault], by: person)
    #expect(try await quiet.finish().status == 64)
    #expect(!quiet.screen.contains("Passphrase ("))
  }

  @Test func `long work shows how far it is, and only there`() async throws {
    let person = try await Person()
    try makeSparseFile(person.path("large.mp4"), byteCount: 300 << 20)
    let arguments = [
      "add", "large.mp4", "--vault", person.vault, "--passphrase-file", person.passphraseFile,
    ]
    let terminal = try FakeTerminal(arguments + ["--no-input"], by: person)
    let finished = try await terminal.finish()
    #expect(finished.status == 0)
    #expect(terminal.screen.contains("Saving "))
    #expect(terminal.screen.contains(" of 315 MB ("))
    #expect(!finished.output.contains("Saving "))
    let quiet = try await person.run(arguments)
    #expect(quiet.errors == "")
  }
}
