internal import CaseLog
internal import Foundation

/// A value by which entries are chosen.
struct Facet: Hashable {
  enum Field: Int64 {
    case tag = 1
    case place, account, mediaType
    /// A tag that an amendment gives to what it is about.
    case addedTag
  }
  let field: Field
  let value: String

  init(_ field: Field, _ text: String) {
    self.field = field
    value = FoldedText.of(text)
  }

  static func all(of content: EntryContent) -> [Facet] {
    var result = content.tags.map { Facet(.tag, $0) }
    if let place = content.place { result.append(Facet(.place, place)) }
    if let url = content.url { result += platforms(of: url).map { Facet(.place, $0) } }
    if let account = content.account { result.append(account: account) }
    for attachment in content.attachments {
      result.append(Facet(.mediaType, attachment.mediaType))
      // `image/png` is also found as `image`.
      if let type = attachment.mediaType.split(separator: "/").first {
        result.append(Facet(.mediaType, String(type)))
      }
    }
    return result.filter { !$0.value.isEmpty }
  }

  /// What people call the place of an address: `m.example.org` is there under that name, `example.org`,
  /// `m` and `example`.
  static func platforms(of url: String) -> [String] {
    guard let host = host(of: url) else { return [] }
    let labels = host.split(separator: ".")
    guard labels.count > 1, labels.contains(where: { $0.contains { !$0.isNumber } }) else {
      return [host]
    }
    let domains = (0...labels.count - 2).map { labels[$0...].joined(separator: ".") }
    return domains + labels.dropLast().filter { $0 != "www" }.map(String.init)
  }

  /// Without user, port and the brackets of an IPv6 address.
  private static func host(of url: String) -> String? {
    guard let scheme = url.range(of: "://") else { return nil }
    let authority = url[scheme.upperBound...].prefix { !"/?#\\".contains($0) }
    let place = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
    if place.hasPrefix("[") { return String(place.dropFirst().prefix { $0 != "]" }) }
    let host = place.prefix { $0 != ":" }
    return host.isEmpty ? nil : String(host)
  }
}

extension [Facet] {
  fileprivate mutating func append(account: String) {
    append(Facet(.account, account))
    if account.hasPrefix("@") { append(Facet(.account, String(account.dropFirst()))) }
  }
}

/// Text as it is compared: without case, without the width of East Asian forms, without space around it.
enum FoldedText {
  static func of(_ text: String) -> String {
    let folded = text.lowercased().precomposedStringWithCompatibilityMapping.lowercased()
    return folded.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension ClaimedTime {
  /// The last second that it can mean; of dates, by days of UTC as `firstSecond`.
  var lastSecond: Int64 {
    switch self {
    case .exact(let time): return time.seconds
    case .date(let date), .about(let date): return date.lastSecond
    case .range(_, .exact(let time)): return time.seconds
    case .range(_, .date(let date)): return date.lastSecond
    }
  }
}

extension CivilDate {
  fileprivate var lastSecond: Int64 {
    guard let next else { return .max }
    return ClaimedTime.date(next).firstSecond - 1
  }

  /// The day, month or year that follows; nil after the year 9999.
  private var next: CivilDate? {
    let isYearOver = month.map { $0 == 12 } ?? true
    guard let month else { return CivilDate(year: year + 1) }
    let following = isYearOver ? (year + 1, 1) : (year, month + 1)
    guard let day else { return CivilDate(year: following.0, month: following.1) }
    return CivilDate(year: year, month: month, day: day + 1)
      ?? CivilDate(year: following.0, month: following.1, day: 1)
  }
}
