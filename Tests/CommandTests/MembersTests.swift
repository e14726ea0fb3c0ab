import Foundation
import People
import Support
import Testing

extension Pair {
  /// The members of the survivor's case, as scripts read them.
  func members() async throws -> [[String: Any]] {
    let listed = try await survivor.cairn("members", "--json")
    #expect(listed.status == 0, "\(listed.all)")
    return try #require(try listed.json()["members"] as? [[String: Any]])
  }

  func advocateID() async throws -> String {
    let advocate = try await members().first { $0["role"] as? String == "advocate" }
    return try #require(advocate?["id"] as? String)
  }

  /// Adds words for the survivor; the new entry's id.
  func add(_ words: String, _ options: String...) async throws -> String {
    let added = try await survivor.run(
      ["add", "--text", words, "--json", "--vault", survivor.vault, "--passphrase-file"]
        + [survivor.passphraseFile] + options)
    #expect(added.status == 0, "\(added.all)")
    let saved = try added.json()["saved"] as? [[String: Any]]
    return try #require(saved?.first?["id"] as? String)
  }

  /// What the advocate can open.
  func words() async throws -> Set<String> {
    _ = try await syncSurvivor()
    _ = try await syncAdvocate()
    return Set(try await advocate.entries(inCase: "shared").compactMap { $0["words"] as? String })
  }

