/// When something is said to have happened: a claim, kept in the form in which it was made.
///
/// It decides neither order nor permission, and is never mixed with the times that clocks attest.
public enum ClaimedTime: Hashable, Sendable {
  case exact(ZonedTime)
  case date(CivilDate)
  case about(CivilDate)
  case range(Moment, Moment)

  /// One end of a range.
  public enum Moment: Hashable, Sendable {
    case exact(ZonedTime)
    case date(CivilDate)

    public var text: String {
      switch self {
      case .exact(let time): return time.text
      case .date(let date): return date.text
      }
    }

    /// The first second that it can mean, for the comparison of the two ends of a range.
    var firstSecond: Int64 {
      switch self {
      case .exact(let time): return time.seconds
      case .date(let date): return Int64(date.daysSinceEpoch) * 86_400
      }
    }
  }

  public var text: String {
    switch self {
    case .exact(let time): return time.text
    case .date(let date): return date.text
    case .about(let date): return "about " + date.text
    case .range(let first, let last): return first.text + " to " + last.text
    }
  }

  /// For lists in order of the claimed time: the first second that it can mean.
  public var firstSecond: Int64 {
    switch self {
    case .exact(let time): return time.seconds
    case .date(let date), .about(let date): return Int64(date.daysSinceEpoch) * 86_400
    case .range(let first, _): return first.firstSecond
    }
  }
}

// MARK: - As typed

extension ClaimedTime {
  /// Reads what a person types: ISO 8601 with zone (`2024-05-31T14:30Z`, `2024-05-31 14:30:05+02:00`), a
  /// date (`2024-05-31`, `2024-05`, `2024`), `about DATE`, or a range (`X to Y`, `X..Y`, `X/Y`).
  ///
  /// Nil for anything else, for days that do not exist, and for ranges that end before they begin. A time
  /// without a zone is refused: it would mean another moment on another machine.
  public init?(typed text: String) {
    let input = trimmed(Array(text.utf8)[...])
    guard input.count <= 100 else { return nil }
    if let rest = dropping(prefix: "about ", from: input) {
      guard case .date(let date)? = Moment(typed: trimmed(rest)) else { return nil }
      self = .about(date)
    } else if let (first, last) = Self.ends(of: input) {
      guard let first = Moment(typed: first), let last = Moment(typed: last),
        first.firstSecond <= last.firstSecond
      else { return nil }
      self = .range(first, last)
    } else {
      switch Moment(typed: input) {
      case .exact(let time)?: self = .exact(time)
      case .date(let date)?: self = .date(date)
      case nil: return nil
      }
    }
  }

  private static func ends(of input: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
    for separator in [" to ", "..", "/"] {
      let bytes = Array(separator.utf8)
      var index = input.startIndex
      while index + bytes.count <= input.endIndex {
        if input[index..<index + bytes.count].elementsEqual(bytes) {
          return (trimmed(input[..<index]), trimmed(input[(index + bytes.count)...]))
        }
        index += 1
      }
    }
    return nil
  }
}

extension ClaimedTime.Moment {
  init?(typed input: ArraySlice<UInt8>) {
    var scanner = Scanner(rest: input)
    guard let year = scanner.digits(4) else { return nil }
    var month: Int?
    var day: Int?
    if scanner.take("-") {
      guard let number = scanner.digits(2) else { return nil }
      month = number
      if scanner.take("-") {
        guard let number = scanner.digits(2) else { return nil }
        day = number
      }
    }
    guard let date = CivilDate(year: year, month: month, day: day) else { return nil }
    if scanner.rest.isEmpty {
      self = .date(date)
      return
    }
    guard day != nil, scanner.take("T") || scanner.take("t") || scanner.take(" "),
      let second = scanner.clock(), let offset = scanner.zone(), scanner.rest.isEmpty,
      let time = ZonedTime(
        seconds: Int64(date.daysSinceEpoch * 86_400 + second - offset * 60), offsetMinutes: offset)
    else { return nil }
    self = .exact(time)
  }
}

/// Reads ASCII from the front; every step either takes what it names or takes nothing.
private struct Scanner {
  var rest: ArraySlice<UInt8>

  mutating func take(_ character: Character) -> Bool {
    guard let first = rest.first, first == character.asciiValue else { return false }
    rest = rest.dropFirst()
    return true
  }

  mutating func digits(_ count: Int) -> Int? {
    guard rest.count >= count else { return nil }
    var number = 0
    for byte in rest.prefix(count) {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      number = number * 10 + Int(byte - 0x30)
    }
    rest = rest.dropFirst(count)
    return number
  }

  /// `hh:mm` or `hh:mm:ss`, with a fraction that is dropped, as seconds of the day.
  mutating func clock() -> Int? {
    guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60 else {
      return nil
    }
    var second = 0
    if take(":") {
      guard let number = digits(2), number < 60 else { return nil }
      second = number
      if take(".") {
        guard digits(1) != nil else { return nil }
        while digits(1) != nil {}
      }
    }
    return hour * 3600 + minute * 60 + second
  }

  /// `Z`, `±hh:mm`, `±hhmm` or `±hh`, as minutes east of UTC.
  mutating func zone() -> Int? {
    _ = take(" ")
    if take("Z") || take("z") { return 0 }
    let sign: Int
    if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
    guard let hours = digits(2), hours < 24 else { return nil }
    var minutes = 0
    if take(":") || !rest.isEmpty {
      guard let number = digits(2), number < 60 else { return nil }
      minutes = number
    }
    return sign * (hours * 60 + minutes)
  }
}

private func trimmed(_ input: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var input = input
  while input.first == 0x20 { input = input.dropFirst() }
  while input.last == 0x20 { input = input.dropLast() }
  return input
}

private func dropping(prefix: String, from input: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
  let bytes = Array(prefix.utf8)
  return input.prefix(bytes.count).elementsEqual(bytes) ? input.dropFirst(bytes.count) : nil
}
