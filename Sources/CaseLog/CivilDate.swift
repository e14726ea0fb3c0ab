/// A day of the proleptic Gregorian calendar, or less exactly a month or a year.
///
/// The calendar arithmetic is our own because the verifier core runs where there is no Foundation.
public struct CivilDate: Hashable, Sendable {
  /// 1 to 9999.
  public let year: Int
  /// 1 to 12, or nil when only the year is known.
  public let month: Int?
  /// 1 to the length of the month, or nil when only the month is known.
  public let day: Int?

  /// Nil unless the numbers name a year, month or day that exists.
  public init?(year: Int, month: Int? = nil, day: Int? = nil) {
    guard (1...9999).contains(year) else { return nil }
    if let month {
      guard (1...12).contains(month) else { return nil }
      if let day {
        guard day >= 1, day <= Self.length(ofMonth: month, year: year) else { return nil }
      }
    } else if day != nil {
      return nil
    }
    self.year = year
    self.month = month
    self.day = day
  }

  static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: return isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }

  static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// Days from 1970-01-01 to the first day that this date can mean.
  ///
  /// Counts years from March, so that the leap day is the last of its year.
  var daysSinceEpoch: Int {
    let m = month ?? 1
    let d = day ?? 1
    let y = m <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The day that lies `days` after 1970-01-01; nil outside of the years 1 to 9999.
  init?(daysSinceEpoch days: Int) {
    let shifted = days + 719_468
    guard shifted >= 0 else { return nil }
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    self.init(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
      day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  /// ISO 8601: `2024`, `2024-05` or `2024-05-31`.
  public var text: String {
    var result = padded(year, 4)
    if let month { result += "-" + padded(month, 2) }
    if let day { result += "-" + padded(day, 2) }
    return result
  }
}

/// `number` in decimal, with zeros in front up to `width` digits.
func padded(_ number: Int, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// A point in time with the offset from UTC that its source stated.
public struct ZonedTime: Hashable, Sendable {
  /// Seconds since 1970-01-01T00:00:00Z; the years 1 to 9999.
  public let seconds: Int64
  /// Minutes east of UTC, −1439 to 1439.
  public let offsetMinutes: Int

  public init?(seconds: Int64, offsetMinutes: Int = 0) {
    guard (-1439...1439).contains(offsetMinutes) else { return nil }
    // A day is kept free at both ends, so that no offset leads out of the years that have a name.
    guard seconds >= -62_135_510_400, seconds <= 253_402_214_399 else { return nil }
    self.seconds = seconds
    self.offsetMinutes = offsetMinutes
  }

  /// `2024-05-31 14:30:05 +02:00`, or with `UTC` where the offset is zero.
  public var text: String {
    let local = Int(seconds) + offsetMinutes * 60
    let dayNumber = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
    let second = local - dayNumber * 86_400
    guard let date = CivilDate(daysSinceEpoch: dayNumber) else { return String(seconds) }
    let clock =
      padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
    return date.text + " " + clock + " " + zone
  }

  var zone: String {
    guard offsetMinutes != 0 else { return "UTC" }
    let minutes = abs(offsetMinutes)
    return (offsetMinutes < 0 ? "-" : "+") + padded(minutes / 60, 2) + ":" + padded(minutes % 60, 2)
  }
}
