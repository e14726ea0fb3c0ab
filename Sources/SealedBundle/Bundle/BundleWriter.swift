internal import CaseLog
public import Cryptography
internal import VerifiableLog

/// Writes a bundle as a ZIP archive into a sink, which may be an `AgeWriter`.
///
/// Exhibits are read twice: once for hash and checksum, which stand before them in the archive, and once
/// to be written. Nothing larger than a piece of 64 KiB of them is in memory. What is written was verified
/// before by the same code that a stranger will use; reopen it all the same before calling it done, since
/// only that shows what the medium kept.
public struct BundleWriter: Sendable {
  private let contents: BundleContents
  private let file: CaseFile
  private let proof: ProofFiles
  private let record: BundleRecord
  /// The files that will be asked for, in the order of the archive.
  public let exhibits: [ExhibitFile]

  /// Lays out a bundle.
  ///
  /// - Parameter includes: whether a file of an exhibit shall be in it; else its hash and size are.
  public init(
    _ contents: BundleContents, including includes: (ExhibitFile) -> Bool
  ) throws(BundleWriteError) {
    self.contents = contents
    let logs = contents.logs.sorted { $0.identity.id < $1.identity.id }
    do throws(BundleFinding) {
      // Twice: the numbers of exhibits, and so their paths, follow from the evaluation.
      let draft = try BundleRecord(BundleWriter.layOut(contents, logs, []).proof)
      let chosen = BundleWriter.files(draft).filter(includes)
      (file, proof) = BundleWriter.layOut(contents, logs, chosen)
      record = try BundleRecord(proof)
      exhibits = chosen.sorted { $0.path < $1.path }
    } catch {
      throw .contents(error)
    }
  }

  /// Writes the archive and gives the sink back. After an error what was written is of no use.
  ///
  /// - Parameters:
  ///   - key: the signing key of the exporter's log.
  ///   - open: gives a file of an exhibit; called twice for each.
  public func write<Sink: ByteSink & ~Copyable, Source: ByteSource & ~Copyable>(
    to sink: consuming Sink, signedBy key: borrowing SigningKey,
    exhibits open: (ExhibitFile) throws(SourceError) -> Source
  ) throws(BundleWriteError) -> Sink {
    let report = Report.render(record)
    var payload = [Manifest.Line(path: BundleLayout.report, hash: SHA256Hash.hash(report))]
    var payloadByteCount = UInt64(report.count)
    var checksums: [UInt32] = []
    for exhibit in exhibits {
      checksums.append(try BundleWriter.measure(exhibit, open))
      payload.append(Manifest.Line(path: exhibit.path, hash: exhibit.attachment.sha256))
      payloadByteCount += exhibit.attachment.size
    }
    let manifest = Manifest(payload).bytes
    var tags: [(BundlePath, [UInt8])] = [
      (BundleLayout.declaration, BagFiles.declaration),
      (
        BundleLayout.information,
        BagFiles.information(
          payloadByteCount: payloadByteCount, payloadFileCount: payload.count)
      ),
      (BundleLayout.manifest, manifest), (BundleLayout.readme, BundleReadme.bytes),
    ]
    tags += proof.members(file)
    let tagManifest = Manifest(
      tags.map { Manifest.Line(path: $0.0, hash: SHA256Hash.hash($0.1)) }
    ).bytes
    let signature = BundleSignature.sign(
      contents.caseID, tagManifest: tagManifest,
      log: LogIdentity(caseID: contents.caseID.raw, key: key.publicKey), key: key)
    tags.append((BundleLayout.tagManifest, tagManifest))
    tags.append((BundleLayout.signature, signature))
    tags.append((BundleLayout.report, report))
    return try write(tags, checksums, to: sink, open)
  }

  private func write<Sink: ByteSink & ~Copyable, Source: ByteSource & ~Copyable>(
    _ small: [(BundlePath, [UInt8])], _ checksums: [UInt32], to sink: consuming Sink,
    _ open: (ExhibitFile) throws(SourceError) -> Source
  ) throws(BundleWriteError) -> Sink {
    var zip = ZipWriter(sink)
    do throws(ZipWriteError) {
      for (path, bytes) in small { try zip.add(path, bytes) }
    } catch { throw .archive(error) }
    for (exhibit, checksum) in zip2(exhibits, checksums) {
      var source: Source
      do throws(SourceError) { source = try open(exhibit) } catch { throw .source(exhibit, error) }
      do throws(ZipWriteError) {
        try zip.add(
          exhibit.path, byteCount: exhibit.attachment.size, crc32: checksum, from: &source)
      } catch { throw .archive(error) }
    }
    do throws(ZipWriteError) { return try zip.finish() } catch { throw .archive(error) }
  }

