import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct `Salvage of files out of all measure` {
  private func salvage(_ vault: FilledVault, _ path: String) throws -> Salvage {
    try Salvage(
      SalvagedLocks(
        files: VaultFiles(folder: path), keys: vault.keys, vaultID: vault.vaultID, state: .first))
  }

  @Test func `a database of as many pages as there are numbers is read from its beginning`()
    async throws
  {
    let vault = try await FilledVault()
    let copy = try vault.copy()
    // As large as the file system lets it be.
    let sizes: [off_t] = [1 << 44, (1 << 44) - 4096, 1 << 42]
    let size = sizes.first { unsafe truncate(copy + "/vault.db", $0) == 0 }
    _ = try #require(size)
    let salvage = try salvage(vault, copy)
    #expect(salvage.size() > 1 << 41)
    let folder = try TemporaryFolder()
    var count = 0
    #expect(throws: VaultError(.cancelled)) {
      try salvage.run(
        to: folder.path,
        onBytes: { (_) throws(VaultError) in
          count += 1
          if count == 200 { throw VaultError(.cancelled) }
        }, onEntry: { (_) throws(VaultError) in },
        onFile: { (_) throws(VaultError) in })
    }
    #expect(count == 200)
  }

  @Test func `a log that goes on without end costs no more than its beginning`() async throws {
    let vault = try await FilledVault()
    let copy = try vault.copy()
    #expect(FileManager.default.createFile(atPath: copy + "/vault.db-wal", contents: Data([1])))
    try #require(unsafe truncate(copy + "/vault.db-wal", 1 << 40) == 0)
    let salvaged = try vault.salvage(copy)
    #expect(Set(salvaged.words) == Set(vault.words.values))
    #expect(salvaged.outcome.database.framesLost > 1 << 20)
    #expect(salvaged.outcome.isIncomplete)
  }

  @Test func `a log that is a link or a folder is told, and the rest comes out`() async throws {
    let vault = try await FilledVault()
    for isLink in [true, false] {
      let copy = try vault.copy()
      let log = copy + "/vault.db-wal"
      if isLink {
        try FileManager.default.createSymbolicLink(
          atPath: log, withDestinationPath: copy + "/vault.db")
      } else {
        try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: false)
      }
      let salvaged = try vault.salvage(copy)
      #expect(Set(salvaged.words) == Set(vault.words.values))
      #expect(salvaged.outcome.database.isLogUnreadable)
      #expect(salvaged.outcome.isIncomplete)
    }
  }
}
