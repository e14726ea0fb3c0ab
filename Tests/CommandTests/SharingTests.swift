import Foundation
import People
import Support
import Testing

/// Somebody whose case it is, somebody whom it is shared with, and the folder between them.
struct Pair {
  let survivor: Person
  let advocate: Person
  let mailbox: TemporaryFolder

  init() async throws {
    survivor = try await Person()
    advocate = try await Person()
    mailbox = try TemporaryFolder()
  }

  /// A card of the advocate's, and its six words.
  func makeCard(_ name: String = "card") async throws -> String {
    let made = try await advocate.cairn("card", "--json", "--output", name)
    try FileManager.default.copyItem(
      atPath: advocate.path(name), toPath: survivor.path(name))
    return try #require(try made.json()["words"] as? String)
  }

  /// An invitation to the default case, and the case's six words.
  func invite(_ name: String = "invitation") async throws -> String {
    let words = try await makeCard()
    let shared = try await survivor.cairn(
      "share", "default", "--with", "card", "--words", words, "--output", name, "--yes", "--json")
    #expect(shared.status == 0, "\(shared.all)")
    try FileManager.default.copyItem(
      atPath: survivor.path(name), toPath: advocate.path(name))
    return try #require(try shared.json()["words"] as? String)
  }

  func join() async throws {
    let words = try await invite()
    let joined = try await advocate.cairn(
      "join", "invitation", "--words", words, "--name", "shared")
    #expect(joined.status == 0, "\(joined.all)")
  }

  func syncSurvivor() async throws -> Finished {
    try await survivor.cairn("sync", "--mailbox", mailbox.path)
  }

  func syncAdvocate() async throws -> Finished {
    try await advocate.cairn("sync", "shared", "--mailbox", mailbox.path)
  }
}

