import Cryptography
import Testing
import VerifiableLog

@testable import CaseLog

@Suite struct EntryTests {
  let place: EntryPlace
  let key = SecretKeyBox()

  init() throws {
    let testCase = try TestCase()
    place = EntryPlace(
      caseID: testCase.caseID, logID: try testCase.survivor.card.logID(in: testCase.caseID),
      sequence: 3)
  }

  var content: EntryContent {
    var content = EntryContent()
    content.url = "https://example.org/a"
    content.words = "what was said"
    content.seen = ClaimedTime(typed: "about 2024-05")
    content.tags = ["threat", "chat"]
    content.attachments = [
      Attachment(
        number: 0, size: 12, sha256: Bytes32.random(), mediaType: "image/png",
        isWithoutContent: false, name: Array("shot.png".utf8),
        blob: .init(root: BlobRoot(Bytes32.random()), key: [UInt8](repeating: 5, count: 32))),
      Attachment(
        number: 1, size: 99, sha256: Bytes32.random(), mediaType: "video/mp4",
        isWithoutContent: true, name: [0xff, 0xfe]),
    ]
    content.about = [EntryID(Bytes32.random())]
    content.takedown = .init(step: .removed, recipient: "a platform", reference: nil)
    content.request = .declined
    return content
  }

  func sealed(_ parts: [Part]) throws -> SealedEntry {
    try SealedEntry(
      sealing: parts, kind: .evidence, context: EntryContext(clock: 1_700_000_000), at: place,
      key: key.key)
  }

  @Test func `what is sealed opens to the same, with its key and at its place`() throws {
    let content = content
    let opened = try sealed(content.parts).open(at: place, key: key.key)
    #expect(try EntryContent(of: opened) == content)
    #expect(opened.header.kind == .evidence)
    #expect(opened.context?.clock == 1_700_000_000)
  }

  @Test func `short entries are all of one length`() throws {
    var short = EntryContent()
    short.words = "a"
    var longer = EntryContent()
    longer.words = String(repeating: "b", count: 20)
    #expect(try sealed(short.parts).ciphertext.count == sealed(longer.parts).ciphertext.count)
  }

  @Test func `every changed bit of the ciphertext is noticed`() throws {
    let entry = try sealed(content.parts)
    for index in entry.ciphertext.indices {
      var bytes = entry.ciphertext
      bytes[index] ^= 1
      #expect(throws: CaseLogError.otherCiphertext) {
        try SealedEntry(leaf: entry.leaf, ciphertext: bytes).open(at: place, key: key.key)
      }
    }
  }

  @Test func `another key opens nothing, and another place is refused`() throws {
    let entry = try sealed(content.parts)
    #expect(throws: CaseLogError.locked) {
      try entry.open(at: place, key: SecretKey.random())
    }
    let elsewhere = EntryPlace(caseID: place.caseID, logID: LogID(Bytes32.random()), sequence: 3)
    #expect(throws: CaseLogError.misplaced) { try entry.open(at: elsewhere, key: key.key) }
    let later = EntryPlace(caseID: place.caseID, logID: place.logID, sequence: 4)
    #expect(throws: CaseLogError.misplaced) { try entry.open(at: later, key: key.key) }
  }

  /// Rows 19 and 20: who has the key can make another ciphertext, but not one that this leaf names, nor
  /// one of which the parts give this commitment.
  @Test func `an entry encrypted again is not the entry`() throws {
    let first = try sealed(content.parts)
    let second = try sealed([])
    #expect(throws: CaseLogError.otherCiphertext) {
      try SealedEntry(leaf: first.leaf, ciphertext: second.ciphertext).open(at: place, key: key.key)
    }
    let mixed = LeafData(
      sequence: 3, entryClass: .content, commitment: first.leaf.commitment,
      ciphertextHash: second.leaf.ciphertextHash)
    #expect(throws: CaseLogError.commitmentMismatch) {
      try SealedEntry(leaf: mixed, ciphertext: second.ciphertext).open(at: place, key: key.key)
    }
  }

  @Test func `a leaf of another class than its kind is a violation`() throws {
    let entry = try sealed(content.parts)
    let leaf = LeafData(
      sequence: 3, entryClass: .note, commitment: entry.leaf.commitment,
      ciphertextHash: entry.leaf.ciphertextHash)
    #expect(throws: CaseLogError.classMismatch) {
      try SealedEntry(leaf: leaf, ciphertext: entry.ciphertext).open(at: place, key: key.key)
    }
  }

  @Test func `parts are disclosed one by one, and a changed one does not fit`() throws {
    let opened = try sealed(content.parts).open(at: place, key: key.key)
    for hidden in 1..<opened.parts.count {
      var parts = opened.parts
      guard case .disclosed(let part, let salt) = parts[hidden] else { continue }
      parts[hidden] = .withheld(part.hash(index: hidden, salt: salt))
      let partial = try OpenedEntry(leaf: opened.leaf, parts: parts, at: place)
      #expect(partial.parts.compactMap(\.part).count == opened.parts.count - 1)
      parts[hidden] = .disclosed(Part(part.label, part.bytes + [0]), salt: salt)
      #expect(throws: CaseLogError.commitmentMismatch) {
        try OpenedEntry(leaf: opened.leaf, parts: parts, at: place)
      }
    }
    #expect(throws: CaseLogError.commitmentMismatch) {
      try OpenedEntry(leaf: opened.leaf, parts: Array(opened.parts.dropLast()), at: place)
    }
  }

  @Test func `an entry that shows a minor carries no picture`() throws {
    var content = content
    content.showsMinor = true
    let opened = try sealed(content.parts).open(at: place, key: key.key)
    #expect(throws: CaseLogError.malformed) { try EntryContent(of: opened) }
  }

  @Test(arguments: [
    [0xa1, 0x00, 0x00], [0xa1, 0x00, 0x04], [0xa1, 0x01, 0x01], [0xa2, 0x00, 0x01, 0x01, 0x01],
    [0xa0], [0x01], [0xa1, 0x00, 0x01, 0x00], [0xa1, 0x00, 0x18, 0x01], [0xa1, 0x00, 0x20],
  ])
  func `a request in any other form than the three is refused`(bytes: [UInt8]) throws {
    #expect(throws: CaseLogError.malformed) { try EntryContent(parts: [Part(.request, bytes)]) }
  }

  @Test func `a request is one of three bytes, stands once, and unknown parts stay beside it`()
    throws
  {
    let forms: [(EntryContent.Request, [UInt8])] = [
      (.asked, [0xa1, 0x00, 0x01]), (.done, [0xa1, 0x00, 0x02]), (.declined, [0xa1, 0x00, 0x03]),
    ]
    for (state, bytes) in forms {
      var content = EntryContent()
      content.request = state
      #expect(content.parts == [Part(.request, bytes)])
      let label = try #require(PartLabel(Array("request-due".utf8)))
      let read = try EntryContent(parts: content.parts + [Part(label, [0xff])])
      #expect(read.request == state)
      #expect(read.unknownParts == 1)
      #expect(throws: CaseLogError.malformed) {
        try EntryContent(parts: content.parts + content.parts)
      }
    }
  }

  @Test func `no cut or changed part makes the decoder trap`() throws {
    for part in content.parts {
      for cut in 0..<part.bytes.count {
        let damaged = Part(part.label, Array(part.bytes.prefix(cut)))
        #expect(throws: CaseLogError.malformed) { try EntryContent(parts: [damaged]) }
      }
      for index in part.bytes.indices {
        for bit in 0..<8 {
          var bytes = part.bytes
          bytes[index] ^= UInt8(1 << bit)
          // Many of these are other valid values; none may crash.
          do { _ = try EntryContent(parts: [Part(part.label, bytes)]) } catch {}
        }
      }
    }
  }
}

