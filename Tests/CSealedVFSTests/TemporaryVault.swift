import CSealedVFS
import Foundation
import GRDB

let pageSize = 4096
let walHeaderSize = 72
let frameSize = 4160

/// A database in a folder of its own, its key provided; both go when it does.
final class TemporaryVault {
  let folder: URL
  let path: String
  private let ownsFolder: Bool
  var walPath: String { path + "-wal" }

  convenience init(_ files: Files? = nil, key: UInt8 = 1) throws {
    let name = "cairn-\(UUID().uuidString)"
    let folder = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.init(folder: folder, key: key, ownsFolder: true)
    if let files { try write(files) }
  }

  /// One that another process made, and removes.
  convenience init(inheriting folder: String) {
    self.init(folder: URL(filePath: folder), key: 1, ownsFolder: false)
  }

  private init(folder: URL, key: UInt8, ownsFolder: Bool) {
    self.folder = folder
    self.path = folder.appending(path: "vault.db").path
    self.ownsFolder = ownsFolder
    precondition(cairn_sealed_register() == 0)
    precondition(provide(key: key) == .SQLITE_OK)
  }

  deinit {
    forgetKey()
    if ownsFolder { try? FileManager.default.removeItem(at: folder) }
  }

  func provide(key: UInt8, vaultID: UInt8 = 2) -> ResultCode {
    provide(
      key: [UInt8](repeating: key, count: 32), vaultID: [UInt8](repeating: vaultID, count: 16))
  }

  func provide(key: [UInt8], vaultID: [UInt8]) -> ResultCode {
    ResultCode(rawValue: unsafe cairn_sealed_provide_key(path, key, vaultID))
  }

  func forgetKey() { unsafe cairn_sealed_forget_key(path) }

  /// As the vault opens it, except that nothing is checkpointed before it is asked for.
  func open(
    _ first: String = "", synchronous: String = "FULL", parameters: String = ""
  ) throws -> DatabaseQueue {
    try DatabaseQueue(
      path: "file:\(path)?vfs=cairn-sealed\(parameters)",
      configuration: sealed(first, synchronous: synchronous))
  }

  func sealed(_ first: String = "", synchronous: String = "FULL") -> Configuration {
    var configuration = Configuration()
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          \(first);
          PRAGMA synchronous = \(synchronous);
          PRAGMA wal_autocheckpoint = 0
          """)
    }
    return configuration
  }

  var fileNames: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }
}

/// What a disk holds of a database.
struct Files {
  var database: [UInt8] = []
  var wal: [UInt8]?
}

extension TemporaryVault {
  /// Closing a file drops the process's locks on it: only for vaults that one process uses.
  func read() throws -> Files {
    Files(
      database: [UInt8](try Data(contentsOf: URL(filePath: path))),
      wal: (try? Data(contentsOf: URL(filePath: walPath))).map { [UInt8]($0) })
  }

  func write(_ files: Files) throws {
    try Data(files.database).write(to: URL(filePath: path))
    if let wal = files.wal {
      try Data(wal).write(to: URL(filePath: walPath))
    } else if FileManager.default.fileExists(atPath: walPath) {
      try FileManager.default.removeItem(atPath: walPath)
    }
  }

  /// Changes bytes of a file that may be open.
  func overwrite(_ path: String, at offset: Int, with bytes: some Sequence<UInt8>) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }
}

/// The extended result code that `body` fails with; OK if it does not.
func resultCode(_ body: () throws -> Void) -> ResultCode {
  do {
    try body()
    return .SQLITE_OK
  } catch let error as DatabaseError {
    return error.extendedResultCode
  } catch {
    preconditionFailure("\(error)")
  }
}

extension DatabaseWriter {
  func run(_ sql: String) throws {
    try writeWithoutTransaction { db in try db.execute(sql: sql) }
  }

  func int(_ sql: String) throws -> Int? {
    try writeWithoutTransaction { db in try Int.fetchOne(db, sql: sql) }
  }

  func string(_ sql: String) throws -> String? {
    try writeWithoutTransaction { db in try String.fetchOne(db, sql: sql) }
  }
}

/// Rows of `size` random bytes each, as one statement.
func insertRows(_ count: Int, of size: Int = 100) -> String {
  """
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
  INSERT INTO item(bytes) SELECT randomblob(\(size)) FROM n
  """
}

let createItems = "CREATE TABLE item(id INTEGER PRIMARY KEY, bytes BLOB)"
