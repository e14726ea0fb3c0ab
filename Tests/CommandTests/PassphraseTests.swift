import Foundation
import People
import Support
import Testing

/// Changing a passphrase, and what else the locks of a vault are there for.
@Suite struct `The passphrase` {
  private static let new = "grapple unreal vowel stopper ember"

  private func newFile(_ person: Person, _ text: String = Self.new) throws -> String {
    try person.folder.file("new", Array((text + "\n").utf8))
  }

  private func opens(_ person: Person, _ file: String) async throws -> Bool {
    let listed = try await person.cairn("list", "--json", passphraseFile: file)
    if listed.status == 0 { return true }
    #expect(try listed.errorCode() == "wrongPassphrase")
    return false
  }

  private func vaultFiles(_ person: Person) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: person.vault))
  }

  @Test func `a script changes it, and the old one opens nothing`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let new = try newFile(person)
    let changed = try await person.cairn("passphrase", "--new-passphrase-file", new)
    #expect(changed.status == 0, "\(changed.all)")
    #expect(changed.told.contains("The old one does not open this vault any more."))
    #expect(changed.told.contains("The twelve words stay the same."))
    #expect(changed.told.contains("cairn passphrase --somebody-may-know-it"))
    #expect(try await !opens(person, person.passphraseFile))
    #expect(try await opens(person, new))
    #expect(try vaultFiles(person).contains("vault.db"))
  }

  @Test(arguments: [[], ["--somebody-may-know-it"]])
  func `whoever changes it is told of her backup, which still opens by the old one`(
    options: [String]
  ) async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let new = try newFile(person)
    let backup = person.path("her stick")
    #expect(try await person.cairn("backup", backup).status == 0)
    let changed = try await person.run(
      [
        "passphrase", "--new-passphrase-file", new, "--vault", person.vault, "--passphrase-file",
        person.passphraseFile,
      ] + options)
    #expect(changed.status == 0, "\(changed.all)")
    #expect(changed.told.contains("cairn backup '\(backup)'"), "\(changed.told)")
  }

  @Test func `with new keys, old locks put back open nothing`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let oldKeys = try Data(contentsOf: URL(filePath: person.vault + "/keys"))
    let new = try newFile(person)
    let changed = try await person.cairn(
      "passphrase", "--new-passphrase-file", new, "--somebody-may-know-it", "--json")
    #expect(changed.status == 0, "\(changed.all)")
    let json = try changed.json()
    #expect(json["newKeys"] as? Bool == true)
    let kit = try String(contentsOfFile: person.path("kit"), encoding: .utf8)
    #expect(kit.contains("Check: \(json["kitCheck"] as? String ?? "none")."))
    #expect(
      try vaultFiles(person) == [
        "anchor-2", "attempts", "blobs", "keys", "keys.bak", "vault-2.db",
      ])
    #expect(try await !opens(person, person.passphraseFile))
    #expect(try await opens(person, new))
    for name in ["keys", "keys.bak"] {
      try oldKeys.write(to: URL(filePath: person.vault + "/" + name))
    }
    let refused = try await person.cairn("list")
    #expect(refused.status == 20)
    #expect(refused.told.contains("are older than its main file"))
  }

  @Test func `a lost one is replaced with the twelve words`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let new = try newFile(person)
    let command = ["passphrase", "--vault", person.vault, "--new-passphrase-file", new]
    let changed = try await person.run(command + ["--kit", "kit"])
    #expect(changed.status == 0, "\(changed.all)")
    #expect(try await opens(person, new))
    #expect(try await !opens(person, person.passphraseFile))
    // The words of another vault are told as that.
    let other = try await Person()
    let refused = try await person.run(command + ["--kit", other.path("kit"), "--json"])
    #expect(refused.status == 12)
    #expect(try refused.errorCode() == "kitMismatch")
    // One damaged copy of the locks is no hindrance, and whole again afterwards.
    try Data(repeating: 7, count: 4096).write(to: URL(filePath: person.vault + "/keys"))
    let third = try person.folder.file("third", Array("a third passphrase, long".utf8))
    let repaired = try await person.run(
      ["passphrase", "--vault", person.vault, "--new-passphrase-file", third, "--kit", "kit"])
    #expect(repaired.status == 0, "\(repaired.all)")
    #expect(repaired.told.contains("was made again from the other"))
    let quiet = try await person.cairn("list", passphraseFile: third)
    #expect(quiet.status == 0 && quiet.errors == "")
  }

  @Test func `nobody to ask, and files that are none, change nothing`() async throws {
    let person = try await Person()
    let before = try Data(contentsOf: URL(filePath: person.vault + "/keys"))
    let nobody = try await person.cairn("passphrase", "--json")
    #expect(nobody.status == 64)
    #expect(try nobody.errorCode() == "noNewPassphrase")
    let same = try await person.cairn(
      "passphrase", "--new-passphrase-file", person.passphraseFile, "--json")
    #expect(same.status == 64)
    #expect(try same.errorCode() == "samePassphrase")
    let empty = try person.folder.file("empty", [])
    let refused = try await person.cairn("passphrase", "--new-passphrase-file", empty, "--json")
    #expect(refused.status == 64)
    let noKit = try await person.run([
      "passphrase", "--vault", person.vault, "--new-passphrase-file", try newFile(person), "--json",
      "--kit",
    ])
    #expect(noKit.status == 64)
    #expect(try noKit.errorCode() == "noKit")
    #expect(try Data(contentsOf: URL(filePath: person.vault + "/keys")) == before)
  }

  @Test func `on a terminal it asks for all it needs`() async throws {
    let person = try await Person()
    let terminal = try FakeTerminal(["passphrase", "--vault", person.vault], by: person)
    try await terminal.answer("Passphrase (nothing shows", Person.passphrase)
    try await terminal.answer("Give it new keys? [y/n]", "y")
    try await terminal.wait(for: "made of six random words")
    try await terminal.answer("Passphrase: ", "maria1987")
    try await terminal.wait(for: "would find this one within seconds")
    try await terminal.answer("Take it all the same? [y/n]", "n")
    try await terminal.answer("Passphrase: ", Self.new)
    try await terminal.answer("Once more:", Self.new)
    let finished = try await terminal.finish()
    #expect(finished.status == 0, "\(terminal.screen)")
    #expect(finished.output.contains("new passphrase and new keys"))
    #expect(!terminal.screen.contains(Self.new))
    #expect(try await opens(person, try newFile(person)))
  }

  @Test func `a passphrase that is easily guessed is told, and taken from a file all the same`()
    async throws
  {
    let person = try await Person()
    let weak = try newFile(person, "iloveyou maria")
    let changed = try await person.cairn("passphrase", "--new-passphrase-file", weak)
    #expect(changed.status == 0)
    #expect(changed.told.contains("would find this one within seconds, for somebody"))
    #expect(!changed.all.contains("iloveyou"))
    let good = try newFile(person)
    let again = try await person.cairn(
      "passphrase", "--new-passphrase-file", good,
      passphraseFile: try person.folder.file(
        "weak", Array("iloveyou maria".utf8)))
    #expect(again.status == 0 && again.errors == "")
  }

  @Test(arguments: [false, true])
  func `a process that is killed at any time leaves a vault that opens`(
    hasNewKeys: Bool
  ) async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    func begin(from current: String, to next: String) throws -> Running {
      try person.start(
        [
          "passphrase", "--vault", person.vault, "--passphrase-file", current,
          "--new-passphrase-file", next,
        ] + (hasNewKeys ? ["--somebody-may-know-it"] : []))
    }
    var current = try person.folder.file("next-0", Array("passphrase 0".utf8))
    let clock = ContinuousClock()
    let start = clock.now
    #expect(try await begin(from: person.passphraseFile, to: current).finish().status == 0)
    // Each kill comes nearer to the moment in which the new one begins to count.
    var (before, after) = (Duration.zero, clock.now - start)
    for round in 1...8 {
      let next = try person.folder.file("next-\(round)", Array("passphrase \(round)".utf8))
      let running = try begin(from: current, to: next)
      let moment = (before + after) / 2
      try await Task.sleep(for: moment)
      running.send(SIGKILL)
      _ = try await running.finish()
      if try await opens(person, next) {
        #expect(try await !opens(person, current))
        (current, after) = (next, moment)
      } else {
        #expect(try await opens(person, current))
        before = moment
      }
      let listed = try await person.cairn("list", "--json", passphraseFile: current)
      #expect((try listed.json()["entries"] as? [Any])?.count == 1)
      let check = try await person.cairn("check", "--json", passphraseFile: current)
      #expect(check.status == 0, "\(check.all)")
    }
  }
}

