public import Cryptography
public import VerifiableLog

/// A case, named by the public key of its root.
public struct CaseID: Identifier32 {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }

  public init(root: VerifyingKey) {
    self.raw = Domain.caseID.hash(root.bytes)
  }

  /// As it stands in a statement: 52 characters of base32.
  public var fingerprint: String { Base32.encode(raw.bytes) }
}

/// An epoch is named by the entry that begins it.
public typealias EpochID = EntryID

/// What a member may write.
public enum Role: UInt64, Hashable, Sendable {
  case survivor = 1
  case advocate = 2

  /// Advocates write notes, always shown as theirs; everything else is the survivor's.
  public func mayWrite(_ entryClass: EntryClass) -> Bool {
    self == .survivor || entryClass == .note
  }
}

/// What an entry is. Unknown kinds keep their class, by range.
public struct EntryKind: Hashable, Sendable {
  public let code: UInt64
  public init(code: UInt64) { self.code = code }

  public static let admit = EntryKind(code: 1)
  public static let epoch = EntryKind(code: 2)
  public static let share = EntryKind(code: 3)
  public static let cut = EntryKind(code: 4)
  public static let erase = EntryKind(code: 5)
  public static let keep = EntryKind(code: 6)
  public static let evidence = EntryKind(code: 16)
  public static let amend = EntryKind(code: 17)
  public static let retract = EntryKind(code: 18)
  public static let note = EntryKind(code: 32)
  public static let takedown = EntryKind(code: 33)
  public static let request = EntryKind(code: 34)

  /// The class that this kind must stand under; nil for a code that no version will use.
  public var entryClass: EntryClass? {
    switch code {
    case 1...15: return .control
    case 16...31: return .content
    case 32...47: return .note
    default: return nil
    }
  }

  /// A stable name for scripts; nil if this version does not know the kind.
  public var name: String? {
    switch self {
    case .admit: return "admit"
    case .epoch: return "epoch"
    case .share: return "share"
    case .cut: return "cut"
    case .erase: return "erase"
    case .keep: return "keep"
    case .evidence: return "evidence"
    case .amend: return "amend"
    case .retract: return "retract"
    case .note: return "note"
    case .takedown: return "takedown"
    case .request: return "request"
    default: return nil
    }
  }
}

/// Why something of a case was refused. Values only; sentences are made by the commands.
public enum CaseLogError: Error, Hashable, Sendable {
  /// Not in the one canonical encoding, over a limit, or lacking a field.
  case malformed
  /// Of a format version, kind or type that this program does not know.
  case newerVersion
  /// A signature or a key in it does not hold.
  case badSignature
  /// It belongs to another case.
  case otherCase
  /// The key does not open the ciphertext.
  case locked
  /// The ciphertext is not the one that the leaf names.
  case otherCiphertext
  /// The key opens the ciphertext, but the parts do not give the leaf's commitment.
  case commitmentMismatch
  /// Part 0 names another case, log, sequence or number of parts than the place it was found at.
  case misplaced
  /// The kind stands under another class than its own.
  case classMismatch
  /// A sealed box that this key does not open.
  case notForThisKey
}
