import CSimulatedMachine
import Synchronization

/// The machine below the vaults: its randomness, and the moment before each change of a file.
enum Machine {
  /// All keys, nonces and salts that are made from now on follow from these numbers.
  static func draw(from seed: UInt64, _ stream: UInt64) { cairn_simulated_seed(seed, stream) }

  /// Calls `body` before the `step`th change of a file from now on, counted from 1.
  static func stop(before step: Int, _ body: @escaping @Sendable () -> Void) {
    atStop.withLock { $0 = body }
    cairn_simulated_stop_before(step) { Machine.atStop.withLock { $0 }?() }
  }

  /// Ends the counting. How many changes of files there were.
  static func stepsTaken() -> Int { cairn_simulated_steps() }

  private static let atStop = Mutex<(@Sendable () -> Void)?>(nil)
}

/// A clock that moves when the simulation moves it.
final class SimulatedClock: Sendable {
  private let seconds: Mutex<UInt64>
  init(_ seconds: UInt64) { self.seconds = Mutex(seconds) }
  var now: UInt64 { seconds.withLock { $0 } }
  func set(_ to: UInt64) { seconds.withLock { $0 = to } }
}

/// Something that must not be.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
