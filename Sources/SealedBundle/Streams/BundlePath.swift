/// The name of a file in a bundle: ASCII letters, digits, `.`, `_`, `-`, in components joined by `/`.
///
/// Only names that mean the same file on every system exist as values of this type. So nothing after
/// the decoder has to think of `..`, absolute paths, control characters or other people's scripts.
public struct BundlePath: Hashable, Comparable, Sendable {
  /// The name's characters.
  public let ascii: [UInt8]

  /// The longest name, in bytes; ours have fewer than 64.
  public static let longestByteCount = 255

  /// The path with this name, or nil if the profile does not allow it.
  public init?(_ ascii: [UInt8]) {
    guard !ascii.isEmpty, ascii.count <= BundlePath.longestByteCount else { return nil }
    for component in ascii.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard BundlePath.isAllowed(component) else { return nil }
    }
    self.ascii = ascii
  }

  /// The path that the program itself names; traps if the profile does not allow it.
  package init(literal: StaticString) {
    let ascii = literal.withUTF8Buffer { unsafe [UInt8]($0) }
    guard let path = BundlePath(ascii) else { preconditionFailure("not a path of the profile") }
    self = path
  }

  private static func isAllowed(_ component: ArraySlice<UInt8>) -> Bool {
    guard !component.isEmpty else { return false }
    var dots = 0
    for byte in component {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        break
      case UInt8(ascii: "."): dots += 1
      default: return false
      }
    }
    return dots < component.count || dots > 2
  }

  /// The name as text.
  public var text: String { String(decoding: ascii, as: UTF8.self) }

  public static func < (left: BundlePath, right: BundlePath) -> Bool {
    left.ascii.lexicographicallyPrecedes(right.ascii)
  }

  /// Whether the name begins so.
  package func hasPrefix(_ prefix: StaticString) -> Bool {
    prefix.withUTF8Buffer { unsafe ascii.starts(with: $0) }
  }

  /// The name under which two files are one on a system that ignores case, with `/` as the least of all
  /// bytes: so a folder's files come right after a file of the same name.
  package var collisionKey: [UInt8] {
    ascii.map { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      case UInt8(ascii: "/"): 0
      default: byte
      }
    }
  }

  /// Whether two of these names cannot both exist in one folder tree: equal but for case, or a file
  /// where another needs a folder.
  package static func collide(_ paths: some Sequence<BundlePath>) -> Bool {
    let keys = paths.map { $0.collisionKey }.sorted { $0.lexicographicallyPrecedes($1) }
    for (key, next) in zip(keys, keys.dropFirst()) {
      if key == next || (next.count > key.count && next[key.count] == 0 && next.starts(with: key)) {
        return true
      }
    }
    return false
  }
}
