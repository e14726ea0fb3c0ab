/// The limits of what is in a case; the reasons stand in `Protocol/README.md`.
public enum Limits {
  public static let partsOfEntry = 256
  public static let partLabel = 32
  public static let entryPlaintext = 1 << 20
  /// The least padded plaintext: short notes all look alike.
  public static let entryPlaintextFloor: UInt64 = 256
  public static let url = 8 * 1024
  public static let name = 1024
  public static let words = 512 * 1024
  public static let shortText = 1024
  public static let tags = 64
  public static let mediaType = 127
  public static let attachment: UInt64 = 1 << 40
  /// As many as a bundle holds of a log: whoever could write more could keep a case from being handed over.
  public static let entriesOfLog: UInt64 = 1 << 20
  /// A size that an entry or a statement names, which need not be one that a log can have.
  public static let namedSize: UInt64 = 1 << 32
  public static let members = 1024
  public static let epochs = 4096
  public static let slotsOfEntry = 64
  public static let statements = 4096
  public static let statement = 4096
  /// Cuts of one log that count, and new keys of one device: the first, and the least.
  public static let cutsOfLog = 64
  public static let successionsOfLog = 4
  /// Members that all follow from one device's first keys.
  public static let keysOfDevice = 32
  /// Receipts that an entry embeds when it is written; a reader takes more.
  public static let receiptsOfEntry = 64
  public static let note = 16 * 1024
  public static let references = 4096
  public static let ranges = 16 * 1024
  public static let card = 4096
  public static let invitation = 64 * 1024
}