@Suite struct `Sharing` {
  @Test func `two people share a case, each adds, and both see the same`() async throws {
    let pair = try await Pair()
    let picture = noise(200_000)
    _ = try pair.survivor.folder.file("shot.png", picture)
    _ = try await pair.survivor.cairn("add", "shot.png", "--text", "Mine.")
    try await pair.join()
    let added = try await pair.survivor.cairn("add", "--text", "After it was shared.")
    #expect(added.told.contains("You and one other member of this case can open it."))
    #expect(try await pair.syncSurvivor().status == 0)
    let first = try await pair.syncAdvocate()
    #expect(first.status == 0, "\(first.all)")
    #expect(first.told.contains("received"))
    _ = try await pair.advocate.cairn("add", "--case", "shared", "--text", "A note.")
    // The mailbox is remembered.
    #expect(try await pair.advocate.cairn("sync", "shared").status == 0)
    let back = try await pair.survivor.cairn("sync")
    #expect(back.told.contains("last receipt just now"), "\(back.all)")

    let hers = try await pair.survivor.entries()
    let theirs = try await pair.advocate.entries(inCase: "shared")
    #expect(Set(hers.map { $0["id"] as? String }) == Set(theirs.map { $0["id"] as? String }))
    #expect(hers.count == 3)
    #expect(hers.last?["author"] as? String == "advocate")
    let id = try #require(hers.first?["id"] as? String)
    #expect(try await pair.advocate.cairn("extract", id, "--output", "out").status == 0)
    #expect(
      try [UInt8](Data(contentsOf: URL(filePath: pair.advocate.path("out/shot.png")))) == picture)
    let shown = try await pair.survivor.cairn("show", id)
    #expect(shown.told.contains("Seen by an advocate, before 20"), "\(shown.all)")
  }

  @Test func `wrong words share nothing and join nothing`() async throws {
    let pair = try await Pair()
    _ = try await pair.makeCard()
    let wrong = "one two three four five six"
    let refused = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--words", wrong, "--output", "invitation", "--yes")
    #expect(refused.status == 1)
    #expect(refused.told.contains("The six words are not the same on both sides."))
    #expect(!FileManager.default.fileExists(atPath: pair.survivor.path("invitation")))
    let few = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--words", "one two", "--output", "invitation", "--yes")
    #expect(few.status == 64)
    let none = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--output", "invitation", "--yes", "--json")
    #expect(try none.errorCode() == "noWords")

    let other = try await Pair()
    _ = try await other.invite()
    let unjoined = try await other.advocate.cairn("join", "invitation", "--words", wrong, "--json")
    #expect(try unjoined.errorCode() == "wrongWords")
    let cases = try await other.advocate.cairn("case", "list", "--json").json()["cases"]
    #expect((cases as? [Any])?.count == 1)
  }

  @Test func `an invitation for somebody else, or for a card that was used, is refused`()
    async throws
  {
    let pair = try await Pair()
    let words = try await pair.invite()
    let foreign = try await pair.survivor.cairn(
      "join", "invitation", "--words", words, "--json")
    #expect(foreign.status == 1)
    #expect(try foreign.errorCode() == "invitationForSomebodyElse")
    _ = try await pair.advocate.cairn("join", "invitation", "--words", words, "--name", "shared")
    let twice = try await pair.advocate.cairn("join", "invitation", "--words", words, "--json")
    #expect(try twice.errorCode() == "caseHeldAlready")
    #expect(twice.told.contains("cairn sync shared"), "\(twice.all)")
    let again = try await pair.survivor.cairn(
      "share", "default", "--with", "card", "--words", "a b c d e f", "--output", "second", "--json"
    )
    #expect(again.status == 1)
    #expect(!FileManager.default.fileExists(atPath: pair.survivor.path("second")))
  }

  @Test func `a card or an invitation that is cut or something else is refused`() async throws {
    let pair = try await Pair()
    _ = try await pair.invite()
    let card = try Data(contentsOf: URL(filePath: pair.survivor.path("card")))
    let invitation = try Data(contentsOf: URL(filePath: pair.advocate.path("invitation")))
    for bad in [card.dropLast(100), Data("hello\n".utf8), Data(count: 100_000)] {
      _ = try pair.survivor.folder.file("bad", [UInt8](bad))
      let refused = try await pair.survivor.cairn(
        "share", "default", "--with", "bad", "--words", "a b c d e f", "--output", "new", "--json")
      #expect(try refused.errorCode() == "cardDamaged")
    }
    for bad in [invitation.dropLast(100), Data("hello\n".utf8), Data(count: 1_000_000)] {
      _ = try pair.advocate.folder.file("bad", [UInt8](bad))
      let refused = try await pair.advocate.cairn(
        "join", "bad", "--words", "a b c d e f", "--json")
      #expect(try refused.errorCode() == "invitationDamaged")
    }
    #expect(!FileManager.default.fileExists(atPath: pair.survivor.path("new")))
    let missing = try await pair.survivor.cairn(
      "share", "default", "--with", "missing", "--words", "a b c d e f", "--output", "new", "--json"
    )
    #expect(try missing.errorCode() == "fileMissing")
  }

  @Test func `only the person whose case it is shares it`() async throws {
    let pair = try await Pair()
    try await pair.join()
    let words = try await pair.makeCard("third")
    let refused = try await pair.advocate.cairn(
      "share", "shared", "--with", "third", "--words", words, "--output", "new", "--json")
    #expect(refused.status == 13)
    #expect(try refused.errorCode() == "notAllowed")
  }

  @Test func `a mailbox that is missing, unknown or another case's is told as such`() async throws {
    let pair = try await Pair()
    let unknown = try await pair.survivor.cairn("sync", "--json")
    #expect(unknown.status == 64)
    #expect(try unknown.errorCode() == "mailboxUnknown")
    let missing = try await pair.survivor.cairn("sync", "--mailbox", "no/such", "--json")
    #expect(missing.status == 69)
    #expect(try missing.errorCode() == "mailboxUnreachable")
    #expect(try await pair.syncSurvivor().status == 0)
    let other = try await pair.advocate.cairn("sync", "--mailbox", pair.mailbox.path, "--json")
    #expect(other.status == 1)
    #expect(try other.errorCode() == "mailboxOfAnotherCase")
  }

  @Test func `what somebody changed in the mailbox is not believed and is told`() async throws {
    let pair = try await Pair()
    _ = try await pair.survivor.cairn("add", "--text", "One.")
    try await pair.join()
    _ = try await pair.syncSurvivor()
    var changed = 0
    for (name, bytes) in try pair.mailbox.allFiles() where bytes.count > 200 {
      var bytes = bytes
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: URL(filePath: pair.mailbox.path + "/" + name))
      changed += 1
    }
    #expect(changed > 0)
    let synced = try await pair.syncAdvocate()
    #expect(synced.status == 20, "\(synced.all)")
    #expect(synced.told.contains("It was not believed"))
    #expect(try await pair.advocate.entries(inCase: "shared").count == 0)
  }
  @Test(
    .enabled(
      if: `When it cannot go on`.smallDisk.isThere, "a small disk can be mounted by root only"))
  func `a file for which there is no room keeps nothing else from being exchanged`() async throws {
    let (survivor, advocate) = (try await Person(hasVault: false), try await Person())
    let (disk, mailbox) = (survivor.path("disk"), try TemporaryFolder())
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
    try #require(try SmallDisk.mount(at: disk))
    defer { SmallDisk.unmount(disk) }
    func hers(_ arguments: String...) async throws -> Finished {
      let common = ["--vault", disk + "/cairn", "--passphrase-file", survivor.passphraseFile]
      return try await survivor.run(arguments + common)
    }
    func hand(_ name: String, from: Person, to: Person) throws {
      try FileManager.default.copyItem(atPath: from.path(name), toPath: to.path(name))
    }
    #expect(try await hers("init", "--kdf", "light", "--kit", "kit").status == 0)
    let card = try await advocate.cairn("card", "--json", "--output", "card")
    try hand("card", from: advocate, to: survivor)
    let shared = try await hers(
      "share", "default", "--with", "card", "--words",
      try #require(try card.json()["words"] as? String), "--output", "invitation", "--yes", "--json"
    )
    try hand("invitation", from: survivor, to: advocate)
    let words = try #require(try shared.json()["words"] as? String)
    #expect(
      try await advocate.cairn("join", "invitation", "--words", words, "--name", "shared").status
        == 0)
    #expect(try await hers("sync", "--mailbox", mailbox.path).status == 0)
    _ = try advocate.folder.file("film.mp4", noise(6 << 20))
    _ = try await advocate.cairn("sync", "shared", "--mailbox", mailbox.path)
    #expect(try await advocate.cairn("add", "film.mp4", "--case", "shared").status == 0)
    #expect(try await advocate.cairn("sync", "shared").status == 0)

    #expect(try await hers("add", "--text", "He is at my door.").status == 0)
    let met = try await hers("sync", "--json")
    #expect(met.status == 0, "\(met.all)")
    let problems = try #require(try met.json()["problems"] as? [[String: Any]])
    #expect(problems.map { $0["code"] as? String } == ["diskFull"])
    #expect(try await hers("add", "--text", "Now he knocks.").status == 0)
    #expect(try await hers("sync").told.contains("There is no room on this disk"))
    #expect(try await advocate.cairn("sync", "shared").status == 0)
    let listed = try await advocate.cairn("list", "--case", "shared")
    #expect(listed.told.contains("He is at my door."), "\(listed.all)")
    #expect(listed.told.contains("Now he knocks."), "\(listed.all)")
  }
}
