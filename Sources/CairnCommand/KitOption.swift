import ArgumentParser
import Cryptography
import Vault

/// Where the twelve words of a recovery kit come from.
struct KitOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The file with the twelve words; without it, or with “-”, they are asked for.",
      valueName: "file"))
  var kit: String?

  /// The kit of the words, from the file or as typed, in locked memory all the way.
  func get(terminal: Terminal?) throws -> RecoveryKit {
    try Self.get(kit, terminal: terminal)
  }

  static func get(_ file: String?, terminal: Terminal?) throws -> RecoveryKit {
    if let file, file != "-" { return try read(file) }
    return try ask(terminal)
  }

  static func read(_ file: String) throws -> RecoveryKit {
    guard let text = try SmallFile.readSecret(file, limit: Self.longestFile) else {
      throw Self.failure(.wrongCount(0))
    }
    return try Self.kit(of: text)
  }

  private static func ask(_ terminal: Terminal?) throws -> RecoveryKit {
    guard let terminal else { throw Self.noKit }
    for attempt in 1... {
      guard
        let typed = try terminal.askSecret("The twelve words, on one line (nothing shows): ")
      else { break }
      do {
        return try Self.kit(of: typed)
      } catch let failure as Failure where attempt < 3 {
        terminal.explain(failure.sentence.what + " Please type them once more.")
      }
    }
    throw Self.noKit
  }

  private static let longestFile = 1 << 16

  /// Without what a kit's file has beside the words: numbers, and lines of explanation; of a page, all but the
  /// items of its list.
  private static func kit(of text: borrowing LockedBytes) throws -> RecoveryKit {
    let words = try LockedBytes(count: text.count) { output in
      text.withBytes { bytes in
        if bytes.byteCount > 0, bytes.byte(at: 0) == UInt8(ascii: "<") {
          copyItems(from: bytes, to: &output)
        } else {
          copyWords(from: bytes, to: &output)
        }
      }
    }
    do throws(KitWordsError) {
      return try words.withBytes { (bytes) throws(KitWordsError) in try RecoveryKit(words: bytes) }
    } catch {
      throw failure(error)
    }
  }

  /// What stands between tags within the list; all else becomes white space.
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

  /// What is left out becomes white space.
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

  private static func failure(_ error: KitWordsError) -> Failure {
    let what: String
    switch error {
    case .wrongCount(let count):
      what =
        count == 0
        ? "These are not twelve words." : "Twelve words are needed, and these are \(count)."
    case .unknownWord(let position):
      what = "Word \(position) is not one of those that kits are made of."
    case .checksum: what = "The words are not right: one of them is another, or two changed places."
    case .outOfMemory: what = "There was no memory left that is safe for the words."
    }
    return Failure(
      code: "kitWords", status: .wrongPassphrase,
      Sentence(
        what, safe: Sentences.unchanged,
        next: "Compare each word with the paper, in its order."))
  }

  private static let noKit = Failure.usage(
    "noKit",
    Sentence(
      "This needs the twelve words, and there was nobody to ask.", safe: Sentences.unchanged,
      next: "Run this on a terminal without --no-input, or name a file with --kit."))

  /// The kit opens something else: said of what it was tried on.
  static func mismatch(_ what: String) -> Failure {
    Failure(
      code: VaultError.Code.kitMismatch.rawValue, status: .wrongPassphrase,
      Sentence(
        "The twelve words are right as words, and do not open \(what): they belong to another kit.",
        safe: Sentences.unchanged,
        next: "Look for the paper that was written when that case was begun."))
  }
}
