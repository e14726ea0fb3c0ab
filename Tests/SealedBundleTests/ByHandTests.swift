import BundleCheck
import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import Testing
import VerifiableLog

@testable import SealedBundle

/// A bundle in the hands of somebody who has none of our software, and of somebody who has one program.
@Suite struct ByHandTests {
  private static let secret =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"

  private func seal(_ sample: SampleCase, in folder: URL) throws -> URL {
    let identity = try requiredIdentity(Self.secret)
    let recipients = [identity.recipient].compactMap { $0 }
    var writer = try AgeWriter(MemorySink(), recipients: recipients)
    try writer.write(try sample.bundle())
    let file = folder.appending(path: "BUNDLE")
    try Data(writer.finish().bytes).write(to: file)
    try Data("# a comment\n\n\(Self.secret)\n".utf8).write(to: folder.appending(path: "KEYFILE"))
    return file
  }

  /// The commands in the text itself, in its order, in one shell.
  @Test func `the commands of the README work as they stand`() throws {
    let commands = String(decoding: BundleReadme.bytes, as: UTF8.self)
      .split(separator: "\n").filter { $0.hasPrefix("    ") && !$0.hasPrefix("     ") }
      .map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(commands.count == 8)
    try withTemporaryFolder { folder in
      _ = try seal(try SampleCase.told(), in: folder)
      guard try run(["age", "--version"]) != nil else { return }
      let script = (["set -e"] + commands).joined(separator: "\n")
        .replacing("age --decrypt", with: "age --decrypt -i KEYFILE")
      let result = try #require(try run(["sh", "-c", script], in: folder))
      #expect(result.status == 0, "\(result.output)")
      let lines = result.output.split(separator: "\n").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      #expect(lines.count == 3)
      #expect(lines[0] == lines[1])
      let note = try String(
        contentsOf: folder.appending(path: "bundle/proof/signature.note"), encoding: .utf8)
      #expect(note.split(separator: "\n")[2] == lines[2])

      // And they notice, also a file that nobody listed under a name that is left out elsewhere.
      let counting = commands[5...6].joined(separator: "\n")
      let stray = folder.appending(path: "bundle/data/exhibits/signature.note")
      try Data("hidden".utf8).write(to: stray)
      let counted = try #require(try run(["sh", "-c", "cd bundle\n" + counting], in: folder))
      let numbers = counted.output.split(separator: "\n").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      #expect(numbers.count == 2 && numbers[0] != numbers[1], "\(counted.output)")
      try FileManager.default.removeItem(at: stray)
      let exhibit = folder.appending(path: "bundle/data/exhibits/1-0.png")
      try Data("another picture".utf8).write(to: exhibit)
      let again = try run(
        ["sh", "-c", "cd bundle && sha256sum --check --strict --quiet manifest-sha256.txt"],
        in: folder)
      #expect(again?.status == 1)
      #expect(again?.output.contains("data/exhibits/1-0.png: FAILED") == true)
    }
  }

  @Test func `files that are named and not there are not called kept as a hash`() throws {
    let sample = try SampleCase.told()
    let writer = try BundleWriter(sample.contents, including: { $0.attachment.number == 1 })
    let files = sample.files
    let archive = try writer.write(to: MemorySink(), signedBy: sample.survivor.signing) {
      (file) throws(SourceError) in MemorySource(files[file.attachment.sha256] ?? [])
    }.bytes
    let lines = VerdictText.lines(verify(archive), trust: BundleTrust())
    #expect(lines.contains("Files     1 included, 1 as hash only, 1 named and not included"))
  }

  @Test func `what intact is not said of is named`() throws {
    let sample = try SampleCase.told()
    let verdict = verify(try sample.bundle(), sample.trust)
    #expect(verdict.outcome == .intact)
    let text = VerdictText.lines(verdict, trust: sample.trust).joined(separator: " ")
    #expect(text.contains("or by whoever gave the receipts: Exhibit 4."))
  }

