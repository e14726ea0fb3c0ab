import Cryptography
import Foundation

@testable import CaseLog
@testable import SealedBundle
@testable import Sync
@testable import Vault
@testable import VerifiableLog

/// What a target begins with: the vectors of its format, and one of each that our own writers make.
enum Seeds {
  static func write(_ target: String, to folder: String) {
    do {
      let seeds = try vectors(of: target) + made(for: target)
      for (number, bytes) in seeds.enumerated() where bytes.count <= 40_000 {
        try Data(bytes).write(to: URL(filePath: folder).appending(path: "seed-\(number)"))
      }
    } catch {
      print("the seeds were not written")
      exit(1)
    }
  }

  // MARK: - Vectors

  private static func vectors(of target: String) throws -> [[UInt8]] {
    switch target {
    case "cbor": try inputs("cbor")
    case "note": try inputs("checkpoint") + inputs("receipt")
    case "card": try inputs("card").map { [1] + $0 }
    case "statement": try inputs("statement").map { [2] + $0 }
    case "zip": try inputs("archive")
    case "frames", "intake":
      try files("folder").values.map { [1] + $0 }
    case "folder":
      try files("folder").flatMap { name, bytes in
        [[name.hasSuffix("head") ? 0 : 1, 1] + bytes]
      }
    case "case-file": try files("bundle").filter { $0.key.hasSuffix("case.cbor") }.map(\.value)
    case "names":
      try files("bundle").filter { $0.key.contains("manifest") }.map { [3] + $0.value }
        + files("bundle").keys.map { [2] + Array($0.utf8) }
        + files("folder").keys.flatMap { name in
          name.split(separator: "/").enumerated().map { [UInt8($0)] + Array($1.utf8) }
        }
    default: []
    }
  }

