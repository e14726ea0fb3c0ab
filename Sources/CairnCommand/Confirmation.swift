import ArgumentParser
import CaseLog
import Vault

/// What is asked before something that cannot be taken back.
struct Confirmation: ParsableArguments {
  @Flag(help: "Do it without asking: for scripts.")
  var yes = false

  /// Says what cannot be taken back, and goes on only with a yes.
  ///
  /// - Throws: a failure with exit code 64 where nobody can answer; `.cancelled` after a no.
  func require(_ warning: String, question: String, terminal: Terminal?) throws {
    if yes { return }
    guard let terminal else {
      throw Failure.usage(
        "notConfirmed",
        Sentence(
          warning, safe: Sentences.unchanged,
          next:
            "If that is what you want, run this on a terminal without --no-input, or with --yes."
        ))
    }
    terminal.explain(warning)
    guard try terminal.confirm(question) else { throw VaultError(.cancelled) }
  }
}

/// A day or a time at which something ends.
enum EndTime {
  /// Seconds since 1970. A day without a time is meant to its end, by UTC.
  static func parse(_ typed: String) throws -> UInt64 {
    var seconds: Int64?
    switch ClaimedTime(typed: typed) {
    case .exact(let time)?: seconds = time.seconds
    case .date(let date)? where date.day != nil:
      seconds = (ClaimedTime.date(date).firstSecond) + 86_399
    default: break
    }
    guard let seconds, seconds > 0 else {
      throw Failure.usage(
        "invalidTime",
        Sentence(
          "\(SafeText.quoted(Columns.cut(typed, to: 60))) is not a day that can be understood.",
          safe: Sentences.unchanged,
          next: "Write a day as 2027-05-31, or a time as 2027-05-31T18:00+02:00."))
    }
    return UInt64(seconds)
  }
}
