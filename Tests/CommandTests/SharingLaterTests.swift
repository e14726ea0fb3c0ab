import Foundation
import People
import Support
import Testing

@Suite struct `Sharing of entries later` {
  private func begin() async throws -> (pair: Pair, advocate: String, entry: String) {
    let pair = try await Pair()
    try await pair.join()
    let entry = try await pair.survivor.addWords("Mine alone so far.", "--private")
    return (pair, try await pair.advocateID(), entry)
  }

  private func share(_ pair: Pair, _ arguments: String...) async throws -> Finished {
    try await pair.survivor.run(
      ["share", "default"] + arguments + ["--vault", pair.survivor.vault]
        + ["--passphrase-file", pair.survivor.passphraseFile])
  }

  @Test func `what was taken back comes with its retraction, and additions if they are wished`()
    async throws
  {
    let (pair, advocate, entry) = try await begin()
    let long = String(repeating: "A long and private word. ", count: 40) + "The end of it."
    _ = try await pair.survivor.cairn("amend", entry, "--text", long)
    _ = try await pair.survivor.cairn("retract", entry, "--text", "It was another.")
    let to = ["--with", advocate, "--entries", entry]

    let preview = try await share(pair, to[0], to[1], to[2], to[3], "--preview")
    #expect(preview.told.contains("1 of them you had kept private"), "\(preview.all)")
    #expect(
      try await pair.survivor.cairn("show", entry).output.contains(
        "Private     only your own devices can open it\n"))
    let all = try await share(pair, "--with", advocate, "--all", "--preview")
    #expect(all.told.contains("\(entry.prefix(10))"), "\(all.all)")
    #expect(preview.told.contains("They would see 2 entries, 1 retraction among them"))
    #expect(preview.told.contains("It was another.") && !preview.told.contains("private word"))
    #expect(preview.told.contains("What takes back an entry always comes with it."))
    let wished = try await share(
      pair, to[0], to[1], to[2], to[3], "--preview", "--with-additions")
    #expect(
      wished.told.contains("They would see 3 entries, 1 retraction and 1 addition among them")
    )
    #expect(wished.told.contains("The end of it."), "\(wished.all)")

    let shared = try await share(pair, to[0], to[1], to[2], to[3], "--yes")
    #expect(shared.told.contains("2 entries are shared with"), "\(shared.all)")
    #expect(
      shared.told.contains(
        #/1 addition about these entries is not shared \([a-z2-7]{10}\); --with-additions shares it/#
      ))
    _ = try await pair.syncSurvivor()
    _ = try await pair.syncAdvocate()
    let first = try await pair.advocate.cairn("show", entry)
    #expect(first.told.contains("Taken back (") && first.told.contains("It was another."))
    #expect(!first.all.contains("private word"), "\(first.all)")
    #expect(!first.told.contains("Added later"))
    let status = try await pair.advocate.cairn("status", "shared")
    #expect(status.told.contains("New since you looked last"), "\(status.all)")
    let looked = try await pair.advocate.cairn("status", "shared")
    #expect(!looked.told.contains("New since you looked last"))

    let second = try await share(
      pair, to[0], to[1], to[2], to[3], "--with-additions", "--yes", "--json")
    let along = try #require(try second.json()["along"] as? [String: Int])
    #expect(
      along == ["additions": 1, "additionsKeptBack": 0, "additionsLeftOut": 0, "retractions": 0])
    _ = try await pair.syncSurvivor()
    _ = try await pair.syncAdvocate()
    let shown = try await pair.advocate.cairn("show", entry)
    #expect(shown.told.contains("Added later") && shown.told.contains("The end of it."))
    #expect(shown.told.contains("Taken back ("))
    #expect(
      try await pair.advocate.cairn("status", "shared").told.contains("New since you looked last"))
  }

  @Test(arguments: [false, true])
  func `on a terminal additions are shown whole before they are asked about`(
    isWished: Bool
  ) async throws {
    let (pair, advocate, entry) = try await begin()
    let long = String(repeating: "A long and private word. ", count: 40) + "The end of it."
    _ = try await pair.survivor.cairn("amend", entry, "--text", long)
    _ = try await pair.survivor.cairn("tag", entry, "threat")
    let terminal = try FakeTerminal(
      ["share", "default", "--with", advocate, "--entries", entry, "--vault", pair.survivor.vault]
        + ["--passphrase-file", pair.survivor.passphraseFile], by: pair.survivor)
    try await terminal.wait(for: "There are 2 additions about these entries. They are:")
    try await terminal.wait(for: "The end of it.")
    try await terminal.wait(for: "threat")
    try await terminal.answer("Share these 2 additions too? [y/n]", isWished ? "y" : "n")
    try await terminal.answer(isWished ? "Share them? [y/n]" : "Share it? [y/n]", "y")
    let finished = try await terminal.finish()
    #expect(finished.status == 0, "\(terminal.screen)")
    #expect(
      finished.told.contains("2 additions about these entries are not shared") == !isWished)
    #expect(try await pair.words().contains(long) == isWished)
  }

  @Test func `what somebody else wrote, or was meant for fewer, has to be named`() async throws {
    let (pair, advocate, _) = try await begin()
    let open = try await pair.survivor.addWords("Open.")
    _ = try await pair.words()
    let note = try await pair.survivor.cairn(
      "note", open, "--text", "For me.", "--private", "--json"
    ).savedID()
    let left = try await share(
      pair, "--with", advocate, "--entries", open, "--with-additions", "--yes")
    #expect(left.told.contains("There was nothing to share"), "\(left.all)")
    #expect(
      left.told.contains("1 addition about these entries has to be named with --entries"))
    #expect(try await pair.words() == ["Open."])
    let named = try await share(pair, "--with", advocate, "--entries", note, "--yes")
    #expect(named.status == 0, "\(named.all)")
    #expect(try await pair.words() == ["Open.", "For me."])
    let contradiction = try await share(
      pair, "--with", "card", "--output", "new", "--none", "--with-additions", "--json")
    #expect(try contradiction.errorCode() == "usage")
  }
}