  /// A member's part in `sharedWith` of an entry.
  func readers(of entry: String) async throws -> [String] {
    let shown = try await survivor.cairn("show", entry, "--json")
    let object = try shown.json()["entry"] as? [String: Any]
    return (object?["sharedWith"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
  }
}

@Suite struct `Who may see what` {
  @Test func `a private entry stays private, and is shared by its id alone`() async throws {
    let pair = try await Pair()
    let early = try await pair.add("Before.", "--private")
    try await pair.join()
    let id = try await pair.advocateID()
    _ = try await pair.survivor.cairn("members", "name", String(id.prefix(6)), "Ms K.")
    let told = try await pair.survivor.cairn("add", "--text", "Secret.", "--private")
    #expect(told.told.contains("can see how many entries are not shared with them"))
    #expect(told.told.contains("Only you can open it."))
    let again = try await pair.survivor.cairn("add", "--text", "Secret two.", "--private", "--json")
    #expect(!again.told.contains("can see how many"))
    #expect(try again.json()["withheld"] as? Bool == true)
    let open = try await pair.add("Open.")
    let only = try await pair.add("For her.", "--only-for", "Ms K.")
    try FileManager.default.createDirectory(
      atPath: pair.survivor.path("folder"), withIntermediateDirectories: false)
    try Data("kept".utf8).write(to: URL(filePath: pair.survivor.path("folder/kept.txt")))
    let folder = try await pair.survivor.cairn("add", "folder", "--private")
    #expect(folder.told.contains("Only you can open it."), "\(folder.all)")
    #expect(try await pair.words() == ["Open.", "For her."])
    // Four that she cannot open are counted, and listed if that is asked for.
    let hers = try await pair.advocate.cairn("list", "--case", "shared")
    #expect(
      hers.told.hasSuffix(
        "4 entries are not shared with you, or their keys have not arrived: --state locked lists"
          + " them."), "\(hers.all)")
    #expect(hers.told.contains("2 entries in the case “shared”"))
    #expect(!hers.told.contains("not shared with this copy"))
    let locked = try await pair.advocate.cairn("list", "--case", "shared", "--state", "locked")
    #expect(locked.told.contains("4 entries in the case “shared”"))
    #expect(try await pair.advocate.entries(inCase: "shared").count == 6)
    #expect(try await pair.readers(of: open) == ["Ms K."])
    #expect(try await pair.readers(of: only) == ["Ms K."])
    #expect(try await pair.readers(of: early) == [])

    let all = try await pair.survivor.cairn(
      "share", "default", "--with", "Ms K.", "--all", "--yes", "--json")
    #expect(try all.json()["keptBack"] as? Int == 4)
    #expect((try all.json()["entries"] as? [String])?.isEmpty == true)
    let preview = try await pair.survivor.cairn(
      "share", "default", "--with", "Ms K.", "--entries", String(early.prefix(8)), "--preview",
      "--json")
    #expect(preview.status == 0, "\(preview.all)")
    let entries = try preview.json()["entries"] as? [[String: Any]]
    // What the vault calls the case is nobody else's to see.
    #expect(!preview.output.contains("\"case\""), "\(preview.output)")
    #expect(entries?.map { $0["words"] as? String } == ["Before."])
    #expect(entries?.first?["own"] as? Bool == false)
    #expect(try await pair.words() == ["Open.", "For her."])
    let shared = try await pair.survivor.cairn(
      "share", "default", "--with", "Ms K.", "--entries", early, "--yes")
    #expect(shared.status == 0, "\(shared.all)")
    #expect(shared.told.contains("1 entry is shared with Ms K."))
    #expect(try await pair.words() == ["Open.", "For her.", "Before."])
  }

  @Test func `sharing is asked about, and a no shares nothing`() async throws {
    let pair = try await Pair()
    _ = try await pair.add("Mine.")
    let words = try await pair.makeCard()
    let preview = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--preview")
    #expect(preview.status == 0, "\(preview.all)")
    #expect(preview.told.contains("Nothing is shared yet. They would see 1 entry"))
    #expect(preview.told.contains("Mine."))
    let refused = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--words", words, "--output", "new")
    #expect(refused.status == 64)
    #expect(refused.told.contains("cannot be taken back"))
    let terminal = try FakeTerminal(
      ["share", "default", "--with", "card", "--output", "new", "--vault", pair.survivor.vault]
        + ["--passphrase-file", pair.survivor.passphraseFile], by: pair.survivor)
    try await terminal.answer("Share it? [y/n]", "n")
    #expect(try await terminal.finish().status == 130)
    #expect(!FileManager.default.fileExists(atPath: pair.survivor.path("new")))
    #expect(try await pair.members().count == 1)
  }

  @Test func `what cannot be shared as it was typed is refused`() async throws {
    let pair = try await Pair()
    let entry = try await pair.add("Mine.")
    try await pair.join()
    let id = try await pair.advocateID()
    _ = try await pair.survivor.cairn("case", "new", "other")
    let other = try await pair.add("Elsewhere.", "--case", "other")
    let card = try await pair.makeCard("third")
    let admit = ["--with", "third", "--output", "new", "--words", card, "--yes"]
    for (options, status, code) in [
      (["--with", id], 64, "nothingChosen"), (["--with", id, "--none"], 64, "nothingChosen"),
      (["--with", id, "--entries", " , "], 64, "noEntries"),
      (["--with", id, "--entries", entry, "--all"], 64, "usage"),
      (["--with", id, "--all", "--until", "2099-01-01"], 64, "nothingChosen"),
      (["--with", "nobody", "--all", "--yes"], 1, "unknownMember"),
      (["--with", id, "--entries", other, "--yes"], 1, "differentCases"),
      (["--with", id, "--entries", "zzzzzz", "--yes"], 1, "unknownEntry"),
      (["--with", "third", "--all", "--yes"], 64, "noOutput"),
      (admit + ["--until", "2020-01-01"], 64, "timePassed"),
      (admit + ["--until", "2099-02-30"], 64, "invalidTime"),
      (admit + ["--until", "2099"], 64, "invalidTime"),
      (admit + ["--entries", other], 1, "differentCases"),
      (admit + ["--all", "--none"], 64, "usage"),
    ] as [([String], Int32, String)] {
      let refused = try await pair.survivor.run(
        ["share", "default"] + options
          + ["--json", "--vault", pair.survivor.vault, "--passphrase-file"]
          + [pair.survivor.passphraseFile])
      #expect(refused.status == status, "\(options) \(refused.all)")
      #expect(try refused.errorCode() == code, "\(options)")
      #expect(!FileManager.default.fileExists(atPath: pair.survivor.path("new")), "\(options)")
    }
    #expect(try await pair.members().count == 2)
    _ = try await pair.words()
    for options in [["--private"], ["--only-for", id]] {
      let refused = try await pair.advocate.run(
        ["add", "--case", "shared", "--text", "Hers.", "--json", "--vault", pair.advocate.vault]
          + ["--passphrase-file", pair.advocate.passphraseFile] + options)
      #expect(refused.status == 13, "\(refused.all)")
    }
    let noted = try await pair.advocate.cairn(
      "note", "--case", "shared", "--text", "Hers.", "--private")
    #expect(noted.status == 13)
    #expect(noted.told.contains("goes to the person whose case it is, and to nobody else"))
    let unknown = try await pair.survivor.cairn(
      "add", "--text", "No.", "--only-for", "nobody", "--json")
    #expect(try unknown.errorCode() == "unknownMember")
    #expect(try await pair.survivor.entries().count == 1)
  }
}

@Suite struct `Members` {
  @Test func `members are told apart, named and removed`() async throws {
    let pair = try await Pair()
    _ = try await pair.add("Early.")
    let until = try await pair.makeCard()
    let shared = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--words", until, "--output", "invitation", "--yes",
      "--until", "2099-12-31", "--json")
    #expect(try shared.json()["until"] as? String == "2099-12-31T23:59:59Z", "\(shared.all)")
    try FileManager.default.copyItem(
      atPath: pair.survivor.path("invitation"), toPath: pair.advocate.path("invitation"))
    let caseWords = try #require(try shared.json()["words"] as? String)
    _ = try await pair.advocate.cairn(
      "join", "invitation", "--words", caseWords, "--name", "shared")
    #expect(try await pair.words() == ["Early."])
    _ = try await pair.survivor.cairn("sync")