@Suite struct `Attempts to open` {
  /// As if so many had failed in a row just now.
  private func setFailures(_ count: UInt32, _ person: Person) throws {
    func big(_ number: UInt64, _ size: Int) -> [UInt8] {
      (0..<size).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }
    let now = UInt64(Date().timeIntervalSince1970)
    _ = try person.folder.file(
      "vault/attempts",
      Array("cairntry".utf8) + big(1, 4) + big(UInt64(count), 4) + big(UInt64(count), 4)
        + big(0, 4) + big(now, 8) + big(now, 8))
  }

  @Test func `the fourth that fails is slowed down, and the right one never`() async throws {
    let person = try await Person()
    let wrong = try person.folder.file("wrong", Array("incorrect horse".utf8))
    for _ in 0..<3 { _ = try await person.cairn("list", passphraseFile: wrong) }
    let clock = ContinuousClock()
    var start = clock.now
    let fourth = try await person.cairn("list", passphraseFile: wrong)
    #expect(fourth.status == 12)
    #expect(fourth.told.contains("However many there are, nothing is locked or erased."))
    #expect(clock.now - start > .seconds(1))
    // How long it takes on this machine, as busy as it is.
    start = clock.now
    #expect(try await person.cairn("list").status == 0)
    let usual = clock.now - start
    try setFailures(1000, person)
    start = clock.now
    #expect(try await person.cairn("list").status == 0)
    #expect(clock.now - start < .seconds(25) + usual * 5)
  }

