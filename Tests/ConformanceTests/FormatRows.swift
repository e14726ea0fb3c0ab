import BundleCheck
import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Sync
import Testing
import Vault
import VerifiableLog

/// Bytes that are not in the one form of their kind.
@Suite struct `Attacks on encodings` {
  /// One file of a bundle becomes something else, and everybody signs again.
  private func altered(
    _ name: @escaping (SampleCase) throws -> String, _ code: BundleFinding.Code,
    _ change: @escaping (inout [UInt8]) -> Void
  ) -> BundleChange {
    BundleChange(what: "altered", careless: .fileDiffers, listed: code, resigned: code) {
      forgery, sample in
      let name = try name(sample)
      var bytes = try #require(forgery[name])
      change(&bytes)
      forgery[name] = bytes
    }
  }

  /// The advocate's head with another payload in the place of her heads.
  private func withHeads(_ frame: [UInt8], in meeting: Meeting) throws -> Files {
    var files = meeting.files
    let name = try files.name("head", of: meeting.advocateLog)
    files[name] = try files.frames(name).flatMap { old in
      if case .heads = old { frame } else { old.bytes }
    }
    return files
  }

  private func frame(_ type: UInt8, _ payload: [UInt8], length: UInt32? = nil) -> [UInt8] {
    let length = length ?? UInt32(payload.count)
    return [type] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + payload
  }

  /// What the row names, by the vectors that have it.
  private static let malformations: Set = [
    "bad-float", "bad-indefinite-array", "bad-indefinite-bytes", "bad-twice", "bad-unordered",
    "bad-trailing", "bad-nine-deep", "bad-huge-array", "bad-huge-bytes",
  ]

