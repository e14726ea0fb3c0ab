import BundleCheck
import Cryptography
import Foundation
import Vault

/// Small files that somebody handed over: cards, invitations, keys, the words of a kit.
enum SmallFile {
  /// The content of a file; nil if it is larger than `limit`, which nothing of ours is.
  static func read(_ path: String, limit: Int) throws -> [UInt8]? {
    guard try FileCheck(path: path).size <= UInt64(limit) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(VaultError(.fileUnreadable), subject: SafeText.quoted(path))
    }
    return [UInt8](data)
  }

  /// The content of a file with a secret, byte by byte into locked memory; nil if it is larger than
  /// `limit`.
  static func readSecret(_ path: String, limit: Int) throws -> LockedBytes? {
    // For what it says of a file that is none.
    guard try FileCheck(path: path).size <= UInt64(limit) else { return nil }
    do throws(SecretFile.Problem) { return try SecretFile.read(path, limit: limit) } catch {
      switch error {
      case .unreadable: throw Failure(VaultError(.fileUnreadable), subject: SafeText.quoted(path))
      case .tooLong: return nil
      case .outOfMemory: throw CryptographyError.outOfMemory
      }
    }
  }
}
