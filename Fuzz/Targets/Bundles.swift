import Cryptography
import VerifiableLog

@testable import BundleCheck
@testable import CaseLog
@testable import SealedBundle

extension FuzzTarget {
  static let bundles = [
    FuzzTarget("bundle", maximumByteCount: 32_768, checkBundle),
    FuzzTarget("case-file", treeOffset: 0, checkCaseFile),
    FuzzTarget("proof", maximumByteCount: 4096, treeOffset: 1, checkProof),
  ]
}

private func verdict(_ bytes: [UInt8], _ trust: BundleTrust = BundleTrust()) -> BundleVerdict {
  BundleVerifier.verify(MemorySource(bytes), trust: trust)
}

private func check(_ verdict: BundleVerdict, _ trust: BundleTrust) throws(Broken) {
  let isTrusting = trust.caseID != nil && !trust.witnesses.isEmpty
  try hold(isTrusting || verdict.outcome != .intact, "nothing is intact by its own word")
  try hold(verdict.record != nil || !verdict.findings.isEmpty, "or it is said why not")
  let json = VerdictJSON.line(verdict)
  try hold(json.utf8.allSatisfy { $0 >= 0x20 }, "a verdict for scripts is one line")
  for line in VerdictText.lines(verdict, trust: trust) {
    let isPlain = line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    try hold(isPlain, "nothing in a verdict moves the cursor")
  }
}

/// An archive as it is.
private func checkBundle(_ input: [UInt8]) throws(Broken) {
  let first = verdict(input)
  try check(first, BundleTrust())
  try hold(verdict(input).findings == first.findings, "a verdict is the same each time")
}

private func checkCaseFile(_ input: [UInt8]) throws(Broken) {
  guard let file = accepted({ try CaseFile(decoding: input) }) else { return }
  try hold(file.encoded == input, "there is one encoding of a case file")
}

// MARK: - Behind the seal

/// Files of a bundle's proof are the input's, as CBOR: [which, bytes], in any number. Commitments, leaves,
/// checkpoints and sizes are made to agree with them, as somebody could who has every key of the case.
private func checkProof(_ input: [UInt8]) throws(Broken) {
  let flags = input.first ?? 0
  guard case .array(let changes)? = CBORTree(Array(input.dropFirst())) else { return }
  var proof = FuzzBundle.shared.proof
  for change in changes.prefix(8) {
    guard case .array(let pair) = change, pair.count == 2, case .unsigned(let which) = pair[0],
      let bytes = pair[1].content
    else { continue }
    FuzzBundle.put(bytes, which, &proof)
  }
  if flags & 1 == 0 { FuzzBundle.shared.reseal(&proof) }
  let trust = FuzzBundle.shared.trust
  guard let record = accepted({ try BundleRecord(proof, trusted: trust.witnesses) }) else { return }
  try hold(
    record.notShownCount >= record.erasedCount, "no more is erased than is not shown")
  let report = Report.render(record)
  // By bytes: as characters, a letter with an accent on it would be another one.
  let tags = ["script", "img", "svg", "iframe", "object", "form"].map { Array($0.utf8) }
  for tag in report.split(separator: UInt8(ascii: "<")).dropFirst() {
    let isActive = tags.contains { tag.starts(with: $0) }
    try hold(!isActive, "nothing in a report runs or asks for anything")
  }
  guard flags & 2 == 2, let bytes = FuzzBundle.shared.archive(proof, report) else { return }
  let found = verdict(bytes, trust)
  try check(found, trust)
  let sound: Set<BundleFinding.Code> = [
    .archiveDamaged, .manifestMalformed, .fileDiffers, .fileMissing, .reportDiffers,
  ]
  try hold(
    found.findings.allSatisfy { !sound.contains($0.code) }, "what was put together well is whole")
}
