internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// Verifies a bundle: everything that `Protocol/Bundle.md` lists, in its order.
public enum BundleVerifier {
  /// Verifies the archive that `source` holds, decrypted if it was encrypted.
  public static func verify<Source: ByteSource & ~Copyable>(
    _ source: consuming Source, trust: BundleTrust = BundleTrust()
  ) -> BundleVerdict {
    do throws(BundleFinding) {
      var reader = try BundleReader(source)
      return try verify(&reader, trust: trust)
    } catch {
      return BundleVerdict(error)
    }
  }

  /// Verifies a bundle that is open, so that its files can be taken out afterwards.
  public static func verify<Source: ByteSource & ~Copyable>(
    opened reader: inout BundleReader<Source>, trust: BundleTrust = BundleTrust()
  ) -> BundleVerdict {
    do throws(BundleFinding) { return try verify(&reader, trust: trust) } catch {
      return BundleVerdict(error)
    }
  }

  private static func verify<Source: ByteSource & ~Copyable>(
    _ reader: inout BundleReader<Source>, trust: BundleTrust
  ) throws(BundleFinding) -> BundleVerdict {
    // Steps 2 and 3; the first failure ends it.
    let proof = try reader.proof()
    let record = try BundleRecord(proof, trusted: trust.witnesses)
    if let expected = trust.caseID, expected != record.caseID {
      throw BundleFinding(.caseDiffers, path: BundleLayout.caseFile)
    }
    let signature = try reader.content(
      BundleLayout.signature, limit: BundleLimits.noteByteCount)
    let exporter = LogIdentity(caseID: record.caseID.raw, key: record.exporter.card.signingKey)
    guard
      BundleSignature.isValid(
        signature, record.caseID, tagManifest: reader.tagManifest, log: exporter)
    else { throw BundleFinding(.signatureInvalid, path: BundleLayout.signature) }

    // Steps 5 to 7; all of them are told.
    var findings = exhibitFindings(record, reader)
    if try !reader.isContent(of: BundleLayout.report, Report.render(record)) {
      findings.append(BundleFinding(.reportDiffers, path: BundleLayout.report))
    }
    findings += record.notes
    let coverage = coverage(record, trust.witnesses)
    if trust.caseID == nil { findings.append(BundleFinding(.fingerprintNotGiven)) }
    let lacking = timeFindings(record, coverage)
    let isCovered = !record.exhibits.isEmpty && !lacking.contains { $0.code == .noTrustedReceipt }
    return BundleVerdict(
      findings: findings + lacking, record: record, coverage: coverage,
      isTrusted: trust.caseID != nil && isCovered)
  }

  /// What whoever asks cannot know by the keys at hand. Evidence is what must be covered; where only notes are
  /// disclosed, they must.
  private static func timeFindings(
    _ record: BundleRecord, _ coverage: [BundleReceipt?]
  ) -> [BundleFinding] {
    let hasEvidence = record.exhibits.contains { $0.entry.entryClass == .content }
    var findings: [BundleFinding] = []
    for (exhibit, receipt) in Swift.zip(record.exhibits, coverage)
    where exhibit.entry.entryClass == .content || !hasEvidence {
      func finding(_ code: BundleFinding.Code) -> BundleFinding {
        let header = exhibit.entry.header
        return BundleFinding(code, logID: header.logID, sequence: header.sequence)
      }
      guard let receipt else {
        findings.append(finding(.noTrustedReceipt))
        continue
      }
      let author = record.state.member(exhibit.entry.header.logID)?.role
      if let giver = receipt.giver, record.state.member(giver)?.role == .survivor,
        author == .survivor
      {
        findings.append(finding(.receiptBySurvivor))
      }
      // The report has the first receipt of any member, whoever invented that one.
      if let first = exhibit.bracket.before, first.time < receipt.time {
        findings.append(finding(.timeByOtherKey))
      }
    }
    return findings
  }

  /// Step 5: every file is what its entry says. Its hash was compared with the manifest when it was read.
  private static func exhibitFindings<Source: ByteSource & ~Copyable>(
    _ record: BundleRecord, _ reader: borrowing BundleReader<Source>
  ) -> [BundleFinding] {
    var findings: [BundleFinding] = []
    for exhibit in record.exhibits {
      for file in exhibit.files {
        guard let path = file.path else { continue }
        let header = exhibit.entry.header
        func finding(_ code: BundleFinding.Code) -> BundleFinding {
          BundleFinding(code, path: path, logID: header.logID, sequence: header.sequence)
        }
        let member = reader.member(path)
        if member?.byteCount != file.attachment.size
          || reader.hash(of: path) != file.attachment.sha256
        {
          findings.append(finding(.exhibitDiffers))
        }
        if file.attachment.isWithoutContent || exhibit.content?.showsMinor != false {
          findings.append(finding(.exhibitForbidden))
        }
      }
    }
    return findings
  }

  /// Step 7, with the keys of whoever asks: the first trusted receipt over each exhibit.
  private static func coverage(_ record: BundleRecord, _ trusted: [NoteKey]) -> [BundleReceipt?] {
    let receipts = Dictionary(grouping: record.receipts.filter { trusted.contains($0.cosigner) }) {
      $0.logID
    }.mapValues(CoveringReceipts.init)
    return record.exhibits.map { exhibit in
      let header = exhibit.entry.header
      return receipts[header.logID]?.first(over: header.sequence)
    }
  }
}
