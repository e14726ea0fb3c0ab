import Vault

/// What is said when something could not be done: what happened, what is safe, what to do next.
struct Sentence: Hashable {
  var what: String
  var safe: String
  var next: String

  init(_ what: String, safe: String, next: String) {
    self.what = what
    self.safe = safe
    self.next = next
  }

  /// In one line, for scripts.
  var text: String { [what, safe, next].filter { !$0.isEmpty }.joined(separator: " ") }
}

/// Why a command ended without having done what it was asked for.
struct Failure: Error {
  /// A stable name for scripts.
  let code: String
  let status: ExitStatus
  let sentence: Sentence

  init(code: String, status: ExitStatus, _ sentence: Sentence) {
    self.code = code
    self.status = status
    self.sentence = sentence
  }

  /// - Parameter subject: what the user typed, already safe to show; nil for "it".
  init(_ error: VaultError, subject: String? = nil) {
    self.init(
      code: error.code.rawValue, status: ExitStatus(error.code),
      Sentences.of(error, subject: subject))
  }

  /// The command cannot be carried out as it was typed.
  static func usage(_ code: String, _ sentence: Sentence) -> Failure {
    Failure(code: code, status: .usage, sentence)
  }
}
