internal import Sync

/// What stands in a `head`, the frames of each kind joined into one: however many there are, each kind is judged once.
/// What a `FrameReader` gives of one file stays below the limits of one frame of each kind.
struct HeadContent {
  private var statements: [[UInt8]] = []
  private var successions: [[UInt8]] = []
  private var wraps: [[UInt8]] = []
  private var heads: [SignedHead] = []
  private var forks: [[UInt8]] = []

  /// Adds what stands in a frame that a `head` may have.
  mutating func add(_ frame: Frame) {
    switch frame {
    case .statements(let items): statements += items
    case .successions(let items): successions += items
    case .wraps(let items): wraps += items
    case .heads(let items): heads += items
    case .forks(let items): forks += items
    default: break
    }
  }

  /// What is judged before entries are read.
  var claims: [Frame] {
    (statements.isEmpty ? [] : [.statements(statements)])
      + (successions.isEmpty ? [] : [.successions(successions)])
      + (wraps.isEmpty ? [] : [.wraps(wraps)])
  }

  /// What is judged once the entries are there that it is about.
  var proofs: [Frame] {
    (heads.isEmpty ? [] : [.heads(heads)]) + (forks.isEmpty ? [] : [.forks(forks)])
  }
}
