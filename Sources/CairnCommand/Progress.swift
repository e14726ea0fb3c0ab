import Foundation
import Synchronization
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// One line on a terminal that says how far long work is; nothing where standard error is not one.
final class Progress: Sendable {
  private struct State {
    var done: UInt64 = 0
    var shown: ContinuousClock.Instant?
    var isVisible = false
  }

  private let verb: String
  private let total: UInt64?
  private let isShown: Bool
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  /// - Parameters:
  ///   - verb: what is being done, such as "Saving".
  ///   - total: bytes in all, if they are known.
  init(_ verb: String, total: UInt64?, isQuiet: Bool) {
    self.verb = verb
    self.total = total
    isShown = !isQuiet && isatty(STDERR_FILENO) == 1
  }

  /// Counts bytes, and stops the work when somebody asked for it.
  func advance(_ bytes: Int) throws(VaultError) {
    try Interruption.check()
    show { $0 + UInt64(bytes) }
  }

  /// As `advance`, for work that asks whether to go on.
  func goesOn(_ bytes: Int) -> Bool {
    show { $0 + UInt64(bytes) }
    return !Interruption.isRequested
  }

  /// Shows that `done` bytes are done.
  func show(_ done: UInt64) { show { _ in done } }

  /// Work may be counted from several threads.
  private func show(_ count: (UInt64) -> UInt64) {
    let now = ContinuousClock.now
    let line = state.withLock { state -> String? in
      state.done = count(state.done)
      guard isShown else { return nil }
      // Work that is over in a moment needs no line, and ten a second are enough for eyes.
      guard now - (state.shown ?? started + .milliseconds(300)) >= .milliseconds(100) else {
        return nil
      }
      state.shown = now
      state.isVisible = true
      return describe(state.done, after: now - started)
    }
    // A line that went over the edge could not be taken back.
    if let line {
      let fitting = Columns.cut(line, to: Columns.width - 1)
      write(Array(("\r\u{1b}[K" + fitting).utf8), to: STDERR_FILENO)
    }
  }

  /// Takes the line away.
  func finish() {
    let wasVisible = state.withLock { state in
      defer { state.isVisible = false }
      return state.isVisible
    }
    if wasVisible { write(Array("\r\u{1b}[K".utf8), to: STDERR_FILENO) }
  }

  private func describe(_ done: UInt64, after elapsed: Duration) -> String {
    var line = verb + " " + Quantity.bytes(done)
    if let total, total > 0 {
      line += " of " + Quantity.bytes(max(total, done))
      line += " (\(min(99, done * 100 / max(total, 1))) %)"
    }
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    if seconds > 0.5 { line += ", " + Quantity.bytes(UInt64(Double(done) / seconds)) + " a second" }
    return line
  }
}

/// Numbers as people read them.
enum Quantity {
  /// In decimal units, as on packages of disks: `1 byte`, `512 bytes`, `1.2 MB`.
  static func bytes(_ count: UInt64) -> String {
    if count == 1 { return "1 byte" }
    if count < 1000 { return "\(count) bytes" }
    var value = Double(count)
    var unit = ""
    for next in ["kB", "MB", "GB", "TB"] where value >= 999.5 {
      value /= 1000
      unit = next
    }
    return String(format: value < 9.95 ? "%.1f" : "%.0f", value) + " " + unit
  }

  static func count(_ number: Int, _ one: String, _ many: String) -> String {
    number == 1 ? "1 \(one)" : "\(number) \(many)"
  }
}
