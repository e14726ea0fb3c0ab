/// What a derived key is for: the eight bytes that `crypto_kdf` calls a context.
///
/// This is the register of all of them. A use that is not listed does not exist: there is no public
/// initialiser. Changing a name changes every key under it, so a name is never reused and never
/// edited.
public struct KeyContext: Hashable, Sendable {
  // The eight ASCII bytes, in memory order.
  private let name: UInt64

  private init(_ name: StaticString) {
    precondition(name.utf8CodeUnitCount == 8 && name.isASCII, "a context is eight ASCII characters")
    let start = unsafe UnsafeRawPointer(name.utf8Start)
    self.name = unsafe start.loadUnaligned(as: UInt64.self)
  }

  /// From a vault's master key: the key of the encrypted database's pages.
  public static let databasePages = KeyContext("pagesdb_")
  /// From a vault's master key: the key of the sealed anchor.
  public static let anchor = KeyContext("anchor__")
  /// From a vault's master key: the key of the hash that finds duplicate content.
  public static let duplicates = KeyContext("dupfind_")
  /// From a vault's master key: seals the member and epoch keys that the database holds.
  public static let caseKeys = KeyContext("casekeys")
  /// From an entry's key: the key that seals the entry's parts.
  public static let entryCipher = KeyContext("entrkey_")
  /// From an entry's key, one number a part: the salt of that part's hash.
  public static let partSalts = KeyContext("partsalt")
  /// From an epoch key: the key that seals entry keys to its audience.
  public static let slot = KeyContext("slotkey_")
  /// From a blob's key: the key that seals the blob's spans.
  public static let blobSpans = KeyContext("blobspan")

  @inline(__always)
  func withCPointer<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe withUnsafeBytes(of: name) { buffer in
      // Eight bytes on the stack always have an address.
      unsafe body(buffer.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self))
    }
  }
}
