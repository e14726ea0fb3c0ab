import Foundation
import People
import Support
import Testing

/// Where a command is told to write, and what it makes of that.
@Suite struct PlacesTests {
  private func code(_ finished: Finished) throws -> String? {
    try finished.status == 0 ? nil : finished.errorCode()
  }

  /// Whoever reads “the backup is ready” takes out the disk whose name they typed.
  @Test(arguments: [
    ["backup"], ["extract", "--all", "--output"], ["salvage", "--output"],
    ["init", "--kit", "words", "--vault"],
  ])
  func `a name that is not text is refused, and no other place is made`(
    command: [String]
  ) async throws {
    let person = try await Person()
    _ = try await person.cairn("add", "passphrase")
    let before = try FileManager.default.subpathsOfDirectory(atPath: person.folder.path)
    let script = #"exec "$0" "$@" "$(printf 'b\374cher')/new""#
    let vault = command[0] == "init" ? [] : ["--vault", person.vault]
    let refused = try await person.start(
      [command[0], "--passphrase-file", person.passphraseFile, "--json"] + vault
        + command.dropFirst(),
      through: ["/bin/sh", "-c", script]
    ).finish()
    #expect(try code(refused) == "argumentNotText", "\(refused.all)")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: person.folder.path) == before)
  }

  @Test(arguments: [["--all"], ["ENTRY"]])
  func `nothing is written out in plain between the sealed files`(what: [String]) async throws {
    let person = try await Person()
    _ = try person.folder.file("one.txt", noise(100))
    let added = try await person.cairn("add", "one.txt", "--json")
    let saved = try #require(try added.json()["saved"] as? [[String: Any]])
    let id = try #require(saved.first?["id"] as? String)
    let before = try FileManager.default.subpathsOfDirectory(atPath: person.vault)
    for place in ["vault/out", "none/../vault/blobs/out"] {
      let refused = try await person.run(
        ["extract", "--json", "--vault", person.vault, "--passphrase-file", person.passphraseFile]
          + what.map { $0 == "ENTRY" ? id : $0 } + ["--output", place])
      #expect(try code(refused) == "outputInVault", "\(refused.all)")
    }
    #expect(try FileManager.default.subpathsOfDirectory(atPath: person.vault) == before)
  }

  @Test(arguments: ["vault/new", "none/../vault/new", "vault/none/../new", "none/./../vault"])
  func `no way leads into the vault with a backup`(place: String) async throws {
    let person = try await Person()
    let before = try FileManager.default.subpathsOfDirectory(atPath: person.folder.path)
    let refused = try await person.cairn("backup", place, "--json")
    #expect(try code(refused) == "outputInVault", "\(refused.all)")
    #expect(
      Set(try FileManager.default.subpathsOfDirectory(atPath: person.folder.path))
        .subtracting(before).isEmpty)
  }

  @Test func `where no vault is, salvage does not say that the rest of one is there`() async throws
  {
    let person = try await Person()
    for (place, expected) in [("empty", "noVault"), ("letters", "notAVault")] {
      try FileManager.default.createDirectory(
        atPath: person.path(place), withIntermediateDirectories: false)
      if place == "letters" { _ = try person.folder.file("letters/one.txt", noise(10)) }
      let refused = try await person.run([
        "salvage", "--json", "--vault", person.path(place), "--passphrase-file",
        person.passphraseFile, "--output", "out",
      ])
      #expect(try code(refused) == expected, "\(refused.all)")
    }
  }
}
