import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A line on standard error now and then, so that long work can be seen to go on.
final class Progress {
  private var last = ContinuousClock.now
  private let interval: Duration

  init(every interval: Duration = .seconds(15)) { self.interval = interval }

  func tell(_ text: @autoclosure () -> String) {
    guard ContinuousClock.now - last > interval else { return }
    last = ContinuousClock.now
    FileHandle.standardError.write(Data("    \(text())\n".utf8))
  }
}

/// A line on standard output, at once.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

/// What a campaign came to: figures by name, and every failure.
struct Report {
  var figures: [(name: String, value: Int)] = []
  var failures: [String] = []

  mutating func add(_ name: String, _ value: Int) { figures.append((name, value)) }

  /// Prints the figures, and ends the program: with 1 if anything failed.
  func end(_ title: String) -> Never {
    say(title)
    for (name, value) in figures {
      let number = String(value)
      say(String(repeating: " ", count: max(0, 10 - number.count)) + number + "  " + name)
    }
    let count = String(failures.count)
    say(String(repeating: " ", count: max(0, 10 - count.count)) + count + "  failures")
    for failure in failures.prefix(20) { say("FAILED: \(failure)") }
    exit(failures.isEmpty ? 0 : 1)
  }
}
