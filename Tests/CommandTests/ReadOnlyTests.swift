import Foundation
import People
import Support
import Testing

/// A vault on a disk that is write-protected, or that belongs to another account.
@Suite struct `A vault that cannot be written to` {
  /// Runs a command in a world of its own where this folder is read-only.
  private static let through = [
    "/usr/bin/unshare", "-m", "/bin/sh", "-c",
    "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"",
  ]

  @Test(.enabled(if: geteuid() == 0, "only root makes a disk read-only"))
  func `is told as that, and not as damaged`() async throws {
    let person = try await Person()
    _ = try await person.addWords("One.")
    for command in [["list"], ["add", "--text", "Two."], ["status"]] {
      let refused = try await person.start(
        command + ["--vault", person.vault, "--passphrase-file", person.passphraseFile],
        through: Self.through + [person.vault]
      ).finish()
      #expect(refused.status == 1, "\(refused.all)")
      #expect(refused.told.contains("The vault cannot be written to"), "\(refused.all)")
      #expect(refused.told.contains("It says: Read-only file system."))
      #expect(!refused.told.contains("damaged, or was changed"))
    }
    // That an attempt failed cannot be written down, and is told all the same.
    let wrong = try person.folder.file("wrong", Array("incorrect horse".utf8))
    let refused = try await person.start(
      ["list", "--vault", person.vault, "--passphrase-file", wrong],
      through: Self.through + [person.vault]
    ).finish()
    #expect(refused.status == 12, "\(refused.all)")
    #expect(try await person.entries().count == 1)
  }

  @Test func `is told of its own files where one of them cannot be read`() async throws {
    let person = try await Person()
    _ = try await person.addWords("One.")
    let second = person.vault + "/keys.bak"
    try FileManager.default.removeItem(atPath: second)
    try FileManager.default.createSymbolicLink(atPath: second, withDestinationPath: "keys.bak")
    let refused = try await person.cairn("list")
    #expect(refused.status == 1)
    #expect(refused.told.contains("One of the vault's own files cannot be read"), "\(refused.all)")
    try FileManager.default.removeItem(atPath: second)
    #expect(try await person.entries().count == 1)
    // What is no anchor at all tells nothing of where the vault belongs.
    let anchor = person.vault + "/anchor"
    try FileManager.default.removeItem(atPath: anchor)
    try FileManager.default.createDirectory(atPath: anchor, withIntermediateDirectories: false)
    let listed = try await person.cairn("list")
    #expect(listed.status == 0, "\(listed.all)")
    #expect(listed.told.contains("lost its note of where it belongs"), "\(listed.all)")
  }
}
