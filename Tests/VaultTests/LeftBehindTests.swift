import CaseLog
import Foundation
import GRDB
import Support
import Testing

@testable import Vault

/// What was sealed for an entry that could not be added is gone when `add` returns, whatever failed.
@Suite struct LeftBehindTests {
  private let fixture: VaultFixture
  private let vault: OpenVault

  init() async throws {
    fixture = try VaultFixture()
    vault = try await fixture.create()
  }

  /// Two attachments that are too large for the database.
  private func entry() throws -> NewEntry {
    let paths = try (1...2).map {
      try fixture.folder.file("\($0).bin", noise(100_000, seed: UInt64($0)))
    }
    return NewEntry(sources: paths.map { .file(path: $0) }, content: EntryContent())
  }

  /// Sealed files, finished or not.
  private func sealedFiles() throws -> [String] {
    let blobs = fixture.path + "/blobs"
    return try FileManager.default.subpathsOfDirectory(atPath: blobs).filter { name in
      let values = try URL(filePath: blobs + "/" + name).resourceValues(forKeys: [.fileSizeKey])
      return name.hasPrefix("tmp/") || values.fileSize ?? 0 > 65_536
    }
  }

  @Test func `when the database does not tell whether the case holds it already`() async throws {
    func rename(_ old: String, _ new: String) async throws {
      try await vault.database.queue.write { db in
        try db.execute(sql: "ALTER TABLE \(old) RENAME TO \(new)")
      }
    }
    let entry = try entry()
    try await rename("duplicate", "away")
    let failed = try await vault.add([entry], toCase: nil, options: AddOptions(skipsHeld: true))
    #expect(failed.failure?.index == 0 && failed.saved.isEmpty)
    #expect(try sealedFiles() == [])
    try await rename("away", "duplicate")
    let added = try await vault.add([entry], toCase: nil, options: AddOptions(skipsHeld: true))
    #expect(added.saved.count == 1)
    #expect(try sealedFiles().count == 2)
  }

  @Test func `when a sealed file cannot be given its name`() async throws {
    let letters = "abcdefghijklmnopqrstuvwxyz234567"
    let names = letters.flatMap { first in letters.map { "\(first)\($0)" } }
    let paths = names.map { fixture.path + "/blobs/" + $0 }
    for path in paths { try Data().write(to: URL(filePath: path)) }
    let entry = try entry()
    let failed = try await vault.add([entry], toCase: nil)
    #expect(failed.failure?.index == 0 && failed.saved.isEmpty)
    #expect(try sealedFiles() == [])
    for path in paths { try FileManager.default.removeItem(atPath: path) }
    #expect(try await vault.add([entry], toCase: nil).saved.count == 1)
    #expect(try sealedFiles().count == 2)
  }
}
