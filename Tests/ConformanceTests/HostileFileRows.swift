import CaseLog
import Cryptography
import Foundation
import People
import Support
import Testing
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// A file that somebody gives to a vault to keep, and what has to become of it.
private struct HostileFile {
  let name: String
  /// Why it is refused; nil for what is stored as it is.
  var code: VaultError.Code?
  /// What the program says of it, if it is refused.
  var sentence = ""

  static let odd = "two\nlines\u{202E}gpj.exe"

  static let all: [HostileFile] = [
    HostileFile(name: "bomb.zip"),
    HostileFile(name: odd),
    HostileFile(name: "link"),
    HostileFile(
      name: "loop", code: .fileUnreadable,
      sentence: "“loop” cannot be read: it is a link that leads in a circle."),
    HostileFile(
      name: "dangling", code: .fileMissing, sentence: "There is no file “dangling”."),
    HostileFile(
      name: "missing", code: .fileMissing, sentence: "There is no file “missing”."),
    HostileFile(
      name: "empty", code: .fileEmpty, sentence: "“empty” is empty: it has 0 bytes."),
    HostileFile(
      name: "pipe", code: .notAFile, sentence: "“pipe” is not a file, but a folder or a device."),
    HostileFile(
      name: "/dev/zero", code: .notAFile,
      sentence: "“/dev/zero” is not a file, but a folder or a device."),
  ]

  /// Lays them into a folder, with one that the links lead to.
  static func lay(into person: Person) async throws {
    // Each ZIP has sixteen of the one before: all unpacked, 4 GiB.
    let packing = """
      import io, zipfile
      inner = bytes(16 << 20)
      for level in range(3):
          out = io.BytesIO()
          with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
              for number in range(16 if level else 1):
                  packed.writestr(f"{level}-{number}", inner)
          inner = out.getvalue()
      open("bomb.zip", "wb").write(inner)
      """
    let packed = try await Verifiers.python(["-c", packing], in: person.folder.path)
    #expect(packed.status == 0, "\(packed.all)")
    _ = try person.folder.file(odd, noise(100))
    _ = try person.folder.file("empty", [])
    let files = FileManager.default
    let elsewhere = person.path("elsewhere")
    try files.createDirectory(atPath: elsewhere, withIntermediateDirectories: false)
    _ = try person.folder.file("elsewhere/shot.png", noise(70_000, seed: 2))
    for (link, target) in [
      ("link", "elsewhere/shot.png"), ("loop", "loop"), ("dangling", "nowhere"),
      ("elsewhere/secret", person.passphraseFile),
    ] {
      try files.createSymbolicLink(atPath: person.path(link), withDestinationPath: target)
    }
    guard unsafe mkfifo(person.path("pipe"), 0o600) == 0 else { throw POSIXError(.EIO) }
  }
}

extension Person {
  fileprivate func place(of file: HostileFile) -> String {
    file.name.hasPrefix("/") ? file.name : path(file.name)
  }

  /// So many entries are there, with so many files, all of them whole, and nothing of any other.
  fileprivate func expectWhole(
    entries: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await opened { vault in
      let check = try await vault.check()
      #expect(check.findings == [], sourceLocation: sourceLocation)
      #expect(check.fileCount == entries, sourceLocation: sourceLocation)
      let kept = try await vault.entries(ofCase: nil)
      #expect(kept.count == entries, sourceLocation: sourceLocation)
      #expect(kept.allSatisfy { $0.standing == .open }, sourceLocation: sourceLocation)
    }
    #expect(try temporaryFiles() == [], sourceLocation: sourceLocation)
  }

  /// The bytes that come out again, and the name that they come under.
  fileprivate func extracted(_ id: String) async throws -> (name: String, bytes: Data) {
    let written = try await cairn("extract", id, "--output", "out")
    #expect(written.status == 0, "\(written.all)")
    let names = try FileManager.default.contentsOfDirectory(atPath: path("out"))
    let name = try #require(names.count == 1 ? names[0] : nil)
    let bytes = try Data(contentsOf: URL(filePath: path("out/" + name)))
    try FileManager.default.removeItem(atPath: path("out"))
    return (name, bytes)
  }
}

