import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// An entry as scripts read it. The names are stable.
struct EntryObject: Encodable {
  struct File: Encodable {
    let mediaType: String
    let name: String?
    let number: UInt64
    /// Whether the bytes are in this vault; only where one entry is shown.
    let isPresent: Bool?
    let sha256: String
    let size: UInt64
    let withoutContent: Bool
  }
  struct Receipt: Encodable {
    let member: String
    let role: String?
    let time: String
  }
  struct Takedown: Encodable {
    let place: String?
    let reference: String?
    let step: String
  }
  /// To whom it was opened; only where one entry is shown.
  struct Showing: Encodable {
    let audience: String
    /// The advocate's log, where the audience is one.
    let member: String?
    /// The entry that opened it later; none where it was open from the beginning.
    let share: String?
    let time: String?
  }

  let about: [String]
  let account: String?
  let author: String?
  let authorLog: String
  /// A name of this vault's own; none where it is shown what somebody else would see.
  var `case`: String?
  let enteredAt: String?
  let files: [File]
  let id: String
  let kind: String?
  let minor: Bool
  let own: Bool
  let place: String?
  /// Whether it was meant for fewer than all who read the case, or may have been.
  var `private`: Bool?
  let request: String?
  let seenAt: String?
  let seenBy: [Receipt]?
  let madeAfter: Receipt?
  /// Members beside this device who can open it, as far as this copy can tell.
  var sharedWith: [ReaderObject]?
  let shown: [Showing]?
  let standing: String
  let tags: [String]
  let takedown: Takedown?
  let takenBackBy: String?
  let title: String?
  let url: String?
  let words: String?

  init(_ item: EntryHistory.Item) { self.init(item.summary, item: item) }

  init(_ summary: EntrySummary, item: EntryHistory.Item? = nil) {
    let content = summary.content
    let detail = item?.detail
    about = (content?.about ?? []).map(\.base32)
    account = content?.account
    authorLog = summary.logID.base32
    minor = content?.showsMinor ?? false
    place = content?.place
    request =
      summary.kind == .request
      ? (content?.request ?? .asked) == .asked ? "asked" : content?.request?.name : nil
    shown = item?.shown.map(Showing.init)
    tags = content?.tags ?? []
    takedown = content?.takedown.map {
      Takedown(place: $0.recipient, reference: $0.reference, step: $0.step.name)
    }
    takenBackBy = item?.takenBackBy?.base32
    title = content?.title
    author = summary.author?.name
    `case` = summary.caseName
    enteredAt = summary.enteredAt.map(Clock.iso)
    files = (content?.attachments ?? []).map { attachment in
      File(
        mediaType: attachment.mediaType, name: attachment.name.map(Self.name),
        number: attachment.number,
        isPresent: detail.map { $0.presentAttachments.contains(attachment.number) },
        sha256: Hex.encode(attachment.sha256.bytes), size: attachment.size,
        withoutContent: attachment.isWithoutContent)
    }
    id = summary.id.base32
    kind = summary.kind?.name
    own = summary.isOwn
    seenAt = content?.seen?.text
    seenBy = detail?.seenBy.map(Receipt.init)
    madeAfter = detail?.notBefore.map(Receipt.init)
    url = content?.url
    words = content?.words
    switch summary.standing {
    case .open: standing = "open"
    case .locked: standing = "locked"
    case .violation: standing = "violation"
    case .erased: standing = "erased"
    case .disputed: standing = "disputed"
    case .setAside: standing = "set-aside"
    }
  }

  /// As it is; JSON escapes what it must. A name that is not UTF-8 has its odd bytes written out.
  private static func name(_ bytes: [UInt8]) -> String {
    String(validating: bytes, as: UTF8.self) ?? SafeText.name(bytes)
  }
}

extension EntryObject.Showing {
  init(_ showing: EntryHistory.Showing) {
    switch showing.audience {
    case .devices: (audience, member) = ("devices", nil)
    case .advocate(let log): (audience, member) = ("advocate", log.base32)
    case .everyone: (audience, member) = ("everyone", nil)
    }
    share = showing.share?.base32
    time = showing.time.map(Clock.iso)
  }
}

extension EntryObject.Receipt {
  init(_ attestation: Attestation) {
    self.init(
      member: attestation.witness.base32, role: attestation.role?.name,
      time: Clock.iso(attestation.time))
  }
}

extension Role {
  /// A stable name for scripts.
  var name: String {
    switch self {
    case .survivor: return "survivor"
    case .advocate: return "advocate"
    }
  }
}
