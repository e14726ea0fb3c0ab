import CaseLog
import Cryptography
import Foundation
import Support
import Synchronization
import Testing
import VerifiableLog

@testable import Vault

/// A clock that only moves when a test moves it.
final class TestClock: Sendable {
  private let seconds: Mutex<UInt64>
  init(_ seconds: UInt64 = 1_700_000_000) { self.seconds = Mutex(seconds) }
  var now: UInt64 { seconds.withLock { $0 } }
  func advance(_ by: UInt64) { seconds.withLock { $0 &+= by } }
}

/// A vault of a test's own, at the least cost that the program allows.
struct VaultFixture {
  static let passphrase = "correct horse battery staple"
  let folder: TemporaryFolder
  let clock: TestClock
  let surroundings: Surroundings
  var path: String { folder.path + "/vault" }

  init(machine: String = "a machine") throws {
    folder = try TemporaryFolder()
    let clock = TestClock()
    self.clock = clock
    surroundings = Surroundings(now: { clock.now }, machine: Array(machine.utf8))
  }

  func create() async throws -> OpenVault { try await create(kit: try RecoveryKit.make()) }

  func create(kit: borrowing RecoveryKit) async throws -> OpenVault {
    try OpenVault.create(
      at: path, passphrase: try locked(Self.passphrase), kit: kit, cost: .least,
      surroundings: surroundings)
  }

  func open(_ passphrase: String = VaultFixture.passphrase) throws -> OpenVault {
    try OpenVault(
      opening: path, passphrase: try locked(passphrase), surroundings: surroundings)
  }
}

extension VaultFixture {
  func open(kit: borrowing RecoveryKit) throws -> OpenVault {
    try OpenVault(opening: path, kit: kit, surroundings: surroundings)
  }

  func data(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name)))
  }

  /// Puts an older database back in place, so that its inode stays.
  func putBack(_ database: Data) throws {
    try overwrite(path + "/vault.db", with: [UInt8](database))
  }
}

/// Locks with other bytes in them, as whoever can write to the folder can make them.
func resealed(_ locks: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
  var bytes = locks
  change(&bytes)
  bytes.replaceSubrange(4064..<4096, with: Domain.keysFile.hash(Array(bytes[0..<4064])).bytes)
  return bytes
}
