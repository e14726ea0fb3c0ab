internal import CaseLog
internal import Foundation

/// Cuts text into what can be searched for: words, without case and accents; in scripts without spaces between
/// words, each character, so that a run of them is found as a phrase; emoji.
///
/// What is indexed and what is asked for go through here alike. SQLite's tokenizer then only separates at
/// the spaces.
enum SearchTokens {
  struct Token: Equatable {
    let text: String
    /// In the text it came from.
    let range: Range<String.Index>
  }

  /// The texts of one entry as one; between them stands a character that nobody can ask for, so that no phrase
  /// reaches from one into the next.
  static func indexed(_ texts: [String]) -> String {
    texts.map { text in of(text).map(\.text).joined(separator: " ") }
      .filter { !$0.isEmpty }.joined(separator: " \u{e000} ")
  }

  static func of(_ text: String) -> [Token] {
    var result: [Token] = []
    var run: (kind: Kind, start: String.Index)?
    let scalars = text.unicodeScalars
    func end(at index: String.Index) {
      guard let (kind, start) = run else { return }
      run = nil
      append(kind, text, start..<index, to: &result)
    }
    for index in scalars.indices {
      guard let kind = kind(of: scalars[index], in: run?.kind) else {
        end(at: index)
        continue
      }
      if run?.kind != kind || kind == .emoji { end(at: index) }
      if run == nil { run = (kind, index) }
    }
    end(at: text.endIndex)
    return result
  }

  // MARK: - Kinds of characters

  private enum Kind { case word, unspaced, emoji }

  /// - Parameter current: what the scalar stands in; marks and invisible characters belong to it.
  private static func kind(of scalar: Unicode.Scalar, in current: Kind?) -> Kind? {
    if scalar.isASCII { return isASCIIWord(scalar) ? .word : nil }
    if isUnspaced(scalar.value) { return .unspaced }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber:
      return .word
    case .nonspacingMark, .spacingMark, .enclosingMark: return current ?? .word
    // Joiners, soft hyphens and what somebody may have hidden in a word do not divide it.
    case .format: return current
    case .otherSymbol, .modifierSymbol: return scalar.value > 0x2000 ? .emoji : nil
    default: return nil
    }
  }

  private static func isASCIIWord(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
  }

  /// Thai, Lao, Tibetan, Burmese, Khmer, Chinese, Japanese; Korean too, where particles follow a word without
  /// a space.
  private static func isUnspaced(_ value: UInt32) -> Bool {
    switch value {
    case 0x0e01...0x0e3a, 0x0e40...0x0e4e, 0x0e50...0x0e59, 0x0e81...0x0edf, 0x0f00,
      0x0f20...0x0f33,
      0x0f40...0x0fbc, 0x1000...0x1049, 0x1050...0x109d, 0x1100...0x11ff, 0x1780...0x17d3,
      0x17e0...0x17e9, 0x2e80...0x2fd5, 0x3005...0x3007, 0x3021...0x3029, 0x3041...0x309f,
      0x30a1...0x30fa, 0x30fc...0x30ff, 0x3105...0x318e, 0x31a0...0x31bf, 0x31f0...0x31ff,
      0x3400...0x4dbf, 0x4e00...0x9fff, 0xac00...0xd7a3, 0xf900...0xfaff, 0xff66...0xffdc,
      0x20000...0x3ffff:
      return true
    default: return false
    }
  }

  // MARK: - Folding

  private static func append(
    _ kind: Kind, _ text: String, _ range: Range<String.Index>, to result: inout [Token]
  ) {
    let run = text.unicodeScalars[range]
    switch kind {
    case .emoji:
      // By its number: what SQLite's own tables take for a letter or a symbol does not matter.
      guard let scalar = run.first else { return }
      result.append(
        Token(text: "emoji" + String(scalar.value, radix: 16), range: range))
    case .word:
      let folded = fold(run)
      if !folded.isEmpty { result.append(Token(text: folded, range: range)) }
    case .unspaced:
      let folded = Array(fold(run).unicodeScalars)
      let places = Array(run.indices)
      for (number, scalar) in folded.enumerated() {
        let isSame = folded.count == places.count
        let end = isSame && number + 1 < places.count ? places[number + 1] : range.upperBound
        result.append(
          Token(
            text: String(scalar), range: (isSame ? places[number] : range.lowerBound)..<end))
      }
    }
  }

  private static func fold(_ run: Substring.UnicodeScalarView.SubSequence) -> String {
    if run.allSatisfy(\.isASCII) { return String(run).lowercased() }
    let apart = String(run).lowercased().decomposedStringWithCompatibilityMapping
    var kept = String.UnicodeScalarView()
    for scalar in apart.unicodeScalars where !isDropped(scalar) { kept.append(scalar) }
    return String(kept).precomposedStringWithCanonicalMapping.lowercased()
  }

  /// Accents, Arabic and Hebrew points and stretching, variation selectors, invisible characters. Marks without
  /// which a word is another one (as in Indic scripts and in Thai) stay.
  private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0300...0x036f, 0x0483...0x0487, 0x0591...0x05bd, 0x05bf, 0x05c1...0x05c2,
      0x05c4...0x05c5, 0x05c7, 0x0610...0x061a, 0x0640, 0x064b...0x065f, 0x0670,
      0x06d6...0x06dc, 0x06df...0x06e4, 0x06e7...0x06e8, 0x06ea...0x06ed, 0x1ab0...0x1aff,
      0x1dc0...0x1dff, 0x20d0...0x20ff, 0xfe00...0xfe0f, 0xfe20...0xfe2f:
      return true
    default: return scalar.properties.generalCategory == .format
    }
  }
}

extension EntryContent {
  /// All text that an entry is found by.
  var searchedTexts: [String] {
    var texts = [words, title, url, account, place].compactMap { $0 }
    texts += attachments.compactMap { attachment in
      attachment.name.map { String(decoding: $0, as: UTF8.self) }
    }
    texts += tags
    texts += [takedown?.recipient, takedown?.reference].compactMap { $0 }
    return texts
  }
}
