import CaseLog
import Vault

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
