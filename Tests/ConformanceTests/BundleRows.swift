import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import SealedBundle

/// Something that a forger does to a bundle, and how it is named for each degree of care that she takes.
struct BundleChange {
  let what: String
  /// The lists are left as they were.
  let careless: BundleFinding.Code
  /// Lists and checksums are made again.
  let listed: BundleFinding.Code
  /// The exporter herself did it, or somebody with her device, and signed again.
  let resigned: BundleFinding.Code
  /// Whether the programs are given the last of these too; the library always is.
  var isGivenToPrograms = true
  let change: (inout Forgery, SampleCase) throws -> Void
}

extension Row {
  func refuses(_ changes: [BundleChange]) async throws {
    for change in changes {
      let sample = try SampleCase.told()
      var forgery = try Forgery(try sample.bundle(), of: sample)
      try change.change(&forgery, sample)
      let trust = sample.trust
      expect(change.careless, of: verify(try forgery.archive(), trust), change.what)
      forgery.relist()
      expect(change.listed, of: verify(try forgery.archive(), trust), change.what)
      forgery.sign(as: sample.survivor)
      let attempt = BundleAttempt(archive: try forgery.archive(), trust: trust)
      expect(change.resigned, of: attempt.verdict, change.what)
      saw(.refused, at: .library)
      if change.isGivenToPrograms { try await refuses(attempt, as: change.resigned) }
    }
  }

  private func expect(_ code: BundleFinding.Code, of verdict: BundleVerdict, _ what: String) {
    #expect(verdict.findings.first?.code == code, "\(what)")
    #expect(verdict.outcome == (code.weight == .breaks ? .changed : .cannotCheck), "\(what)")
  }
}

extension SampleCase {
  /// Its place among the logs of a bundle.
  func index(of device: SampleDevice) throws -> Int {
    try #require(logs.map(\.id).sorted().firstIndex(of: device.id))
  }

  func forgery() throws -> Forgery { try Forgery(try bundle(), of: self) }
}

@Suite struct `Attacks on bundles` {
  @Test
  func `Row 32: a bundle's parts are removed, relabelled, shrunk, stripped, swapped or added`()
    async throws
  {
    try await Row(
      32,
      "a bundle: an entry removed or relabelled, the range shrunk, receipts stripped, files swapped, a file added"
    ).hold { row in
      try await row.refuses(Self.entries + Self.logs + Self.files)
      row.passes(.folder, because: "no bundle lies in one")
    }
  }

