internal import Cryptography
internal import VerifiableLog

extension EntryContent {
  /// Reads the disclosed parts of a content or note entry.
  ///
  /// - Throws: `.malformed` for a known part with wrong bytes, a part that stands twice, a name or blob without its
  ///   file, or a picture in an entry that must not have one.
  public init(of entry: OpenedEntry) throws(CaseLogError) {
    try self.init(parts: entry.disclosedParts, isPartial: entry.hasWithheldParts)
  }

  /// From the parts that follow header and context, of which some may be withheld.
  public init(parts: [Part], isPartial: Bool = false) throws(CaseLogError) {
    var content = EntryContent()
    var names: [(UInt64, [UInt8])] = []
    var blobs: [(UInt64, Attachment.Blob)] = []
    var seen: [PartLabel] = []
    for part in parts {
      switch part.label {
      case .file: content.attachments.append(try Attachment(decoding: part.bytes))
      case .name: names.append(try Attachment.name(decoding: part.bytes))
      case .blob: blobs.append(try Attachment.blob(decoding: part.bytes))
      default:
        guard !seen.contains(part.label) else { throw .malformed }
        seen.append(part.label)
        try content.read(part)
      }
    }
    for index in content.attachments.indices {
      guard content.attachments[index].number == UInt64(index) else { throw .malformed }
    }
    try content.attach(names: names, blobs: blobs, filesMayBeWithheld: isPartial)
    self = content
  }

  private mutating func read(_ part: Part) throws(CaseLogError) {
    switch part.label {
    case .url: url = try Self.text(part.bytes, max: Limits.url)
    case .words: words = try Self.text(part.bytes, max: Limits.words)
    case .title: title = try Self.text(part.bytes, max: Limits.shortText)
    case .place: place = try Self.text(part.bytes, max: Limits.shortText)
    case .account: account = try Self.text(part.bytes, max: Limits.shortText)
    case .seen: seen = try ClaimedTime(decoding: part.bytes)
    case .takedown: takedown = try Takedown(decoding: part.bytes)
    case .request:
      request = try decodeWhole(part.bytes) { (decoder) throws(CBORError) -> Request? in
        try decoder.readMap(count: 1)
        try decoder.expectKey(0)
        return Request(rawValue: try decoder.readUInt())
      }
    case .tags:
      tags = try decodeWhole(part.bytes) { (decoder) throws(CBORError) in
        try decoder.readEach(max: Limits.tags) { (decoder) throws(CBORError) in
          try decoder.readText(max: Limits.shortText)
        }
      }
    case .about:
      about = try decodeWhole(part.bytes) { (decoder) throws(CBORError) in
        try decoder.readEach(max: Limits.references) { (decoder) throws(CBORError) in
          try decoder.readIdentifier(EntryID.self)
        }
      }
    case .minor:
      showsMinor = try decodeWhole(part.bytes) { (decoder) throws(CBORError) in
        try decoder.readBool() ? true : nil
      }
    default: unknownParts += 1
    }
  }

  private mutating func attach(
    names: [(UInt64, [UInt8])], blobs: [(UInt64, Attachment.Blob)], filesMayBeWithheld: Bool
  ) throws(CaseLogError) {
    for (number, name) in names {
      guard number < UInt64(attachments.count) else {
        guard filesMayBeWithheld else { throw .malformed }
        continue
      }
      guard attachments[Int(number)].name == nil else { throw .malformed }
      attachments[Int(number)].name = name
    }
    for (number, blob) in blobs {
      guard number < UInt64(attachments.count), attachments[Int(number)].blob == nil,
        !attachments[Int(number)].isWithoutContent, !showsMinor
      else { throw .malformed }
      attachments[Int(number)].blob = blob
    }
  }

  private static func text(_ bytes: [UInt8], max: Int) throws(CaseLogError) -> String {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in try decoder.readText(max: max) }
  }
}

extension OpenedEntry {
  var hasWithheldParts: Bool { parts.contains { $0.part == nil } }
}

extension Attachment {
  fileprivate init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 5)
      try decoder.expectKey(0)
      let number = try decoder.readUInt()
      try decoder.expectKey(1)
      let size = try decoder.readUInt()
      guard size <= Limits.attachment else { return nil }
      try decoder.expectKey(2)
      let sha256 = try decoder.readBytes32()
      try decoder.expectKey(3)
      let mediaType = try decoder.readText(max: Limits.mediaType)
      try decoder.expectKey(4)
      return Attachment(
        number: number, size: size, sha256: sha256, mediaType: mediaType,
        isWithoutContent: try decoder.readBool())
    }
  }

  fileprivate static func name(decoding bytes: [UInt8]) throws(CaseLogError) -> (UInt64, [UInt8]) {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 2)
      try decoder.expectKey(0)
      let number = try decoder.readUInt()
      try decoder.expectKey(1)
      let name =
        try decoder.peek() == .text
        ? Array(try decoder.readText(max: Limits.name).utf8)
        : try decoder.readBytes(max: Limits.name)
      return (number, name)
    }
  }

  fileprivate static func blob(decoding bytes: [UInt8]) throws(CaseLogError) -> (UInt64, Blob) {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 3)
      try decoder.expectKey(0)
      let number = try decoder.readUInt()
      try decoder.expectKey(1)
      let root: BlobRoot = try decoder.readIdentifier()
      try decoder.expectKey(2)
      return (number, Blob(root: root, key: try decoder.readBytes(count: 32)))
    }
  }
}

