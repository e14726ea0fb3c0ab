import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

/// The vaults with which schedules begin, made once: one that has a case, and others that have not heard of it.
struct Cast {
  /// So many, so that keys and the order of their logs differ.
  static let variants: UInt64 = 4

  private struct Person {
    let name: String
    let owner: Device.Owner
    let kit: [String]
    let vault: FolderImage
  }

  let folder: String
  private var persons: [Person] = []

  static let names: [(name: String, owner: Device.Owner)] = [
    ("phone", .survivor), ("laptop", .survivor), ("tablet", .survivor), ("anna", .advocate),
    ("berta", .advocate),
  ]

  init(_ variant: UInt64, in folder: String) async throws {
    self.folder = folder
    Machine.draw(from: variant, .max)
    let ofSurvivor = try RecoveryKit.make().words
    for (name, owner) in Self.names {
      let kit = owner == .survivor ? ofSurvivor : try RecoveryKit.make().words
      let device = try Device(
        name: name, owner: owner, role: owner == .survivor ? .survivor : .advocate,
        place: folder + "/" + name, machine: name, kit: kit)
      try Files.removeTree(device.vaultPath)
      let vault = try OpenVault.create(
        at: device.vaultPath, passphrase: try Self.passphrase(), kit: RecoveryKit.typed(kit),
        cost: .least, surroundings: device.surroundings)
      try await vault.close()
      persons.append(
        Person(name: name, owner: owner, kit: kit, vault: try FolderImage(of: device.vaultPath)))
    }
  }

  /// Makes a vault and opens it, so that what a process makes only once is made. SQLite seeds its own random numbers
  /// once: the keys of the cast made first would be others than those of the same cast made later.
  static func warmUp(in folder: String) async throws {
    Machine.draw(from: 0, .max)
    let kit = try RecoveryKit.make().words
    let device = try Device(
      name: "first", owner: .survivor, role: .survivor, place: folder + "/first", machine: "first",
      kit: kit)
    try Files.removeTree(device.vaultPath)
    try await OpenVault.create(
      at: device.vaultPath, passphrase: passphrase(), kit: RecoveryKit.typed(kit), cost: .least,
      surroundings: device.surroundings
    ).close()
    _ = try await device.opened()
    try await device.close()
  }

  private static func passphrase() throws -> LockedBytes {
    try Array("correct horse battery staple".utf8).withBytes { (bytes) throws(CryptographyError) in
      try LockedBytes(copying: bytes)
    }
  }

  /// The devices as they are at the beginning.
  func devices() throws -> [Device] {
    try persons.map { person in
      let device = try Device(
        name: person.name, owner: person.owner,
        role: person.owner == .survivor ? .survivor : .advocate, place: folder + "/" + person.name,
        machine: person.name, kit: person.kit)
      try person.vault.putBack(at: device.vaultPath)
      return device
    }
  }
}
