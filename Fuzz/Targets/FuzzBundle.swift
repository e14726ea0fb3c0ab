import Cryptography

@testable import CaseLog
@testable import SealedBundle
@testable import VerifiableLog

/// A bundle of a small case, and how its files are made to agree again after one was altered.
final class FuzzBundle: Sendable {
  static let shared = FuzzBundle()

  let proof: ProofFiles
  let bytes: [UInt8]
  let exhibit: [UInt8]
  let trust: BundleTrust

  private init() {
    let fuzzed = FuzzCase.shared
    var survivor = FuzzLog(fuzzed.survivor)
    var advocate = FuzzLog(fuzzed.advocate)
    exhibit = Array("not really a picture".utf8)
    FuzzBundle.tell(&survivor, &advocate, exhibit)
    let receipt = Cosignature.sign(
      fuzzed.survivor.head(survivor.tree).checkpoint, time: FuzzLog.start + 1000,
      with: fuzzed.advocate.receipt
    ).noteSignature(by: fuzzed.advocate.cosigner)
    let logs = [survivor.contents(receipts: [receipt]), advocate.contents(receipts: [])]
    let contents = BundleContents(
      caseID: fuzzed.caseID, statements: [fuzzed.founding], logs: logs,
      exporter: fuzzed.survivor.id, exportedAt: FuzzLog.start + 2000, scope: .wholeCase,
      program: "cairn")
    let file = exhibit
    do {
      let writer = try BundleWriter(contents, including: { _ in true })
      bytes = try writer.write(
        to: MemorySink(), signedBy: fuzzed.survivor.signing,
        exhibits: { (_) throws(SourceError) in MemorySource(file) }
      ).bytes
      var reader = try BundleReader(MemorySource(bytes))
      proof = try reader.proof()
    } catch {
      preconditionFailure("a bundle of our own is written and read")
    }
    trust = BundleTrust(caseID: fuzzed.caseID, witnesses: [fuzzed.advocate.cosigner])
  }

  private static func tell(
    _ survivor: inout FuzzLog, _ advocate: inout FuzzLog, _ exhibit: [UInt8]
  ) {
    let fuzzed = FuzzCase.shared
    let everyone = Control.Epoch(
      audience: .everyone, commitment: .zero, members: [fuzzed.survivor.id])
    survivor.append(.epoch, [Control.epoch(everyone).part])
    survivor.append(
      .admit, [Control.admit(.init(card: fuzzed.advocate.card, role: .advocate)).part])
    var content = EntryContent()
    content.url = "https://social.example/p/1"
    content.seen = ClaimedTime(typed: "2026-05-27 21:14+02:00")
    content.title = "A picture"
    content.words = "It was posted without <consent>."
    content.tags = ["image"]
    content.attachments = [
      Attachment(
        number: 0, size: UInt64(exhibit.count), sha256: SHA256Hash.hash(exhibit),
        mediaType: "image/png", isWithoutContent: false, name: Array("a.png".utf8),
        blob: .init(root: BlobRoot(.zero), key: [UInt8](repeating: 9, count: 32)))
    ]
    survivor.append(.evidence, content.parts)
    survivor.append(.note, [Part.encoding(.words) { $0.encodeText("Mine") }], isDisclosed: false)
    var note = EntryContent()
    note.words = "Reported."
    note.about = [EntryID(log: fuzzed.survivor.id, leaf: survivor.leaves[2])]
    note.takedown = .init(step: .reported, recipient: "social.example", reference: "55-1")
    advocate.append(.takedown, note.parts)
  }

  // MARK: - Altering

  /// Which: 0 the case file, then for each log its entries, leaves and checkpoint, from 10 on receipts.
  static func put(_ bytes: [UInt8], _ which: UInt64, _ proof: inout ProofFiles) {
    switch which {
    case 0: proof.caseFile = bytes
    case 1...6:
      let log = Int(which - 1) / 3
      guard log < proof.logs.count else { return }
      switch (which - 1) % 3 {
      case 0: proof.logs[log].entries = bytes
      case 1: proof.logs[log].leaves = bytes
      default: proof.logs[log].checkpoint = bytes
      }
    default: if proof.receipts.count < 8 { proof.receipts.append(bytes) }
    }
  }

  /// Leaves commit to the entries as they now are, checkpoints sign the leaves, and the case file has their number.
  func reseal(_ proof: inout ProofFiles) {
    guard let file = accepted({ try CaseFile(decoding: proof.caseFile) }) else { return }
    var sizes: [UInt64] = []
    for (index, log) in file.logs.enumerated() where index < proof.logs.count {
      sizes.append(reseal(&proof.logs[index], log))
    }
    guard sizes.count == file.logs.count else { return }
    let logs = zip(file.logs, sizes).map { CaseFile.Log(identity: $0.identity, size: $1) }
    proof.caseFile =
      CaseFile(
        caseID: file.caseID, statements: file.statements, exporter: file.exporter,
        exportedAt: file.exportedAt, scope: file.scope, logs: logs, exhibits: file.exhibits,
        program: file.program, successions: file.successions, forks: file.forks
      ).encoded
  }

