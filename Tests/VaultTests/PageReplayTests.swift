import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Each page of the database is authentic by itself, so that an older one can be put back among newer ones.
/// Whatever it holds: opening tells of it, or `check`, or nothing that is shown is another than before.
@Suite struct `An older page put back into the database` {
  static let changes = [
    "an entry", "a retraction", "an addition with tags", "files", "an erasure", "many entries",
  ]

  @Test(arguments: changes)
  func `is told, or shows nothing else`(change: String) async throws {
    let survivor = try await SurvivorWithKit()
    var vault = survivor.vault
    let ids = try await Self.fill(vault, survivor.device)
    try await vault.close()
    let folder = VaultFolder(path: survivor.device.path)
    let before = try folder.database()
    vault = try survivor.device.open(kit: survivor.kit())
    try await Self.make(change, of: ids, in: vault, survivor.device)
    try await vault.close()
    try await expectTold(before, folder) { try survivor.device.open(kit: survivor.kit()) }
  }

  @Test func `is told where others send entries, keys and files`() async throws {
    let survivor = try await SurvivorWithKit()
    let ids = try await Self.fill(survivor.vault, survivor.device)
    // By the words, since it is opened for each page that changed.
    let kitWords = try RecoveryKit.make().words
    let (device, vault) = try await survivor.admitAdvocate(kitWords: kitWords)
    try await survivor.vault.meet(survivor.shared)
    try await vault.meet(survivor.shared)
    try await vault.close()
    let folder = VaultFolder(path: device.path)
    let before = try folder.database()
    var again = try device.open()
    for change in Self.changes.dropLast(2) {
      try await Self.make(change, of: ids, in: survivor.vault, survivor.device)
    }
    for _ in 0..<2 {
      try await survivor.vault.meet(survivor.shared)
      try await again.meet(survivor.shared)
    }
    try await again.close()
    again = try device.open()
    #expect(try await again.check().findings == [])
    try await again.close()
    try await expectTold(before, folder) { try device.open(kit: .typed(kitWords)) }
  }

  // MARK: - What is done to a vault

  private static func fill(_ vault: OpenVault, _ device: VaultFixture) async throws -> [EntryID] {
    var ids: [EntryID] = []
    for number in 0..<12 {
      var content = EntryContent()
      content.words = "Message \(number) says tamarind and word\(number)."
      content.tags = ["tag\(number % 3)"]
      content.place = "somewhere"
      ids.append(try await vault.append(content, as: .evidence, toCase: nil))
    }
    let large = try device.folder.file("first.bin", noise(150_000, seed: 1))
    let small = try device.folder.file("first.txt", noise(2000, seed: 2))
    for path in [large, small] {
      let new = NewEntry(source: .file(path: path), content: EntryContent())
      ids.append(try await vault.add([new], toCase: nil).saved[0].id)
    }
    return ids
  }

  private static func make(
    _ change: String, of ids: [EntryID], in vault: OpenVault, _ device: VaultFixture
  ) async throws {
    device.clock.advance(100)
    var content = EntryContent()
    switch change {
    case "an entry":
      content.words = "One more tamarind."
      _ = try await vault.append(content, as: .evidence, toCase: nil)
    case "a retraction":
      content.about = [ids[1]]
      _ = try await vault.append(content, as: .retract, toCase: nil)
    case "an addition with tags":
      content.about = [ids[2]]
      content.tags = ["added"]
      content.words = "More about the tamarind."
      _ = try await vault.append(content, as: .amend, toCase: nil)
    case "files":
      let large = try device.folder.file("new.bin", noise(140_000, seed: 3))
      let small = try device.folder.file("new.txt", noise(3000, seed: 4))
      let new = [large, small].map { NewEntry(source: .file(path: $0), content: EntryContent()) }
      _ = try await vault.add(new, toCase: nil)
    case "an erasure":
      _ = try await vault.erase([ids[3].base32, ids[12].base32, ids[13].base32])
    default:
      for number in 0..<40 {
        content.words = "Letter \(number) with tamarind, " + String(repeating: "said ", count: 60)
        content.tags = ["letter"]
        _ = try await vault.append(content, as: .evidence, toCase: nil)
      }
    }
  }

