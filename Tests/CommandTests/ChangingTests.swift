import Foundation
import People
import Support
import Testing

@Suite struct `Changing what is there` {
  @Test func `erasing asks first, says what it cannot do, and leaves a gap`() async throws {
    let person = try await Person()
    try await person.cairn("add", "--text", "To go.")
    try await person.cairn("add", "--text", "To stay.")
    let id = try #require(
      try await person.entries().first { $0["words"] as? String == "To go." }?["id"] as? String)
    let unasked = try await person.cairn("erase", id, "--no-input")
    #expect(unasked.status == 64)
    #expect(unasked.told.contains("cannot be undone here"))
    #expect(unasked.told.contains("Add --yes"))
    #expect(try await person.entries().count == 2)

    let terminal = try FakeTerminal(
      [
        "erase", id, "--vault", person.vault, "--passphrase-file", person.passphraseFile,
      ], by: person)
    try await terminal.wait(for: "Nobody but you could open it so far.")
    try await terminal.answer("Erase 1 entry? [y/n]", "n")
    #expect(try await terminal.finish().status == 130)
    #expect(try await person.entries().allSatisfy { $0["standing"] as? String == "open" })

    let erased = try await person.cairn("erase", id, "--yes")
    #expect(erased.status == 0)
    #expect(erased.told.contains("1 entry is destroyed on this device"))
    let listed = try await person.entries()
    #expect(listed.compactMap { $0["standing"] as? String }.sorted() == ["erased", "open"])
    let state = try await person.cairn("list", "--state", "erased")
    #expect(state.told.contains("\(id.prefix(10)) erased destroyed on this device"), "\(state.all)")
    let shown = try await person.cairn("show", id)
    #expect(shown.status == 0)
    #expect(shown.output.contains("erased"))
    #expect(!shown.output.contains("To go."))
    let found = try await person.cairn("search", "go", "--json")
    #expect(try (found.json()["entries"] as? [Any])?.count == 0)
    #expect(try await person.cairn("check").status == 0)
  }

  @Test func `what another device erased is listed with the day, and with the way back`()
    async throws
  {
    let person = try await Person()
    let folder = try TemporaryFolder()
    let id = try await person.addWords("To go.")
    #expect(try await person.cairn("sync", "--mailbox", folder.path).status == 0)
    let second = try await Person(hasVault: false)
    try FileManager.default.copyItem(atPath: person.path("kit"), toPath: second.path("kit"))
    let recovered = try await second.cairn(
      "recover", "--kit", "kit", "--mailbox", folder.path, "--kdf", "light")
    #expect(recovered.status == 0, "\(recovered.all)")
    #expect(try await second.cairn("erase", id, "--yes").status == 0)
    #expect(try await second.cairn("sync").status == 0)
    #expect(try await person.cairn("sync").status == 0)
    let listed = try await person.cairn("list", "--state", "erased")
    #expect(listed.told.contains("hidden, and destroyed here on 20"), "\(listed.all)")
    #expect(listed.told.contains("to bring it back: cairn keep \(id.prefix(10))"))
    #expect(try await person.cairn("keep", id).status == 0)
  }

  /// A file that cannot be removed: a folder has its name.
  @Test func `what cannot be destroyed yet is told, and all else goes on`() async throws {
    let person = try await Person()
    _ = try person.folder.file("large.png", noise(200_000, seed: 8))
    try await person.cairn("add", "large.png")
    try await person.cairn("add", "--text", "To stay.")
    let id = try #require(
      try await person.entries().first { $0["words"] == nil }?["id"] as? String)
    let stored = try #require(
      try FileManager.default.subpathsOfDirectory(atPath: person.vault + "/blobs")
        .first { $0.utf8.count > 40 })
    let place = person.vault + "/blobs/" + stored
    try FileManager.default.moveItem(atPath: place, toPath: person.path("aside"))
    try FileManager.default.createDirectory(
      atPath: place + "/in the way", withIntermediateDirectories: true)
    #expect(try await person.cairn("erase", id, "--yes").status != 0)
    let listed = try await person.cairn("list")
    #expect(listed.status == 0, "\(listed.all)")
    #expect(listed.told.contains("“To stay.”"))
    #expect(listed.told.contains("Erased entries that are to be destroyed on this disk"))
    try FileManager.default.removeItem(atPath: place)
    try FileManager.default.moveItem(atPath: person.path("aside"), toPath: place)
    let then = try await person.cairn("list")
    #expect(!then.told.contains("could not be"), "\(then.all)")
    #expect(!FileManager.default.fileExists(atPath: place))
  }

  @Test func `what cannot be erased, kept or adopted is told as such`() async throws {
    let person = try await Person()
    try await person.cairn("add", "--text", "One.")
    let id = try #require(try await person.entries().first?["id"] as? String)
    let unknown = try await person.cairn("erase", "zzzzzz", "--yes", "--json")
    #expect(unknown.status == 1)
    #expect(try unknown.errorCode() == "unknownEntry")
    let kept = try await person.cairn("keep", id, "--json")
    #expect(kept.status == 1)
    #expect(try kept.errorCode() == "notErased")
    let adopted = try await person.cairn("adopt", id, "--json")
    #expect(adopted.status == 1)
    #expect(try adopted.errorCode() == "notSetAside")
    try await person.cairn("erase", id, "--yes")
    #expect(try await person.cairn("keep", id, "--json").errorCode() == "erasedHere")
    #expect(try await person.cairn("erase", "--yes").status == 64)
  }

  @Test func `erasing names all that goes, and what was erased before`() async throws {
    let person = try await Person()
    let (first, second) = (try await person.addWords("One."), try await person.addWords("Two."))
    let more = try await person.cairn("amend", first, "--text", "More.", "--json").savedID()
    let asked = try await person.cairn("erase", first, "--no-input")
    #expect(asked.told.contains("added to what you named: \(more.prefix(10))"), "\(asked.all)")
    #expect(asked.told.contains(String(first.prefix(10))))
    let erased = try await person.cairn("erase", first, "--yes")
    #expect(
      erased.told.contains(
        "2 entries are destroyed on this device (\(first.prefix(10)), \(more.prefix(10))"))
    let again = try await person.cairn("erase", first, second, first, "--yes")
    #expect(again.told.contains("destroyed on this device already: \(first.prefix(10))."))
    #expect(
      again.told.contains("1 entry is destroyed on this device (\(second.prefix(10)))"),
      "\(again.all)")
    let last = try await person.cairn("erase", first, "--yes", "--json")
    #expect(last.status == 0)
    #expect(try last.json()["erased"] as? [String] == [])
    #expect(try last.json()["erasedBefore"] as? [String] == [first])
  }

  @Test func `what was destroyed here is told as such, erased or kept again`() async throws {
    let person = try await Person()
    let id = try await person.addWords("One.")
    try await person.cairn("erase", id, "--yes")
    for _ in 0..<2 {
      #expect(
        try await person.cairn("extract", id, "--output", "out", "--json").errorCode()
          == "entryErased")
      #expect(
        try await person.cairn(
          "export", "default", "--entries", id, "--output", "bundle", "--seal-passphrase-file",
          person.passphraseFile, "--json"
        ).errorCode() == "entryErased")
      let kept = try await person.cairn("keep", id, "--kit", "kit")
      #expect(kept.told.contains("is not on this device any more"), "\(kept.all)")
      let shown = try await person.cairn("show", id)
      #expect(shown.told.contains("its content was destroyed here"), "\(shown.all)")
    }
  }

  @Test func `the vault is no mailbox`() async throws {
    let person = try await Person()
    let before = try FileManager.default.subpathsOfDirectory(atPath: person.vault).sorted()
    try FileManager.default.createSymbolicLink(
      atPath: person.path("link"), withDestinationPath: person.vault)
    for folder in [person.vault, person.vault + "/blobs", person.vault + "/new", "link", "link/x"] {
      for more in [[], ["--own-devices"]] {
        let refused = try await person.run(
          ["sync", "default", "--mailbox", folder, "--json", "--vault", person.vault]
            + ["--passphrase-file", person.passphraseFile] + more)
        #expect(try refused.errorCode() == "mailboxInVault", "\(refused.all)")
      }
      let recovered = try await person.cairn(
        "recover", "--kit", "kit", "--mailbox", folder, "--json")
      #expect(try recovered.errorCode() == "mailboxInVault", "\(recovered.all)")
    }
    #expect(try FileManager.default.subpathsOfDirectory(atPath: person.vault).sorted() == before)
    #expect(try await person.cairn("sync", "default", "--json").errorCode() == "mailboxUnknown")
  }

  @Test func `a quiet vault has a short status`() async throws {
    let person = try await Person()
    let status = try await person.cairn("status")
    #expect(status.status == 0)
    #expect(status.output.contains("Nothing new, and nothing that waits."))
    try await person.cairn("case", "new", "Other")
    let many = try await person.cairn("status")
    #expect(many.output.contains("2 cases: nothing new, and nothing that waits."))
    let json = try await person.cairn("status", "--json").json()
    #expect((json["cases"] as? [[String: Any]])?.count == 2)
    let wrong = try await person.cairn("status", "Unknown", "--json")
    #expect(try wrong.errorCode() == "unknownCase")
  }
}
