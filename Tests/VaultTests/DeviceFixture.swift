import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Synchronization
import Testing
import VerifiableLog

@testable import Vault

/// A survivor with a recovery kit, her first device, and folders.
final class SurvivorWithKit: Sendable {
  let kitWords: [String]
  let device: VaultFixture
  let vault: OpenVault
  let shared: TemporaryFolder
  let own: TemporaryFolder
  /// Whatever vaults a test makes stay as long as the survivor does.
  private let others = Mutex<[VaultFixture]>([])

  init(_ entries: [NewEntry] = []) async throws {
    let kit = try RecoveryKit.make()
    kitWords = kit.words
    device = try VaultFixture(machine: "first")
    shared = try TemporaryFolder()
    own = try TemporaryFolder()
    vault = try await device.create(kit: kit)
    _ = try await vault.add(entries, toCase: nil)
  }

  func fixture(_ machine: String) throws -> VaultFixture {
    let fixture = try VaultFixture(machine: machine)
    others.withLock { $0.append(fixture) }
    return fixture
  }

  func kit() throws -> RecoveryKit { try .typed(kitWords) }

  /// A further device, from what is in a folder.
  func recover(
    _ machine: String, from folder: TemporaryFolder? = nil
  ) async throws -> (VaultFixture, OpenVault) {
    let fixture = try fixture(machine)
    let kit = try kit()
    let found = try OpenVault.findCase(in: (folder ?? shared).path, kit: kit)
    let vault = try OpenVault.create(
      at: fixture.path, passphrase: try locked(VaultFixture.passphrase), kit: kit, cost: .least,
      recovering: found, named: "default", surroundings: fixture.surroundings)
    return (fixture, vault)
  }

  /// An advocate who has joined; the case is called "theirs" there.
  func admitAdvocate(
    _ machine: String = "advocate", by device: OpenVault? = nil, kitWords: [String]? = nil
  ) async throws -> (VaultFixture, OpenVault) {
    let fixture = try fixture(machine)
    let kit = try RecoveryKit.typed(try kitWords ?? RecoveryKit.make().words)
    let theirs = try await fixture.create(kit: kit)
    let card = try await theirs.makeCard()
    let shared = try await (device ?? vault).share(
      caseNamed: nil, with: card.text, words: card.words)
    _ = try await theirs.join(shared.invitation, words: shared.caseWords, name: "theirs")
    return (fixture, theirs)
  }
}

extension SurvivorWithKit {
  /// A phone, and a tablet of which it does not know: the phone removes a laptop, and what it says then, "two", it says
  /// under keys that the tablet gets from nobody.
  static func withUnknownTablet() async throws -> (SurvivorWithKit, OpenVault, OpenVault) {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    try await phone.meet(survivor.own, own: true)
    let laptop = try await survivor.recover("laptop", from: survivor.own).1
    for vault in [laptop, phone] { try await vault.meet(survivor.own, own: true) }
    let tablet = try await survivor.recover("tablet", from: survivor.own).1
    _ = try await phone.remove(laptop.name(), fromCase: nil)
    _ = try await phone.add([words("two")], toCase: nil)
    return (survivor, phone, tablet)
  }
}

extension RecoveryKit {
  static func typed(_ words: [String]) throws -> RecoveryKit {
    try Array(words.joined(separator: " ").utf8).withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
  }
}

extension VaultFixture {
  /// The same vault's folder on another machine.
  func copied(to machine: String) throws -> VaultFixture {
    let copy = try VaultFixture(machine: machine)
    try FileManager.default.copyItem(atPath: path, toPath: copy.path)
    return copy
  }
}

extension OpenVault {
  @discardableResult
  func meet(_ folder: TemporaryFolder, own: Bool = false) throws -> SyncOutcome {
    let name = try cases().first { $0.name == "theirs" }?.name
    return try sync(
      caseNamed: name, mailbox: folder.path, audience: own ? .ownDevices : .everyone)
  }

  func texts() throws -> Set<String> {
    let name = try cases().first { $0.name == "theirs" }?.name
    return Set(
      try entries(ofCase: name).filter { $0.standing == .open }.compactMap { $0.content?.words })
  }

  func hash() throws -> Bytes32 {
    try stateHash(ofCase: try cases().first { $0.name == "theirs" }?.name)
  }
}
