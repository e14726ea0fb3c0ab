package import CaseLog
package import Cryptography
package import SealedBundle
package import VerifiableLog

/// A case as two devices keep it, whole or bent: what the tests of bundles start from. All keys come
/// from fixed seeds, so two runs make the same bytes.
package final class SampleCase {
  package static let start: UInt64 = 1_780_000_000  // 2026-05-28 20:26:40 UTC

  package let root: SigningKey
  package let caseID: CaseID
  package let survivor: SampleDevice
  package let advocate: SampleDevice
  package var statements: [[UInt8]]
  /// The content of the files in exhibits, by SHA-256.
  package var files: [Bytes32: [UInt8]] = [:]
  package var logs: [SampleDevice] { [survivor, advocate] }

  package init() throws {
    root = try signingKey(1)
    caseID = CaseID(root: root.publicKey)
    survivor = try SampleDevice(seed: 10, caseID: caseID, role: .survivor)
    advocate = try SampleDevice(seed: 20, caseID: caseID, role: .advocate)
    statements = [
      RootStatement.found(
        root: root, card: survivor.card, sealedRoot: [UInt8](repeating: 7, count: 80))
    ]
    let everyone = Control.Epoch(
      audience: .everyone, commitment: .zero, members: [survivor.id])
    try survivor.append(.epoch, [Control.epoch(everyone).part], clock: SampleCase.start)
    try survivor.append(
      .admit, [Control.admit(.init(card: advocate.card, role: .advocate)).part],
      clock: SampleCase.start + 60)
  }

  package func attachment(
    _ number: UInt64, _ content: [UInt8], _ type: String, name: String, withoutContent: Bool = false
  ) -> Attachment {
    let hash = SHA256Hash.hash(content)
    if !withoutContent { files[hash] = content }
    return Attachment(
      number: number, size: UInt64(content.count), sha256: hash, mediaType: type,
      isWithoutContent: withoutContent, name: Array(name.utf8),
      blob: withoutContent
        ? nil : .init(root: BlobRoot(hash), key: [UInt8](repeating: 9, count: 32)))
  }

  /// The usual story: evidence with files, something private, an advocate's note, receipts.
  package func tell() throws {
    let start = SampleCase.start
    var first = EntryContent()
    first.url = "https://social.example/p/8817262?ref=share&lang=en"
    first.seen = ClaimedTime(typed: "2026-05-27 21:14+02:00")
    first.title = "Photograph posted without consent"
    first.words =
      "The picture was taken in 2023 and sent to one person only. I found it on his second account on the evening of the 27th. By midnight it had been shared eleven times.\n\nI did not reply."
    first.place = "social.example"
    first.account = "@second_account_88"
    first.tags = ["image", "threat"]
    first.attachments = [
      attachment(
        0, Array("not really a picture".utf8), "image/png",
        name: "Screenshot 2026-05-27 at 21.16.png"),
      attachment(1, Array("<html>saved page</html>".utf8), "text/html", name: "page.html"),
    ]
    try survivor.append(.evidence, first.parts, clock: start + 300)

    var hidden = EntryContent()
    hidden.words = "This is for me."
    try survivor.append(.note, hidden.parts, clock: start + 400, isDisclosed: false)

    let receipt = try advocate.receipt(for: survivor, at: start + 3_600)
    survivor.checkpoints[survivor.size] = [receipt]

    var second = EntryContent()
    second.seen = ClaimedTime(typed: "about 2026-04")
    second.words = "He wrote: \u{202E}evil\u{202C} <script>alert(1)</script> & \"more\"\u{0007}"
    second.account = "مهاجم"
    second.attachments = [
      attachment(
        0, Array("known picture".utf8), "image/jpeg", name: "IMG_1.jpg", withoutContent: true)
    ]
    second.showsMinor = false
    try survivor.append(
      .evidence, second.parts, clock: start + 90_000,
      embedding: [try survivor.note(at: survivor.size, with: [receipt])])

    var amend = EntryContent()
    amend.words = "The account was renamed to @third_account_88 since."
    amend.about = [survivor.entryID(2)]
    try survivor.append(.amend, amend.parts, clock: start + 95_000)

    var note = EntryContent()
    note.words = "Reported to the platform with the form for intimate images."
    note.about = [survivor.entryID(2)]
    note.takedown = .init(step: .reported, recipient: "social.example", reference: "Ticket 55-1")
    try advocate.append(.takedown, note.parts, clock: start + 99_000)

    survivor.checkpoints[survivor.size] = [try advocate.receipt(for: survivor, at: start + 100_000)]
    advocate.checkpoints[advocate.size] = [try survivor.receipt(for: advocate, at: start + 100_060)]
  }

  package var contents: BundleContents {
    BundleContents(
      caseID: caseID, statements: statements, logs: logs.map(\.contents), exporter: survivor.id,
      exportedAt: SampleCase.start + 200_000, scope: .wholeCase, program: "cairn 1.0")
  }

  /// The bundle as an archive.
  package func bundle(
    _ contents: BundleContents? = nil, signedBy device: SampleDevice? = nil
  ) throws -> [UInt8] {
    let writer = try BundleWriter(contents ?? self.contents, including: { _ in true })
    let files = self.files
    return try writer.write(
      to: MemorySink(), signedBy: (device ?? survivor).signing,
      exhibits: { (file) throws(SourceError) in
        guard let bytes = files[file.attachment.sha256] else { throw .unreadable }
        return MemorySource(bytes)
      }
    ).bytes
  }

  /// What somebody knows who had fingerprint and receipt key from elsewhere.
  package var trust: BundleTrust {
    BundleTrust(caseID: caseID, witnesses: [advocate.id.cosigner(advocate.card.receiptKey)])
  }

  package static func told() throws -> SampleCase {
    let sample = try SampleCase()
    try sample.tell()
    return sample
  }
}

