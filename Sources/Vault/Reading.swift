public import CaseLog
public import Cryptography
internal import GRDB
public import VerifiableLog

/// An entry as it is listed.
public struct EntrySummary: Hashable, Sendable {
  public enum Standing: Hashable, Sendable {
    case open
    /// Not shared with this member, or its key has not arrived.
    case locked
    /// It breaks a rule of the case; kept aside and never counted.
    case violation
    /// A survivor's device wants it gone.
    case erased
    /// Its author was removed before, or signed two histories; somebody else saw it, so it stays in view.
    case disputed
    /// Its author was removed before, and nobody else's word is there for it.
    case setAside
  }

  public let id: EntryID
  public let caseID: CaseID
  public let caseName: String
  public let logID: LogID
  public let sequence: UInt64
  public let standing: Standing
  /// The role of its author; nil while the author's admission has not arrived.
  public let author: Role?
  public internal(set) var isOwn: Bool
  /// Nil for a locked entry.
  public let kind: EntryKind?
  /// By the author's clock, in seconds since 1970: a claim.
  public let enteredAt: UInt64?
  /// The newest receipt that it embeds says that it was made after this.
  public let notBefore: UInt64?
  /// The first receipt of another member that covers it says that it existed by then.
  public let existedBy: UInt64?
  /// A survivor took it back; it is still there.
  public let isRetracted: Bool
  public let content: EntryContent?
}

/// What a receipt says of an entry: another member had seen it by then.
public struct Attestation: Hashable, Sendable {
  public let witness: LogID
  /// Nil when the witness is not, or no longer, a member that this copy knows.
  public let role: Role?
  /// Seconds since 1970 by the witness's clock.
  public let time: UInt64
}

/// An entry with what is known about its time.
public struct EntryDetail: Hashable, Sendable {
  public let summary: EntrySummary
  /// The newest receipt that the entry embeds: it was made after this.
  public let notBefore: Attestation?
  /// The first receipt of each member that covers the entry: it was made before these.
  public let seenBy: [Attestation]
  /// Attachments of which the bytes are in this vault.
  public let presentAttachments: [UInt64]
}

extension OpenVault {
  /// Content and notes of a case, oldest entered first; control entries are the case's own machinery.
  public func entries(ofCase name: String?) throws(VaultError) -> [EntrySummary] {
    try entries(matching: EntryQuery(.oneCase(name))).entries
  }

  /// The entry with this id, or the only one whose id begins so.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`.
  public func entry(_ text: String) throws(VaultError) -> EntryDetail {
    try read { db in
      let (row, entry) = try EntryTable.find(db, text)
      return try EntryTable.detail(db, entry, of: row, in: try CaseView.state(db, of: row))
    }
  }
}

extension OpenVault {
  /// The hash that is the same on every copy which holds the same logs, whatever it can open of them.
  public func stateHash(ofCase name: String?) throws(VaultError) -> Bytes32 {
    try read { db in try CaseView.state(db, of: try CaseRow.find(db, name)).stateHash }
  }
}
