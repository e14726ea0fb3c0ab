import CaseLog
import Cryptography
import Foundation
import Support
import VerifiableLog

@testable import Vault

/// A vault with words, files in the database and files of their own, closed, and what was put into it.
struct FilledVault {
  let fixture: VaultFixture
  let keys: VaultKeys
  let vaultID: [UInt8]
  /// By entry.
  let words: [EntryID: String]
  /// SHA-256 of files by entry.
  let files: [EntryID: Bytes32]

  static let largeSize: UInt64 = 400_000
  static let longWords = String(repeating: "Nothing of this is meant to be short. ", count: 400)

  var path: String { fixture.path }
  var database: String { path + "/vault.db" }

  init() async throws {
    fixture = try VaultFixture()
    let vault = try await fixture.create()
    var words: [EntryID: String] = [:]
    var files: [EntryID: Bytes32] = [:]
    var entries: [NewEntry] = []
    var hashes: [Bytes32?] = []
    for index in 0..<40 {
      var content = EntryContent()
      content.words = "entry \(index) " + (index % 10 == 3 ? Self.longWords : "in a few words")
      var source: NewEntry.Source?
      var hash: Bytes32?
      if index % 5 == 0 {
        let size = index % 20 == 0 ? Int(Self.largeSize) + index : 9000 + 1000 * index
        let bytes = noise(size, seed: UInt64(index) + 1)
        source = .file(path: try fixture.folder.file("file-\(index).png", bytes))
        hash = SHA256Hash.hash(bytes)
      }
      entries.append(NewEntry(source: source, content: content))
      hashes.append(hash)
    }
    let saved = try await vault.add(entries, toCase: nil).saved
    for item in saved {
      words[item.id] = entries[item.index].content.words
      files[item.id] = hashes[item.index]
    }
    keys = await vault.keys
    vaultID = await vault.vaultID
    try await vault.close()
    self.words = words
    self.files = files
  }

  func pageCount() throws -> Int {
    (try FileManager.default.attributesOfItem(atPath: database)[.size] as? Int ?? 0) / 4096
  }

  /// A copy of the vault's folder, to be damaged.
  func copy() throws -> String {
    let copy = fixture.folder.path + "/copy-" + UUID().uuidString
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    return copy
  }

  /// Salvages without deriving keys anew.
  func salvage(_ folder: String) throws -> Salvaged {
    try Salvaged(
      Salvage(
        SalvagedLocks(
          files: VaultFiles(folder: folder), keys: keys, vaultID: vaultID, state: .first)))
  }
}

/// What came out.
struct Salvaged {
  let folder: TemporaryFolder
  let outcome: SalvageOutcome
  let entries: [SalvagedEntry]
  let files: [SalvagedEntry.File]

  init(_ salvage: Salvage, withErasedElsewhere: Bool = false) throws {
    folder = try TemporaryFolder()
    var entries: [SalvagedEntry] = []
    var files: [SalvagedEntry.File] = []
    try salvage.run(
      to: folder.path, withErasedElsewhere: withErasedElsewhere,
      onEntry: { (entry) throws(VaultError) in entries.append(entry) },
      onFile: { (file) throws(VaultError) in files.append(file) })
    self.entries = entries
    self.files = files
    outcome = salvage.outcome
  }

  var words: [String] { entries.compactMap { $0.content?.words } }

  func bytes(of file: SalvagedEntry.File) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: folder.path + "/" + (file.path ?? ""))))
  }
}

func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
  var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
  body(&bytes)
  try Data(bytes).write(to: URL(filePath: path))
}
