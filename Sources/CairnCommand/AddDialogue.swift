import CaseLog
import Foundation
import Vault

/// What `add` asks on a terminal: whatever was not given. Each answer may be empty.
struct AddDialogue {
  let terminal: Terminal

  func complete(_ draft: inout Draft, _ sources: inout [AddSource]) throws {
    if draft.content.url != nil, draft.content.seen != nil, draft.content.words != nil { return }
    if sources.isEmpty, draft.isEmpty { try askForFile(&sources, &draft) }
    if sources.count > 1 {
      terminal.explain(
        "What you answer goes with each of the \(sources.count) files. Press Enter to leave"
          + " something empty.")
    } else {
      terminal.explain("Press Enter to leave something empty.")
    }
    if draft.content.url == nil {
      draft.content.url = try ask("Address (URL): ") { try Draft.address($0) }
    }
    if draft.content.seen == nil {
      draft.content.seen = try ask("When it happened, such as 2024-05-31 or about 2024-05: ") {
        try Draft.time($0)
      }
    }
    if draft.content.words == nil { draft.content.words = try askForWords() }
  }

  /// Dragging a file onto a terminal types its path, often in quotation marks. An address that is pasted here is
  /// one.
  private func askForFile(_ sources: inout [AddSource], _ draft: inout Draft) throws {
    let source = try ask("File (you can drag it here; Enter if there is none): ") {
      text -> AddSource? in
      let start = text.prefix(8).lowercased()
      guard start.hasPrefix("https://") || start.hasPrefix("http://") else {
        return try AddSource.file(PastedPath.plain(text))
      }
      draft.content.url = try Draft.address(text)
      return nil
    }
    if let source { sources = [source] }
  }

  /// Lines up to an empty one; nil if there were none.
  func askForWords() throws -> String? {
    while true {
      terminal.explain("In your own words; an empty line ends them:")
      var lines: [String] = []
      while let line = try terminal.ask("> "), !line.isEmpty { lines.append(line) }
      let text = lines.joined(separator: "\n")
      if text.allSatisfy(\.isWhitespace) { return nil }
      do {
        return try Draft.checked(words: text)
      } catch let failure as Failure {
        say(failure)
      }
    }
  }

  /// Asks until the answer is empty or can be understood.
  private func ask<Value>(
    _ question: String, _ read: (String) throws -> Value?
  ) throws -> Value? {
    while let answer = try terminal.ask(question) {
      let text = answer.trimmingCharacters(in: .whitespaces)
      if text.isEmpty { return nil }
      do {
        return try read(text)
      } catch let failure as Failure {
        say(failure)
      }
    }
    return nil
  }

  private func say(_ failure: Failure) {
    terminal.explain(failure.sentence.what + " " + failure.sentence.next)
  }
}

/// A path as terminals type it when a file is dropped on them.
enum PastedPath {
  static func plain(_ typed: String) -> String {
    for mark in ["'", "\""] where typed.count > 1 && typed.hasPrefix(mark) && typed.hasSuffix(mark)
    {
      return String(typed.dropFirst().dropLast()).replacing("'\\''", with: "'")
    }
    var result = ""
    var isEscaped = false
    for character in typed {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        result.append(character)
        isEscaped = false
      }
    }
    return result
  }
}