/// A key that a suite's tests share.
final class SecretKeyBox: Sendable {
  let key = SecretKey.random()
}

@Suite struct SlotTests {
  @Test func `a slot opens for its epoch and its leaf only`() throws {
    let testCase = try TestCase()
    let logID = try testCase.survivor.card.logID(in: testCase.caseID)
    let place = EntryPlace(caseID: testCase.caseID, logID: logID, sequence: 0)
    let entryKey = SecretKey.random()
    let entry = try SealedEntry(
      sealing: [], kind: .note, context: EntryContext(clock: 1), at: place, key: entryKey)
    let id = EntryID(Bytes32.random())
    let secret = SecretKey.random()
    let epoch = EpochKey(
      id: id, caseID: testCase.caseID, audience: .devices, key: secret.copy())
    let slot = epoch.slot(for: entryKey, leaf: entry.leaf, logID: logID)
    let opened = try epoch.open(slot, leaf: entry.leaf)
    let isSame = opened.isEqual(to: entryKey)
    #expect(isSame)

    let otherAudience = EpochKey(
      id: id, caseID: testCase.caseID, audience: .advocate(logID), key: secret.copy())
    #expect(throws: CaseLogError.locked) { _ = try otherAudience.open(slot, leaf: entry.leaf) }
    let otherKey = EpochKey(
      id: id, caseID: testCase.caseID, audience: .devices, key: SecretKey.random())
    #expect(throws: CaseLogError.locked) { _ = try otherKey.open(slot, leaf: entry.leaf) }
    let elsewhere = LeafData(
      sequence: 1, entryClass: .note, commitment: entry.leaf.commitment,
      ciphertextHash: entry.leaf.ciphertextHash)
    #expect(throws: CaseLogError.locked) { _ = try epoch.open(slot, leaf: elsewhere) }
    for index in slot.box.indices {
      var box = slot.box
      box[index] ^= 1
      let junk = Slot(logID: logID, sequence: 0, epoch: id, box: box)
      #expect(throws: CaseLogError.locked) { _ = try epoch.open(junk, leaf: entry.leaf) }
    }
  }

  @Test func `a wrap gives the key to its recipient and to nobody else`() throws {
    let device = TestDevice(.advocate)
    let secret = SecretKey.random()
    let epoch = EpochKey(
      id: EntryID(Bytes32.random()), caseID: CaseID(Bytes32.random()), audience: .everyone,
      key: secret.copy())
    let wrap = try epoch.wrap(for: LogID(Bytes32.random()), boxKey: device.box.publicKey)
    let again = try Wrap(decoding: wrap.encoded)
    #expect(again == wrap)
    let opened = try again.open(with: device.box)
    let isSame = opened.isEqual(to: secret)
    #expect(isSame)
    #expect(throws: CaseLogError.notForThisKey) {
      _ = try again.open(with: TestDevice(.advocate).box)
    }
  }
}
