import BundleFixtures
import CaseLog
import Cryptography
import Testing
import VerifiableLog

@testable import SealedBundle

/// What `Protocol/Bundle.md` demands of a reader and the independent verifier did, when this one did not.
@Suite struct AgreementTests {
  private func resealed(_ change: (inout Forgery, SampleCase) throws -> Void) throws
    -> BundleVerdict
  {
    let sample = try SampleCase.told()
    var forgery = try Forgery(try sample.bundle(), of: sample)
    try change(&forgery, sample)
    forgery.relist()
    forgery.sign(as: sample.survivor)
    return verify(try forgery.archive(), sample.trust)
  }

  /// Another version has another README, so the version has to be looked at before the README is.
  @Test
  func `a bundle of a newer version is not called changed for what newer versions may change`()
    throws
  {
    let verdict = try resealed { forgery, _ in
      var file = try #require(forgery["proof/case.cbor"])
      #expect(Array(file[1...2]) == [0, 1], "key 0, version 1")
      file[2] = 2
      forgery["proof/case.cbor"] = file
      forgery["proof/README.txt"] = Array("Another text.\n".utf8)
    }
    #expect(verdict.outcome == .cannotCheck)
    #expect(verdict.findings.first?.code == .newerVersion)
  }

  /// Withheld, it could hide that somebody was cut, and would only look like a broken rule.
  @Test(arguments: [1, 2])
  func `a control entry of which a part is withheld is missing`(part: Int) throws {
    let verdict = try resealed { forgery, sample in
      let entries = sample.survivor.contents.entries.map { entry -> DisclosedEntry in
        guard entry.sequence == 1, case .disclosed(let shown, let salt) = entry.parts[part] else {
          return entry
        }
        var parts = entry.parts
        parts[part] = .withheld(shown.hash(index: part, salt: salt))
        return DisclosedEntry(sequence: 1, parts: parts)
      }
      let index = try index(of: sample.survivor, sample)
      forgery["proof/logs/\(index).cbor"] = ProofLog.encode(entries.map(\.withoutBlobs))
    }
    #expect(verdict.findings.first?.code == .controlMissing)
  }

  @Test func `leaves beyond the size that is signed are a change and no question of memory`() throws
  {
    let verdict = try resealed { forgery, sample in
      forgery["proof/logs/\(try index(of: sample.survivor, sample)).leaves"]? += [0]
    }
    #expect(verdict.findings.first?.code == .leavesDiffer)
  }

  @Test func `what was erased is told as erased and not as withheld`() throws {
    let sample = try SampleCase.told()
    let hidden = sample.survivor.entryID(3)
    // What its author may not write is a violation, whatever else is said of it.
    try sample.advocate.append(
      .evidence, EntryContent().parts, clock: SampleCase.start, isDisclosed: false)
    let violation = sample.advocate.entryID(1)
    try sample.survivor.append(
      .erase, [Control.erase([hidden, violation]).part], clock: SampleCase.start + 150_000)
    let record = try #require(verify(try sample.bundle(), sample.trust).record)
    #expect(record.erasedCount == 1)
    #expect(record.withheldCount == 1)
    #expect(record.state.isErased(hidden))
  }

  @Test func `receipts of a member who was cut bound no time, unless whoever asks gave the key`()
    throws
  {
    let sample = try SampleCase.told()
    let (survivor, advocate) = (sample.survivor, sample.advocate)
    let cut = LogPosition(
      logID: advocate.id, size: advocate.size, root: try advocate.head(advocate.size).root)
    try survivor.append(
      .cut, [Control.cut(.init(position: cut)).part], clock: SampleCase.start + 150_000)
    let verdict = verify(try sample.bundle(), sample.trust)
    let record = try #require(verdict.record)
    #expect(record.receipts.contains { $0.giver == advocate.id })
    for exhibit in record.exhibits where exhibit.entry.header.logID == survivor.id {
      #expect(exhibit.bracket.before == nil)
      #expect(exhibit.bracket.after == nil)
    }
    // The advocate's organisation stands by the key, whatever became of the member.
    #expect(verdict.outcome == .intact)
  }
}

private func index(of device: SampleDevice, _ sample: SampleCase) throws -> Int {
  try #require(sample.logs.map(\.id).sorted().firstIndex(of: device.id))
}
