import ArgumentParser
import Foundation
import Synchronization
import Vault

/// What a command prints, for people or for scripts.
enum Output {
  private static let lost = Atomic(false)
  /// Whether something of what was to go to standard output could not be written.
  static var isLost: Bool {
    get { lost.load(ordering: .relaxed) }
    set { lost.store(newValue, ordering: .relaxed) }
  }

  /// A line for people, on standard output.
  static func line(_ text: String = "") { write(Array((text + "\n").utf8), to: 1) }

  /// A piece of a longer output, on standard output.
  static func text(_ text: String) { write(Array(text.utf8), to: 1) }

  /// A text for people, broken into lines.
  static func paragraph(_ text: String, indent: Int = 0) {
    for part in Columns.paragraph(text, indent: indent) { line(part) }
  }

  /// Something to know that does not stop the work, on standard error.
  static func remark(_ text: String) {
    for part in Columns.wrap(text, to: Columns.width - 1) {
      write(Array((part + "\n").utf8), to: 2)
    }
  }

  /// The one object of a command with --json, on standard output.
  static func json(_ value: some Encodable) throws { line(try jsonText(value)) }

  static func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    // What a terminal could act on is escaped as JSON allows; outside of strings there is none of
    // it.
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if scalar == "\n" || SafeText.isHarmless(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        for unit in String(scalar).utf16 { result += String(format: "\\u%04x", Int(unit)) }
      }
    }
  }
}

/// `{"error":{"code":…,"message":…}}`
struct ErrorObject: Encodable {
  let code: String
  let message: String

  init(_ failure: Failure) {
    code = failure.code
    message = failure.sentence.text
  }
}

/// How a failure is told, and which exit code it gives.
enum Report {
  static func failure(_ error: any Error, _ arguments: [String]) -> ExitStatus {
    let isJSON = arguments.contains("--json")
    switch error {
    case let error as Failure: return tell(error, isJSON: isJSON)
    case let error as VaultError: return tell(Failure(error), isJSON: isJSON)
    case let error as AlreadyTold: return error.status
    default: return tellParsing(error, arguments, isJSON: isJSON)
    }
  }

  /// The exit code of a command that was done, once all that it printed has been written or not.
  static func afterOutput() -> ExitStatus {
    guard Output.isLost else { return .done }
    return tell(
      Failure(
        code: "outputLost", status: .other,
        Sentence(
          "Not all of the output could be written to where it was to go.",
          safe: "What the command does in the vault is done.",
          next: "Check that there is room, and look at the vault before you repeat it.")),
      isJSON: false)
  }

  private static func tell(_ failure: Failure, isJSON: Bool) -> ExitStatus {
    if isJSON { return json(failure) }
    let sentence = failure.sentence
    Output.remark(sentence.what)
    for part in [sentence.safe, sentence.next] where !part.isEmpty { Output.remark(part) }
    return failure.status
  }

  private static func json(_ failure: Failure) -> ExitStatus {
    struct Object: Encodable { let error: ErrorObject }
    do {
      try Output.json(Object(error: ErrorObject(failure)))
    } catch {
      Output.remark(failure.sentence.text)
    }
    return failure.status
  }

  /// What the argument parser throws: help that was asked for, or a command that it did not
  /// understand.
  private static func tellParsing(
    _ error: any Error, _ arguments: [String], isJSON: Bool
  ) -> ExitStatus {
    switch Cairn.exitCode(for: error) {
    case .success:
      Output.line(Cairn.fullMessage(for: error))
      return .done
    case .validationFailure:
      let isNested =
        arguments.first != "case" || ["new", "list"].contains(arguments.dropFirst().first)
      let words = arguments.prefix { !$0.hasPrefix("-") }
        .prefix(isNested ? CommandNames.wordCount(arguments) : 1)
      let command = (["cairn"] + words.map(SafeText.line)).joined(separator: " ")
      let message = Self.plain(Cairn.message(for: error))
      return tell(
        .usage(
          "usage",
          Sentence(
            SafeText.line(message) + (message.hasSuffix(".") || message.hasSuffix("?") ? "" : "."),
            safe: Sentences.unchanged, next: "“\(command) --help” shows what it understands.")),
        isJSON: isJSON)
    default:
      return tell(Failure(VaultError(.inputOutput)), isJSON: isJSON)
    }
  }

  /// The commonest slip in other words than those of the argument parser.
  private static func plain(_ message: String) -> String {
    let beginning = "Missing expected argument "
    guard message.hasPrefix(beginning) else { return message }
    return "Something is missing: " + message.dropFirst(beginning.count)
  }
}

/// Ends a command with an exit code after it has said by itself what there was to say.
struct AlreadyTold: Error {
  let status: ExitStatus
}
