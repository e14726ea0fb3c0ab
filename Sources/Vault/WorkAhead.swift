internal import Dispatch

/// Values that are worked out on other cores, some way ahead of whoever takes them in order.
///
/// Whoever stops early leaves nothing behind but a few values worked out in vain.
final class WorkAhead<Value> {
  /// So many at once that waking a thread costs nothing beside them.
  private static var pieceLength: Int { 32 }
  /// How many pieces may be worked on or wait to be taken, so that memory stays bounded.
  private static var width: Int { 4 }

  private let count: Int
  private let make: @Sendable (Int) -> Value
  private let queue = DispatchQueue(label: "work ahead", attributes: .concurrent)
  private var begun = 0
  private var waiting: [Piece] = []
  private var current: ArraySlice<Value> = []

  /// - Parameter make: gives value 0 to `count - 1`; called on any thread.
  init(count: Int, _ make: @escaping @Sendable (Int) -> Value) {
    self.count = count
    self.make = make
  }

  /// The next value. To be called `count` times at most.
  func take() -> Value {
    if current.isEmpty {
      while begun < count, waiting.count < Self.width { begin() }
      current = waiting.removeFirst().wait()[...]
    }
    return current.removeFirst()
  }

  private func begin() {
    let range = begun..<min(begun + Self.pieceLength, count)
    begun = range.upperBound
    let piece = Piece(range, make)
    waiting.append(piece)
    // A few alone are not worth a thread.
    if count <= 4 { piece.run() } else { queue.async(group: piece.group) { piece.run() } }
  }

  /// The thread that runs it alone writes the values, which are read once it has left `group`.
  private final class Piece: @unchecked Sendable {
    let group = DispatchGroup()
    private let range: Range<Int>
    private let make: @Sendable (Int) -> Value
    private var values: [Value] = []

    init(_ range: Range<Int>, _ make: @escaping @Sendable (Int) -> Value) {
      self.range = range
      self.make = make
    }

    func run() { values = range.map(make) }

    func wait() -> [Value] {
      group.wait()
      return values
    }
  }
}
