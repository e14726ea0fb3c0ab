import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The program on a terminal of its own, with somebody at it who waits for a question and answers
/// it.
final class FakeTerminal {
  private let main: Int32
  private let side: Int32
  private let running: Running
  /// All that was on the screen so far.
  private(set) var screen = ""
  private var read = 0

  /// `setsid --ctty` makes the terminal the program's own, as a login does.
  init(_ arguments: [String], by person: Person) throws {
    var ends: (main: Int32, side: Int32) = (-1, -1)
    guard unsafe openpty(&ends.main, &ends.side, nil, nil, nil) == 0 else {
      throw CocoaError(.fileReadUnknown)
    }
    (main, side) = ends
    let handle = FileHandle(fileDescriptor: side, closeOnDealloc: false)
    running = try person.start(
      arguments, input: handle, through: ["/usr/bin/setsid", "--ctty", "--wait"], errors: handle)
  }

  deinit {
    close(main)
    close(side)
  }

  /// Whether what is typed is shown.
  var isEchoing: Bool {
    var settings = termios()
    return unsafe tcgetattr(side, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
  }

  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(main, bytes, bytes.count)
  }

  /// Waits for a question, and answers it with a line.
  func answer(
    _ question: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await wait(for: question, sourceLocation: sourceLocation)
    type(text + "\n")
  }

  /// Waits until a text comes that was not waited for yet.
  func wait(
    for text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let came = try await eventually {
      take()
      return screen.dropFirst(read).contains(text)
    }
    try #require(
      came, "waited for “\(text)” in: \(screen.dropFirst(read))", sourceLocation: sourceLocation)
    if let range = screen.dropFirst(read).range(of: text) {
      read = screen.distance(from: screen.startIndex, to: range.upperBound)
    }
  }

  func finish() async throws -> Finished {
    let finished = try await running.finish()
    take()
    return finished
  }

  private func take() {
    var waiting = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
    var bytes = [UInt8](repeating: 0, count: 4096)
    while unsafe poll(&waiting, 1, 0) > 0, waiting.revents & Int16(POLLIN) != 0 {
      let count = unsafe Glibc.read(main, &bytes, bytes.count)
      guard count > 0 else { return }
      screen += String(decoding: bytes[..<count], as: UTF8.self)
    }
  }
}
