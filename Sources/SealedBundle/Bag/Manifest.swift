public import Cryptography

/// A list of files with their SHA-256, in the form that `sha256sum -c` reads.
///
/// There is one spelling of it: lower-case digits, two spaces, ordered by path, each path once.
public struct Manifest: Hashable, Sendable {
  /// One file and its hash.
  public struct Line: Hashable, Sendable {
    /// The file.
    public let path: BundlePath
    /// The SHA-256 of its content.
    public let hash: Bytes32

    /// The line of a file.
    public init(path: BundlePath, hash: Bytes32) {
      self.path = path
      self.hash = hash
    }
  }

  /// All lines, by path.
  public let lines: [Line]

  /// A manifest of these files, of which no two have one path.
  package init(_ lines: [Line]) {
    self.lines = lines.sorted { $0.path < $1.path }
    precondition(Manifest.isAscending(self.lines), "each file has one line")
  }

  /// The manifest that `bytes` spell; nil for any other spelling.
  public init?(parsing bytes: [UInt8]) {
    guard bytes.isEmpty || bytes.last == UInt8(ascii: "\n") else { return nil }
    var lines: [Line] = []
    for text in bytes.dropLast().split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    where !bytes.isEmpty {
      guard let line = Manifest.parse(text) else { return nil }
      lines.append(line)
    }
    guard Manifest.isAscending(lines) else { return nil }
    self.lines = lines
  }

  private static func parse(_ text: ArraySlice<UInt8>) -> Line? {
    let digits = 2 * Bytes32.byteCount
    guard text.count > digits + 2, text.dropFirst(digits).starts(with: "  ".utf8) else {
      return nil
    }
    do {
      let bytes = try unsafe Hex.decode(Array(text.prefix(digits)).span.bytes)
      guard let hash = Bytes32(bytes), let path = BundlePath(Array(text.dropFirst(digits + 2)))
      else { return nil }
      return Line(path: path, hash: hash)
    } catch {
      return nil
    }
  }

  private static func isAscending(_ lines: [Line]) -> Bool {
    zip(lines, lines.dropFirst()).allSatisfy { $0.path < $1.path }
  }

  /// The manifest as a file.
  public var bytes: [UInt8] {
    var text: [UInt8] = []
    for line in lines {
      text += line.hash.hex.utf8
      text += "  ".utf8
      text += line.path.ascii
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }

  /// The hash of a file, if it is listed.
  public func hash(of path: BundlePath) -> Bytes32? {
    var low = 0
    var high = lines.count
    while low < high {
      let middle = (low + high) / 2
      if lines[middle].path < path { low = middle + 1 } else { high = middle }
    }
    return low < lines.count && lines[low].path == path ? lines[low].hash : nil
  }
}
