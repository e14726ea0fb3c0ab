import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Whoever has a copy of a device's older keys is removed with it.
@Suite struct RemovedKeysTests {
  /// A survivor's laptop, and her phone which was copied and took new keys.
  private struct Devices {
    let survivor: SurvivorWithKit
    let laptop: OpenVault
    let phone: OpenVault
    let renewed: OpenVault
    /// Its folder stays as long as this does.
    let other: VaultFixture
    let old: LogID
    let new: LogID

    init() async throws {
      survivor = try await SurvivorWithKit([words("one")])
      let first = survivor.vault
      old = try await first.ownLogID()
      try await first.meet(survivor.own, own: true)
      laptop = try await survivor.recover("laptop", from: survivor.own).1
      for vault in [laptop, first, laptop] { try await vault.meet(survivor.own, own: true) }
      try await first.close()
      other = try survivor.device.copied(to: "another")
      phone = try survivor.device.open()
      renewed = try other.open()
      _ = try await renewed.renew()
      new = try await renewed.ownLogID()
      _ = try await renewed.add([words("two")], toCase: nil)
      for vault in [renewed, laptop] { try await vault.meet(survivor.own, own: true) }
    }

    func isCut(_ log: LogID) async throws -> Bool {
      try await laptop.read { db in
        try CaseView.state(db, of: try CaseRow.find(db, nil)).member(log)?.cut != nil
      }
    }
  }

  @Test func `removing a device that took new keys removes its older ones too`() async throws {
    let devices = try await Devices()
    let removed = try await devices.laptop.remove(devices.new.base32, fromCase: nil)
    #expect(removed.member.logID == devices.old)
    #expect(removed.setAside > 0)
    #expect(try await devices.isCut(devices.old))
    #expect(try await devices.isCut(devices.new))
    #expect(try await devices.laptop.texts().contains("one"))
    // What the holder of the old keys writes counts nowhere.
    _ = try await devices.phone.add([words("forged")], toCase: nil)
    for vault in [devices.phone, devices.laptop] {
      try await vault.meet(devices.survivor.own, own: true)
    }
    #expect(try await !devices.laptop.texts().contains("forged"))
  }

  @Test func `the root's word cuts the older keys of a device too`() async throws {
    let devices = try await Devices()
    let kit = try devices.survivor.kit()
    let decision = try await devices.laptop.decide(
      stays: nil, cut: [(devices.new.base32, nil)], inCase: nil, kit: kit)
    #expect(decision.cut.map(\.logID) == [devices.old])
    #expect(try #require(decision.cut.first).setAside > 0)
    #expect(try await devices.isCut(devices.old))
  }

  @Test func `of two copies of one device each can remove the other and stays itself`() async throws
  {
    let devices = try await Devices()
    // The other copy took new keys as well.
    try await devices.phone.close()
    let moved = try devices.survivor.device.copied(to: "a third")
    let copy = try moved.open()
    _ = try await copy.renew()
    let other = try await copy.ownLogID()
    for vault in [copy, devices.renewed] { try await vault.meet(devices.survivor.own, own: true) }
    let removed = try await devices.renewed.remove(other.base32, fromCase: nil)
    #expect(removed.member.logID == other)
    try await copy.close()
    #expect(try await moved.open().standing == .sound)
    #expect(try await devices.renewed.add([words("three")], toCase: nil).failure == nil)
  }
}
