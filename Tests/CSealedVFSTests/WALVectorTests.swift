import GRDB
import Support
import Testing

/// Vectors of `Protocol/Vectors/wal` (`Protocol/VaultFiles.md`): what SQLite reads of a page whose newest copy is in the
/// log, as long as each unit of that opens.
@Suite struct WALVectorTests {
  @Test(arguments: try ProtocolVector.all("wal"))
  func wal(_ vector: ProtocolVector) throws {
    let vault = try TemporaryVault(
      Files(database: try vector.bytes("database"), wal: try vector.bytes("input")))
    #expect(
      vault.provide(key: try vector.bytes("key"), vaultID: try vector.bytes("vault"))
        == .SQLITE_OK)
    let queue = try vault.open()
    let version = try queue.int("PRAGMA user_version")
    #expect(try version == vector.field("version", Int.self))
    #expect((version == 2 ? "ok" : "locked") == vector.expected)
    #expect(try queue.string("PRAGMA integrity_check") == "ok")
  }
}
