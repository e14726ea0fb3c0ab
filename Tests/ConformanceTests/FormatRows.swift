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

  @Test func `Row 25: CBOR is malformed`() async throws {
    try await Row(
      25,
      "malformed CBOR: float, indefinite, double key, unsorted, trailing bytes, deep nesting, huge length"
    ).hold { row in
      let vectors = try ProtocolVector.all("cbor").filter { $0.expected == "malformed" }
      #expect(vectors.count > 15)
      let deep = [UInt8](repeating: 0x81, count: 100_000) + [0]
      let inputs = try vectors.map { try $0.bytes("input") } + [deep]
      for input in inputs {
        #expect(throws: CBORError.self) {
          var decoder = CBORDecoder(input)
          try decoder.skip()
          try decoder.finish()
        }
        var reader = FrameReader()
        reader.feed(frame(0x01, input))
        #expect(throws: FrameError.self) { _ = try reader.next() }
      }
      row.saw(.refused, at: .library)

      let meeting = try await Meeting.shared.value
      let reader = try await meeting.newcomer()
      try await reader.opened { vault in
        for input in inputs {
          let folder = try TemporaryFolder(try withHeads(frame(0x03, input), in: meeting))
          let outcome = try await vault.meet(folder.path)
          #expect(outcome.problems == [.damaged(meeting.advocateLog)])
        }
      }
      for input in [deep, inputs[0]] {
        try await row.refuses(
          FolderAttempt(
            meeting: meeting, files: try withHeads(frame(0x03, input), in: meeting),
            lacksSomething: false))
      }
      let file = { (_: SampleCase) in "proof/case.cbor" }
      try await row.refuses([
        altered(file, .proofMalformed) { $0 += [0] },
        altered(file, .proofMalformed) { $0 = deep },
        altered(file, .proofMalformed) {
          $0 = [0xa1, 0x00, 0xfb] + [UInt8](repeating: 0, count: 8)
        },
      ])
    }
  }

  @Test func `Row 26: signatures are at the edges of Ed25519`() async throws {
    try await Row(
      26, "Ed25519: keys of small order or not canonical, S not reduced, a small R"
    ).hold { row in
      let sample = try SampleCase.told()
      let genuine = try NoteKey(
        verifierKey: sample.advocate.id.cosigner(sample.advocate.card.receiptKey).verifierKey)
      let file = try TemporaryFolder()
      let bundle = try file.file("bundle.zip", try sample.bundle())
      let person = try await Person(hasVault: false)
      for point in EdgePoints.all {
        #expect(throws: (any Error).self) { try VerifyingKey(point) }
        let name = genuine.name.string
        let id = SHA256Hash.hash(Array(name.utf8) + [0x0a, 4] + point).bytes.prefix(4)
        let text = "\(name)+\(Hex.encode(Array(id)))+\(Base64.encode([4] + point))"
        #expect(throws: NoteError.self) { try NoteKey(verifierKey: text) }
        guard point == EdgePoints.all[0] || point == EdgePoints.all.last else { continue }
        let own = try await person.run(["verify", bundle, "--witness", text])
        let other = try await Verifiers.status(.verifier, [bundle, "--witness", text])
        let third = try await Verifiers.status(.independent, ["bundle", bundle, "--witness", text])
        #expect([own.status, other, third] == [64, 64, 64], "\(own.all)")
      }
      // The same signature under another number, and a point of small order in its place.
      let note = { (sample: SampleCase) in
        "proof/logs/\(try sample.index(of: sample.survivor)).note"
      }
      try await row.refuses([
        altered(note, .checkpointInvalid) { Self.changeSignature(of: &$0, EdgePoints.unreduced) },
        altered(note, .checkpointInvalid) {
          Self.changeSignature(of: &$0) { EdgePoints.all[0] + $0.suffix(32) }
        },
      ])
      let meeting = try await Meeting.shared.value
      var files = meeting.files
      let name = try files.name("head", of: meeting.survivorLog)
      files.put(
        try files.frames(name).map { frame in
          guard case .heads(let heads) = frame else { return frame }
          return .heads(
            heads.map { head in
              var note = head.note
              Self.changeSignature(of: &note, EdgePoints.unreduced)
              return SignedHead(signingKey: head.signingKey, note: note)
            })
        }, in: name)
      try await row.refuses(
        FolderAttempt(
          meeting: meeting, files: files, problems: ["mailboxFault"], lacksSomething: false))
    }
  }

  /// Changes the first signature of a note: 4 bytes of key id, 64 of signature.
  private static func changeSignature(
    of note: inout [UInt8], _ change: ([UInt8]) -> [UInt8]
  ) {
    var lines = String(decoding: note, as: UTF8.self).components(separatedBy: "\n")
    guard let index = lines.firstIndex(where: { $0.hasPrefix("— ") }) else { return }
    var words = lines[index].components(separatedBy: " ")
    let raw = [UInt8](Data(base64Encoded: words[2]) ?? Data())
    words[2] = Base64.encode(Array(raw.prefix(4)) + change(Array(raw.dropFirst(4))))
    lines[index] = words.joined(separator: " ")
    note = Array(lines.joined(separator: "\n").utf8)
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
      try await row.refuses(FolderAttempt(meeting: meeting, files: long))
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

/// Encodings of points that a careless verifier takes.
enum EdgePoints {
  static let all: [[UInt8]] = [
    // The neutral element; order 2; order 4; order 8.
    [1] + [UInt8](repeating: 0, count: 31),
    [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
    [UInt8](repeating: 0, count: 32),
    hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    // The neutral element and that of order 2 with their other sign, and numbers that are not reduced.
    [1] + [UInt8](repeating: 0, count: 30) + [0x80],
    [0xee] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
    [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
  ]

  /// The order of the group, least byte first.
  private static let order =
    hex("edd3f55c1a631258d69cf7a2def9de14") + [UInt8](repeating: 0, count: 15) + [0x10]

  /// A signature with the same R, and S plus the order: it satisfies the equation all the same.
  static func unreduced(_ signature: [UInt8]) -> [UInt8] {
    var sum: [UInt8] = []
    var carry = 0
    for (digit, more) in zip(signature.suffix(32), order) {
      carry += Int(digit) + Int(more)
      sum.append(UInt8(carry & 255))
      carry >>= 8
    }
    return Array(signature.prefix(32)) + sum
  }
}
