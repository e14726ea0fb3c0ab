import Foundation
import People
import Support
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct `Backing up and restoring` {
  @Test func `a vault that was lost comes back from its backup`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try await person.cairn("add", "shot.png", "--text", "One.")
    let first = try await person.cairn("backup", "stick")
    #expect(first.status == 0, "\(first.all)")
    #expect(first.told.contains("The backup in stick is ready: 1 entry, 1 file."))
    #expect(first.told.contains("and 1 large file ("), "\(first.all)")
    #expect(first.told.contains("Entries that you erase later stay in it"))
    let second = try await person.cairn("backup", "stick", "--json")
    #expect(second.status == 0)
    let object = try second.json()
    #expect(object["isUpdate"] as? Bool == true)
    #expect(object["filesCopied"] as? Int == 0)
    #expect(object["filesKept"] as? Int == 1)
    let status = try await person.cairn("status")
    #expect(status.output.contains("Last backup: ") && status.output.contains("stick"))

    try FileManager.default.removeItem(atPath: person.vault)
    let restored = try await person.cairn("restore", "stick")
    #expect(restored.status == 0, "\(restored.all)")
    #expect(restored.told.contains("Every byte of it was read, and everything is whole."))
    #expect(restored.told.contains("cairn renew --vault"))
    #expect(try await person.cairn("add", "--text", "Two.").status != 0)
    #expect(try await person.cairn("renew").status == 0)
    #expect(try await person.cairn("add", "--text", "Two.").status == 0)
    #expect(try await person.cairn("check").status == 0)
    #expect(try await person.entries().count == 2)
    #expect(try await person.cairn("backup", "stick").status == 0)
  }

  @Test func `the twelve words restore a backup of which the passphrase is lost`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    _ = try await person.cairn("backup", "stick")
    let new = ["--vault", person.path("new")]
    _ = try person.folder.file("wrong", Array("none of this".utf8))
    let wrong = try await person.run(["restore", "stick", "--passphrase-file", "wrong"] + new)
    #expect(wrong.status == 12)
    #expect(wrong.told.contains("the twelve words open the backup: --kit"), "\(wrong.all)")
    let restored = try await person.run(["restore", "stick", "--kit", "kit"] + new)
    #expect(restored.status == 0, "\(restored.all)")
    #expect(restored.told.contains("cairn passphrase --kit --vault"))
    _ = try person.folder.file("other", Array("another passphrase by far".utf8))
    let changed = try await person.run(
      ["passphrase", "--kit", "kit", "--new-passphrase-file", "other"] + new)
    #expect(changed.status == 0, "\(changed.all)")
    let renewed = try await person.run(["renew", "--passphrase-file", "other"] + new)
    #expect(renewed.status == 0, "\(renewed.all)")
  }

  @Test func `a restore that was killed leaves nothing once the next one is through`() async throws
  {
    let person = try await Person()
    try makeSparseFile(person.path("large.mp4"), byteCount: 400 << 20)
    _ = try await person.cairn("add", "large.mp4")
    _ = try await person.cairn("backup", "stick")
    @Sendable func left() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: person.folder.path).filter {
        $0.hasPrefix(".")
      }
    }
    let command = [
      "restore", "stick", "--vault", person.path("new"), "--passphrase-file",
      person.passphraseFile,
    ]
    let running = try person.start(command)
    #expect(try await running.send(SIGKILL) { try !left().isEmpty })
    _ = try await running.finish()
    #expect(try left().count == 1)
    let again = try await person.run(command)
    #expect(again.status == 0, "\(again.all)")
    #expect(try left() == [])
  }

  /// It is in force by then, and the vault has everything that is in it.
  @Test func `one that was killed at its end is brought up to date also after new keys`()
    async throws
  {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    #expect(try await person.cairn("backup", "stick").status == 0)
    _ = try await person.cairn("add", "--text", "Two.")
    // Locks in the making are cleared away after the new database has its name.
    let killed = try await person.start(
      ["backup", "stick", "--vault", person.vault, "--passphrase-file", person.passphraseFile],
      through: [
        "/usr/bin/strace", "--follow-forks", "--output", person.path("trace"), "--trace-path",
        person.path("stick/keys.new"), "--inject", "?unlink,unlinkat:signal=KILL",
      ]
    ).finish()
    #expect(killed.status == -1, "\(killed.all)")
    #expect(!FileManager.default.fileExists(atPath: person.path("stick/database.part")))
    let new = try person.folder.file("new", Array("another passphrase by far\n".utf8))
    let changed = try await person.cairn(
      "passphrase", "--new-passphrase-file", new, "--somebody-may-know-it")
    #expect(changed.status == 0, "\(changed.all)")
    let next = try await person.cairn("backup", "stick", passphraseFile: new)
    #expect(next.status == 0, "\(next.all)")
    #expect(next.told.contains("is up to date: 2 entries"), "\(next.all)")
  }

  /// Without a vault, and with a small disk of her own at the place that is given.
  private func personWithDisk() async throws -> (Person, place: String) {
    let person = try await Person(hasVault: false)
    let place = person.path("disk")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    try #require(try SmallDisk.mount(at: place))
    return (person, place)
  }

  @Test(
    .enabled(
      if: `When it cannot go on`.smallDisk.isThere, "a small disk can be mounted by root only"))
  func `a disk is no place for a vault, a folder on it is`() async throws {
    let (person, place) = try await personWithDisk()
    defer { SmallDisk.unmount(place) }
    func make(_ place: String) async throws -> Finished {
      try await person.run([
        "init", "--kdf", "light", "--kit", "kit", "--vault", place, "--passphrase-file",
        person.passphraseFile,
      ])
    }
    let refused = try await make(place)
    #expect(refused.status == 1)
    #expect(refused.told.contains("A disk of its own begins at"), "\(refused.all)")
    #expect(!FileManager.default.fileExists(atPath: person.path("kit")))
    #expect(try await make(place + "/cairn").status == 0)
  }

  @Test(
    .enabled(
      if: `When it cannot go on`.smallDisk.isThere, "a small disk can be mounted by root only"))
  func `it is complete also where the vault’s own disk is full, and is told so`() async throws {
    let (person, place) = try await personWithDisk()
    defer { SmallDisk.unmount(place) }
    let common = ["--vault", place + "/cairn", "--passphrase-file", person.passphraseFile]
    #expect(try await person.run(["init", "--kdf", "light", "--kit", "kit"] + common).status == 0)
    #expect(try await person.run(["add", "--text", "One."] + common).status == 0)
    let filled = try ChildProcess(["dd", "if=/dev/zero", "of=\(place)/rest", "bs=4096"]).wait()
    #expect(filled != 0)
    let made = try await person.run(["backup", "stick"] + common)
    #expect(made.status == 0, "\(made.all)")
    #expect(made.told.contains("The backup in stick is ready: 1 entry"), "\(made.all)")
    #expect(made.told.contains("“cairn status” does not tell of this backup"), "\(made.all)")
    let scripted = try await person.run(["backup", "stick", "--json"] + common)
    #expect(try scripted.json()["isNoted"] as? Bool == false, "\(scripted.all)")
    let restored = try await person.run([
      "restore", "stick", "--vault", person.path("new"), "--passphrase-file", person.passphraseFile,
    ])
    #expect(restored.told.contains("1 entry"), "\(restored.all)")
    // With room again it is noted.
    try FileManager.default.removeItem(atPath: place + "/rest")
    let noted = try await person.run(["backup", "stick", "--json"] + common)
    #expect(try noted.json()["isNoted"] as? Bool == true, "\(noted.all)")
  }

  @Test func `an erased file goes from the backup with the next one`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try await person.cairn("add", "shot.png")
    let id = try #require(try await person.entries().first?["id"] as? String)
    _ = try await person.cairn("backup", "stick")
    func copies() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: person.path("stick/blobs")).filter {
        $0.utf8.count > 40
      }
    }
    #expect(try copies().count == 1)
    #expect(try await person.cairn("erase", id, "--yes").status == 0)
    let again = try await person.cairn("backup", "stick")
    #expect(again.status == 0, "\(again.all)")
    #expect(again.told.contains("Removed 1 large file that was erased."))
    #expect(try copies() == [])
  }

  @Test func `what cannot be done says what is safe and what to do`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    try FileManager.default.createDirectory(
      atPath: person.path("things"), withIntermediateDirectories: true)
    _ = try person.folder.file("things/mine.txt", [1])
    for (command, code, said) in [
      (["backup", person.vault], "outputInVault", "lies within the vault"),
      (["backup", "things"], "notABackup", "Nothing in it was touched."),
      (["restore", "things"], "vaultExists", "It was not touched."),
    ] {
      let refused = try await person.run(
        command + [
          "--vault", person.vault, "--passphrase-file", person.passphraseFile, "--json",
        ])
      #expect(refused.status == 1, "\(refused.all)")
      #expect(try refused.errorCode() == code)
      #expect(refused.told.contains(said), "\(refused.all)")
    }
    let none = try await person.run([
      "restore", "things", "--vault", person.path("new"), "--passphrase-file",
      person.passphraseFile,
    ])
    #expect(none.status == 10)
    #expect(none.told.contains("There is no backup at"))
    #expect(!FileManager.default.fileExists(atPath: person.path("new")))
  }
}

