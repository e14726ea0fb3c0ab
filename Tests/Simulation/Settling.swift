import CaseLog
import Cryptography
import Support
import Vault
import VerifiableLog

extension World {
  /// In the end all honest copies meet through mailboxes that hold everything, until nothing changes.
  func settle() async throws {
    var known: [String: Moment] = [:]
    for round in 0..<12 {
      begin("settling \(round)", UInt64(1 << 32 + round))
      var isQuiet = true
      for device in devices where device.isCopy {
        try await calm(device, round)
        for meeting in device.role == .survivor ? [.ownDevices, .everyone] : [Meeting.everyone] {
          var random = SplitMix64(0)
          _ = try deliver(to: device, meeting, isClear: true, &random)
          // Where neither mailbox changed since it looked, another look tells it nothing.
          let place = "\(device.name) \(meeting)"
          if known[place] == Moment(device) { continue }
          isQuiet = false
          try await exchange(device, meeting, Self.clearWeather)
          known[place] = Moment(device)
        }
      }
      if isQuiet { return }
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
}

/// What an exchange depends on.
private struct Moment: Equatable {
  let viewChanges: Int
  let own: LogPosition?

  init(_ device: Device) {
    viewChanges = device.viewChanges
    own = device.memory.log.flatMap { log in
      device.memory.own[log]?.position ?? LogPosition(logID: log, size: 0, root: .zero)
    }
  }
}
