import CaseLog
import Cryptography
import Foundation
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Row 13: an advocate with a patched program, and row 3, 4: a mailbox that was written to by somebody else.
@Suite struct RoleTests {
  @Test(arguments: [EntryKind.evidence, .amend, .retract])
  func `what an advocate may not write is set aside on every copy, and never counted`(
    kind: EntryKind
  ) async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    var content = EntryContent()
    content.words = "forged"
    let forged = try await shared.theirs.append(content, as: kind, toCase: "theirs")
    try await shared.syncAdvocate()
    let outcome = try await shared.syncSurvivor()
    #expect(outcome.violations == 1)
    let entry = try await shared.hers.entry(forged.base32)
    #expect(entry.summary.standing == .violation)
    let check = try await shared.hers.check()
    #expect(check.findings.contains { if case .violation = $0 { true } else { false } })

    let output = shared.survivor.folder.path + "/case.age"
    let exported = try await shared.hers.export(
      caseNamed: nil, entries: nil, to: output, seal: .passphrase(try locked("a passphrase")),
      program: "test")
    #expect(exported.verdict.outcome == .consistent)
    #expect(exported.entryCount == 1)
  }

  @Test func `a forged control entry gives an advocate nothing`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    _ = try await shared.theirs.append(EntryContent(), as: .admit, toCase: "theirs")
    try await shared.syncAdvocate()
    let outcome = try await shared.syncSurvivor()
    #expect(outcome.violations == 1)
    #expect(outcome.members.count == 2)
  }

  @Test func `a byte changed in the mailbox changes nothing and blames nobody`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    try await shared.syncSurvivor()
    let files = try shared.mailbox.allFiles()
    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
      for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 24)) {
        var changed = bytes
        changed[position] ^= 0x20
        try Data(changed).write(to: URL(filePath: shared.mailbox.path + "/" + name))
        let outcome = try await shared.syncAdvocate()
        #expect(outcome.violations == 0)
        #expect(!outcome.problems.contains { if case .fork = $0 { true } else { false } })
      }
      try Data(bytes).write(to: URL(filePath: shared.mailbox.path + "/" + name))
    }
    try await shared.syncAdvocate()
    let theirs = try await shared.theirs.entries(ofCase: "theirs")
    #expect(theirs.map(\.content?.words) == ["one", "two"])
    let stateOfHers = try await shared.hers.stateHash(ofCase: nil)
    let stateOfTheirs = try await shared.theirs.stateHash(ofCase: "theirs")
    #expect(stateOfHers == stateOfTheirs)
  }
}