  @Test func `the status tells of them once, and when the vault was opened last`() async throws {
    let person = try await Person()
    let wrong = try person.folder.file("wrong", Array("incorrect horse".utf8))
    let quiet = try await person.cairn("status")
    #expect(quiet.told.contains("This vault was opened last on 2"))
    #expect(!quiet.told.contains("attempt"))
    for _ in 0..<2 { _ = try await person.cairn("list", passphraseFile: wrong) }
    _ = try await person.cairn("list")
    let json = try #require(
      try await person.cairn("status", "--json").json()["opening"] as? [String: Any])
    #expect(json["failedAttempts"] as? Int == 2)
    #expect(json["lastFailedAttempt"] is String && json["lastOpened"] is String)
    let told = try await person.cairn("status")
    #expect(told.told.contains("2 attempts to open it did not succeed, the last on 2"))
    #expect(told.told.contains("They opened nothing. If the last opening was not yours either"))
    #expect(try await !person.cairn("status").told.contains("attempt"))
  }

  @Test func `the pause ends when it is asked to`() async throws {
    let person = try await Person()
    let wrong = try person.folder.file("wrong", Array("incorrect horse".utf8))
    try setFailures(1000, person)
    // By a shell: it does not wait for its turn among the other tests, as this one does while the pause passes.
    let stopped = try ChildProcess.run(
      [
        "sh", "-c",
        """
        "$@" 2>told & program=$!
        until grep -qs 'there is a pause of' told; do sleep 0.1; done
        kill -TERM "$program"
        wait "$program"
        """, "sh", Program.path, "list", "--no-input", "--vault", person.vault,
        "--passphrase-file", wrong,
      ], in: person.folder.path)
    #expect(stopped.status == 130)
  }

  @Test func `what is typed in the pause is not shown, and is left to nobody`() async throws {
    let person = try await Person()
    try setFailures(1000, person)
    let terminal = try FakeTerminal(["list", "--vault", person.vault], by: person)
    try await terminal.answer("Passphrase", "not the right one")
    try await terminal.wait(for: "there is a pause of")
    #expect(!terminal.isEchoing)
    terminal.type("perhaps the right one\n\u{3}")
    let finished = try await terminal.finish()
    #expect(finished.status == 130, "\(terminal.screen)")
    #expect(!terminal.screen.contains("the right one"))
    #expect(terminal.isEchoing)
  }
}

