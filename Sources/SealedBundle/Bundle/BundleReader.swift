internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// A bundle as an archive whose every file is the one that its manifests list. What the files say is not
/// looked at yet.
///
/// Files are read again when they are looked at, and when they are taken out. Meanwhile somebody may have changed them
/// on a stick or a share, so each is held against the lists whenever it is read.
public struct BundleReader<Source: ByteSource & ~Copyable>: ~Copyable {
  private var zip: ZipReader<Source>
  private let manifest: Manifest
  private let tags: Manifest
  let tagManifest: [UInt8]

  /// All files of the archive, in the order in which they lie.
  public var members: [ZipMember] { zip.members }

  /// Opens an archive and checks every file in it against the manifests, reading it through once.
  ///
  /// - Throws: the first thing that does not hold.
  public init(_ source: consuming Source) throws(BundleFinding) {
    var zip: ZipReader<Source>
    do throws(ZipError) { zip = try ZipReader(source) } catch { throw BundleFinding(error) }
    for path in [BundleLayout.declaration, BundleLayout.caseFile] where zip.member(path) == nil {
      throw BundleFinding(.notABundle, path: path)
    }
    let limit = BundleLimits.manifestByteCount
    let tagManifest = try zip.content(BundleLayout.tagManifest, limit: limit)
    guard let tags = Manifest(parsing: tagManifest) else {
      throw BundleFinding(.manifestMalformed, path: BundleLayout.tagManifest)
    }
    let manifestBytes = try zip.content(BundleLayout.manifest, limit: limit)
    guard let manifest = Manifest(parsing: manifestBytes) else {
      throw BundleFinding(.manifestMalformed, path: BundleLayout.manifest)
    }
    if let listed = tags.hash(of: BundleLayout.manifest),
      SHA256Hash.hash(manifestBytes) != listed
    {
      throw BundleFinding(.fileDiffers, path: BundleLayout.manifest)
    }
    for line in tags.lines where BundleLayout.isPayload(line.path) {
      throw BundleFinding(.manifestMalformed, path: line.path)
    }
    for line in manifest.lines where !BundleLayout.isPayload(line.path) {
      throw BundleFinding(.manifestMalformed, path: line.path)
    }
    for line in tags.lines + manifest.lines where zip.member(line.path) == nil {
      throw BundleFinding(.fileMissing, path: line.path)
    }
    var payloadByteCount: UInt64 = 0
    for member in zip.members
    where member.path != BundleLayout.tagManifest && member.path != BundleLayout.signature {
      let isPayload = BundleLayout.isPayload(member.path)
      guard let listed = (isPayload ? manifest : tags).hash(of: member.path) else {
        throw BundleFinding(.fileUnlisted, path: member.path)
      }
      guard try zip.hash(of: member) == listed else {
        throw BundleFinding(.fileDiffers, path: member.path)
      }
      if isPayload { payloadByteCount += member.byteCount }
    }
    // Another version may have other fixed files, so it is looked for first.
    try CaseFile.checkVersion(
      of: try zip.content(BundleLayout.caseFile, limit: CaseFile.longestByteCount))
    let information = BagFiles.information(
      payloadByteCount: payloadByteCount, payloadFileCount: manifest.lines.count)
    try BundleReader.checkFixedFiles(&zip, information)
    self.tagManifest = tagManifest
    self.manifest = manifest
    self.tags = tags
    self.zip = zip
  }

  /// Files of which this version of the format leaves no byte open.
  private static func checkFixedFiles(_ zip: inout ZipReader<Source>, _ information: [UInt8])
    throws(BundleFinding)
  {
    let fixed = [
      (BundleLayout.declaration, BagFiles.declaration),
      (BundleLayout.information, information), (BundleLayout.readme, BundleReadme.bytes),
    ]
    for (path, expected) in fixed {
      guard try zip.content(path, limit: BundleLimits.noteByteCount) == expected else {
        throw BundleFinding(.fileDiffers, path: path)
      }
    }
  }

  /// The file of this name.
  public func member(_ path: BundlePath) -> ZipMember? { zip.member(path) }

  /// The hash of a file of the payload.
  func hash(of path: BundlePath) -> Bytes32? { manifest.hash(of: path) }

  /// The hash that a file must have; nil for the signature, which no list names.
  private func listed(_ path: BundlePath) -> Bytes32? {
    if path == BundleLayout.tagManifest { return SHA256Hash.hash(tagManifest) }
    return (BundleLayout.isPayload(path) ? manifest : tags).hash(of: path)
  }

  /// The whole content of a small file.
  ///
  /// - Throws: `.fileMissing`, `.tooLarge`, `.fileDiffers`, or what the archive throws.
  public mutating func content(_ path: BundlePath, limit: UInt64) throws(BundleFinding) -> [UInt8] {
    let bytes = try zip.content(path, limit: limit)
    guard listed(path).map({ $0 == SHA256Hash.hash(bytes) }) ?? true else {
      throw BundleFinding(.fileDiffers, path: path)
    }
    return bytes
  }

