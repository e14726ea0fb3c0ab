public import Cryptography
public import VerifiableLog

/// What a control entry does. Control entries hold keys, roles and references, never names or words.
public enum Control: Hashable, Sendable {
  case admit(Admission)
  case epoch(Epoch)
  case share(Share)
  case cut(Cut)
  case erase([EntryID])
  /// An erasure by another device has no effect.
  case keep(EntryID)

  /// A member joins.
  public struct Admission: Hashable, Sendable {
    public let card: Card
    public let role: Role
    /// When the sharing lapses; nil while none was agreed.
    public let until: UInt64?

    public init(card: Card, role: Role, until: UInt64? = nil) {
      self.card = card
      self.role = role
      self.until = until
    }
  }

  /// A key for an audience begins.
  public struct Epoch: Hashable, Sendable {
    public let audience: Audience
    public let commitment: Bytes32
    /// Who is given the key, by log id.
    public let members: [LogID]
    /// Earlier epochs of the audience that this one replaces.
    public let replaces: [EpochID]

    public init(
      audience: Audience, commitment: Bytes32, members: [LogID], replaces: [EpochID] = []
    ) {
      self.audience = audience
      self.commitment = commitment
      self.members = members
      self.replaces = replaces
    }
  }

  /// Older entries are opened to an audience; the slots travel beside.
  public struct Share: Hashable, Sendable {
    public let epoch: EpochID
    public let entries: [Range]
    public let slotBatch: Bytes32

    /// `count` leaves of a log from `first` on.
    public struct Range: Hashable, Sendable {
      public let logID: LogID
      public let first: UInt64
      public let count: UInt64

      public init(logID: LogID, first: UInt64, count: UInt64) {
        self.logID = logID
        self.first = first
        self.count = count
      }
    }

    public init(epoch: EpochID, entries: [Range], slotBatch: Bytes32) {
      self.epoch = epoch
      self.entries = entries
      self.slotBatch = slotBatch
    }
  }

  /// A log counts no further than this: what its owner writes beyond has no power.
  public struct Cut: Hashable, Sendable {
    /// Whose log; its first `size` leaves stand, and their root is named so that they are those meant.
    public let position: LogPosition

    public init(position: LogPosition) { self.position = position }
  }

  public var kind: EntryKind {
    switch self {
    case .cut: return .cut
    case .erase: return .erase
    case .keep: return .keep
    case .admit: return .admit
    case .epoch: return .epoch
    case .share: return .share
    }
  }
}

// MARK: - Bytes

extension Control {
  /// The control part of an opened control entry.
  ///
  /// - Throws: `.newerVersion` for a kind that this program does not know.
  public init(of entry: OpenedEntry) throws(CaseLogError) {
    guard !entry.hasWithheldParts else { throw .malformed }
    try self.init(kind: entry.header.kind, parts: entry.disclosedParts)
  }

  /// From the parts that follow header and context.
  public init(kind: EntryKind, parts: [Part]) throws(CaseLogError) {
    guard parts.count == 1, let part = parts.first, part.label == .control else {
      throw .malformed
    }
    switch kind {
    case .admit: self = .admit(try Self.admission(part.bytes))
    case .epoch: self = .epoch(try Self.epoch(part.bytes))
    case .share: self = .share(try Self.share(part.bytes))
    case .cut: self = .cut(try Self.cut(part.bytes))
    case .erase: self = .erase(try Self.erase(part.bytes))
    case .keep: self = .keep(try Self.keep(part.bytes))
    default: throw .newerVersion
    }
  }

  /// The part that carries this.
  public var part: Part {
    var out = CBOREncoder()
    switch self {
    case .admit(let admission): Self.encode(admission, to: &out)
    case .epoch(let epoch): Self.encode(epoch, to: &out)
    case .share(let share): Self.encode(share, to: &out)
    case .cut(let cut): Self.encode(cut, to: &out)
    case .erase(let entries):
      out.encodeMap(count: 1)
      out.encodeUInt(0)
      out.encodeArray(count: entries.count)
      for entry in entries { out.encodeIdentifier(entry) }
    case .keep(let entry):
      out.encodeMap(count: 1)
      out.encodeUInt(0)
      out.encodeIdentifier(entry)
    }
    return Part(.control, out.bytes)
  }

  private static func encode(_ admission: Admission, to out: inout CBOREncoder) {
    out.encodeMap(count: admission.until == nil ? 2 : 3)
    out.encodeUInt(0)
    out.encodeBytes(admission.card.bytes)
    out.encodeUInt(1)
    out.encodeUInt(admission.role.rawValue)
    if let until = admission.until {
      out.encodeUInt(2)
      out.encodeUInt(until)
    }
  }