@Suite struct `Salvaging` {
  @Test func `what can be read comes out, and the report says what could not`() async throws {
    let person = try await Person()
    _ = try person.folder.file("shot.png", noise(200_000))
    _ = try await person.cairn(
      "add", "shot.png", "--title", "A threat", "--url", "https://example.org/1")
    _ = try await person.cairn("add", "--text", "Said aloud.\nTwice.")
    // The first pages, and a piece of the file.
    let database = try FileHandle(forUpdating: URL(filePath: person.vault + "/vault.db"))
    try database.write(contentsOf: Data(repeating: 0, count: 4096))
    try database.close()
    let path = person.vault + "/blobs/" + (try #require(try person.blobFiles().first))
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[70_000] ^= 1
    try bytes.write(to: URL(filePath: path))
    let before = try FileManager.default.subpathsOfDirectory(atPath: person.vault).sorted()

    #expect(try await person.cairn("list").status == 20)
    let inside = try await person.cairn("salvage", "--output", person.vault + "/out")
    #expect(inside.told.contains("lies within the vault"))
    let salvaged = try await person.cairn("salvage", "--output", "out")
    #expect(salvaged.status == 20, "\(salvaged.all)")
    #expect(salvaged.told.contains("2 entries, 1 file"))
    #expect(salvaged.told.contains("None of it is verified"))
    let report = try String(contentsOfFile: person.path("out/REPORT.txt"), encoding: .utf8)
    for said in ["NOTHING IN THIS FOLDER IS VERIFIED", "1 page of the database", "65536 of 200000"]
    {
      #expect(report.contains(said), "\(report)")
    }
    let first = try String(contentsOfFile: person.path("out/entries/00001.txt"), encoding: .utf8)
    for said in ["A threat", "https://example.org/1", "65536 to 131071", "shot.png"] {
      #expect(first.contains(said), "\(first)")
    }
    let table = try String(contentsOfFile: person.path("out/files.jsonl"), encoding: .utf8)
    #expect(table.contains(#""missing":[[65536,131072]]"#), "\(table)")
    let second = try String(contentsOfFile: person.path("out/entries/00002.txt"), encoding: .utf8)
    #expect(second.contains("Said aloud.\nTwice.\n"))
    let file = try Data(contentsOf: URL(filePath: person.path("out/files/00001-1-INCOMPLETE.png")))
    #expect(file.count == 200_000)
    for (path, mode) in [
      ("out", 0o700), ("out/entries/00001.txt", 0o600), ("out/REPORT.txt", 0o600),
    ] {
      let found = try FileManager.default.attributesOfItem(atPath: person.path(path))
      #expect(found[.posixPermissions] as? Int == mode, "\(path)")
    }
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: person.vault).sorted() == before)
    #expect(try await person.cairn("salvage", "--output", "out").status == 1)

