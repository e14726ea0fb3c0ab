import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Writing out what a disk has lost a part of, and beside what is there already.
@Suite struct `Extracting from a disk that fails, and to places that are taken` {
  private func picture(_ number: UInt64) -> [UInt8] { noise(300_000, seed: 40 + number) }

  /// One entry with three files, or three entries with one each.
  private func kept(
    together: Bool
  ) async throws -> (fixture: VaultFixture, vault: OpenVault, entries: [EntryID]) {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let sources = try (0..<3).map {
      NewEntry.Source.file(
        path: try fixture.folder.file("\($0).png", picture(UInt64($0))))
    }
    let entries =
      together
      ? [NewEntry(sources: sources, content: EntryContent())]
      : sources.map { NewEntry(source: $0, content: EntryContent()) }
    let outcome = try await vault.add(entries, toCase: nil)
    return (fixture, vault, outcome.saved.map(\.id))
  }

  private func blobs(of entry: EntryID, in vault: OpenVault) async throws -> [String] {
    let content = try #require(try await vault.entry(entry.base32).summary.content)
    let store = await vault.blobs
    return content.attachments.compactMap { $0.blob.map { store.path(of: $0.root) } }
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  @Test(arguments: [true, false])
  func `a file of an entry that is damaged or lost keeps none of the others in`(
    isLost: Bool
  ) async throws {
    let (fixture, vault, entries) = try await kept(together: true)
    let path = try await blobs(of: entries[0], in: vault)[1]
    if isLost {
      try FileManager.default.removeItem(atPath: path)
    } else {
      var sealed = try bytes(path)
      sealed[100_000] ^= 1
      try overwrite(path, with: sealed)
    }
    let out = fixture.folder.path + "/out"
    let extraction = try await vault.extract(entries[0].base32, to: out)
    #expect(extraction.written.map(\.path) == [out + "/0.png", out + "/2.png"])
    #expect(extraction.damaged == (isLost ? [] : [1]))
    #expect(extraction.lost == (isLost ? [1] : []))
    #expect(extraction.lack == (isLost ? .contentLost : .contentDamaged))
    #expect(try bytes(out + "/2.png") == picture(2))
    #expect(try FileManager.default.contentsOfDirectory(atPath: out).count == 2)
  }

  @Test func `of a case, what cannot be read stops nothing`() async throws {
    let (fixture, vault, entries) = try await kept(together: false)
    let path = try await blobs(of: entries[1], in: vault)[0]
    // Not to be opened as what it was.
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
    let states = try await states(ofAllIn: vault, to: fixture.folder.path + "/out")
    #expect(states == [.written, .damaged, .written])
  }

  #if os(Linux)
    @Test func `of a case, a place that the disk does not give stops nothing`() async throws {
      let (fixture, vault, entries) = try await kept(together: false)
      let path = VaultFiles.resolved(try await blobs(of: entries[1], in: vault)[0])
      let states = try await states(ofAllIn: vault, to: fixture.folder.path + "/out") {
        // Reading from this one fails.
        _ = putInPlace(of: path, unsafe open("/dev/null", O_WRONLY | O_CLOEXEC))
      }
      #expect(states == [.written, .damaged, .written])
    }
  #endif

  @Test func `of a case, a lost file is not told as one that has not come`() async throws {
    let (fixture, vault, entries) = try await kept(together: false)
    try FileManager.default.removeItem(atPath: try await blobs(of: entries[1], in: vault)[0])
    let states = try await states(ofAllIn: vault, to: fixture.folder.path + "/out")
    #expect(states == [.written, .damaged, .written])
  }

  private func states(
    ofAllIn vault: OpenVault, to folder: String, onBytes: @escaping @Sendable () -> Void = {}
  ) async throws -> [ExtractedEntry.FileState] {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    return try await Self.all(of: vault, to: folder, onBytes)
  }

  private static func all(
    of vault: isolated OpenVault, to folder: String, _ onBytes: @escaping @Sendable () -> Void
  ) throws -> [ExtractedEntry.FileState] {
    var states: [ExtractedEntry.FileState] = []
    try vault.extractAll(
      ofCase: nil, to: folder, onBytes: { (_) throws(VaultError) in onBytes() },
      onEntry: { (entry) throws(VaultError) in states += entry.files.map(\.state) })
    return states
  }

  @Test func `a link that leads nowhere now is somebody's all the same`() async throws {
    let (fixture, vault, entries) = try await kept(together: false)
    let out = fixture.folder.path + "/out"
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: out + "/0.png", withDestinationPath: "/none/of/this")
    let extraction = try await vault.extract(entries[0].base32, to: out)
    #expect(extraction.written.map(\.path) == [out + "/0-2.png"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: out + "/0.png") == "/none/of/this")
  }

  /// A stick has another file system than the disk from which a file came.
  @Test(arguments: [
    ("Screenshot 12:30:05.png", "Screenshot 12_30_05.png"),
    ("a\"b*c<d>e?f|g.txt", "a_b_c_d_e_f_g.txt"),
    ("ends with a dot.", "ends with a dot_"), ("or a space ", "or a space_"),
    ("../../etc/passwd", "_._.._etc_passwd"), ("line\nbreak\u{202e}gpj.exe", "line_break_gpj.exe"),
  ])
  func `a name is one that any disk takes`(name: String, expected: String) {
    #expect(SafeName.make(Array(name.utf8), fallback: "file") == expected)
  }

  @Test func `a long name keeps its ending`() {
    let name = String(repeating: "ä", count: 120) + ".jpeg"
    let made = SafeName.make(Array(name.utf8), fallback: "file")
    #expect(made.hasSuffix("ä.jpeg"))
    #expect(made.utf8.count <= 200)
    let ending = SafeName.make(
      Array(("a." + String(repeating: "b", count: 300)).utf8), fallback: "file")
    #expect(ending.utf8.count == 200)
  }
}
