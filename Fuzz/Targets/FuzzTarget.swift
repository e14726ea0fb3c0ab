/// A decoder, and what it is held to beyond not to trap: `check` gives it an input and throws what it broke.
///
/// libFuzzer makes up inputs (`Fuzz/Driver`), and a test goes through those that were kept (`Fuzz/CorpusTests.swift`).
/// A check is a pure function of its input, but for nonces and ephemeral keys, on which nothing that it says depends.
struct FuzzTarget: Sendable {
  let name: String
  /// Of a larger input the rest is not looked at.
  let maximumByteCount: Int
  /// How many bytes stand before what is CBOR, for a mutation that keeps it CBOR; nil where none is.
  let treeOffset: Int?
  let check: @Sendable ([UInt8]) throws(Broken) -> Void

  init(
    _ name: String, maximumByteCount: Int = 4096, treeOffset: Int? = nil,
    _ check: @escaping @Sendable ([UInt8]) throws(Broken) -> Void
  ) {
    self.name = name
    self.maximumByteCount = maximumByteCount
    self.treeOffset = treeOffset
    self.check = check
  }

  static let all: [FuzzTarget] =
    encodings + logs + papers + entries + exchange + containers + bundles + vault
}

/// A promise that a decoder did not keep.
struct Broken: Error, CustomStringConvertible {
  let promise: String
  var description: String { promise }
}

func hold(_ condition: Bool, _ promise: String) throws(Broken) {
  guard condition else { throw Broken(promise: promise) }
}

/// What `body` makes; nil if it refuses.
func accepted<Value, E: Error>(_ body: () throws(E) -> Value) -> Value? {
  do { return try body() } catch { return nil }
}

/// Takes an input apart: numbers from its front, and the rest.
struct Choices {
  private(set) var rest: ArraySlice<UInt8>

  init(_ input: [UInt8]) { rest = input[...] }

  var remaining: [UInt8] { Array(rest) }

  /// 0 once there are none.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func number(below limit: Int) -> Int {
    limit < 2 ? 0 : (Int(byte()) << 8 | Int(byte())) % limit
  }

  mutating func bool() -> Bool { byte() & 1 == 1 }

  mutating func uint64() -> UInt64 {
    var value: UInt64 = 0
    for _ in 0..<8 { value = value << 8 | UInt64(byte()) }
    return value
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    let taken = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    return taken
  }

  /// A length of two bytes, and so many.
  mutating func field() -> [UInt8] { bytes(Int(byte()) << 8 | Int(byte())) }
}

extension [UInt8] {
  func toggling(_ offset: Int, _ mask: UInt8 = 1) -> [UInt8] {
    var bytes = self
    bytes[offset] ^= mask
    return bytes
  }
}