  /// Writes a file of any size to a sink. What was written before an error is not to be kept.
  public mutating func extract(
    _ member: ZipMember, to sink: inout some ByteSink & ~Copyable
  ) throws(BundleExtractError) {
    func wrapped(_ error: ZipError) -> BundleExtractError { .bundle(BundleFinding(error)) }
    var hash = SHA256Hash()
    try zip.forEachChunk(of: member, wrap: wrapped) {
      (chunk) throws(BundleExtractError) in
      hash.update(chunk)
      do throws(SinkError) { try sink.write(chunk) } catch { throw .sink(error) }
    }
    let found = hash.finalize()
    guard listed(member.path).map({ $0 == found }) ?? true else {
      throw .bundle(BundleFinding(.fileDiffers, path: member.path))
    }
  }

  /// Whether the content of a file is exactly this.
  mutating func isContent(of path: BundlePath, _ expected: [UInt8]) throws(BundleFinding) -> Bool {
    guard let member = zip.member(path) else { throw BundleFinding(.fileMissing, path: path) }
    return member.byteCount == UInt64(expected.count)
      && manifest.hash(of: path) == SHA256Hash.hash(expected)
  }

  /// The files of the proof, and that there are no others.
  mutating func proof() throws(BundleFinding) -> ProofFiles {
    var proof = ProofFiles()
    proof.caseFile = try content(BundleLayout.caseFile, limit: CaseFile.longestByteCount)
    let file = try CaseFile(decoding: proof.caseFile)
    for (index, log) in file.logs.enumerated() {
      var files = ProofLog()
      if log.size > 0 {
        files.checkpoint = try content(
          BundleLayout.checkpoint(index), limit: BundleLimits.noteByteCount)
        files.leaves = try content(
          BundleLayout.leaves(index),
          limit: BundleLimits.leavesOfLog * UInt64(LeafData.byteCount))
        files.entries = try content(
          BundleLayout.entries(index), limit: BundleLimits.entriesByteCount)
      }
      proof.logs.append(files)
    }
    while zip.member(BundleLayout.receipt(proof.receipts.count)) != nil {
      guard proof.receipts.count < BundleLimits.receipts else {
        throw BundleFinding(.tooLarge, path: BundleLayout.receipt(proof.receipts.count))
      }
      let path = BundleLayout.receipt(proof.receipts.count)
      proof.receipts.append(try content(path, limit: BundleLimits.noteByteCount))
    }
    try checkLayout(file, proof)
    return proof
  }

  /// A file that is listed but has no place in the layout would be seen by people and checked by nobody.
  private func checkLayout(_ file: CaseFile, _ proof: ProofFiles) throws(BundleFinding) {
    var known = [
      BundleLayout.declaration, BundleLayout.information, BundleLayout.manifest,
      BundleLayout.tagManifest, BundleLayout.readme, BundleLayout.signature, BundleLayout.report,
    ]
    known += proof.members(file).map { $0.0 }
    known += file.exhibits.map { $0.path }
    known.sort()
    for path in members.map({ $0.path }) where !known.containsSorted(path) {
      throw BundleFinding(.fileUnexpected, path: path)
    }
  }
}

/// Why a file was not taken out of a bundle.
public enum BundleExtractError: Error, Hashable, Sendable {
  /// The bundle could not be read, or is damaged there.
  case bundle(BundleFinding)
  /// The sink failed.
  case sink(SinkError)
}

extension BundleFinding {
  /// What an error of the archive means for the bundle.
  init(_ error: ZipError) {
    switch error {
    case .source(.notAuthentic): self.init(.encryptionDamaged)
    case .source: self.init(.unreadable)
    case .noEndRecord: self.init(.notABundle)
    case .tooManyMembers: self.init(.tooLarge)
    case .memberTooLarge(let path): self.init(.tooLarge, path: path)
    case .headersDiffer(let path), .badChecksum(let path): self.init(.archiveDamaged, path: path)
    case .badEndRecord, .badDirectory, .badName, .collidingNames, .badLayout:
      self.init(.archiveDamaged)
    }
  }
}

extension ZipReader where Source: ~Copyable {
  fileprivate mutating func content(_ path: BundlePath, limit: UInt64) throws(BundleFinding)
    -> [UInt8]
  {
    guard let member = member(path) else { throw BundleFinding(.fileMissing, path: path) }
    do throws(ZipError) { return try read(member, limit: limit) } catch {
      throw BundleFinding(error)
    }
  }

  fileprivate mutating func hash(of member: ZipMember) throws(BundleFinding) -> Bytes32 {
    var hash = SHA256Hash()
    try forEachChunk(of: member, wrap: BundleFinding.init(_:)) { (chunk) throws(BundleFinding) in
      hash.update(chunk)
    }
    return hash.finalize()
  }
}

extension [BundlePath] {
  fileprivate func containsSorted(_ path: BundlePath) -> Bool {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < path { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == path
  }
}