/// A key that is the same in each run.
package func secretKey(_ seed: [UInt8]) throws -> SecretKey {
  try SHA256Hash.hash(seed).withBytes { (bytes) throws(CryptographyError) in
    try SecretKey(copying: bytes)
  }
}

package func signingKey(_ seed: UInt8) throws -> SigningKey {
  SigningKey(seed: try secretKey([seed]))
}

/// One device and its log.
package final class SampleDevice {
  package let caseID: CaseID
  package let signing: SigningKey
  package let receiptKey: SigningKey
  package let card: Card
  package let identity: LogIdentity
  package private(set) var leaves: [LeafData] = []
  package private(set) var entries: [DisclosedEntry] = []
  package private(set) var tree = InMemoryTree()
  /// Receipts by the size of the head that they are over.
  package var checkpoints: [UInt64: [NoteSignature]] = [:]

  package var id: LogID { identity.id }
  package var size: UInt64 { tree.size }

  package init(seed: UInt8, caseID: CaseID, role: Role) throws {
    self.caseID = caseID
    signing = try signingKey(seed)
    receiptKey = try signingKey(seed + 1)
    let box = BoxKeyPair(seed: try secretKey([seed, 2]))
    card = try Card(
      decoding: Card.make(
        signing: signing, receipt: receiptKey, box: box.publicKey, role: role))
    identity = LogIdentity(caseID: caseID.raw, key: card.signingKey)
  }

  package func append(
    _ kind: EntryKind, _ parts: [Part], clock: UInt64, embedding: [[UInt8]] = [],
    isDisclosed: Bool = true, withholding: [PartLabel] = []
  ) throws {
    let key = try secretKey(id.bytes + [UInt8(size)])
    let place = EntryPlace(caseID: caseID, logID: id, sequence: size)
    let sealed = try SealedEntry(
      sealing: parts, kind: kind, context: EntryContext(clock: clock, receipts: embedding),
      at: place, key: key)
    let opened = try sealed.open(at: place, key: key)
    leaves.append(sealed.leaf)
    tree.append(sealed.leaf.hash)
    guard isDisclosed else { return }
    let disclosures = opened.parts.enumerated().map { index, disclosure in
      if case .disclosed(let part, let salt) = disclosure, withholding.contains(part.label) {
        return PartDisclosure.withheld(part.hash(index: index, salt: salt))
      }
      return disclosure
    }
    entries.append(DisclosedEntry(sequence: place.sequence, parts: disclosures))
  }

  package func entryID(_ sequence: Int) -> EntryID { EntryID(log: id, leaf: leaves[sequence]) }

  package func head(_ size: UInt64) throws -> Checkpoint {
    Checkpoint(origin: id.origin, size: size, root: try tree.root(size: size))
  }

  /// This device's receipt over the newest head of another.
  package func receipt(for other: SampleDevice, at time: UInt64) throws -> NoteSignature {
    Cosignature.sign(try other.head(other.size), time: time, with: receiptKey)
      .noteSignature(by: id.cosigner(card.receiptKey))
  }

  /// A note with a head of this log and these receipts, without the log's own signature.
  package func note(at size: UInt64, with receipts: [NoteSignature]) throws -> [UInt8] {
    SignedNote(text: try head(size).text, signatures: receipts).bytes
  }

  /// The newest checkpoint, signed, with its receipts.
  package var signedHead: [UInt8]? {
    guard size > 0 else { return nil }
    let signed = VerifiedCheckpoint(signing: signing, of: identity, size: size, root: tree.root)
    return signed.bytes + (checkpoints[size] ?? []).flatMap(\.line)
  }

  package var contents: BundleContents.Log {
    let older = checkpoints.filter { $0.key != size }.sorted { $0.key < $1.key }
    return BundleContents.Log(
      identity: identity, checkpoint: signedHead, leaves: leaves, entries: entries,
      receipts: older.compactMap { try? note(at: $0.key, with: $0.value) })
  }
}
