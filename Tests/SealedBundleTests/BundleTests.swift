import CaseLog
import Cryptography
import Testing
import VerifiableLog

@testable import SealedBundle

func verify(_ archive: [UInt8], _ trust: BundleTrust = BundleTrust()) -> BundleVerdict {
  BundleVerifier.verify(MemorySource(archive), trust: trust)
}

@Suite struct BundleTests {
  @Test func `a bundle by the writer is intact for whoever knows case and witness`() throws {
    let sample = try SampleCase.told()
    let verdict = verify(try sample.bundle(), sample.trust)
    #expect(verdict.findings == [])
    #expect(verdict.outcome == .intact)
    #expect(verdict.intactSince == SampleCase.start + 100_000)
  }

  @Test func `it is consistent for whoever knows nothing`() throws {
    let verdict = verify(try SampleCase.told().bundle())
    #expect(verdict.outcome == .consistent)
    #expect(verdict.findings.map(\.code) == [.fingerprintNotGiven, .noTrustedReceipt, .noTrustedReceipt, .noTrustedReceipt])
    #expect(verdict.intactSince == nil)
  }
}
