import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// How a terminal is to be left if the process ends at once: prepared beforehand, since a signal's handler may do
/// almost nothing.
enum TerminalState {
  /// The terminal on which nothing of what is typed is shown; -1 if there is none.
  private static let silent = Atomic<Int32>(-1)
  /// The terminal on which a screen of our own is shown; -1 if there is none.
  private static let ownScreen = Atomic<Int32>(-1)
  /// How that terminal was. Written before `silent` names it.
  private nonisolated(unsafe) static let before = UnsafeMutablePointer<termios>.allocate(
    capacity: 1)
  private static let leaving: StaticString = "\u{1b}[2J\u{1b}[H\u{1b}[?1049l"

  /// Made here, so that the handler finds it ready.
  static func prepare() {
    _ = silent.load(ordering: .relaxed)
    _ = ownScreen.load(ordering: .relaxed)
    unsafe before.initialize(to: termios())
  }

  /// Does something while the terminal is silent, and whatever ends it puts that back.
  static func whileSilent<Result: ~Copyable, Problem: Error>(
    _ terminal: Int32, before settings: termios, _ body: () throws(Problem) -> Result
  ) throws(Problem) -> Result {
    unsafe before.pointee = settings
    silent.store(terminal, ordering: .releasing)
    defer { silent.store(-1, ordering: .releasing) }
    return try withoutStops(body)
  }

  /// Does something on a screen of its own, which leaves nothing behind, whatever ends it.
  static func onOwnScreen<Result: ~Copyable, Problem: Error>(
    _ terminal: Int32, _ body: () throws(Problem) -> Result
  ) throws(Problem) -> Result {
    ownScreen.store(terminal, ordering: .releasing)
    write(Array("\u{1b}[?1049h\u{1b}[2J\u{1b}[H".utf8), to: terminal)
    defer {
      ownScreen.store(-1, ordering: .releasing)
      leave(terminal)
    }
    return try withoutStops(body)
  }

  /// Ctrl-Z would leave to the shell what is on the screen, and a terminal that shows nothing of what is typed.
  private static func withoutStops<Result: ~Copyable, Problem: Error>(
    _ body: () throws(Problem) -> Result
  ) throws(Problem) -> Result {
    let former = signal(SIGTSTP, SIG_IGN)
    defer { signal(SIGTSTP, former) }
    return try body()
  }

  /// Leaves our own screen, by one call that a signal's handler may make.
  private static func leave(_ terminal: Int32) {
    _ = unsafe write(terminal, leaving.utf8Start, leaving.utf8CodeUnitCount)
  }

  /// In a signal's handler, right before the end.
  static func putBack() {
    // Out of the background this would stop the process instead.
    signal(SIGTTOU, SIG_IGN)
    let screen = ownScreen.load(ordering: .acquiring)
    if screen >= 0 { leave(screen) }
    let terminal = silent.load(ordering: .acquiring)
    guard terminal >= 0 else { return }
    _ = unsafe tcsetattr(terminal, TCSANOW, before)
    // What was typed and not read goes to no shell that would keep it.
    tcflush(terminal, TCIFLUSH)
  }
}
