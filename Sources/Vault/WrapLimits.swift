internal import CaseLog

/// How many wraps of epoch keys a device keeps, opens and hands over. Anybody can make one up, so that each
/// number keeps junk from crowding out what is good (`WrapIntake`, `KitWraps`).
enum WrapLimits {
  /// Kept for one recipient of an epoch.
  static let ofRecipient = 8
  /// Kept of all epochs that are not known here.
  static let ofUnknownEpochs = 256
  /// So many for this device are opened of one epoch in one reading, and those behind them are looked at when they
  /// are offered with fewer: whoever puts junk before a good one could as well have kept it to herself.
  static let openedOfEpoch = 64
  /// So many of somebody who is no member.
  static let openedOfStranger = 1024
  /// Made for other members in one exchange; the next ones go on.
  static let handedOnAtOnce = 1 << 14
  /// How many void epochs of one log are handed on. The first ones: what the owner began comes before what a thief
  /// did.
  static let voidEpochsHandedOn = 256
  /// Of those that the kit opens, so many of an epoch: which of them counts, its entry tells later.
  static let ofEpochToKit = 16
  static let ofCaseToKit = Limits.epochs * 2
  /// Beside the first in an invitation, the newest; what it has no room for comes with the first exchange.
  static let ofInvitation = 128
}