  // MARK: - What is told

  private func expectTold(
    _ before: [UInt8], _ folder: VaultFolder, open: () throws -> OpenVault
  ) async throws {
    let now = try folder.snapshot()
    let database = try folder.database()
    var vault = try open()
    let truth = try await Answers(vault, in: folder.path)
    #expect(try await vault.check(.full).findings == [])
    try await vault.close()
    let size = 4096
    var tried = 0
    for page in 0..<min(before.count, database.count) / size {
      let range = page * size..<(page + 1) * size
      guard before[range] != database[range] else { continue }
      tried += 1
      try folder.restore(now)
      try folder.put(Array(before[range]), at: range.lowerBound)
      do { vault = try open() } catch { continue }
      let told = try await Self.tells(vault)
      if !told {
        do {
          #expect(try await Answers(vault, in: folder.path) == truth, "page \(page + 1)")
        } catch is VaultError {}
      }
      do { try await vault.close() } catch { continue }
    }
    #expect(tried > 5)
  }

  private static func tells(_ vault: OpenVault) async throws -> Bool {
    guard await vault.standing == .sound else { return true }
    do {
      return try await vault.check(.full).findings.contains { finding in
        if case .contentUnlisted = finding { return true }
        return finding.isDamage
      }
    } catch {
      return true
    }
  }
}

/// What a vault says to all that is asked of it.
private struct Answers: Equatable {
  var listed: [EntrySummary] = []
  var details: [EntryDetail] = []
  var found: [[EntryID]] = []
  var files: [EntryID: [[UInt8]]] = [:]

  init(_ vault: OpenVault, in folder: String) async throws {
    for name in try await vault.cases().map(\.name) {
      listed += try await vault.entries(ofCase: name)
    }
    for entry in listed { details.append(try await vault.entry(entry.id.base32)) }
    for word in ["tamarind", "word3", "letter", "more", "first", "new"] {
      found.append(try await Self.ids(vault) { $0.text = try SearchWords(typed: word) })
    }
    for tag in ["tag1", "added", "letter"] {
      found.append(try await Self.ids(vault) { $0.tags = [tag] })
    }
    found.append(try await Self.ids(vault) { $0.hasFile = true })
    found.append(try await Self.ids(vault) { $0.place = "somewhere" })
    found.append(try await Self.ids(vault) { $0.states = [.open] })
    let out = folder + "-out"
    for detail in details where !detail.presentAttachments.isEmpty {
      defer { do { try FileManager.default.removeItem(atPath: out) } catch {} }
      let extraction = try await vault.extract(detail.summary.id.base32, to: out)
      files[detail.summary.id] = try extraction.written.map {
        [UInt8](try Data(contentsOf: URL(filePath: $0.path)))
      }
    }
  }

  private static func ids(
    _ vault: OpenVault, _ change: (inout EntryQuery) throws -> Void
  ) async throws -> [EntryID] {
    var query = EntryQuery(.allCases)
    try change(&query)
    return try await vault.entries(matching: query).entries.map(\.id)
  }
}

/// The files of a closed vault, written in place, so that the anchor finds the database where it was.
private struct VaultFolder {
  let path: String

  func database() throws -> [UInt8] { try read("vault.db") }

  private func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name)))
  }

  func snapshot() throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in ["vault.db", "anchor", "keys", "keys.bak"] { files[name] = try read(name) }
    return files
  }

  func restore(_ files: [String: [UInt8]]) throws {
    for name in ["vault.db-wal", "vault.db-shm"]
    where FileManager.default.fileExists(atPath: path + "/" + name) {
      try FileManager.default.removeItem(atPath: path + "/" + name)
    }
    for (name, bytes) in files { try overwrite(path + "/" + name, with: bytes) }
  }

  func put(_ bytes: [UInt8], at offset: Int) throws {
    let handle = try FileHandle(forUpdating: URL(filePath: path + "/vault.db"))
    try handle.seek(toOffset: UInt64(offset))
    try handle.write(contentsOf: bytes)
    try handle.close()
  }
}
