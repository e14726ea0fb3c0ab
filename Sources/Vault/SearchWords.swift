public import CaseLog

/// What somebody looks for, as typed: words that all have to be there, in any order and any case;
/// `"two words"` as they stand; `wor*` for all that begins so. Whatever else is typed is no mistake, it
/// only separates.
public struct SearchWords: Hashable, Sendable {
  struct Term: Hashable {
    /// Never empty.
    let tokens: [String]
    let isPrefix: Bool
  }
  let terms: [Term]

  /// There is no letter, digit or emoji in it: nothing is found by it.
  public var isEmpty: Bool { terms.isEmpty }

  /// - Throws: `.searchTooLong` for more than a person types.
  public init(typed text: String) throws(VaultError) {
    guard text.utf8.count <= 4096 else { throw VaultError(.searchTooLong) }
    terms = Self.units(of: text).compactMap { unit in
      let tokens = SearchTokens.of(unit.text).map(\.text)
      return tokens.isEmpty ? nil : Term(tokens: tokens, isPrefix: unit.isPrefix)
    }
    guard terms.count <= 64 else { throw VaultError(.searchTooLong) }
  }

  /// Quotation marks as keyboards of several countries make them; one that is not closed reaches to the end.
  private static func units(of text: String) -> [(text: String, isPrefix: Bool)] {
    var units: [(text: String, isPrefix: Bool)] = []
    var current = ""
    var isQuoted = false
    var previous: Character = " "
    func end(isPrefix: Bool = false) {
      if !current.isEmpty { units.append((current, isPrefix)) }
      current = ""
    }
    for character in text {
      if isQuotationMark(character) {
        end()
        isQuoted.toggle()
      } else if character == "*", !isQuoted {
        // `"two wor"*`: the phrase has just ended.
        if isQuotationMark(previous), !units.isEmpty { units[units.count - 1].isPrefix = true }
        end(isPrefix: true)
      } else if character.isWhitespace, !isQuoted {
        end()
      } else {
        current.append(character)
      }
      previous = character
    }
    end()
    return units
  }

  private static func isQuotationMark(_ character: Character) -> Bool {
    "\"“”„«»".contains(character)
  }

  /// For FTS5: each term as a string, which has no syntax inside. Tokens hold no quotation marks.
  var expression: String {
    terms.map { term in
      "\"" + term.tokens.joined(separator: " ") + "\"" + (term.isPrefix ? " *" : "")
    }.joined(separator: " AND ")
  }
}

// MARK: - Where it stands

/// A piece of an entry's text around what was found in it.
public struct Excerpt: Hashable, Sendable {
  public let before: String
  public let match: String
  public let after: String
  /// Whether the text goes on before and after.
  public let isCut: (before: Bool, after: Bool)

  public static func == (left: Excerpt, right: Excerpt) -> Bool {
    left.before == right.before && left.match == right.match && left.after == right.after
      && left.isCut == right.isCut
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(before)
    hasher.combine(match)
    hasher.combine(after)
  }
}

extension SearchWords {
  /// The first place in what an entry says where one of the words stands; nil if none of them does.
  ///
  /// - Parameter reach: about how many characters before and after.
  public func excerpt(of content: EntryContent, reach: Int = 40) -> Excerpt? {
    for text in content.searchedTexts {
      let tokens = SearchTokens.of(text)
      for term in terms {
        guard let found = term.firstRange(in: tokens) else { continue }
        return Self.cut(text, around: found, reach: reach)
      }
    }
    return nil
  }

  private static func cut(_ text: String, around found: Range<String.Index>, reach: Int) -> Excerpt
  {
    let start = text.index(found.lowerBound, offsetBy: -reach, limitedBy: text.startIndex)
    let end = text.index(found.upperBound, offsetBy: reach, limitedBy: text.endIndex)
    return Excerpt(
      before: String(text[(start ?? text.startIndex)..<found.lowerBound]),
      match: String(text[found]),
      after: String(text[found.upperBound..<(end ?? text.endIndex)]),
      isCut: (start.map { $0 > text.startIndex } ?? false, end.map { $0 < text.endIndex } ?? false))
  }
}

extension SearchWords.Term {
  fileprivate func firstRange(in all: [SearchTokens.Token]) -> Range<String.Index>? {
    guard all.count >= tokens.count else { return nil }
    for start in 0...(all.count - tokens.count) where matches(all[start..<start + tokens.count]) {
      return all[start].range.lowerBound..<all[start + tokens.count - 1].range.upperBound
    }
    return nil
  }

  private func matches(_ candidate: ArraySlice<SearchTokens.Token>) -> Bool {
    for (token, wanted) in zip(candidate.dropLast(), tokens.dropLast()) where token.text != wanted {
      return false
    }
    guard let token = candidate.last?.text, let wanted = tokens.last else { return false }
    return isPrefix ? token.hasPrefix(wanted) : token == wanted
  }
}
