import BundleFixtures
import CaseLog
import Cryptography
import Testing
import VerifiableLog

@testable import BundleCheck
@testable import SealedBundle

@Suite struct BundleTests {
  @Test func `a bundle by the writer is intact for whoever knows case and witness`() throws {
    let sample = try SampleCase.told()
    let verdict = verify(try sample.bundle(), sample.trust)
    #expect(verdict.findings == [])
    #expect(verdict.outcome == .intact)
    #expect(verdict.intactSince == SampleCase.start + 100_000)
  }

  @Test func `it is consistent for whoever knows nothing, or half of it`() throws {
    let sample = try SampleCase.told()
    let bundle = try sample.bundle()
    let nothing = verify(bundle)
    #expect(nothing.outcome == .consistent)
    #expect(
      nothing.findings.map(\.code) == [
        .fingerprintNotGiven, .noTrustedReceipt, .noTrustedReceipt, .noTrustedReceipt,
      ])
    #expect(nothing.intactSince == nil)
    #expect(verify(bundle, BundleTrust(caseID: sample.caseID)).outcome == .consistent)
    #expect(verify(bundle, BundleTrust(witnesses: sample.trust.witnesses)).outcome == .consistent)
  }

  @Test func `the same contents make the same bytes`() throws {
    #expect(try SampleCase.told().bundle() == SampleCase.told().bundle())
  }

  @Test func `another fingerprint than the one given is a change`() throws {
    let sample = try SampleCase.told()
    let verdict = verify(
      try sample.bundle(), BundleTrust(caseID: CaseID(SHA256Hash.hash([1]))))
    #expect(verdict.outcome == .changed)
    #expect(verdict.findings.map(\.code) == [.caseDiffers])
    // Most likely it was mistyped: nobody is told that evidence was altered.
    let text = VerdictText.lines(verdict, trust: BundleTrust())
    #expect(text.first == "ANOTHER CASE")
    #expect(!text.joined().contains("as it was made"))
  }

  @Test(arguments: [
    ([4], "Exhibit 4"), ([1, 2], "Exhibits 1, 2"), (Array(1...308), "Exhibits 1–308"),
    ([9, 1, 2, 3, 5, 7, 8], "Exhibits 1–3, 5, 7–9"),
  ])
  func `many exhibits are told as runs`(numbers: [Int], text: String) {
    #expect(VerdictText.runs(numbers) == text)
  }

  @Test func `the record tells what is there and what is not`() throws {
    let record = try #require(verify(try SampleCase.told().bundle()).record)
    #expect(record.exhibits.map(\.number) == [1, 2, 3, 4])
    #expect(
      record.exhibits.map { $0.entry.header.kind } == [.evidence, .evidence, .amend, .takedown])
    #expect(record.withheldCount == 1)
    #expect(
      record.exhibits[0].files.map { $0.path?.text } == [
        "data/exhibits/1-0.png", "data/exhibits/1-1",
      ])
    #expect(record.exhibits[1].files.map { $0.path } == [nil])
    #expect(record.exhibits[0].bracket.before?.time == SampleCase.start + 3_600)
    #expect(record.exhibits[0].bracket.after == nil)
    #expect(record.exhibits[1].bracket.after?.time == SampleCase.start + 3_600)
    #expect(record.exhibits[1].bracket.before?.time == SampleCase.start + 100_000)
    #expect(record.logs.map(\.disclosedCount).sorted() == [1, 3])
    #expect(record.logs.map(\.shownCount).sorted() == [1, 3])
    #expect(record.exhibits.allSatisfy { !$0.isPartial })
  }

  @Test func `keys of sealed files stay out of a bundle`() throws {
    let sample = try SampleCase.told()
    let bundle = try sample.bundle()
    let key = [UInt8](repeating: 9, count: 32)
    #expect(
      !bundle.indices.dropLast(32).contains {
        bundle[$0] == 9 && Array(bundle[$0..<($0 + 32)]) == key
      })
  }

  @Test func `an advocate may export too, and is named`() throws {
    let sample = try SampleCase.told()
    var contents = sample.contents
    contents.exporter = sample.advocate.id
    contents.scope = .chosenEntries
    let verdict = verify(try sample.bundle(contents, signedBy: sample.advocate), sample.trust)
    #expect(verdict.outcome == .intact)
    #expect(verdict.record?.exporter.role == .advocate)
  }

  @Test func `a log of which nothing is known has no files`() throws {
    let sample = try SampleCase()
    var evidence = EntryContent()
    evidence.words = "alone"
    try sample.survivor.append(.evidence, evidence.parts, clock: SampleCase.start)
    let verdict = verify(try sample.bundle())
    #expect(verdict.outcome == .consistent)
    #expect(verdict.record?.logs.map(\.size).sorted() == [0, 3])
  }

  @Test func `an entry of which only some parts are shown verifies and says so`() throws {
    let sample = try SampleCase()
    var evidence = EntryContent()
    evidence.words = "shown"
    evidence.account = "not shown"
    try sample.survivor.append(
      .evidence, evidence.parts, clock: SampleCase.start, withholding: [.account])
    let record = try #require(verify(try sample.bundle()).record)
    #expect(record.exhibits[0].isPartial)
    #expect(record.exhibits[0].content?.account == nil)
    #expect(record.exhibits[0].content?.words == "shown")
  }

  @Test func `a file that is not the one of its entry is not written`() throws {
    let sample = try SampleCase.told()
    let writer = try BundleWriter(sample.contents, including: { _ in true })
    #expect(throws: BundleWriteError.exhibitDiffers(writer.exhibits[0])) {
      _ = try writer.write(to: MemorySink(), signedBy: sample.survivor.signing) {
        (file) throws(SourceError) in
        MemorySource([UInt8](repeating: 0, count: Int(file.attachment.size)))
      }
    }
    #expect(throws: BundleWriteError.source(writer.exhibits[0], .unreadable)) {
      _ = try writer.write(to: MemorySink(), signedBy: sample.survivor.signing) {
        (_) throws(SourceError) -> MemorySource in throw .unreadable
      }
    }
  }

  /// Row 42: a file that changes between the two readings.
  @Test func `a file that changes while it is read is not half written`() throws {
    let sample = try SampleCase.told()
    let writer = try BundleWriter(sample.contents, including: { _ in true })
    let files = sample.files
    var readings = 0
    #expect(throws: BundleWriteError.archive(.changedWhileRead(writer.exhibits[0].path))) {
      _ = try writer.write(to: MemorySink(), signedBy: sample.survivor.signing) {
        (file) throws(SourceError) in
        readings += 1
        var bytes = files[file.attachment.sha256] ?? []
        if readings > 2 { bytes[0] ^= 1 }
        return MemorySource(bytes)
      }
    }
  }

  @Test func `files may be left out, and are then told by their hash`() throws {
    let sample = try SampleCase.told()
    let writer = try BundleWriter(sample.contents, including: { _ in false })
    let bundle = try writer.write(to: MemorySink(), signedBy: sample.survivor.signing) {
      (_) throws(SourceError) -> MemorySource in throw .unreadable
    }.bytes
    let verdict = verify(bundle, sample.trust)
    #expect(verdict.outcome == .intact)
    #expect(verdict.record?.exhibits.flatMap(\.files).allSatisfy { $0.path == nil } == true)
  }

  @Test func `clocks that contradict receipts are named, and nothing is reordered`() throws {
    let sample = try SampleCase()
    var evidence = EntryContent()
    evidence.words = "x"
    evidence.seen = ClaimedTime(typed: "2030-01-01")
    try sample.survivor.append(.evidence, evidence.parts, clock: SampleCase.start + 900_000)
    let receipt = try sample.advocate.receipt(for: sample.survivor, at: SampleCase.start + 500_000)
    sample.survivor.checkpoints[sample.survivor.size] = [receipt]
    evidence.seen = nil
    try sample.survivor.append(
      .evidence, evidence.parts, clock: 0,
      embedding: [try sample.survivor.note(at: 3, with: [receipt])])
    let verdict = verify(try sample.bundle())
    #expect(verdict.outcome == .consistent)
    let codes = verdict.findings.map(\.code)
    for code: BundleFinding.Code in [
      .clockAfterReceipt, .claimedAfterReceipt, .clockBeforeReceipt, .receiptAfterExport,
    ] { #expect(codes.contains(code)) }
  }

  @Test func `a sealed bundle is one source over another`() throws {
    let sample = try SampleCase.told()
    let key = SecretKey()
    let identity = AgeIdentity(secretKey: key.copy())
    guard let recipient = identity.recipient else { return }
    let writer = try BundleWriter(sample.contents, including: { _ in true })
    let files = sample.files
    let sealed = try writer.write(
      to: AgeWriter(MemorySink(), recipients: [recipient]), signedBy: sample.survivor.signing
    ) { (file) throws(SourceError) in MemorySource(files[file.attachment.sha256] ?? []) }
    .finish().bytes
    let source = try AgeSource(MemorySource(sealed), identity: identity)
    #expect(BundleVerifier.verify(source, trust: sample.trust).outcome == .intact)
  }

  @Test func `files can be taken out`() throws {
    let sample = try SampleCase.told()
    var reader = try BundleReader(MemorySource(try sample.bundle()))
    let verdict = BundleVerifier.verify(opened: &reader, trust: sample.trust)
    #expect(verdict.outcome == .intact)
    let member = try #require(reader.members.first { $0.path.text == "data/exhibits/1-0.png" })
    var sink = MemorySink()
    try reader.extract(member, to: &sink)
    #expect(sink.bytes == Array("not really a picture".utf8))
    var full = BoundedSink(room: 3)
    #expect(throws: BundleExtractError.sink(.full)) { try reader.extract(member, to: &full) }
  }

  /// On a share or a stick, another program can write meanwhile; a CRC-32 is no hindrance to it.
  @Test func `what was changed after it was checked is not taken out`() throws {
    let sample = try SampleCase.told()
    let medium = ChangingMedium(try sample.bundle())
    var reader = try BundleReader(ChangingSource(medium: medium))
    #expect(BundleVerifier.verify(opened: &reader, trust: sample.trust).outcome == .intact)
    for member in reader.members where member.path != BundleLayout.signature {
      let whole = medium.bytes
      let start = Int(member.content.lowerBound)
      let before = CRC32.checksum(Array(whole[start..<(start + 5)]))
      for (index, bits) in ChangingMedium.changeWithoutTrace.enumerated() {
        medium.bytes[start + index] ^= bits
      }
      #expect(CRC32.checksum(Array(medium.bytes[start..<(start + 5)])) == before)
      let differs = BundleFinding(.fileDiffers, path: member.path)
      var sink = MemorySink()
      #expect(throws: BundleExtractError.bundle(differs)) {
        try reader.extract(member, to: &sink)
      }
      #expect(throws: differs) { try reader.content(member.path, limit: 1 << 24) }
      medium.bytes = whole
    }
  }
}

/// Where a bundle lies that somebody else can write to.
private final class ChangingMedium {
  var bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The polynomial of CRC-32 itself, lowest bit first: whatever is changed by it keeps its checksum.
  static let changeWithoutTrace: [UInt8] = [0x41, 0x06, 0x71, 0xDB, 0x01]
}

private struct ChangingSource: ByteSource {
  let medium: ChangingMedium
  var byteCount: UInt64 { UInt64(medium.bytes.count) }

  func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    try MemorySource(medium.bytes).read(at: offset, count: count)
  }
}