  private func reseal(_ files: inout ProofLog, _ log: CaseFile.Log) -> UInt64 {
    let width = LeafData.byteCount
    var leaves = stride(from: 0, to: files.leaves.count / width * width, by: width).map {
      Array(files.leaves[$0..<($0 + width)])
    }
    let path = BundleLayout.caseFile
    for entry in accepted({ try ProofLog.decodeEntries(files.entries, path) }) ?? []
    where entry.sequence < UInt64(leaves.count) {
      let commitment = PartDisclosure.commit(entry.parts).bytes
      leaves[Int(entry.sequence)].replaceSubrange(10..<42, with: commitment)
    }
    guard
      let device = [FuzzCase.shared.survivor, FuzzCase.shared.advocate].first(
        where: { $0.identity == log.identity }), !leaves.isEmpty
    else { return log.size }
    var tree = CompactRange()
    for leaf in leaves { tree.append(MerkleTree.leafHash(leaf)) }
    files.leaves = leaves.flatMap { $0 }
    let lines = accepted { try SignedNote(parsing: files.checkpoint) }?.signatures.dropFirst() ?? []
    files.checkpoint = device.head(tree).bytes + lines.flatMap(\.line)
    return tree.size
  }

  /// The archive of a proof and its report, with manifests and signature that hold.
  func archive(_ proof: ProofFiles, _ report: [UInt8]) -> [UInt8]? {
    guard let file = accepted({ try CaseFile(decoding: proof.caseFile) }) else { return nil }
    var payload = [(BundleLayout.report, report)]
    payload += file.exhibits.map { ($0.path, exhibit) }
    guard !BundlePath.collide(payload.map(\.0)) else { return nil }
    let manifest = lines(payload)
    let byteCount = payload.reduce(0) { $0 + UInt64($1.1.count) }
    var tags: [(BundlePath, [UInt8])] = [
      (BundleLayout.declaration, BagFiles.declaration),
      (
        BundleLayout.information,
        BagFiles.information(payloadByteCount: byteCount, payloadFileCount: payload.count)
      ),
      (BundleLayout.manifest, manifest), (BundleLayout.readme, BundleReadme.bytes),
    ]
    guard proof.logs.count == file.logs.count else { return nil }
    tags += proof.members(file)
    guard payload.dropFirst().allSatisfy({ BundleLayout.isPayload($0.0) }) else { return nil }
    let tagManifest = lines(tags)
    let fuzzed = FuzzCase.shared
    tags.append((BundleLayout.tagManifest, tagManifest))
    tags.append(
      (
        BundleLayout.signature,
        BundleSignature.sign(
          file.caseID, tagManifest: tagManifest, log: fuzzed.survivor.identity,
          key: fuzzed.survivor.signing)
      ))
    return accepted { () throws(ZipWriteError) in
      var writer = ZipWriter(MemorySink())
      for (path, bytes) in tags + payload { try writer.add(path, bytes) }
      return try writer.finish().bytes
    }
  }

  private func lines(_ files: [(BundlePath, [UInt8])]) -> [UInt8] {
    Manifest(files.map { Manifest.Line(path: $0.0, hash: SHA256Hash.hash($0.1)) }).bytes
  }
}

/// A log as its device writes it.
struct FuzzLog {
  static let start: UInt64 = 1_780_000_000
  private let device: FuzzDevice
  private(set) var leaves: [LeafData] = []
  private(set) var tree = CompactRange()
  private var entries: [DisclosedEntry] = []

  init(_ device: FuzzDevice) { self.device = device }

  mutating func append(_ kind: EntryKind, _ parts: [Part], isDisclosed: Bool = true) {
    let key = FuzzCase.secretKey(device.id.bytes + [UInt8(leaves.count)])
    let place = EntryPlace(
      caseID: FuzzCase.shared.caseID, logID: device.id, sequence: UInt64(leaves.count))
    do {
      let sealed = try SealedEntry(
        sealing: parts, kind: kind,
        context: EntryContext(clock: FuzzLog.start + UInt64(leaves.count) * 60), at: place, key: key
      )
      let opened = try sealed.open(at: place, key: key)
      leaves.append(sealed.leaf)
      tree.append(sealed.leaf.hash)
      if isDisclosed {
        entries.append(DisclosedEntry(sequence: place.sequence, parts: opened.parts))
      }
    } catch {
      preconditionFailure("an entry of our own is sealed and opened")
    }
  }

  func contents(receipts: [NoteSignature]) -> BundleContents.Log {
    BundleContents.Log(
      identity: device.identity,
      checkpoint: device.head(tree).bytes + receipts.flatMap(\.line), leaves: leaves,
      entries: entries)
  }
}