  @Test func `Row 25: CBOR is malformed`() async throws {
    try await Row(
      25,
      "malformed CBOR: float, indefinite, double key, unsorted, trailing bytes, deep nesting, huge length"
    ).hold { row in
      let vectors = try ProtocolVector.all("cbor").filter { $0.expected == "malformed" }
      #expect(Self.malformations.isSubset(of: vectors.map(\.name)))
      let deep = [UInt8](repeating: 0x81, count: 100_000) + [0]
      let inputs = try vectors.map { try $0.bytes("input") } + [deep]
      for input in inputs {
        #expect(throws: CBORError.self) {
          var decoder = CBORDecoder(input)
          try decoder.skip()
          try decoder.finish()
        }
        for type in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13] as [UInt8] {
          var reader = FrameReader()
          reader.feed(frame(type, input))
          #expect(throws: FrameError.self, "\(type)") { _ = try reader.next() }
        }
        try Self.expectNoSignatureWork(for: input)
      }
      row.saw(.refused, at: .library)
      try await refuseInFolder(row, inputs)
      try await refuseInBundle(row, inputs)
    }
  }

  /// Inside of something signed: it is told as malformed, not as badly signed, where the signature is bad as well; and
  /// a good signature does not help it.
  private static func expectNoSignatureWork(for body: [UInt8]) throws {
    let key = try signingKey(25)
    let caseID = CaseID(root: key.publicKey)
    func signed(_ signatures: [[UInt8]]) -> [UInt8] {
      var out = CBOREncoder()
      out.encodeArray(count: 1 + signatures.count)
      for bytes in [body] + signatures { out.encodeBytes(bytes) }
      return out.bytes
    }
    // Longer than any such thing may be is malformed, too.
    let none = [UInt8](repeating: 0, count: 64)
    for signature in [none, key.sign(body, in: .rootStatement).bytes] {
      #expect(throws: CaseLogError.malformed) {
        try RootStatement(decoding: signed([signature]), caseID: caseID, root: key.publicKey)
      }
    }
    for signature in [none, key.sign(body, in: .card).bytes] {
      #expect(throws: CaseLogError.malformed) {
        try Card(decoding: signed([signature, signature]))
      }
    }
    for signature in [none, key.sign(body, in: .succession).bytes] {
      #expect(throws: CaseLogError.malformed) {
        try Succession(decoding: signed([signature, signature]), caseID: caseID)
      }
    }
  }

  private func refuseInFolder(_ row: Row, _ inputs: [[UInt8]]) async throws {
    let meeting = try await Meeting.shared.value
    let reader = try await meeting.newcomer()
    try await reader.opened { vault in
      for input in inputs {
        let folder = try TemporaryFolder(try withHeads(frame(0x03, input), in: meeting))
        let outcome = try await vault.meet(folder.path)
        #expect(outcome.problems == [.damaged(meeting.advocateLog)])
      }
    }
    // All of them in one folder, as parts of the advocate's log that nobody has yet.
    let head = try meeting.files.name("head", of: meeting.advocateLog)
    let greeting = try #require(try meeting.files.frames(head).first).bytes
    var files = meeting.files
    for (index, input) in inputs.enumerated() {
      let name = "r-\(meeting.advocateLog.base32)-0000000000-" + Self.tenDigits(100 + index)
      files[head.replacing("head", with: name)] = greeting + frame(0x04, input)
    }
    let attempt = FolderAttempt(meeting: meeting, files: files, lacksSomething: false)
    try await row.refuses(attempt)
    let folder = try TemporaryFolder(files)
    let said = try await Verifiers.folder(
      folder.path, kit: meeting.survivor.path("kit"), through: Row.withLittleMemory)
    #expect(said.count(of: "file-damaged") == inputs.count, "\(said.object)")
    let synced = try await reader.syncWithLittleMemory(folder)
    #expect(synced.status == 20, "\(synced.all)")
  }

  private static func tenDigits(_ number: Int) -> String {
    String(repeating: "0", count: 10 - "\(number)".count) + "\(number)"
  }

  private func refuseInBundle(_ row: Row, _ inputs: [[UInt8]]) async throws {
    var archives: [BundleAttempt] = []
    for input in inputs {
      let sample = try SampleCase.told()
      var forgery = try sample.forgery()
      for name in ["proof/case.cbor", "proof/logs/\(try sample.index(of: sample.survivor)).cbor"] {
        let before = forgery
        forgery[name] = input
        forgery.relist()
        // With the signature of before, which does not hold any more, and then signed again.
        #expect(
          verify(try forgery.archive(), sample.trust).findings.map(\.code) == [.proofMalformed])
        forgery.sign(as: sample.survivor)
        archives.append(BundleAttempt(archive: try forgery.archive(), trust: sample.trust))
        #expect(
          archives.last?.verdict.findings.map(\.code) == [.proofMalformed], "\(input.prefix(20))")
        forgery = before
      }
    }
    for attempt in archives.suffix(2) {
      try await row.refuses(attempt, as: .proofMalformed, through: Row.withLittleMemory)
    }
    // The others to each program in turn.
    try await row.refuses(archives.dropLast(2), as: .proofMalformed)
  }

  @Test func `Row 27: a frame, a proof or a note is longer than allowed`() async throws {
    try await Row(27, "a frame, a proof or a number of receipts above its limit").hold { row in
      let meeting = try await Meeting.shared.value
      var reader = FrameReader()
      reader.feed(
        Frame.hello(Hello(tag: MailboxTag(caseID: meeting.caseID.raw), logID: meeting.survivorLog))
          .bytes + frame(0x04, [], length: .max))
      _ = try reader.next()
      #expect(throws: FrameError.tooLong) { _ = try reader.next() }
      row.saw(.refused, at: .library)

      let name = try meeting.files.name(
        "r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
      var long = meeting.files
      long[name] = (try long.frames(name)[0].bytes) + frame(0x04, [], length: .max)
      // A frame that says how long it is, with as much behind it as a disk can be made to say it has.
      try await row.refuses(
        FolderAttempt(meeting: meeting, files: long, lengths: [name: 1 << 40]))
      var proof = meeting.files
      try proof.changeRange(name) {
        $0.with(proof: [Bytes32](repeating: .zero, count: SyncLimits.proofHashes + 1))
      }
      try await row.refuses(FolderAttempt(meeting: meeting, files: proof))
      try await row.refuses([
        altered(
          { sample in "proof/logs/\(try sample.index(of: sample.survivor)).note" },
          .checkpointInvalid
        ) { note in
          let lines = note.split(separator: 0x0a).filter { $0.starts(with: "— ".utf8) }
          for _ in 0..<70 { note += (lines.last ?? []) + [0x0a] }
        }
      ])
    }
  }

  @Test func `Row 37: a note has another spelling`() async throws {
    try await Row(37, "a note with CRLF, leading zeros or base64 that is not canonical").hold {
      row in
      for vector in try ProtocolVector.all("checkpoint")
      where ["bad-crlf", "bad-zero", "bad-base64"].contains(vector.name) {
        let key = try VerifyingKey(try vector.bytes("key"))
        let log = LogIdentity(caseID: try #require(Bytes32(try vector.bytes("case"))), key: key)
        let note = try vector.bytes("input")
        #expect(throws: CheckpointError.self) { try VerifiedCheckpoint(verifying: note, of: log) }
      }
      row.saw(.refused, at: .library)
      let name = { (sample: SampleCase) in
        "proof/logs/\(try sample.index(of: sample.survivor)).note"
      }
      let meeting = try await Meeting.shared.value
      for (index, respelled) in [Self.withCRLF, Self.withZero, Self.withOtherBase64].enumerated() {
        try await row.refuses([altered(name, .checkpointInvalid) { $0 = respelled($0) }])
        guard index == 0 else { continue }
        var files = meeting.files
        let range = try files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
        try files.changeRange(range) { $0.with(note: respelled($0.note)) }
        try await row.refuses(
          FolderAttempt(meeting: meeting, files: files, problems: ["mailboxFault"]))
      }
    }
  }

  private static func respelled(_ note: [UInt8], _ change: (inout [String]) -> Void) -> [UInt8] {
    var lines = String(decoding: note, as: UTF8.self).components(separatedBy: "\n")
    change(&lines)
    return Array(lines.joined(separator: "\n").utf8)
  }
  private static func withCRLF(_ note: [UInt8]) -> [UInt8] { respelled(note) { $0[0] += "\r" } }
  private static func withZero(_ note: [UInt8]) -> [UInt8] {
    respelled(note) { $0[1] = "0" + $0[1] }
  }
  private static func withOtherBase64(_ note: [UInt8]) -> [UInt8] {
    respelled(note) { lines in
      // The last digit before the sign stands for two bits that are not used.
      let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
      var root = Array(lines[2])
      guard let at = digits.firstIndex(of: root[root.count - 2]) else { return }
      root[root.count - 2] = digits[at | 1 == at ? at - 1 : at + 1]
      lines[2] = String(root)
    }
  }

  @Test func `Row 48: a ZIP contradicts itself`() async throws {
    try await Row(
      48, "a ZIP whose directory and local headers differ; hidden, double or trailing data"
    ).hold { row in
      let sample = try SampleCase.told()
      let bundle = try sample.bundle()
      let archives: [([UInt8], BundleFinding.Code)] = [
        (Self.renamedInside(bundle), .archiveDamaged), (Self.hidden(bundle), .archiveDamaged),
        (Self.doubled(bundle), .archiveDamaged), (bundle + [0], .notABundle),
        (Array(bundle.prefix(10)) + bundle, .archiveDamaged),
        (bundle + bundle, .archiveDamaged),
      ]
      for (archive, code) in archives {
        try await row.refuses(BundleAttempt(archive: archive, trust: sample.trust), as: code)
      }
      row.passes(.folder, because: "no bundle lies in one")
    }
  }

  /// The first member is called otherwise in its own header than in the directory.
  private static func renamedInside(_ zip: [UInt8]) -> [UInt8] {
    var zip = zip
    zip[30] ^= 1
    return zip
  }

  private static func number(_ zip: [UInt8], _ offset: Int, _ count: Int) -> Int {
    (0..<count).reversed().reduce(0) { $0 << 8 | Int(zip[offset + $1]) }
  }

  /// The directory with another number of bytes and members.
  private static func withDirectory(
    _ zip: [UInt8], _ change: ([UInt8]) -> [UInt8], _ more: Int
  ) -> [UInt8] {
    let end = zip.count - 22
    let start = number(zip, end + 16, 4)
    let directory = change(Array(zip[start..<end]))
    var tail = Array(zip[end...])
    let count = number(zip, end + 10, 2) + more
    for field in [8, 10] {
      tail[field] = UInt8(count & 255)
      tail[field + 1] = UInt8(count >> 8)
    }
    for index in 0..<4 { tail[12 + index] = UInt8(directory.count >> (8 * index) & 255) }
    return Array(zip[..<start]) + directory + tail
  }

  /// The last member stands in no directory.
  private static func hidden(_ zip: [UInt8]) -> [UInt8] {
    withDirectory(
      zip,
      { directory in
        var last = 0
        var at = 0
        while at < directory.count {
          last = at
          at += 46 + number(directory, at + 28, 2)
        }
        return Array(directory[..<last])
      }, -1)
  }

  /// The first member stands in it twice.
  private static func doubled(_ zip: [UInt8]) -> [UInt8] {
    withDirectory(zip, { $0 + $0[..<(46 + number($0, 28, 2))] }, 1)
  }
}