  private static func admission(_ bytes: [UInt8]) throws(CaseLogError) -> Admission {
    let fields = try decodeWhole(bytes) {
      (decoder) throws(CBORError) -> ([UInt8], UInt64, UInt64?)? in
      let count = try decoder.readMap(max: 3)
      guard count >= 2 else { return nil }
      try decoder.expectKey(0)
      let card = try decoder.readBytes(max: Limits.card)
      try decoder.expectKey(1)
      let role = try decoder.readUInt()
      var until: UInt64?
      if count == 3 {
        try decoder.expectKey(2)
        until = try decoder.readUInt()
      }
      return (card, role, until)
    }
    guard let role = Role(rawValue: fields.1) else { throw .malformed }
    return Admission(card: try Card(decoding: fields.0), role: role, until: fields.2)
  }

  private static func encode(_ epoch: Epoch, to out: inout CBOREncoder) {
    out.encodeMap(count: 4)
    out.encodeUInt(0)
    epoch.audience.encode(to: &out)
    out.encodeUInt(1)
    out.encodeBytes32(epoch.commitment)
    out.encodeUInt(2)
    out.encodeArray(count: epoch.members.count)
    for member in epoch.members { out.encodeIdentifier(member) }
    out.encodeUInt(3)
    out.encodeArray(count: epoch.replaces.count)
    for earlier in epoch.replaces { out.encodeIdentifier(earlier) }
  }

  private static func epoch(_ bytes: [UInt8]) throws(CaseLogError) -> Epoch {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 4)
      try decoder.expectKey(0)
      let audience = try Audience.decode(&decoder)
      try decoder.expectKey(1)
      let commitment = try decoder.readBytes32()
      try decoder.expectKey(2)
      let members = try decoder.readEach(max: Limits.members) { (decoder) throws(CBORError) in
        try decoder.readIdentifier(LogID.self)
      }
      try decoder.expectKey(3)
      let replaces = try decoder.readEach(max: Limits.epochs) { (decoder) throws(CBORError) in
        try decoder.readIdentifier(EpochID.self)
      }
      return Epoch(
        audience: audience, commitment: commitment, members: members, replaces: replaces)
    }
  }

  private static func encode(_ share: Share, to out: inout CBOREncoder) {
    out.encodeMap(count: 3)
    out.encodeUInt(0)
    out.encodeIdentifier(share.epoch)
    out.encodeUInt(1)
    out.encodeArray(count: share.entries.count)
    for range in share.entries {
      out.encodeArray(count: 3)
      out.encodeIdentifier(range.logID)
      out.encodeUInt(range.first)
      out.encodeUInt(range.count)
    }
    out.encodeUInt(2)
    out.encodeBytes32(share.slotBatch)
  }

  private static func share(_ bytes: [UInt8]) throws(CaseLogError) -> Share {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 3)
      try decoder.expectKey(0)
      let epoch: EpochID = try decoder.readIdentifier()
      try decoder.expectKey(1)
      let entries = try decoder.readEach(max: Limits.ranges) { (decoder) throws(CBORError) in
        try decoder.readArray(count: 3)
        return Share.Range(
          logID: try decoder.readIdentifier(),
          first: try decoder.readUInt(max: Limits.namedSize),
          count: try decoder.readUInt(max: Limits.namedSize))
      }
      try decoder.expectKey(2)
      return Share(epoch: epoch, entries: entries, slotBatch: try decoder.readBytes32())
    }
  }

  private static func encode(_ cut: Cut, to out: inout CBOREncoder) {
    out.encodeMap(count: 3)
    out.encodeUInt(0)
    out.encodeIdentifier(cut.position.logID)
    out.encodeUInt(1)
    out.encodeUInt(cut.position.size)
    out.encodeUInt(2)
    out.encodeBytes32(cut.position.root)
  }

  private static func cut(_ bytes: [UInt8]) throws(CaseLogError) -> Cut {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 3)
      try decoder.expectKey(0)
      let logID: LogID = try decoder.readIdentifier()
      try decoder.expectKey(1)
      let size = try decoder.readUInt(max: Limits.namedSize)
      try decoder.expectKey(2)
      return Cut(
        position: LogPosition(logID: logID, size: size, root: try decoder.readBytes32()))
    }
  }

  private static func erase(_ bytes: [UInt8]) throws(CaseLogError) -> [EntryID] {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 1)
      try decoder.expectKey(0)
      return try decoder.readEach(max: Limits.references) { (decoder) throws(CBORError) in
        try decoder.readIdentifier(EntryID.self)
      }
    }
  }

  private static func keep(_ bytes: [UInt8]) throws(CaseLogError) -> EntryID {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 1)
      try decoder.expectKey(0)
      return try decoder.readIdentifier(EntryID.self)
    }
  }
}