extension EntryContent.Takedown {
  fileprivate init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      var count = try decoder.readMap(max: 3)
      guard count >= 1 else { return nil }
      try decoder.expectKey(0)
      guard let step = Step(rawValue: try decoder.readUInt()) else { return nil }
      var recipient: String?
      var reference: String?
      while count > 1 {
        count -= 1
        switch try decoder.readUInt() {
        case 1: recipient = try decoder.readText(max: Limits.shortText)
        case 2: reference = try decoder.readText(max: Limits.shortText)
        default: return nil
        }
      }
      return EntryContent.Takedown(step: step, recipient: recipient, reference: reference)
    }
  }
}

// MARK: - Claimed time as bytes

extension ClaimedTime {
  func encode(to out: inout CBOREncoder) {
    if case .range(let first, let last) = self {
      out.encodeMap(count: 3)
      out.encodeUInt(0)
      out.encodeUInt(3)
      out.encodeUInt(1)
      first.encode(to: &out)
      out.encodeUInt(2)
      last.encode(to: &out)
      return
    }
    out.encodeMap(count: 2)
    out.encodeUInt(0)
    switch self {
    case .exact(let time):
      out.encodeUInt(0)
      out.encodeUInt(1)
      Moment.exact(time).encode(to: &out)
    case .date(let date):
      out.encodeUInt(1)
      out.encodeUInt(1)
      Moment.date(date).encode(to: &out)
    case .about(let date):
      out.encodeUInt(2)
      out.encodeUInt(1)
      Moment.date(date).encode(to: &out)
    case .range: break
    }
  }

  init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      let count = try decoder.readMap(max: 3)
      try decoder.expectKey(0)
      let form = try decoder.readUInt()
      guard count == (form == 3 ? 3 : 2) else { return nil }
      try decoder.expectKey(1)
      switch form {
      case 0: return try Moment.time(&decoder).map(ClaimedTime.exact)
      case 1: return try Moment.date(&decoder).map(ClaimedTime.date)
      case 2: return try Moment.date(&decoder).map(ClaimedTime.about)
      case 3:
        let first = try Moment.decode(&decoder)
        try decoder.expectKey(2)
        guard let first, let last = try Moment.decode(&decoder),
          first.firstSecond <= last.firstSecond
        else { return nil }
        return .range(first, last)
      default: return nil
      }
    }
  }
}

extension ClaimedTime.Moment {
  /// Exact: [0, seconds, minutes]; a date: [1, year, month, day] or less.
  fileprivate func encode(to out: inout CBOREncoder) {
    switch self {
    case .exact(let time):
      out.encodeArray(count: 3)
      out.encodeUInt(0)
      out.encodeInt(time.seconds)
      out.encodeInt(Int64(time.offsetMinutes))
    case .date(let date):
      let numbers = [date.year, date.month, date.day].compactMap { $0 }
      out.encodeArray(count: 1 + numbers.count)
      out.encodeUInt(1)
      for number in numbers { out.encodeUInt(UInt64(number)) }
    }
  }

  fileprivate static func decode(
    _ decoder: inout CBORDecoder
  ) throws(CBORError) -> ClaimedTime.Moment? {
    let count = try decoder.readArray(max: 4)
    guard count >= 2 else { return nil }
    switch try decoder.readUInt() {
    case 0:
      guard count == 3 else { return nil }
      let seconds = try decoder.readInt()
      let offset = try decoder.readInt()
      guard (-1439...1439).contains(offset) else { return nil }
      return ZonedTime(seconds: seconds, offsetMinutes: Int(offset)).map(Self.exact)
    case 1:
      var numbers: [Int] = []
      for _ in 1..<count {
        let number = try decoder.readUInt()
        guard number <= 9999 else { return nil }
        numbers.append(Int(number))
      }
      return CivilDate(
        year: numbers[0], month: count > 2 ? numbers[1] : nil, day: count > 3 ? numbers[2] : nil
      ).map(Self.date)
    default: return nil
    }
  }

  fileprivate static func time(_ decoder: inout CBORDecoder) throws(CBORError) -> ZonedTime? {
    guard case .exact(let time)? = try decode(&decoder) else { return nil }
    return time
  }

  fileprivate static func date(_ decoder: inout CBORDecoder) throws(CBORError) -> CivilDate? {
    guard case .date(let date)? = try decode(&decoder) else { return nil }
    return date
  }
}