    let id = try await pair.advocateID()
    let named = try await pair.survivor.cairn("members", "name", String(id.prefix(4)), "Ms K.")
    #expect(named.status == 0, "\(named.all)")
    let own = try #require(
      try await pair.members().first { $0["own"] as? Bool == true }?["id"] as? String)
    let taken = try await pair.survivor.cairn("members", "name", own, "Ms K.", "--json")
    #expect(try taken.errorCode() == "memberNameTaken")
    let advocate = try await pair.members().first { $0["id"] as? String == id }
    #expect(advocate?["name"] as? String == "Ms K.")
    #expect(advocate?["standing"] as? String == "lapses")
    #expect(advocate?["origin"] as? String == "admitted")
    #expect(advocate?["entriesShared"] as? Int == 1)
    #expect(advocate?["lastReceipt"] as? String != nil)
    let text = try await pair.survivor.cairn("members", "default")
    #expect(text.told.contains("“Ms K.”, advocate"), "\(text.all)")
    #expect(text.told.contains("in good standing until 2099-12-31"))

    for (arguments, status, code) in [
      (["Ms K."], 64, "confirmationNeeded"), (["nobody", "--yes"], 1, "unknownMember"),
      ([own, "--yes"], 1, "ownMember"), (["Ms K.", "--case", "none", "--yes"], 1, "unknownCase"),
    ] as [([String], Int32, String)] {
      let refused = try await pair.survivor.run(
        ["remove"] + arguments + ["--json", "--vault", pair.survivor.vault, "--passphrase-file"]
          + [pair.survivor.passphraseFile])
      #expect(refused.status == status, "\(refused.all)")
      #expect(try refused.errorCode() == code)
    }
    let tried = try await pair.advocate.cairn(
      "remove", own, "--case", "shared", "--yes", "--json")
    #expect(tried.status == 13)
    #expect(try tried.errorCode() == "notAllowed")

    #expect(try await pair.survivor.cairn("request", "--text", "Could you look?").status == 0)
    _ = try await pair.words()
    let waiting = try await pair.advocate.cairn("status", "shared")
    #expect(waiting.told.contains("Waits for you"), "\(waiting.all)")

    let removed = try await pair.survivor.cairn("remove", "Ms K.", "--yes")
    #expect(removed.status == 0, "\(removed.all)")
    #expect(removed.told.contains("They could open 2 entries until now"))
    #expect(removed.told.contains("--mailbox NEW-FOLDER"))
    _ = try await pair.add("Later.")
    #expect(try await pair.words() == ["Early.", "Could you look?"])
    let synced = try await pair.syncAdvocate()
    #expect(synced.output.hasPrefix("You were removed from this case."), "\(synced.all)")
    let others = try await pair.syncSurvivor()
    #expect(!others.told.contains("Advocate"), "\(others.all)")
    let told = try await pair.advocate.cairn("note", "--case", "shared", "--text", "Still here.")
    #expect(told.status == 13)
    #expect(told.told.contains("Nothing was saved."), "\(told.all)")
    #expect(!told.told.contains("twelve words"))
    let checked = try await pair.advocate.cairn("check")
    #expect(checked.told.contains("“shared”: You were removed from this case."), "\(checked.all)")
    let refused = try await pair.advocate.cairn(
      "add", "--case", "shared", "--text", "Still here.", "--json")
    #expect(refused.status == 13)
    #expect(try refused.errorCode() == "removed")
    #expect(try await pair.survivor.cairn("check").status == 0)
    let status = try await pair.advocate.cairn("status", "shared")
    #expect(
      status.told.contains("You were removed from this case. What came here until then stays"))
    #expect(!status.told.contains("may have been removed"), "\(status.all)")
    #expect(!status.told.contains("Waits for you"))
    #expect(!status.told.contains("cairn adopt"))
    let scripted = try await pair.advocate.cairn("status", "shared", "--json").json()["cases"]
    let troubles = (scripted as? [[String: Any]])?.first?["troubles"] as? [[String: Any]]
    #expect(troubles?.map { $0["code"] as? String } == ["removed"])
    // Her own case is empty, and it is the other one that she looks for.
    let listed = try await pair.advocate.cairn("list")
    #expect(listed.told.contains("stands in another: cairn list --case shared"), "\(listed.all)")
  }
}
