import Foundation
import People
import Synchronization
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
  private let shown = Shown()
  private var read = 0

  /// All that was on the screen so far.
  var screen: String { shown.text }

  /// Without `columns`, one that does not know how wide it is. `setsid --ctty` makes the terminal the program's own, as a
  /// login does.
  init(
    _ arguments: [String], by person: Person, program: String = "cairn", columns: UInt16 = 0
  ) throws {
    var ends: (main: Int32, side: Int32) = (-1, -1)
    var size = winsize(ws_row: 0, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard unsafe openpty(&ends.main, &ends.side, nil, nil, &size) == 0 else {
      throw CocoaError(.fileReadUnknown)
    }
    (main, side) = ends
    let handle = FileHandle(fileDescriptor: side, closeOnDealloc: false)
    running = try person.start(
      arguments, input: handle, through: ["/usr/bin/setsid", "--ctty", "--wait"], errors: handle,
      program: program)
    shown.read(main)
  }

  /// With the side closed, the reader comes to its end and closes what it reads.
  deinit { close(side) }

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
    let came = try await eventually { screen.dropFirst(read).contains(text) }
    try #require(
      came, "waited for “\(text)” in: \(screen.dropFirst(read))", sourceLocation: sourceLocation)
    if let range = screen.dropFirst(read).range(of: text) {
      read = screen.distance(from: screen.startIndex, to: range.upperBound)
    }
  }

  func finish() async throws -> Finished {
    let finished = try await running.finish()
    shown.catchUp(with: main)
    return finished
  }
}

/// What came to a screen. It is read all the time: a terminal holds a few thousand characters, and
/// a program that shows more waits until somebody took them.
private final class Shown: Sendable {
  private let bytes = Mutex<[UInt8]>([])

  var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  func read(_ terminal: Int32) {
    Thread.detachNewThread { [self] in
      var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
      while true {
        _ = unsafe poll(&waiting, 1, -1)
        guard take(terminal) else { break }
      }
      close(terminal)
    }
  }

  /// Returns when nothing that was written is unread.
  func catchUp(with terminal: Int32) {
    var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    while unsafe poll(&waiting, 1, 0) > 0, waiting.revents & Int16(POLLIN) != 0 {
      guard take(terminal) else { return }
    }
  }

  /// - Returns: false if there is nobody left at the other end.
  private func take(_ terminal: Int32) -> Bool {
    bytes.withLock { bytes in
      var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&waiting, 1, 0) > 0 else { return true }
      guard waiting.revents & Int16(POLLIN) != 0 else { return false }
      var piece = [UInt8](repeating: 0, count: 4096)
      let count = unsafe Glibc.read(terminal, &piece, piece.count)
      guard count > 0 else { return false }
      bytes += piece[..<count]
      return true
    }
  }
}
