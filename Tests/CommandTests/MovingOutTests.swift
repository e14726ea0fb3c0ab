import Foundation
import People
import Support
import Testing

@Suite struct `Moving out` {
  private func text(_ person: Person, _ name: String) throws -> String {
    try String(contentsOfFile: person.path(name), encoding: .utf8)
  }

  @Test func `everything comes out as plain files and tables`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try person.folder.file("-rf.txt", noise(300, seed: 2))
    _ = try await person.cairn(
      "add", "shot.png", "./-rf.txt", "--account", "@second", "--text",
      "=HYPERLINK(\"x\")\nline two",
      "--url", "https://example.org/?a=1,2", "--seen-at", "2024-05-31T14:30Z")
    let words = try await person.addWords("Only words.")
    _ = try await person.cairn("retract", words)
    _ = try await person.cairn("add", "--hash-only", "shot.png")
    _ = try await person.cairn("case", "new", "at work")
    _ = try await person.cairn("add", "--case", "at work", "--text", "Elsewhere.")

    let written = try await person.cairn("extract", "--all", "--output", "out")
    #expect(written.status == 0, "\(written.all)")
    #expect(written.told.contains("out/default: 5 entries, 2 files, 200 kB"))
    #expect(written.told.contains("Of 1 file only size, type and SHA-256 are kept"))
    #expect(written.told.contains("out/at work: 1 entry, 0 files"))
    let files = try FileManager.default.contentsOfDirectory(
      atPath: person.path("out/default/files"))
    #expect(files.sorted() == ["00001-shot.png", "00002--rf.txt"])
    #expect(
      try [UInt8](Data(contentsOf: URL(filePath: person.path("out/default/files/00001-shot.png"))))
        == noise(200_000))
    let table = try text(person, "out/default/entries.csv")
    // Foundation takes the mark at the beginning for its own.
    let bytes = try Data(contentsOf: URL(filePath: person.path("out/default/entries.csv")))
    #expect(bytes.starts(with: [0xef, 0xbb, 0xbf] + Array("number,id,kind,".utf8)))
    #expect(table.contains("\"'=HYPERLINK(\"\"x\"\")\nline two\""))
    #expect(table.contains(",'@second,"))
    #expect(!table.contains(",=") && !table.contains("\"=") && !table.contains(",@"))
    let exact = try text(person, "out/default/entries.jsonl")
    #expect(exact.split(separator: "\n").count == 5)
    #expect(exact.contains("\"words\":\"=HYPERLINK(\\\"x\\\")\\nline two\""))
    #expect(exact.contains("\"takenBackBy\":"))
    let listed = try text(person, "out/default/files.csv")
    #expect(listed.contains(",hashOnly\r\n") && listed.contains(",written\r\n"))
    #expect(try text(person, "out/default/README.txt").contains("apostrophe"))
    let mode = try FileManager.default.attributesOfItem(
      atPath: person.path("out/default/entries.csv"))[.posixPermissions]
    #expect(mode as? Int == 0o600)

    // What came out can go in again, elsewhere.
    let other = try await Person()
    try FileManager.default.copyItem(
      atPath: person.path("out/default/entries.csv"), toPath: other.path("entries.csv"))
    let imported = try await other.cairn("import", "entries.csv", "--skip-bad")
    #expect(imported.status == 0, "\(imported.all)")
    let entry = try #require(try await other.entries().first)
    #expect(entry["words"] as? String == "=HYPERLINK(\"x\")\nline two")
    #expect(entry["seenAt"] as? String == "2024-05-31 14:30:00 UTC")
    #expect(entry["account"] as? String == "@second")
  }

  @Test func `it writes beside nothing, and one case when asked`() async throws {
    let person = try await Person()
    _ = try await person.addWords("One.")
    try person.place("full/a.txt", noise(3))
    let refused = try await person.cairn("extract", "--all", "--output", "full", "--json")
    #expect(refused.status == 1)
    #expect(try refused.errorCode() == "outputExists")
    #expect(try FileManager.default.contentsOfDirectory(atPath: person.path("full")) == ["a.txt"])
    let unknown = try await person.cairn(
      "extract", "--all", "--case", "none", "--output", "out", "--json")
    #expect(try unknown.errorCode() == "unknownCase")
    #expect(!FileManager.default.fileExists(atPath: person.path("out")))
    for arguments in [
      ["extract", "--output", "o"], ["extract", "abcd", "--all", "--output", "o"],
    ] {
      #expect(try await person.run(arguments + ["--json"]).status == 64)
    }
    let one = try await person.cairn(
      "extract", "--all", "--case", "default", "--output", "out", "--json")
    let cases = try #require(try one.json()["cases"] as? [[String: Any]])
    #expect(cases.map { $0["entries"] as? Int } == [1])
  }

  @Test func `a damaged file is told, and the others come out`() async throws {
    let person = try await Person()
    _ = try person.folder.file("one.png", noise(200_000, seed: 1))
    _ = try person.folder.file("two.png", noise(200_000, seed: 2))
    _ = try await person.cairn("add", "one.png")
    let blob = person.vault + "/blobs/" + (try #require(try person.blobFiles().first))
    _ = try await person.cairn("add", "two.png")
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: blob)))
    bytes[100_000] ^= 1
    try Data(bytes).write(to: URL(filePath: blob))
    let written = try await person.cairn("extract", "--all", "--output", "out")
    #expect(written.status == 20, "\(written.all)")
    #expect(written.told.contains("1 file damaged on this disk"))
    #expect(written.told.contains("2 entries, 1 file"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: person.path("out/default/files")) == [
        "00002-two.png"
      ])
    #expect(try text(person, "out/default/files.csv").contains(",damaged\r\n"))
  }

  /// Such as a film on a stick.
  @Test func `a file that the disk takes at no size is told, and the others come out`() async throws
  {
    let person = try await Person()
    for (number, name) in ["one.png", "large.mp4", "two.png"].enumerated() {
      let count = number == 1 ? 1_500_000 : 100_000
      _ = try person.folder.file(name, noise(count, seed: UInt64(number)))
      _ = try await person.cairn("add", name)
    }
    let written = try await person.start(
      [
        "extract", "--all", "--output", "out", "--vault", person.vault, "--passphrase-file",
        person.passphraseFile,
      ], through: ["/bin/sh", "-c", #"trap "" XFSZ; ulimit -f 2000; exec "$0" "$@""#]
    ).finish()
    #expect(written.status == 1, "\(written.all)")
    #expect(written.told.contains("3 entries, 2 files"))
    #expect(written.told.contains("1 file larger than the disk"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: person.path("out/default/files")).sorted()
        == ["00001-one.png", "00003-two.png"])
    #expect(try text(person, "out/default/files.csv").contains(",tooLarge\r\n"))
  }

  @Test func `Ctrl-C leaves what is whole, and says so`() async throws {
    let person = try await Person()
    _ = try person.folder.file("one.png", noise(2000))
    _ = try await person.cairn("add", "one.png")
    try makeSparseFile(person.path("large.mp4"), byteCount: 300 << 20)
    _ = try await person.cairn("add", "large.mp4")
    let running = try person.begin("extract", "--all", "--output", "out")
    #expect(
      try await running.send(SIGINT) {
        FileManager.default.fileExists(atPath: person.path("out/default/files/00001-one.png"))
      })
    let stopped = try await running.finish()
    #expect(stopped.status == 130, "\(stopped.all)")
    #expect(stopped.told.contains("so far is whole"))
    let files = try FileManager.default.contentsOfDirectory(
      atPath: person.path("out/default/files"))
    #expect(files == ["00001-one.png"])
    #expect(try text(person, "out/default/entries.csv").contains("00001-one.png"))
  }
}