    let byKit = try await person.run([
      "salvage", "--output", "kit-out", "--vault", person.vault, "--kit", "kit", "--json",
    ])
    #expect(byKit.status == 20, "\(byKit.all)")
    let object = try byKit.json()
    #expect(object["entries"] as? Int == 2)
    #expect(object["pagesLost"] as? Int == 1)
    #expect(object["verified"] as? Bool == false)
  }

  @Test func `locks that ask for more memory than there is do not keep the other copy out`()
    async throws
  {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    func damage(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
      var bytes = [UInt8](try Data(contentsOf: URL(filePath: person.vault + "/" + name)))
      body(&bytes)
      try overwrite(person.vault + "/" + name, with: bytes)
    }
    // 2 GiB, and a lock that is not in use.
    try damage("keys") { $0.replaceSubrange(12..<16, with: [0, 0x20, 0, 0]) }
    try damage("keys.bak") { $0[4000] ^= 1 }
    let running = try person.start(
      [
        "salvage", "--output", "out", "--vault", person.vault, "--passphrase-file",
        person.passphraseFile,
      ], through: ["/usr/bin/prlimit", "--as=\(1 << 30)"])
    let salvaged = try await running.finish()
    #expect(salvaged.status == 0, "\(salvaged.all)")
    #expect(salvaged.told.contains("1 entry"), "\(salvaged.all)")
  }

  @Test(.enabled(if: geteuid() == 0, "a small disk can be mounted by root only"))
  func `a file for which there is no room keeps back none of the others`() async throws {
    let person = try await Person()
    _ = try person.folder.file("large.mp4", noise(6 << 20))
    _ = try person.folder.file("small.png", noise(100_000))
    for name in ["large.mp4", "small.png"] { _ = try await person.cairn("add", name) }
    let disk = person.folder.path + "/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
    try #require(try SmallDisk.mount(at: disk))
    defer { SmallDisk.unmount(disk) }
    let output = disk + "/out"
    let salvaged = try await person.cairn("salvage", "--output", output)
    #expect(salvaged.status == 1, "\(salvaged.all)")
    #expect(salvaged.told.contains("2 entries, 1 file"), "\(salvaged.all)")
    #expect(salvaged.told.contains("what it had no room for was left out"), "\(salvaged.all)")
    let names = try FileManager.default.contentsOfDirectory(atPath: output + "/files")
    #expect(names == ["00002-1.png"])
    let report = try String(contentsOfFile: output + "/REPORT.txt", encoding: .utf8)
    #expect(report.contains("1 file for which there was no room"), "\(report)")
    #expect(report.contains("entry 00001: file 1"), "\(report)")
  }

  /// What was written is asked for, and a disk that did not keep it is told of: so each call that says so counts.
  @Test(
    .enabled(if: geteuid() == 0, "only root looks into a program that hides its files"),
    arguments: ["entries/00001.txt", "entries", "files", "entries.jsonl", "REPORT.txt", ""]
  )
  func `what may not be on the disk is told`(_ name: String) async throws {
    let person = try await Person()
    _ = try person.folder.file("small.png", noise(100_000))
    _ = try await person.cairn("add", "small.png")
    let output = person.folder.path + "/out"
    let traced = person.folder.path + "/trace"
    let running = try person.start(
      [
        "salvage", "--output", output, "--vault", person.vault, "--passphrase-file",
        person.passphraseFile, "--json",
      ],
      through: [
        "/usr/bin/strace", "--follow-forks", "--output", traced, "--trace-path",
        name.isEmpty ? output : output + "/" + name, "--inject", "fsync:error=EIO",
      ])
    let salvaged = try await running.finish()
    #expect(salvaged.status == 1, "\(salvaged.all)")
    let object = try salvaged.json()
    #expect(object["complete"] as? Bool == false)
    #expect((object["error"] as? [String: Any])?["code"] as? String == "inputOutput")
    // And all of it is there that could be written.
    #expect(object["entries"] as? Int == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: output + "/files").count == 1)
  }

  @Test func `of a whole vault it ends well`() async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "--text", "One.")
    let salvaged = try await person.cairn("salvage", "--output", "out")
    #expect(salvaged.status == 0, "\(salvaged.all)")
    #expect(salvaged.told.contains("All that was there could be read."))
  }
}
