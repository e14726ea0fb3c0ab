internal import CaseLog
internal import Cryptography
internal import Foundation
internal import GRDB
internal import VerifiableLog

extension [UInt8] {
  /// For SQLite, which takes its blobs as `Data`.
  var data: Data { Data(self) }
}

extension Row {
  func bytes(_ column: String) -> [UInt8] {
    let data: Data = self[column]
    return [UInt8](data)
  }

  func hasValue(_ column: String) -> Bool {
    let value: DatabaseValue = self[column]
    return !value.isNull
  }

  func bytesIfAny(_ column: String) -> [UInt8]? {
    let data: Data? = self[column]
    return data.map { [UInt8]($0) }
  }

  func bytes32(_ column: String) throws -> Bytes32 {
    guard let value = Bytes32(bytes(column)) else { throw VaultError(.databaseDamaged) }
    return value
  }

  func identifier<ID: Identifier32>(_ column: String) throws -> ID { ID(try bytes32(column)) }

  func number(_ column: String) -> UInt64 {
    let value: Int64 = self[column]
    return UInt64(bitPattern: value)
  }
}

extension VaultError {
  /// What SQLite or one of our own libraries threw, as the vault's own error.
  static func ofDatabase(_ error: any Error) -> VaultError {
    switch error {
    case let error as VaultError: return error
    case let error as DatabaseError:
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED: return VaultError(.inUse)
      case .SQLITE_FULL: return VaultError(.diskFull)
      // Aborted: an earlier statement of the same transaction found what it could not read.
      case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ABORT: return VaultError(.databaseDamaged)
      case .SQLITE_READONLY, .SQLITE_PERM: return VaultError(.notWritable)
      case .SQLITE_IOERR where !Self.tellsOfWriting(error): return VaultError(.databaseDamaged)
      // Its codes are none of the system's.
      default: return VaultError(.inputOutput)
      }
    case is CancellationError: return VaultError(.cancelled)
    case is CaseLogError, is CBORError, is CryptographyError: return VaultError(.databaseDamaged)
    default: return VaultError(.inputOutput)
    }
  }

  /// Of a disk that takes nothing more, or is gone, nobody may be told that her vault is damaged.
  private static func tellsOfWriting(_ error: DatabaseError) -> Bool {
    switch error.extendedResultCode {
    case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC, .SQLITE_IOERR_TRUNCATE,
      .SQLITE_IOERR_FSTAT, .SQLITE_IOERR_DELETE, .SQLITE_IOERR_CLOSE:
      true
    default: false
    }
  }
}