@Suite struct `The kit on paper` {
  /// What a camera reads, by `zbarimg` of Debian's zbar-tools.
  private func scanned(_ image: String, in person: Person) async throws -> String {
    let finished = try await Running(
      ["/usr/bin/zbarimg", "--quiet", "--raw", image], in: person.folder.path,
      environment: person.environment
    ).finish()
    #expect(finished.status == 0, "\(finished.all)")
    return finished.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// A bitmap of text in half blocks, as a printer with a square cell of two modules would make it.
  private func bitmap(_ lines: [Substring]) -> [UInt8] {
    let scale = 4
    let rows = lines.flatMap { line -> [[Bool]] in
      [line.map { "█▀".contains($0) }, line.map { "█▄".contains($0) }]
    }
    let width = rows.map(\.count).max() ?? 0
    var bytes = Array("P5 \(width * scale) \(rows.count * scale) 255\n".utf8)
    for row in rows {
      let padded = row + [Bool](repeating: false, count: width - row.count)
      let line = padded.flatMap { [UInt8](repeating: $0 ? 0 : 255, count: scale) }
      for _ in 0..<scale { bytes += line }
    }
    return bytes
  }

  private func words(of text: String) -> String {
    text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .compactMap { $0.split(separator: " ").last }.joined(separator: " ")
  }

  @Test func `a camera reads the words from the text, and the program does too`() async throws {
    let person = try await Person(hasVault: false)
    _ = try await person.cairn("init", "--kit", "kit", "--kdf", "light")
    let text = try String(contentsOfFile: person.path("kit"), encoding: .utf8)
    let code = text.split(separator: "\n").filter { $0.hasPrefix("#   ") }
      .map { $0.dropFirst(4) }
    let image = try person.folder.file("code.pgm", bitmap(code))
    #expect(try await scanned(image, in: person) == words(of: text))
    #expect(words(of: text).split(separator: " ").count == 12)
  }

  @Test func `a page shows the same, loads nothing and opens the vault too`() async throws {
    let person = try await Person(hasVault: false)
    let made = try await person.cairn("init", "--kit", "kit.html", "--kdf", "light")
    #expect(made.status == 0, "\(made.all)")
    #expect(made.told.contains("They were tried on it, and open it."))
    let page = try String(contentsOfFile: person.path("kit.html"), encoding: .utf8)
    for forbidden in ["<script", "src=", "href=", "url(", "cairn", "vault", "evidence"] {
      #expect(!page.lowercased().contains(forbidden), "\(forbidden)")
    }
    let changed = try await person.run([
      "passphrase", "--vault", person.vault, "--kit", "kit.html", "--new-passphrase-file",
      try person.folder.file("another", Array("grapple unreal vowel stopper ember".utf8)),
    ])
    #expect(changed.status == 0, "\(changed.all)")
    let check = try #require(changed.told.split(separator: "if it has one: ").last?.prefix(9))
    #expect(page.contains("Check: <code>\(check)</code>."))
  }
}
