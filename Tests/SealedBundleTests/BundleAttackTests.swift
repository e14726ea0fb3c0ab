import CaseLog
import Cryptography
import Foundation
import Testing
import VerifiableLog

@testable import SealedBundle

@Suite struct BundleAttackTests {
  /// Changes a bundle, and checks the finding for each degree of care that a forger may take.
  private func expect(
    careless: BundleFinding.Code, listed: BundleFinding.Code, resigned: BundleFinding.Code?,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout Forgery, SampleCase) throws -> Void
  ) throws {
    let sample = try SampleCase.told()
    var forgery = try Forgery(try sample.bundle(), of: sample)
    try change(&forgery, sample)
    check(try forgery.archive(), sample, careless, sourceLocation)
    forgery.relist()
    check(try forgery.archive(), sample, listed, sourceLocation)
    // The exporter herself, or somebody with her device.
    forgery.sign(as: sample.survivor)
    check(try forgery.archive(), sample, resigned, sourceLocation)
  }

  private func check(
    _ archive: [UInt8], _ sample: SampleCase, _ code: BundleFinding.Code?,
    _ location: SourceLocation
  ) {
    let verdict = verify(archive, sample.trust)
    if let code {
      #expect(verdict.findings.first?.code == code, sourceLocation: location)
      #expect(
        verdict.outcome == (code.weight == .breaks ? .changed : .cannotCheck),
        sourceLocation: location)
    } else {
      #expect(
        verdict.outcome == .intact || verdict.outcome == .consistent, sourceLocation: location)
    }
  }

  /// Row 4. In the two long texts, of which every byte is under one hash, each sixteenth byte; all of
  /// them with `CAIRN_EXHAUSTIVE` set, which takes a minute more.
  @Test func `whatever byte of a bundle is flipped, it is neither intact nor consistent`() throws {
    let sample = try SampleCase()
    var evidence = EntryContent()
    evidence.words = "w"
    try sample.survivor.append(.evidence, evidence.parts, clock: SampleCase.start)
    sample.survivor.checkpoints[3] = [
      try sample.advocate.receipt(for: sample.survivor, at: SampleCase.start)
    ]
    let bundle = try sample.bundle()
    #expect(verify(bundle, sample.trust).outcome == .intact)
    var generator = SplitMix(state: 4)
    let texts = try ZipReader(MemorySource(bundle)).members.filter {
      $0.path == BundleLayout.report || $0.path == BundleLayout.readme
    }.map(\.content)
    let isExhaustive = ProcessInfo.processInfo.environment["CAIRN_EXHAUSTIVE"] != nil
    for index in bundle.indices {
      if !isExhaustive, index % 16 != 0, texts.contains(where: { $0.contains(UInt64(index)) }) {
        continue
      }
      var bytes = bundle
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      let outcome = verify(bytes, sample.trust).outcome
      #expect(outcome == .changed || outcome == .cannotCheck, "byte \(index)")
    }
  }

  /// Row 4, for a forger who repairs the archive: each byte of each file, with its CRC-32 made right.
  @Test func `whatever byte of a proof file is flipped under a right checksum, it is named`() throws
  {
    let sample = try SampleCase.told()
    let original = try Forgery(try sample.bundle(), of: sample)
    var generator = SplitMix(state: 5)
    for (index, file) in original.files.enumerated() where !file.bytes.isEmpty {
      for _ in 0..<20 {
        var forgery = original
        let offset = Int.random(in: 0..<file.bytes.count, using: &generator)
        forgery.files[index].bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        let verdict = verify(try forgery.archive(), sample.trust)
        #expect(verdict.outcome == .changed, "\(file.path.text) \(offset)")
      }
    }
  }

  // MARK: Row 32

  @Test func `an entry removed`() throws {
    // Of evidence, only its exporter can make a gap, and the gap is counted.
    try expect(careless: .fileDiffers, listed: .exhibitUnnamed, resigned: .exhibitUnnamed) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      let kept = sample.survivor.contents.entries.filter { $0.sequence != 2 }
      forgery["proof/logs/\(index).cbor"] = ProofLog.encode(kept.map(\.withoutBlobs))
    }
  }

  @Test func `an administrative entry removed`() throws {
    try expect(careless: .fileDiffers, listed: .controlMissing, resigned: .controlMissing) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      let kept = sample.survivor.contents.entries.filter { $0.sequence != 1 }
      forgery["proof/logs/\(index).cbor"] = ProofLog.encode(kept.map(\.withoutBlobs))
    }
  }

  @Test func `an entry relabelled`() throws {
    try expect(careless: .fileDiffers, listed: .entryInvalid, resigned: .entryInvalid) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      let entries = sample.survivor.contents.entries.map { entry in
        let parts = entry.parts.map { part in
          if case .disclosed(let part, let salt) = part, part.label == .account {
            return PartDisclosure.disclosed(Part(.place, part.bytes), salt: salt)
          }
          return part
        }
        return DisclosedEntry(sequence: entry.sequence, parts: parts).withoutBlobs
      }
      forgery["proof/logs/\(index).cbor"] = ProofLog.encode(entries)
    }
  }

  @Test func `an entry moved to another place`() throws {
    try expect(careless: .fileDiffers, listed: .entryInvalid, resigned: .entryInvalid) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      let entries = sample.survivor.contents.entries.map { entry in
        DisclosedEntry(sequence: entry.sequence == 4 ? 3 : entry.sequence, parts: entry.parts)
          .withoutBlobs
      }
      forgery["proof/logs/\(index).cbor"] = ProofLog.encode(entries)
    }
  }

  @Test func `the range shrunk: a log cut short under its old head`() throws {
    try expect(careless: .fileDiffers, listed: .leavesDiffer, resigned: .leavesDiffer) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      forgery["proof/logs/\(index).leaves"]?.removeLast(LeafData.byteCount)
    }
  }

  @Test func `a leaf changed`() throws {
    try expect(careless: .fileDiffers, listed: .leavesDiffer, resigned: .leavesDiffer) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      forgery["proof/logs/\(index).leaves"]?[3 * LeafData.byteCount + 20] ^= 1
    }
  }

  @Test func `receipts stripped`() throws {
    // A stripped receipt leaves less to stand on. Only the exporter can strip one, and it shows as missing.
    try expect(careless: .fileDiffers, listed: .signatureInvalid, resigned: .reportDiffers) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      sample.survivor.checkpoints[sample.survivor.size] = nil
      forgery["proof/logs/\(index).note"] = sample.survivor.signedHead
    }
  }

  @Test func `a receipt changed`() throws {
    try expect(careless: .fileDiffers, listed: .receiptInvalid, resigned: .receiptInvalid) {
      forgery, sample in
      let index = try index(of: sample.survivor, sample)
      let size = sample.survivor.size
      let real = sample.survivor.checkpoints[size]![0]
      var time = real.signature
      time[7] ^= 1
      sample.survivor.checkpoints[size] = [
        NoteSignature(keyName: real.keyName, keyID: real.keyID, signature: time)
      ]
      forgery["proof/logs/\(index).note"] = sample.survivor.signedHead
    }
  }

  @Test func `a receipt for a head that this log never had`() throws {
    try expect(careless: .fileDiffers, listed: .receiptInvalid, resigned: .receiptInvalid) {
      forgery, sample in
      forgery["proof/receipts/0.note"] = try sample.advocate.note(
        at: 1, with: [sample.survivor.receipt(for: sample.advocate, at: 1)]
      )
      .replacing(sample.advocate.id.origin.utf8, with: sample.survivor.id.origin.utf8)
    }
  }

  @Test func `files swapped`() throws {
    try expect(careless: .fileDiffers, listed: .signatureInvalid, resigned: .exhibitDiffers) {
      forgery, _ in
      let first = forgery["data/exhibits/1-0.png"]
      forgery["data/exhibits/1-0.png"] = forgery["data/exhibits/1-1"]
      forgery["data/exhibits/1-1"] = first
    }
  }

  @Test(arguments: [
    "data/exhibits/9-9.jpg", "proof/more.txt", "extra", "proof/logs/7.note", "data/x.html",
  ])
  func `an extra file added`(name: String) throws {
    try expect(careless: .fileUnlisted, listed: .fileUnexpected, resigned: .fileUnexpected) {
      forgery, _ in
      forgery[name] = [1, 2, 3]
    }
  }

  @Test(arguments: [
    "data/exhibits/1-0.png", "data/report.html", "proof/logs/0.cbor", "proof/README.txt",
    "bag-info.txt",
  ])
  func `a file removed`(name: String) throws {
    let sample = try SampleCase.told()
    var forgery = try Forgery(try sample.bundle(), of: sample)
    forgery[name] = nil
    let verdict = verify(try forgery.archive())
    #expect(verdict.findings == [BundleFinding(.fileMissing, path: path(name))])
    #expect(verdict.outcome == .changed)
  }

  @Test func `something that is a bag but no bundle, or nothing at all`() throws {
    #expect(verify(try zip([("bagit.txt", "x")])).findings.first?.code == .notABundle)
    #expect(verify([]).findings.first?.code == .notABundle)
    #expect(verify([UInt8](repeating: 7, count: 1000)).outcome == .cannotCheck)
  }

  @Test func `instructions for checking by hand cannot be replaced`() throws {
    try expect(careless: .fileDiffers, listed: .fileDiffers, resigned: .fileDiffers) { forgery, _ in
      forgery["proof/README.txt"] = Array("Just trust it.\n".utf8)
    }
  }

  // MARK: Row 45

  @Test func `a report rewritten and sealed again`() throws {
    try expect(careless: .fileDiffers, listed: .signatureInvalid, resigned: .reportDiffers) {
      forgery, _ in
      let report = String(decoding: forgery["data/report.html"] ?? [], as: UTF8.self)
      forgery["data/report.html"] = Array(
        report.replacing("sent to one person", with: "sent to everybody").utf8)
    }
  }

  @Test func `signed by somebody else than the exporter`() throws {
    let sample = try SampleCase.told()
    let bundle = try sample.bundle(signedBy: sample.advocate)
    #expect(verify(bundle, sample.trust).findings.map(\.code) == [.signatureInvalid])
    var forgery = try Forgery(try sample.bundle(), of: sample)
    forgery["proof/signature.note"]? += sample.survivor.checkpoints[sample.survivor.size]![0].line
    #expect(verify(try forgery.archive(), sample.trust).findings.map(\.code) == [.signatureInvalid])
  }

  @Test func `exported by somebody who is no member`() throws {
    let sample = try SampleCase.told()
    var contents = sample.contents
    let stranger = try SampleDevice(seed: 99, caseID: sample.caseID, role: .survivor)
    contents.exporter = stranger.id
    #expect(throws: BundleWriteError.contents(BundleFinding(.exporterUnknown, logID: stranger.id)))
    {
      _ = try BundleWriter(contents, including: { _ in true })
    }
    contents.logs.append(stranger.contents)
    #expect(
      throws: BundleWriteError.contents(BundleFinding(.membersDiffer, path: BundleLayout.caseFile))
    ) {
      _ = try BundleWriter(contents, including: { _ in true })
    }
  }

  // MARK: Row 46

  @Test func `a case whose advocate, receipts and times are all invented is only consistent`()
    throws
  {
    let invented = try SampleCase.told()
    let verdict = verify(try invented.bundle())
    #expect(verdict.outcome == .consistent)
    // Nor does it become more by trusting somebody else's real advocate.
    let real = try SampleDevice(seed: 120, caseID: invented.caseID, role: .advocate)
    let trust = BundleTrust(
      caseID: invented.caseID, witnesses: [real.id.cosigner(real.card.receiptKey)])
    #expect(verify(try invented.bundle(), trust).outcome == .consistent)
  }

  // MARK: Pictures that must not travel

  @Test func `a file of an entry that shows a minor is never included`() throws {
    let sample = try SampleCase()
    var evidence = EntryContent()
    evidence.showsMinor = true
    evidence.attachments = [
      sample.attachment(0, Array("x".utf8), "image/png", name: "x", withoutContent: true)
    ]
    try sample.survivor.append(.evidence, evidence.parts, clock: SampleCase.start)
    let writer = try BundleWriter(sample.contents, including: { _ in true })
    #expect(writer.exhibits.isEmpty)
  }

  private func index(of device: SampleDevice, _ sample: SampleCase) throws -> Int {
    try #require(sample.logs.map(\.id).sorted().firstIndex(of: device.id))
  }
}
