import Foundation
import People
import Support
import Testing

/// `cairn sync --all`, for somebody with many cases.
@Suite struct `Syncing all cases` {
  /// Two cases that have a folder each, and one that has none.
  struct Many {
    let person: Person
    let folders: TemporaryFolder

    init() async throws {
      person = try await Person()
      folders = try TemporaryFolder()
      for name in ["work", "third"] {
        #expect(try await person.cairn("case", "new", name).status == 0)
      }
      for name in ["default", "work"] {
        try FileManager.default.createDirectory(
          atPath: folder(name), withIntermediateDirectories: false)
        let synced = try await person.cairn("sync", name, "--mailbox", folder(name))
        #expect(synced.status == 0, "\(synced.all)")
        _ = try await person.addWords("Of \(name).", "--case", name)
      }
    }

    func folder(_ name: String) -> String { folders.path + "/" + name }

    func unplug(_ name: String) throws {
      try FileManager.default.moveItem(atPath: folder(name), toPath: folder(name) + "-away")
    }

    /// What `sync --all --json` says of the cases, and the names of those without a folder.
    func list() async throws -> (status: Int32, cases: [[String: Any]], rest: [String]) {
      let finished = try await person.run(
        ["sync", "--all", "--json", "--vault", person.vault, "--passphrase-file"]
          + [person.passphraseFile])
      #expect(finished.errors == "")
      let object = try finished.json()
      return (
        finished.status, try #require(object["cases"] as? [[String: Any]], "\(finished.all)"),
        try #require(object["withoutMailbox"] as? [String])
      )
    }
  }

  @Test func `every case with a folder is exchanged and told, and the others are named`()
    async throws
  {
    let many = try await Many()
    let synced = try await many.person.cairn("sync", "--all")
    #expect(synced.status == 0, "\(synced.all)")
    #expect(synced.output.contains("“default”: records: 1 sent"), "\(synced.all)")
    #expect(synced.output.contains("“work”: records: 1 sent"))
    #expect(synced.output.contains("Without a mailbox, and passed over: “third”.\n"))
    let again = try await many.person.cairn("sync", "--all")
    #expect(again.output.contains("“default”: nothing new\n“work”: nothing new\n"))

    let (status, cases, rest) = try await many.list()
    #expect(status == 0)
    #expect(rest == ["third"])
    #expect(cases.map { $0["case"] as? String } == ["default", "work"])
    let single = try await many.person.cairn("sync", "work", "--json").json()
    #expect(Set(cases[1].keys) == Set(single.keys))
  }

  @Test func `a folder that is not there keeps no other case from its own`() async throws {
    let many = try await Many()
    try many.unplug("default")
    let synced = try await many.person.cairn("sync", "--all")
    #expect(synced.status == 69, "\(synced.all)")
    #expect(synced.output.contains("“default”: not synced\n“work”: records: 1 sent\n"))
    let said = "The folder “\(many.folder("default"))” cannot be reached."
    #expect(synced.told.contains("Not synced: “default”. " + said))
    #expect(synced.told.contains("name a new one: cairn sync default --mailbox FOLDER"))
    let alone = try await many.person.cairn("sync", "default")
    #expect(alone.status == 69)
    #expect(alone.told.contains(said + " Everything in the vault is safe. Connect it, or name"))
    let typed = try await many.person.cairn("sync", "work", "--mailbox", many.folder("none"))
    #expect(typed.told.contains("“\(many.folder("none"))” cannot be reached."), "\(typed.all)")

    let (status, cases, _) = try await many.list()
    #expect(status == 69)
    #expect((cases[0]["error"] as? [String: Any])?["code"] as? String == "mailboxUnreachable")
    #expect(cases[0]["case"] as? String == "default")
    #expect(cases[1]["problems"] as? [String] == [])
  }

  @Test func `what else keeps a case from its folder is told by the exit code`() async throws {
    let many = try await Many()
    #expect(try await many.person.cairn("sync", "--all").status == 0)
    // The folder of one case was put in place of another's.
    try FileManager.default.removeItem(atPath: many.folder("default"))
    try FileManager.default.copyItem(atPath: many.folder("work"), toPath: many.folder("default"))
    let synced = try await many.person.cairn("sync", "--all")
    #expect(synced.status == 1, "\(synced.all)")
    #expect(synced.told.contains("Not synced: “default”. This mailbox belongs to another case."))
    #expect(synced.output.contains("“work”: nothing new"))
  }

  @Test func `only the folders of the own devices are met where that is asked for`() async throws {
    let many = try await Many()
    let own = many.folder("own")
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: false)
    let named = try await many.person.cairn("sync", "third", "--own-devices", "--mailbox", own)
    #expect(named.status == 0, "\(named.all)")
    let synced = try await many.person.cairn("sync", "--all", "--own-devices")
    #expect(synced.status == 0, "\(synced.all)")
    #expect(synced.output.contains("“third”: nothing new\n"))
    #expect(
      synced.told.contains(
        "Without a folder for your own devices, and passed over: “default”, “work”."))
  }

  @Test func `after Ctrl-C it is told what was exchanged and what was not`() async throws {
    let many = try await Many()
    try makeSparseFile(many.person.path("large.mp4"), byteCount: 400 << 20)
    #expect(try await many.person.cairn("add", "large.mp4", "--case", "work").status == 0)
    let before = try FileManager.default.subpathsOfDirectory(atPath: many.folder("work")).count
    let running = try many.person.begin("sync", "--all")
    #expect(
      try await running.send(SIGINT) {
        try FileManager.default.subpathsOfDirectory(atPath: many.folder("work")).count > before
      })
    let stopped = try await running.finish()
    #expect(stopped.status == 130, "\(stopped.all)")
    #expect(stopped.output.contains("“default”: records: 1 sent\n“work”: not synced\n"))
    #expect(stopped.told.contains("Not synced: “work”. Stopped, as you asked."))
    #expect(try await many.person.cairn("sync", "--all").status == 0)
  }

  @Test func `with a case or a folder named it is not understood`() async throws {
    let person = try await Person()
    for arguments in [["default"], ["--mailbox", "x"]] {
      let refused = try await person.run(
        ["sync", "--all", "--vault", person.vault, "--passphrase-file", person.passphraseFile]
          + arguments)
      #expect(refused.status == 64, "\(refused.all)")
    }
  }
}