  private static var entries: [BundleChange] {
    [
      // Of evidence, only its exporter can make a gap, and the gap is counted.
      BundleChange(
        what: "an entry removed", careless: .fileDiffers, listed: .exhibitUnnamed,
        resigned: .exhibitUnnamed
      ) { forgery, sample in
        let kept = sample.survivor.contents.entries.filter { $0.sequence != 2 }
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).cbor"] =
          ProofLog.encode(kept.map(\.withoutBlobs))
      },
      BundleChange(
        what: "an administrative entry removed", careless: .fileDiffers, listed: .controlMissing,
        resigned: .controlMissing, isGivenToPrograms: false
      ) { forgery, sample in
        let kept = sample.survivor.contents.entries.filter { $0.sequence != 1 }
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).cbor"] =
          ProofLog.encode(kept.map(\.withoutBlobs))
      },
      BundleChange(
        what: "an entry relabelled", careless: .fileDiffers, listed: .entryInvalid,
        resigned: .entryInvalid
      ) { forgery, sample in
        let entries = sample.survivor.contents.entries.map { entry in
          let parts = entry.parts.map { part in
            if case .disclosed(let part, let salt) = part, part.label == .account {
              return PartDisclosure.disclosed(Part(.place, part.bytes), salt: salt)
            }
            return part
          }
          return DisclosedEntry(sequence: entry.sequence, parts: parts).withoutBlobs
        }
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).cbor"] = ProofLog.encode(
          entries)
      },
      BundleChange(
        what: "an entry moved to another place", careless: .fileDiffers, listed: .entryInvalid,
        resigned: .entryInvalid, isGivenToPrograms: false
      ) { forgery, sample in
        let entries = sample.survivor.contents.entries.map { entry in
          DisclosedEntry(sequence: entry.sequence == 4 ? 3 : entry.sequence, parts: entry.parts)
            .withoutBlobs
        }
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).cbor"] = ProofLog.encode(
          entries)
      },
    ]
  }

  private static var logs: [BundleChange] {
    [
      BundleChange(
        what: "the range shrunk: a log cut short under its old head", careless: .fileDiffers,
        listed: .leavesDiffer, resigned: .leavesDiffer
      ) { forgery, sample in
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).leaves"]?
          .removeLast(LeafData.byteCount)
      },
      BundleChange(
        what: "a leaf changed", careless: .fileDiffers, listed: .leavesDiffer,
        resigned: .leavesDiffer, isGivenToPrograms: false
      ) { forgery, sample in
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).leaves"]?[
          3 * LeafData.byteCount + 20] ^= 1
      },
      // A stripped receipt leaves less to stand on. Only the exporter can strip one, and it shows as missing.
      BundleChange(
        what: "receipts stripped", careless: .fileDiffers, listed: .signatureInvalid,
        resigned: .reportDiffers
      ) { forgery, sample in
        sample.survivor.checkpoints[sample.survivor.size] = nil
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).note"] =
          sample.survivor.signedHead
      },
      BundleChange(
        what: "a receipt changed", careless: .fileDiffers, listed: .receiptInvalid,
        resigned: .receiptInvalid, isGivenToPrograms: false
      ) { forgery, sample in
        let size = sample.survivor.size
        let real = try #require(sample.survivor.checkpoints[size]?.first)
        var time = real.signature
        time[7] ^= 1
        sample.survivor.checkpoints[size] = [
          NoteSignature(keyName: real.keyName, keyID: real.keyID, signature: time)
        ]
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).note"] =
          sample.survivor.signedHead
      },
      BundleChange(
        what: "a receipt for a head that this log never had", careless: .fileDiffers,
        listed: .receiptInvalid, resigned: .receiptInvalid, isGivenToPrograms: false
      ) { forgery, sample in
        forgery["proof/receipts/0.note"] = try sample.advocate.note(
          at: 1, with: [sample.survivor.receipt(for: sample.advocate, at: 1)]
        )
        .replacing(sample.advocate.id.origin.utf8, with: sample.survivor.id.origin.utf8)
      },
    ]
  }

  private static var files: [BundleChange] {
    [
      BundleChange(
        what: "files swapped", careless: .fileDiffers, listed: .signatureInvalid,
        resigned: .exhibitDiffers
      ) { forgery, _ in
        let first = forgery["data/exhibits/1-0.png"]
        forgery["data/exhibits/1-0.png"] = forgery["data/exhibits/1-1"]
        forgery["data/exhibits/1-1"] = first
      },
      BundleChange(
        what: "other instructions for checking by hand", careless: .fileDiffers,
        listed: .fileDiffers, resigned: .fileDiffers, isGivenToPrograms: false
      ) { forgery, _ in
        forgery["proof/README.txt"] = Array("Just trust it.\n".utf8)
      },
    ]
      + [
        "data/exhibits/9-9.jpg", "proof/more.txt", "extra", "proof/logs/7.note", "data/x.html",
      ].map { name in
        BundleChange(
          what: "\(name) added", careless: .fileUnlisted, listed: .fileUnexpected,
          resigned: .fileUnexpected, isGivenToPrograms: name == "extra"
        ) { forgery, _ in
          forgery[name] = [1, 2, 3]
        }
      }
  }

  @Test(arguments: [
    "data/exhibits/1-0.png", "data/report.html", "proof/logs/0.cbor", "proof/README.txt",
    "bag-info.txt",
  ])
  func `a file removed is named`(name: String) throws {
    let sample = try SampleCase.told()
    var forgery = try sample.forgery()
    forgery[name] = nil
    let verdict = verify(try forgery.archive())
    #expect(verdict.findings.map(\.code) == [.fileMissing])
    #expect(verdict.findings.first?.path?.text == name)
    #expect(verdict.outcome == .changed)
  }

  @Test func `Row 45: the report is rewritten and the bundle sealed again`() async throws {
    try await Row(45, "a bundle’s report rewritten and sealed again by somebody who could open it")
      .hold { row in
        let sample = try SampleCase.told()
        var forgery = try sample.forgery()
        let report = String(decoding: forgery["data/report.html"] ?? [], as: UTF8.self)
        forgery["data/report.html"] = Array(
          report.replacing("sent to one person", with: "sent to everybody").utf8)
        #expect(forgery["data/report.html"] != Array(report.utf8))
        func attempt() throws -> BundleAttempt {
          BundleAttempt(archive: try forgery.archive(), trust: sample.trust)
        }
        try await row.refuses(try attempt(), as: .fileDiffers)
        forgery.relist()
        try await row.refuses(try attempt(), as: .signatureInvalid)
        // Another member's signature is not the exporter's.
        forgery.sign(as: sample.advocate)
        try await row.refuses(try attempt(), as: .signatureInvalid)
        // Who exported it can sign again, and still not say what does not follow from the proof.
        forgery.sign(as: sample.survivor)
        try await row.refuses(try attempt(), as: .reportDiffers)
        row.passes(.folder, because: "no bundle lies in one")
      }
  }

  @Test func `a signature beside the exporter's own is one too many`() throws {
    let sample = try SampleCase.told()
    var forgery = try sample.forgery()
    forgery["proof/signature.note"]? +=
      try #require(sample.survivor.checkpoints[sample.survivor.size]?.first).line
    #expect(verify(try forgery.archive(), sample.trust).findings.map(\.code) == [.signatureInvalid])
  }

  @Test func `Row 46: advocate, receipts and authorities are invented by the bundle's maker`()
    async throws
  {
    try await Row(46, "a bundle whose advocate, receipts and times its maker invented").hold {
      row in
      let invented = try SampleCase.told()
      let bundle = try invented.bundle()
      let nothing = BundleAttempt(archive: bundle, trust: BundleTrust())
      try await row.tells(
        [.fingerprintNotGiven, .noTrustedReceipt], of: nothing, as: .unproven)
      // Nor does it become more by trusting somebody else's real advocate.
      let real = try SampleDevice(seed: 120, caseID: invented.caseID, role: .advocate)
      let other = BundleAttempt(
        archive: bundle,
        trust: BundleTrust(
          caseID: invented.caseID, witnesses: [real.id.cosigner(real.card.receiptKey)]))
      try await row.tells([.noTrustedReceipt], of: other, as: .unproven)
      #expect(nothing.verdict.outcome == .consistent && other.verdict.outcome == .consistent)
      row.passes(.folder, because: "no bundle lies in one")
    }
  }

  // MARK: - Row 4, in full

  /// In the two long texts, of which every byte is under one hash, each sixteenth byte; all of
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
    var generator = SplitMix64(state: 4)
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

  /// For a forger who repairs the archive: each byte of each file, with its CRC-32 made right.
  @Test func `whatever byte of a proof file is flipped under a right checksum, it is named`() throws
  {
    let sample = try SampleCase.told()
    let original = try Forgery(try sample.bundle(), of: sample)
    var generator = SplitMix64(state: 5)
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

  // MARK: - What is no attack of the table

  @Test func `something that is a bag but no bundle, or nothing at all`() throws {
    var bag = ZipWriter(MemorySink())
    try bag.add(try #require(BundlePath(Array("bagit.txt".utf8))), [UInt8(ascii: "x")])
    #expect(verify(try bag.finish().bytes).findings.first?.code == .notABundle)
    #expect(verify([]).findings.first?.code == .notABundle)
    #expect(verify([UInt8](repeating: 7, count: 1000)).outcome == .cannotCheck)
  }

  @Test func `nobody writes a bundle by somebody who is no member`() throws {
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
}
