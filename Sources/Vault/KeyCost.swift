internal import Cryptography

/// What a guess at the passphrase costs.
public struct KeyCost: Hashable, Sendable {
  public let memoryKiB: UInt32
  public let passes: UInt32

  /// 256 MiB and 3 passes.
  public static let standard = KeyCost(memoryKiB: 262_144, passes: 3)
  /// 64 MiB and 3 passes, for weak devices.
  public static let light = KeyCost(memoryKiB: 65_536, passes: 3)

  /// New locks never cost a guess less than the light ones.
  var raised: KeyCost {
    KeyCost(
      memoryKiB: max(memoryKiB, Self.light.memoryKiB), passes: max(passes, Self.light.passes))
  }
}