  /// Reads a file for the first time: it must be what its entry says.
  private static func measure<Source: ByteSource & ~Copyable>(
    _ exhibit: ExhibitFile, _ open: (ExhibitFile) throws(SourceError) -> Source
  ) throws(BundleWriteError) -> UInt32 {
    var source: Source
    do throws(SourceError) { source = try open(exhibit) } catch { throw .source(exhibit, error) }
    guard source.byteCount == exhibit.attachment.size else { throw .exhibitDiffers(exhibit) }
    var hash = SHA256Hash()
    var crc = CRC32()
    func wrapped(_ error: SourceError) -> BundleWriteError { .source(exhibit, error) }
    try source.forEachChunk(in: 0..<source.byteCount, wrap: wrapped) {
      (chunk) throws(BundleWriteError) in
      hash.update(chunk)
      unsafe crc.update(chunk.span.bytes)
    }
    guard hash.finalize() == exhibit.attachment.sha256 else { throw .exhibitDiffers(exhibit) }
    return crc.value
  }

  /// The files that could be in a bundle with this record.
  private static func files(_ record: BundleRecord) -> [ExhibitFile] {
    var files: [ExhibitFile] = []
    for exhibit in record.exhibits where exhibit.content?.showsMinor == false {
      for file in exhibit.files where !file.attachment.isWithoutContent {
        let path = BundleLayout.exhibit(
          exhibit.number, file: file.attachment.number, mediaType: file.attachment.mediaType)
        files.append(
          ExhibitFile(
            logID: exhibit.entry.header.logID, sequence: exhibit.entry.header.sequence,
            attachment: file.attachment, path: path))
      }
    }
    return files
  }

  private static func layOut(
    _ contents: BundleContents, _ logs: [BundleContents.Log], _ chosen: [ExhibitFile]
  ) -> (file: CaseFile, proof: ProofFiles) {
    var proof = ProofFiles()
    var exhibits: [CaseFile.Exhibit] = []
    for (index, log) in logs.enumerated() {
      var files = ProofLog()
      if let checkpoint = log.checkpoint, !log.leaves.isEmpty {
        files.checkpoint = checkpoint
        for leaf in log.leaves { files.leaves += leaf.bytes }
        files.entries = ProofLog.encode(
          log.entries.sorted { $0.sequence < $1.sequence }.map { $0.withoutBlobs })
      }
      proof.logs.append(files)
      proof.receipts += log.receipts
      for file in chosen where file.logID == log.identity.id {
        exhibits.append(
          CaseFile.Exhibit(
            logIndex: index, sequence: file.sequence, file: file.attachment.number,
            path: file.path))
      }
    }
    let file = CaseFile(
      caseID: contents.caseID, statements: contents.statements, exporter: contents.exporter,
      exportedAt: contents.exportedAt, scope: contents.scope,
      logs: logs.map { CaseFile.Log(identity: $0.identity, size: UInt64($0.leaves.count)) },
      exhibits: exhibits.sorted { $0.path < $1.path }, program: contents.program,
      successions: contents.successions, forks: contents.forks)
    proof.caseFile = file.encoded
    return (file, proof)
  }
}

/// `zip`, which the module of that name would hide.
private func zip2<A, B>(_ left: [A], _ right: [B]) -> Zip2Sequence<[A], [B]> {
  Swift.zip(left, right)
}

extension ProofFiles {
  /// The files of the proof with their paths.
  func members(_ file: CaseFile) -> [(BundlePath, [UInt8])] {
    var members = [(BundleLayout.caseFile, caseFile)]
    for (index, log) in logs.enumerated() where file.logs[index].size > 0 {
      members.append((BundleLayout.checkpoint(index), log.checkpoint))
      members.append((BundleLayout.leaves(index), log.leaves))
      members.append((BundleLayout.entries(index), log.entries))
    }
    for (number, receipt) in receipts.enumerated() {
      members.append((BundleLayout.receipt(number), receipt))
    }
    return members
  }
}
