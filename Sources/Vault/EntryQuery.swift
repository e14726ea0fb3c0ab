public import CaseLog
internal import Cryptography

/// Which entries are asked for, and in which order. All that is named has to hold.
///
/// The three kinds of time stay apart: what is claimed (`happened`), the author's clock (`entered`), and what
/// receipts of other members bound (`notBefore`, `existedBy`). A query asks for each on its own.
public struct EntryQuery: Hashable, Sendable {
  public enum Scope: Hashable, Sendable {
    case allCases
    /// By name or beginning of the fingerprint; nil for the default one.
    case oneCase(String?)
  }

  /// Seconds since 1970, both ends included; nil for an open end.
  public struct Span: Hashable, Sendable {
    public var from: Int64?
    public var to: Int64?

    public init(from: Int64? = nil, to: Int64? = nil) {
      self.from = from
      self.to = to
    }

    /// From the first second that one time can mean to the last one of the other.
    public init(from: ClaimedTime?, to: ClaimedTime?) {
      self.init(from: from?.firstSecond, to: to?.lastSecond)
    }
  }

  public enum Author: Hashable, Sendable {
    /// This device.
    case own
    /// The member whose log id begins so.
    case member(String)
    case role(Role)
  }

  /// Who else can open an entry, as far as this copy can tell.
  public enum Audience: Hashable, Sendable {
    /// Nobody but the survivor's own devices.
    case ownDevices
    /// The advocate whose log id begins so.
    case member(String)
  }

  /// What became of an entry; each has exactly one, the first that applies.
  public enum State: Int, Hashable, Sendable, CaseIterable {
    case violation = 1
    /// A survivor's device wants it gone.
    case erased
    /// Its author was removed before, and nobody else's word is there for it.
    case setAside
    case locked
    /// Its author was removed before, or signed two histories; it stays in view.
    case disputed
    /// A survivor took it back; it is still there.
    case retracted
    case open
  }

  public enum Order: UInt8, Hashable, Sendable {
    case entered = 1
    case happened, notBefore, existedBy
  }

  public var scope: Scope
  public var text: SearchWords?
  /// Entries of which the claimed time may lie in it.
  public var happened = Span()
  public var entered = Span()
  /// A platform, as the entry names it or as its address does: `example.org`, also `example`.
  public var place: String?
  public var account: String?
  /// All of them: an entry's own and those that a survivor added to it.
  public var tags: [String] = []
  /// Any of them; none for all.
  public var kinds: [EntryKind] = []
  public var author: Author?
  public var audience: Audience?
  /// Any of them; none for all.
  public var states: Set<State> = []
  public var hasFile: Bool?
  /// `image/png`, or `image` for all images.
  public var mediaType: String?

  /// What has no time of this kind comes last, whatever the direction.
  public var order = Order.entered
  public var isNewestFirst = false
  /// Nil for all.
  public var limit: Int?
  /// `EntryPage.next` of the page before.
  public var after: String?

  public init(_ scope: Scope) { self.scope = scope }
}

/// Entries in the order that was asked for.
public struct EntryPage: Hashable, Sendable {
  public let entries: [EntrySummary]
  /// Where the next page begins; nil when there is none.
  public let next: String?
}

/// The place of an entry in an order: pages go on behind it, so that none is repeated or left out when
/// entries are added in between.
struct EntryCursor: Equatable {
  /// Nil among entries of which the time is unknown, which come last.
  let key: Int64?
  let leaf: Int64

  private static let version: UInt8 = 1

  func text(for query: EntryQuery) -> String {
    var bytes = [
      Self.version, query.order.rawValue, query.isNewestFirst ? 1 : 0, key == nil ? 0 : 1,
    ]
    for number in [key ?? 0, leaf] { bytes.appendBigEndian(UInt64(bitPattern: number)) }
    return Base32.encode(bytes)
  }

  init(key: Int64?, leaf: Int64) {
    self.key = key
    self.leaf = leaf
  }

  /// - Throws: `.cursorUnknown` for anything that a page in this order did not give.
  init(_ text: String, for query: EntryQuery) throws(VaultError) {
    let bytes: [UInt8]
    do { bytes = try Base32.decode(text) } catch { throw VaultError(.cursorUnknown) }
    guard bytes.count == 20, bytes[0] == Self.version, bytes[1] == query.order.rawValue,
      bytes[2] == (query.isNewestFirst ? 1 : 0), bytes[3] <= 1
    else { throw VaultError(.cursorUnknown) }
    func number(at start: Int) -> Int64 {
      Int64(bitPattern: UInt64(bigEndianBytes: bytes[start..<start + 8]))
    }
    key = bytes[3] == 1 ? number(at: 4) : nil
    leaf = number(at: 12)
  }
}