  private static func vectorFiles(_ kind: String) throws -> [(name: String, fields: [String: Any])]
  {
    let folder = URL(filePath: "Protocol/Vectors/\(kind)")
    return try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }.map { url in
      let read = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
      return (url.lastPathComponent, read as? [String: Any] ?? [:])
    }
  }

  private static func inputs(_ kind: String) throws -> [[UInt8]] {
    try vectorFiles(kind).compactMap { $0.fields["input"] as? String }.map { try Hex.decode($0) }
  }

  /// All files of a kind of vectors that have several; of those that come again, the last.
  private static func files(_ kind: String) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for (vector, fields) in try vectorFiles(kind) {
      for (name, content) in fields["files"] as? [String: Any] ?? [:] {
        let hex = (content as? [String: String])?["hex"]
        guard let text = hex ?? content as? String else { continue }
        let isHex = hex != nil || kind == "folder"
        let bytes = isHex ? try Hex.decode(text) : Array(text.utf8)
        if bytes.count < 4096 || kind == "bundle" { result[vector + "/" + name] = bytes }
      }
    }
    return Dictionary(
      result.map { ($0.key.split(separator: "/", maxSplits: 1)[1].description, $0.value) },
      uniquingKeysWith: { $1 })
  }

  // MARK: - Made

  private static func made(for target: String) throws -> [[UInt8]] {
    let fuzzed = FuzzCase.shared
    switch target {
    case "text": return text
    case "names": return names
    case "typed": return typed
    case "checkpoint":
      let text = fuzzed.survivor.head(CompactRange()).checkpoint.text
      return [[1] + [UInt8](repeating: 0, count: 10) + text]
    case "note": return [fuzzed.survivor.head(CompactRange()).bytes]
    case "merkle", "fork":
      return (0..<8).map { seed in (0..<40).map { UInt8(truncatingIfNeeded: $0 * 37 + seed * 11) } }
    case "card": return [[0] + fuzzed.survivor.card.body, [1] + fuzzed.advocate.card.bytes]
    case "invitation": return try invitations()
    case "statement": return statements(fuzzed)
    case "records", "entry": return target == "entry" ? entries : records
    case "frames", "intake": return frames(fuzzed)
    case "folder":
      return frames(fuzzed).flatMap { frame in (0..<4).map { [$0] + frame } }
        + [[3] + blobFile]
    case "blob": return [[0, 1, 0, 9, 1, 0, 0, 0, 0, 0, 0], [0, 2, 0, 9, 1, 0, 0, 0, 0, 0, 1]]
    case "age-header", "age": return try age(target)
    case "armor":
      return [
        Array(
          "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n".utf8)
      ]
    case "zip-edit": return [[0, 9, 1, 3] + Array("a/b".utf8) + [2, 1, 2, 1, 0x63, 0]]
    case "zip", "bundle": return [FuzzBundle.shared.bytes]
    case "case-file": return [FuzzBundle.shared.proof.caseFile]
    case "proof": return proofs
    default: return try vault(target)
    }
  }

  private static var text: [[UInt8]] {
    let armor = Armor.card.encode([UInt8](repeating: 5, count: 70))
    return [
      [0] + Array("00ff10".utf8), [1] + Array("mzxw6ytb".utf8), [2] + Array("Zm9vYg==".utf8),
      [3] + Array("Zm9vYg".utf8), [4] + armor,
    ]
  }

  private static var names: [[UInt8]] {
    let key = FuzzCase.shared.survivor.cosigner
    return [
      [4] + Array(key.verifierKey.utf8),
      [5] + Array(AgeRecipient(key: key.publicKey.raw).text.utf8),
      [6]
        + Array("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX".utf8),
      [7] + Array("takedown".utf8),
    ]
  }

  private static var typed: [[UInt8]] {
    let kit = [UInt8](repeating: 9, count: 16).withBytes { KitWords.encode($0) }
    let times = [
      "2024-05-31T14:30Z", "2024-05-31 14:30:05.25 +02:00", "2024-05", "about 2024",
      "2024-05-31..2024-06", "2023/2024", "2024 to 2024-05-31T14:30-0130",
    ]
    let search: [UInt8] =
      [2, 0, 12] + Array("\"two w\"* né".utf8) + Array("Those two Words, né 二つの言葉 🙂".utf8)
    let kitWords: [UInt8] = [1] + Array(kit.joined(separator: " ").utf8)
    return times.map { [0] + Array($0.utf8) } + [kitWords, search]
  }

  private static func invitations() throws -> [[UInt8]] {
    let fuzzed = FuzzCase.shared
    let founding = try RootStatement(
      decoding: fuzzed.founding, caseID: fuzzed.caseID, root: fuzzed.root.publicKey)
    let wrap = Wrap(
      epoch: EpochID(.zero), recipient: fuzzed.advocate.id, box: [UInt8](repeating: 1, count: 80))
    let invitation = Invitation(
      root: fuzzed.root.publicKey, founding: founding, inviter: fuzzed.survivor.id, wraps: [wrap])
    let sealed = try invitation.seal(to: fuzzed.advocate.card)
    let inside = try SealedBox.open(Array(sealed.dropFirst(32)), with: fuzzed.advocate.box)
    return [[0] + inside, [1] + inside]
  }

  private static func statements(_ fuzzed: FuzzCase) -> [[UInt8]] {
    let limit = RootStatement.Limit(logID: fuzzed.survivor.id, size: 3)
    let signed = [
      fuzzed.founding, RootStatement.admit(fuzzed.advocate.card, root: fuzzed.root),
      RootStatement.lift(limit, root: fuzzed.root),
      RootStatement.decide(stays: fuzzed.advocate.id, cut: [limit], root: fuzzed.root),
      RootStatement.keep(EntryID(.zero), root: fuzzed.root),
    ]
    let succession = Succession.sign(
      fuzzed.advocate.card, in: fuzzed.caseID, with: fuzzed.survivor.signing,
      and: fuzzed.advocate.signing)
    return signed.map { [0] + body(of: $0) } + [[1] + body(of: succession)]
  }

  private static func body(of signed: [UInt8]) -> [UInt8] {
    guard case .array(let parts)? = CBORTree(signed) else { return [] }
    return parts[0].content ?? []
  }

  private static var controls: [Control] {
    let fuzzed = FuzzCase.shared
    let id = fuzzed.survivor.id
    return [
      .admit(.init(card: fuzzed.advocate.card, role: .advocate, until: 9)),
      .epoch(.init(audience: .advocate(id), commitment: .zero, members: [id])),
      .share(
        .init(
          epoch: EpochID(.zero), entries: [.init(logID: id, first: 1, count: 2)],
          slotBatch: .zero)),
      .cut(.init(position: LogPosition(logID: id, size: 4, root: .zero))),
      .erase([EntryID(.zero)]), .keep(EntryID(.zero)),
    ]
  }

  private static var records: [[UInt8]] {
    let id = FuzzCase.shared.survivor.id
    let place = LogPosition(logID: id, size: 3, root: .zero)
    let leaf = LeafData(sequence: 1, classByte: 2, commitment: .zero, ciphertextHash: .zero)
    var encoder = CBOREncoder()
    ClaimedTime(typed: "2024-05 to 2024-06-01T10:00+01:00")?.encode(to: &encoder)
    let records = [
      Wrap(epoch: EpochID(.zero), recipient: nil, box: [UInt8](repeating: 1, count: 80)).encoded,
      Audience.advocate(id).encoded,
      EntryHeader(caseID: CaseID(.zero), logID: id, sequence: 1, kind: .note, partCount: 3).encoded,
      EntryContext(clock: 1, frontier: [place], receipts: [[1]]).encoded, leaf.bytes, encoder.bytes,
    ]
    return (records + controls.map(\.part.bytes)).enumerated().map { [UInt8($0)] + $1 }
  }

  private static var entries: [[UInt8]] {
    func encoded(_ parts: [Part]) -> [UInt8] {
      CBORTree.array(parts.map { .array([.text($0.label.text), .bytes($0.bytes)]) }).encoded
    }
    var content = EntryContent()
    content.url = "https://a.example"
    content.seen = ClaimedTime(typed: "about 2024-05")
    content.words = "words"
    content.title = "title"
    content.place = "place"
    content.account = "account"
    content.tags = ["a", "b"]
    content.attachments = [
      Attachment(
        number: 0, size: 5, sha256: .zero, mediaType: "image/png", isWithoutContent: false,
        name: Array("a".utf8),
        blob: .init(root: BlobRoot(.zero), key: [UInt8](repeating: 1, count: 32)))
    ]
    content.about = [EntryID(.zero)]
    content.takedown = .init(step: .answered, recipient: "a", reference: "b")
    var other = EntryContent()
    other.request = .asked
    other.showsMinor = true
    return controls.map { [0, UInt8($0.kind.code)] + encoded([$0.part]) }
      + [[0, 16] + encoded(content.parts), [0, 34] + encoded(other.parts)]
  }

  private static func frames(_ fuzzed: FuzzCase) -> [[UInt8]] {
    let (id, replica) = (fuzzed.advocate.id, FuzzReplica())
    let note = replica.heldLogs[id]?.head?.note ?? []
    let slot = WireSlot(epoch: EntryID(.zero), box: [UInt8](repeating: 2, count: 48))
    let entry = WireEntry(
      classByte: 2, commitment: .zero, content: .ciphertext(FuzzReplica.body), slots: [slot])
    let key = fuzzed.advocate.signing.publicKey.raw
    // As short as one may be.
    let item: [UInt8] = [0x58, 98] + [UInt8](repeating: 3, count: 98)
    let frames: [Frame] = [
      .statements([item]), .successions([item, item]), .wraps([item]),
      .summary(Frame.summary(of: [])), .summary(.zero),
      .heads([SignedHead(signingKey: key, note: note)]),
      .range(RangeFrame(logID: id, first: 3, entries: [entry, entry], note: note)),
      .range(RangeFrame(logID: id, first: 0, entries: [entry], note: note, proof: [.zero])),
      .bodies([Body(logID: id, sequence: 1, ciphertext: FuzzReplica.body)]),
      .slots([Slot(logID: id, sequence: 1, epoch: EntryID(.zero), box: slot.box)]),
      .forks([[0x83, 0x40, 0x40, 0x80]]), .forks([parting(of: fuzzed.advocate)]),
      .blob(BlobFrame(root: BlobRoot(.zero), byteCount: 100, spanHashes: [.zero])),
      .span(SpanFrame(root: BlobRoot(.zero), index: 1, sealed: [1, 2])),
    ]
    // Type, length and payload, of which the length is made anew.
    return frames.map { [0] + $0.bytes }
  }

  /// Two histories that part after the first of their two entries.
  private static func parting(of device: FuzzDevice) -> [UInt8] {
    var common = CompactRange()
    common.append(.zero)
    let sides = (1...2).map { number in
      let leaf = SHA256Hash.hash([UInt8(number)])
      var tree = common
      tree.append(leaf)
      return (device.head(tree), Parting.Branch(leafHash: leaf, path: []))
    }
    do { return try ForkProof(sides[0], sides[1], common: common).bytes } catch {
      preconditionFailure("two signed histories prove a fork")
    }
  }

  private static var blobFile: [UInt8] {
    let hash = FuzzReplica.sealed.withBytes { BlobTree.leafHash($0) }
    return [0, 0, 0, 0, 0, 0, 0, 100] + hash.bytes + FuzzReplica.sealed
  }

  private static func age(_ target: String) throws -> [[UInt8]] {
    let recipient = AgeRecipient(key: X25519.publicKey(of: FuzzCase.secretKey([50])))
    let key = AgeFileKey(random: ())
    guard let stanza = AgeStanza.wrapping(key, for: recipient) else { return [] }
    let scrypt = AgeStanza(
      arguments: ["scrypt", "AAAAAAAAAAAAAAAAAAAAAA", "18"].map { Array($0.utf8) },
      body: [UInt8](repeating: 1, count: 32))
    let other = AgeStanza(
      arguments: ["a", "b"].map { Array($0.utf8) }, body: [UInt8](repeating: 1, count: 48))
    if target == "age-header" {
      return [
        AgeHeader.bytes([stanza], key), AgeHeader.bytes([scrypt], key),
        AgeHeader.bytes([other, stanza, other], key),
      ]
    }
    return [stanza, scrypt, other].flatMap { stanza in
      [UInt8(0), 1, 2, 3, 0x80].map { flags in
        let lines = stanza.lines
        return [flags, 5, UInt8(lines.count >> 8), UInt8(lines.count & 255)] + lines
          + Array("plain".utf8)
      }
    }
  }

  private static var proofs: [[UInt8]] {
    let proof = FuzzBundle.shared.proof
    var changes: [[CBORTree]] = [[.unsigned(0), .bytes(proof.caseFile)]]
    for (index, log) in proof.logs.enumerated() {
      let first = UInt64(1 + 3 * index)
      changes.append([.unsigned(first), .bytes(log.entries)])
      changes.append([.unsigned(first + 1), .bytes(log.leaves)])
      changes.append([.unsigned(first + 2), .bytes(log.checkpoint)])
    }
    changes.append([.unsigned(10), .bytes(proof.logs[0].checkpoint)])
    let fork = CBORTree.array([
      .bytes(proof.logs[0].checkpoint), .bytes(proof.logs[0].checkpoint), .array([]),
    ]).encoded
    changes.append([.unsigned(10), .bytes(fork)])
    changes.append([.unsigned(10), .bytes(parting(of: FuzzCase.shared.advocate))])
    return changes.flatMap { change in
      [UInt8(0), 1, 2].map { [$0] + CBORTree.array([.array(change)]).encoded }
    } + [[2] + CBORTree.array([]).encoded]
  }

  private static func vault(_ target: String) throws -> [[UInt8]] {
    switch target {
    case "keys-file":
      let file = try Array("six words".utf8).withBytes { passphrase in
        try KeysFile(
          master: FuzzCase.secretKey([60]), passphrase: passphrase,
          kit: FuzzCase.shared.survivor.box.publicKey, cost: KeyCost(memoryKiB: 65_536, passes: 1),
          vaultID: [UInt8](repeating: 1, count: 16))
      }
      return [file.bytes]
    case "anchor":
      let log = Anchor.OwnLog(
        caseID: CaseID(.zero),
        position: LogPosition(logID: LogID(.zero), size: 1, root: .zero))
      let key = FuzzCase.secretKey([70])
      let anchor = Anchor(vaultID: [UInt8](repeating: 1, count: 16), place: .zero, logs: [log])
      let sealed = anchor.seal(key: key)
      guard let nonce = Nonce24(Array(sealed.prefix(24))) else { return [] }
      let inside = try AEAD.open(
        Array(sealed.dropFirst(24)), key: key, nonce: nonce, associatedData: Domain.anchor.bytes)
      return [[0] + inside, [1] + OpeningAttempts().after(failure: 5).bytes]
    case "csv":
      return [
        Array("url,words\r\nhttps://a.example,\"a \"\"b\"\"\nc\"\r\n".utf8),
        Array("sep=;\nurl;title\n'=1+1;x\n".utf8), Array("a\tb\n1\t2,3\n".utf8),
      ]
    case "page": return pages
    case "spans":
      return [[0, 5, 1, 2, 3, 4, 5], [2, 5, 0], [4, 9], [1, 0, 0, 0, 0, 0, 0, 1, 0]]
    default: return []
    }
  }

  /// A leaf of a table with two rows, and of an index with one.
  private static var pages: [[UInt8]] {
    [UInt8(13), 10].map { kind in
      var page = [UInt8](repeating: 0, count: 4056)
      let record: [UInt8] = [6, 0, 1, 2, 21, 14, 7, 1, 2] + Array("words".utf8) + [3]
      let cell = [UInt8(record.count)] + (kind == 13 ? [5] : []) + record
      let start = 4000
      page[0] = kind
      page[4] = 2
      for index in 0..<2 {
        page[8 + 2 * index] = UInt8(start >> 8)
        page[9 + 2 * index] = UInt8(start & 255)
      }
      page.replaceSubrange(start..<(start + cell.count), with: cell)
      return page
    }
  }
}