  private func key(_ text: String) throws -> LockedBytes { try passphrase(text) }

  @Test func `a file is opened with what fits it`() throws {
    let sample = try SampleCase.told()
    try withTemporaryFolder { folder in
      let file = try seal(sample, in: folder).path
      let good = try BundleCheck.verify(
        path: file, key: .identities(key("# x\r\n\(Self.secret)\r\n")), trust: sample.trust)
      #expect(good.outcome == .intact)
      #expect(throws: BundleOpenError.keyNeeded) {
        try BundleCheck.verify(path: file, key: .none, trust: sample.trust)
      }
      #expect(throws: BundleOpenError.noIdentity) {
        try BundleCheck.verify(path: file, key: .identities(key("nothing")), trust: sample.trust)
      }
      #expect(throws: BundleOpenError.wrongPassphrase) {
        try BundleCheck.verify(path: file, key: .passphrase(key("x")), trust: sample.trust)
      }
      #expect(throws: BundleOpenError.unreadable) {
        try BundleCheck.verify(path: folder.path, key: .none, trust: sample.trust)
      }
      var bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: URL(filePath: file))
      let damaged = try BundleCheck.verify(
        path: file, key: .identities(key(Self.secret)), trust: sample.trust)
      #expect(damaged.outcome == .changed)
    }
  }

  @Test(arguments: BundleFinding.Code.allCases)
  func `there is a sentence for each finding`(code: BundleFinding.Code) {
    let sentence = VerdictText.sentence(code)
    #expect(sentence.hasSuffix(".") && sentence.count > 20)
    let others = BundleFinding.Code.allCases.filter { $0 != code }.map(VerdictText.sentence)
    #expect(!others.contains(sentence))
  }

  /// The program itself, where it was built beside the tests.
  @Test func `cairn-verify answers people and scripts`() throws {
    let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: ".build/debug/cairn-verify").path
    guard FileManager.default.isExecutableFile(atPath: program) else { return }
    let sample = try SampleCase.told()
    try withTemporaryFolder { folder in
      let sealed = try seal(sample, in: folder).path
      let plain = folder.appending(path: "bundle.zip")
      try Data(sample.bundle()).write(to: plain)
      let witness = try #require(sample.trust.witnesses.first).verifierKey
      let known = ["--fingerprint", sample.caseID.fingerprint, "--witness", witness]
      func verify(_ arguments: [String]) throws -> (status: Int32, output: String) {
        try #require(try run([program] + arguments, in: folder))
      }
      let intact = try verify([sealed, "--identity", "KEYFILE"] + known)
      #expect(intact.status == 0 && intact.output.hasPrefix("INTACT\n"), "\(intact.output)")
      let consistent = try verify([plain.path])
      #expect(consistent.status == 21 && consistent.output.hasPrefix("CONSISTENT"))
      #expect(try verify([sealed]).status == 22)
      try Data("wrong words\n".utf8).write(to: folder.appending(path: "words"))
      #expect(try verify([sealed, "--seal-passphrase-file", "words"]).status == 12)
      #expect(try verify([plain.path, "--fingerprint", "short"]).status == 64)
      #expect(try verify([]).status == 64)
      #expect(try verify(["/dev/null"]).status == 22)
      #expect(try verify([folder.appending(path: "KEYFILE").path]).status == 22)

      let json = try verify([plain.path, "--json"] + known)
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
      #expect(object["verdict"] as? String == "intact")
      #expect((object["exhibits"] as? [Any])?.count == 4)

      var bytes = try sample.bundle()
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: plain)
      let changed = try verify([plain.path] + known)
      #expect(changed.status == 20 && changed.output.hasPrefix("CHANGED\n"))
      try Data(bytes.prefix(500)).write(to: plain)
      #expect(try verify([plain.path]).status == 22)
    }
  }
}
