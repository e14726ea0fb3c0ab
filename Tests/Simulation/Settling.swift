import CaseLog
import Cryptography
import Vault

extension World {
  /// In the end all honest copies meet through mailboxes that hold everything, until nothing changes.
  func settle() async throws {
    var before = ""
    for round in 0..<12 {
      begin("settling \(round)", UInt64(1 << 32 + round))
      for device in devices where device.isCopy {
        try await calm(device, round)
        for meeting in device.role == .survivor ? [.ownDevices, .everyone] : [Meeting.everyone] {
          try await exchange(device, meeting, Self.clearWeather)
        }
      }
      let now = try await fingerprint()
      if now == before { return }
      before = now
    }
    fail("nothing comes to rest")
  }

  /// Whoever finds that her copy is an old one takes new keys.
  private func calm(_ device: Device, _ round: Int) async throws {
    if try await device.opened().standing != .sound {
      try await renew(device, isNeeded: true)
    }
  }

  private static let clearWeather = Step(
    number: 0, deed: .meet, device: 0, choice: 0, other: 0, weather: 0, crash: 0)

  private func fingerprint() async throws -> String {
    var lines: [String] = []
    for device in devices where device.isCopy {
      guard let held = try await device.heldLogs() else { continue }
      let vault = try await device.opened()
      lines.append("\(device.name) \(try await vault.stateHash(ofCase: device.caseName).hex)")
      lines += held.positions.map { "\(facts.name($0.logID)) \($0.size)" }
      let entries = try await entries(of: device) { _ in true }
      lines += entries.map { "\($0.standing)" }
    }
    return lines.joined(separator: "\n")
  }
}
