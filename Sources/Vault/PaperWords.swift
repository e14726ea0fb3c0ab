public import Cryptography

extension RecoveryKit {
  /// As long as a paper may be: it is kept in locked memory, of which there is little.
  public static let longestPaper = 32_768

  /// From a paper, a text or a page (`Protocol/VaultFiles.md`, "The paper of a kit"), or from the words as typed.
  ///
  /// - Throws: what is wrong with the words.
  public init(paper: RawSpan) throws(KitWordsError) {
    guard paper.byteCount <= Self.longestPaper else { throw .wrongCount(0) }
    let words: LockedBytes
    do throws(CryptographyError) {
      words = try LockedBytes(count: paper.byteCount) { output in
        let text = paper.extracting(droppingFirst: Self.hasMark(paper) ? Self.mark.count : 0)
        if text.byteCount > 0, text.byte(at: 0) == UInt8(ascii: "<") {
          Self.copyItems(from: text, to: &output)
        } else {
          Self.copyWords(from: text, to: &output)
        }
      }
    } catch {
      throw .outOfMemory
    }
    self = try words.withBytes { (bytes) throws(KitWordsError) in try RecoveryKit(words: bytes) }
  }

  /// The byte order mark that some editors put in front of a text.
  private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private static func hasMark(_ paper: RawSpan) -> Bool {
    paper.byteCount >= mark.count && mark.indices.allSatisfy { paper.byte(at: $0) == mark[$0] }
  }

  /// What stands between tags within a list; all else becomes white space.
  private static func copyItems(from page: RawSpan, to output: inout MutableRawSpan) {
    func has(_ tag: StaticString, at offset: Int) -> Bool {
      tag.withUTF8Buffer { tag in
        offset + tag.count <= page.byteCount
          && tag.indices.allSatisfy { unsafe page.byte(at: offset + $0) == tag[$0] }
      }
    }
    var isInList = false
    var isInTag = false
    for offset in 0..<page.byteCount {
      let byte = page.byte(at: offset)
      if byte == UInt8(ascii: "<") {
        isInTag = true
        if has("<ol", at: offset) { isInList = true }
        if has("</ol", at: offset) { isInList = false }
      }
      output.storeBytes(
        of: isInList && !isInTag ? byte : UInt8(ascii: " "), toByteOffset: offset, as: UInt8.self)
      if byte == UInt8(ascii: ">") { isInTag = false }
    }
  }

  /// Without lines that are for people, and numbers: they become white space.
  private static func copyWords(from text: RawSpan, to output: inout MutableRawSpan) {
    var isComment = false
    var isLineStart = true
    for offset in 0..<text.byteCount {
      let byte = text.byte(at: offset)
      if isLineStart, byte == UInt8(ascii: "#") { isComment = true }
      if byte == UInt8(ascii: "\n") { isComment = false }
      isLineStart = byte == UInt8(ascii: "\n") || (isLineStart && byte <= UInt8(ascii: " "))
      let isNumber =
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
      output.storeBytes(
        of: isComment || isNumber ? UInt8(ascii: " ") : byte, toByteOffset: offset, as: UInt8.self)
    }
  }
}
