internal import Cryptography

/// The bytes inside an ASCII-armored age file, readable at any place.
///
/// The whole armor is checked at opening: lines of exactly 64 characters, one kind of line end, canonical
/// base64, nothing before or after. After that, where a byte stands is arithmetic.
public struct ArmorSource<Base: ByteSource & ~Copyable>: ByteSource, ~Copyable {
  private static var begin: StaticString { "-----BEGIN AGE ENCRYPTED FILE-----" }
  private static var end: StaticString { "-----END AGE ENCRYPTED FILE-----" }
  private static var columns: Int { 64 }
  private static var lineByteCount: Int { 48 }

  private var base: Base
  private let bodyOffset: UInt64
  private let lineEndCount: Int
  private let lastLineColumns: Int

  public let byteCount: UInt64

  /// Checks the armor.
  public init(_ base: consuming Base) throws(AgeError) {
    let (begin, end) = (Self.begin.ascii, Self.end.ascii)
    let head = try base.bytes(from: 0, atMost: begin.count + 2)
    guard head.starts(with: begin) else { throw .armor }
    let lineEnd: [UInt8]
    switch head.dropFirst(begin.count) {
    case [0x0D, 0x0A]: lineEnd = [0x0D, 0x0A]
    case let rest where rest.first == 0x0A: lineEnd = [0x0A]
    default: throw .armor
    }
    let bodyOffset = UInt64(begin.count + lineEnd.count)
    let size = base.byteCount
    let tailCount = end.count + 2 * lineEnd.count
    let tail = try base.bytes(from: size - min(size, UInt64(tailCount)), atMost: tailCount)
    let hasFinalLineEnd = tail.suffix(lineEnd.count).elementsEqual(lineEnd)
    let footCount = UInt64(end.count + (hasFinalLineEnd ? lineEnd.count : 0))
    guard size >= bodyOffset + footCount else { throw .armor }
    let foot = hasFinalLineEnd ? end + lineEnd : end
    guard tail.suffix(foot.count).elementsEqual(foot) else { throw .armor }

    let stride = UInt64(Self.columns + lineEnd.count)
    let body = size - footCount - bodyOffset
    let lines = (body + stride - 1) / stride
    let lastLine = lines == 0 ? 0 : Int(body - (lines - 1) * stride)
    guard lines == 0 || lastLine > lineEnd.count else { throw .armor }
    var count: UInt64 = 0
    for line in 0..<lines {
      let isLast = line == lines - 1
      let text = try base.bytes(
        from: bodyOffset + line * stride, atMost: isLast ? lastLine : Int(stride))
      guard text.suffix(lineEnd.count).elementsEqual(lineEnd) else { throw .armor }
      let decoded = Self.decode(text.dropLast(lineEnd.count))
      guard let decoded, isLast || decoded.count == Self.lineByteCount else { throw .armor }
      count += UInt64(decoded.count)
    }
    byteCount = count
    self.bodyOffset = bodyOffset
    lineEndCount = lineEnd.count
    lastLineColumns = max(0, lastLine - lineEnd.count)
    self.base = base
  }

  public mutating func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard isWithin(byteCount, offset, count) else { throw .outOfBounds }
    guard count > 0 else { return [] }
    let stride = UInt64(Self.columns + lineEndCount)
    let firstLine = offset / UInt64(Self.lineByteCount)
    let lastLine = (offset + UInt64(count) - 1) / UInt64(Self.lineByteCount)
    let finalLine = (byteCount - 1) / UInt64(Self.lineByteCount)
    let lastColumns = lastLine == finalLine ? lastLineColumns : Self.columns
    let text = try base.read(
      at: bodyOffset + firstLine * stride,
      count: Int((lastLine - firstLine) * stride) + lastColumns)
    var result: [UInt8] = []
    for start in Swift.stride(from: 0, to: text.count, by: Int(stride)) {
      let line = text[start..<min(start + Self.columns, text.count)]
      guard let decoded = Self.decode(line) else { throw .unreadable }  // changed since opening
      result += decoded
    }
    let skipped = Int(offset % UInt64(Self.lineByteCount))
    guard result.count >= skipped + count else { throw .unreadable }
    return Array(result[skipped..<(skipped + count)])
  }

  private static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    do { return try unsafe Base64.decode(Array(text).span.bytes, padding: .required) } catch {
      return nil
    }
  }
}

extension ByteSource where Self: ~Copyable {
  fileprivate mutating func bytes(from offset: UInt64, atMost count: Int) throws(AgeError)
    -> [UInt8]
  {
    do { return try read(at: offset, count: Int(min(UInt64(count), byteCount - offset))) } catch {
      throw .source(error)
    }
  }
}