/// What goes into a vault.
@Suite struct `Attacks with files that are to be kept` {
  @Test func `Row 42: a file that is to be kept is hostile`() async throws {
    try await Row(
      42,
      "a hostile file: a zip bomb, links, empty, 4 GiB, odd names, unreadable, changed while read, a pipe"
    ).hold { row in
      let person = try await Person()
      try await HostileFile.lay(into: person)
      let stored = HostileFile.all.count { $0.code == nil }
      try await addInLibrary(person)
      try await growInLibrary(person)
      try await person.expectWhole(entries: stored)
      row.saw(.refused, .stored, at: .library)
      try await addWithProgram(person)
      try await addFolderWithProgram(person)
      try await refuseWithProgram(person)
      try await person.expectWhole(entries: 2 * stored)
      row.saw(.refused, .stored, at: .program)
      row.passes(.verifier, .independent, because: "it has no vault")
      row.passes(.folder, because: "what is kept is the vault’s")
    }
  }

  private func addInLibrary(_ person: Person) async throws {
    try await person.opened { vault in
      for file in HostileFile.all {
        var entry = words(file.name)
        entry.sources = [.file(path: person.place(of: file))]
        let outcome = try await vault.add([entry], toCase: nil)
        #expect(outcome.failure?.error.code == file.code, "\(file.name)")
        #expect(outcome.saved.count == (file.code == nil ? 1 : 0), "\(file.name)")
      }
      var folder = words("a folder")
      folder.sources = [.file(path: person.path("elsewhere"))]
      let refused = try await vault.add([folder], toCase: nil)
      #expect(refused.failure?.error.code == .notAFile && refused.saved.isEmpty)
      for kept in try await vault.entries(ofCase: nil) {
        let name = try #require(kept.content?.words)
        let file = try #require(kept.content?.attachments.first)
        #expect(file.name == Array(name.utf8), "the name is kept as it was")
        let original = try Data(contentsOf: URL(filePath: person.path(name)))
        #expect(file.size == UInt64(original.count))
        let output = person.path("out")
        let out = try await vault.extract(kept.id.base32, to: output).written
        let path = try #require(out.first?.path)
        #expect(URL(filePath: path).deletingLastPathComponent().path == output)
        #expect(!path.contains("\n") && !path.contains("\u{202E}"), "the name is harmless")
        #expect(try Data(contentsOf: URL(filePath: path)) == original, "\(name)")
        try FileManager.default.removeItem(atPath: output)
      }
    }
  }

  /// Somebody writes to it while it is read.
  private func growInLibrary(_ person: Person) async throws {
    try makeSparseFile(person.path("growing"), byteCount: 64 << 20)
    try await person.opened { vault in
      let handle = try FileHandle(forWritingTo: URL(filePath: person.path("growing")))
      try handle.seekToEnd()
      var entry = words("growing")
      entry.sources = [.file(path: person.path("growing"))]
      let outcome = try await vault.add([entry], toCase: nil) { (_) throws(VaultError) in
        do { try handle.write(contentsOf: Data([1])) } catch { throw VaultError(.inputOutput) }
      }
      #expect(outcome.failure?.error.code == .fileChanged)
      #expect(outcome.saved.isEmpty)
    }
  }

