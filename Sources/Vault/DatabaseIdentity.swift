internal import CSealedVFS

extension VaultFiles {
  /// What stays with the database's file where it lies, and a copy of it does not have. By name: opening and
  /// closing the file beside SQLite would drop SQLite's locks on it (POSIX).
  func databaseIdentity() throws(VaultError) -> UInt64 {
    var identity: UInt64 = 0
    let status = unsafe cairn_file_identity(database, &identity)
    guard status == 0 else { throw .ofSystem(reading: status) }
    return identity
  }
}
