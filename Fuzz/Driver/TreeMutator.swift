/// Alters one place of a tree.
struct TreeMutator {
  private var state: UInt64
  private let alter: ([UInt8]) -> [UInt8]

  init(seed: UInt32, mutate: @escaping ([UInt8]) -> [UInt8]) {
    state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    alter = mutate
  }

  private mutating func number(below limit: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return limit < 2 ? 0 : Int(state >> 11) % limit
  }

  mutating func mutate(_ tree: CBORTree) -> CBORTree {
    var place = number(below: tree.nodeCount)
    return visit(tree, &place)
  }

  private mutating func visit(_ tree: CBORTree, _ place: inout Int) -> CBORTree {
    if place == 0 {
      place = -1
      return altered(tree)
    }
    place -= 1
    switch tree {
    case .nested(let inner): return .nested(visit(inner, &place))
    case .array(let items): return .array(visit(items, &place))
    case .map(let items): return .map(visit(items, &place))
    default: return tree
    }
  }

  private mutating func visit(_ items: [CBORTree], _ place: inout Int) -> [CBORTree] {
    items.map { item in place < 0 ? item : visit(item, &place) }
  }

  private mutating func altered(_ tree: CBORTree) -> CBORTree {
    if number(below: 16) == 0 { return replacement() }
    switch tree {
    case .unsigned(let value):
      let edges: [UInt64] = [0, 1, 2, 23, 24, 255, 1 << 16, 1 << 32, 1 << 40, 1 << 63, .max]
      switch number(below: 4) {
      case 0: return .unsigned(value &+ 1)
      case 1: return .unsigned(value &- 1)
      case 2: return .unsigned(edges[number(below: edges.count)])
      default: return .unsigned(UInt64(number(below: 64)))
      }
    case .bytes(let bytes): return .bytes(alter(bytes))
    case .nested(let inner):
      return number(below: 4) == 0 ? .bytes(alter(inner.encoded)) : .nested(mutate(inner))
    case .text(let text):
      return .text(String(decoding: alter(Array(text.utf8)), as: UTF8.self))
    case .array(let items): return .array(altered(items, by: 1))
    case .map(let items): return .map(altered(items, by: 2))
    case .bool(let value): return .bool(!value)
    case .negative, .null: return replacement()
    }
  }

  private mutating func altered(_ items: [CBORTree], by width: Int) -> [CBORTree] {
    var items = items
    let count = items.count / width
    let at = number(below: count) * width
    switch number(below: 5) {
    case 0 where count > 0: items.removeSubrange(at..<(at + width))
    case 1 where count > 0: items.insert(contentsOf: items[at..<(at + width)], at: at)
    case 2 where count > 1:
      items.swapAt(at + width - 1, number(below: count) * width + width - 1)
    case 3 where count > 0: items[at + width - 1] = mutate(items[at + width - 1])
    default:
      for _ in 0..<width { items.insert(replacement(), at: min(at, items.count)) }
    }
    return items
  }

  private mutating func replacement() -> CBORTree {
    switch number(below: 9) {
    case 0: .unsigned(UInt64(number(below: 40)))
    case 1: .negative([0x20 | UInt8(number(below: 24))])
    case 2: .bytes(alter([UInt8](repeating: 1, count: 32)))
    case 3: .text("a")
    case 4: .array([])
    case 5: .map([])
    case 6: .bool(true)
    case 7: .array([.unsigned(1), .null])
    default: .null
    }
  }
}

extension CBORTree {
  fileprivate var nodeCount: Int {
    switch self {
    case .nested(let inner): 1 + inner.nodeCount
    case .array(let items), .map(let items): items.reduce(1) { $0 + $1.nodeCount }
    default: 1
    }
  }
}