  private func addWithProgram(_ person: Person) async throws {
    for file in HostileFile.all {
      let added = try await person.cairn("add", file.name, "--json")
      #expect(added.status == (file.code == nil ? 0 : 1), "\(added.all)")
      #expect(!added.all.contains("\u{202E}"), "\(added.all)")
      guard file.code == nil else {
        #expect(try added.errorCode() == file.code?.rawValue, "\(added.all)")
        #expect(added.told.contains(file.sentence), "\(added.all)")
        continue
      }
      let saved = try added.json()["saved"] as? [[String: Any]]
      let id = try #require(saved?.first?["id"] as? String)
      let (name, bytes) = try await person.extracted(id)
      #expect(bytes == (try Data(contentsOf: URL(filePath: person.path(file.name)))))
      #expect(name == (file.name == HostileFile.odd ? "two_lines_gpj.exe" : file.name))
    }
    let listed = try await person.cairn("list")
    #expect(listed.output.contains(#"two\nlines\u{202E}gpj.exe"#), "\(listed.all)")
  }

  /// A folder stands for the files in it, and not for what links in it lead to.
  private func addFolderWithProgram(_ person: Person) async throws {
    let added = try await person.cairn("add", "elsewhere", "--json")
    #expect(added.status == 0, "\(added.all)")
    let object = try added.json()
    let passed = object["passedOver"] as? [[String: Any]] ?? []
    #expect(passed.map { $0["file"] as? String } == ["elsewhere/secret"])
    #expect(passed.map { $0["reason"] as? String } == ["link"])
    #expect((object["saved"] as? [Any])?.isEmpty == true, "\(object)")
    #expect((object["held"] as? [Any])?.count == 1, "\(object)")
  }

  /// What needs another process beside it, or a program that may do less.
  private func refuseWithProgram(_ person: Person) async throws {
    func add(_ name: String, through: [String]) async throws -> Finished {
      try await person.start(
        [
          "add", name, "--json", "--vault", person.vault, "--passphrase-file",
          person.passphraseFile,
        ], through: through
      ).finish()
    }
    // Root reads everything, so the program runs without the two capabilities that let it.
    _ = try person.folder.file("locked", noise(100))
    try FileManager.default.setAttributes(
      [.posixPermissions: 0], ofItemAtPath: person.path("locked"))
    let dropped = "-dac_override,-dac_read_search"
    let locked = try await add(
      "locked",
      through: getuid() == 0
        ? ["/usr/bin/setpriv", "--bounding-set", dropped, "--inh-caps", dropped] : [])
    #expect(try locked.isRefusal("fileUnreadable"), "\(locked.all)")

    let writer = try Running(
      ["/bin/sh", "-c", "while :; do printf x >> growing; sleep 0.01; done"],
      in: person.folder.path, environment: person.environment)
    let grown = try await add("growing", through: [])
    writer.send(SIGTERM)
    _ = try await writer.finish()
    #expect(try grown.isRefusal("fileChanged"), "\(grown.all)")

    // More than 4 GiB, where there is room for a part of it only.
    try makeSparseFile(person.path("large"), byteCount: 4 << 30 + 1)
    let large = try await add("large", through: ["/usr/bin/prlimit", "--fsize=\(32 << 20)"])
    #expect(try large.isRefusal("diskFull"), "\(large.all)")
  }

  /// Reads, seals and writes it several times, which is why it has to be asked for.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["CAIRN_EXHAUSTIVE"] != nil))
  func `a file of more than 4 GiB comes out as it went in`() async throws {
    let person = try await Person()
    try makeSparseFile(person.path("large"), byteCount: 4 << 30 + 70_001)
    let handle = try FileHandle(forWritingTo: URL(filePath: person.path("large")))
    try handle.seek(toOffset: 4 << 30 - 100)
    try handle.write(contentsOf: Data(noise(70_000)))
    try handle.close()
    let added = try await person.cairn("add", "large", "--json")
    #expect(added.status == 0, "\(added.all)")
    try await person.expectWhole(entries: 1)
    let entry = try #require(try await person.entries().first?["id"] as? String)
    let written = try await person.cairn("extract", entry, "--output", "out")
    #expect(written.status == 0, "\(written.all)")
    let compared = try ChildProcess.run(
      ["/usr/bin/cmp", person.path("large"), person.path("out/large")], withErrors: true)
    #expect(compared.status == 0, "\(compared.output)")
  }
}
