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
import VerifiableLog

/// Signatures that one verifier takes and another does not: here none may.
@Suite struct `Attacks on signatures` {
  @Test func `Row 26: signatures are at the edges of Ed25519`() async throws {
    try await Row(
      26,
      "Ed25519: points of small or mixed order or not canonical as key or R, valid by the cofactor only, S not reduced"
    ).hold { row in
      try await compareVerdicts()
      try await giveWitnessKeys()
      row.saw(.refused, at: .library)
      try await signBundles(row)
      try await signFolder(row)
    }
  }

  private struct EdgeCase: Decodable {
    let name: String
    let key: String
    let message: String
    let signature: String
    /// Whether it ought to be taken.
    let valid: Bool
    /// What `Protocol/verify` says.
    let verdict: Bool

    /// The whole path of a signature in the library: bytes to key, bytes to signature, check.
    var isTaken: Bool {
      get throws {
        let key: VerifyingKey
        do throws(CryptographyError) { key = try VerifyingKey(hex(self.key)) } catch {
          return false
        }
        guard let signature = Signature(hex(signature)) else { return false }
        return hex(message).withBytes { key.isValid(signature, for: $0) }
      }
    }
  }

  /// Those that others published are there in continuous integration; the ones that are made, everywhere.
  private func compareVerdicts() async throws {
    let shared = SharedVectors.arePresent ? [SharedVectors.url("").path] : []
    let said = try await Verifiers.edges(["verdicts"] + shared)
    let cases = try JSONDecoder().decode([EdgeCase].self, from: Data(said.output.utf8))
    let (published, valid) = SharedVectors.arePresent ? (914 + 12 + 151, 1 + 88) : (0, 0)
    #expect(cases.count == 12 + published)
    for each in cases {
      #expect(each.verdict == each.valid, "verify.py, \(each.name)")
      #expect(try each.isTaken == each.valid, "the library, \(each.name)")
    }
    #expect(cases.count { $0.valid } == 1 + valid)
  }

  /// Each point that is no key, as the key of a witness.
  private func giveWitnessKeys() async throws {
    let sample = try SampleCase.told()
    let genuine = try NoteKey(
      verifierKey: sample.advocate.id.cosigner(sample.advocate.card.receiptKey).verifierKey)
    let file = try TemporaryFolder()
    let bundle = try file.file("bundle.zip", try sample.bundle())
    let person = try await Person(hasVault: false)
    let texts = EdgePoints.all.map { point in
      let name = genuine.name.string
      let id = SHA256Hash.hash(Array(name.utf8) + [0x0a, 4] + point).bytes.prefix(4)
      return "\(name)+\(Hex.encode(Array(id)))+\(Base64.encode([4] + point))"
    }
    for (point, text) in zip(EdgePoints.all, texts) {
      #expect(throws: (any Error).self) { try VerifyingKey(point) }
      #expect(throws: NoteError.self) { try NoteKey(verifierKey: text) }
      let own = try await person.run(["verify", bundle, "--witness", text])
      let other = try await Verifiers.status(.verifier, [bundle, "--witness", text])
      #expect([own.status, other] == [64, 64], "\(own.all)")
    }
    let third = try await Verifiers.status(.independent, ["bundle", bundle, "--witness", texts[0]])
    #expect(third == 64)
    let taken = try await Verifiers.edges(["keys", genuine.verifierKey] + texts).output
    let expected = [true] + texts.map { _ in false }
    #expect(try JSONDecoder().decode([Bool].self, from: Data(taken.utf8)) == expected)
  }

  /// The survivor herself signs so that other verifiers would take it.
  private func signBundles(_ row: Row) async throws {
    let sample = try SampleCase.told()
    let name = "proof/logs/\(try sample.index(of: sample.survivor)).note"
    let note = try #require(try sample.forgery()[name])
    let end = try #require(note.firstRange(of: Array("\n\n".utf8))?.lowerBound)
    let seed = SHA256Hash.hash([10]).bytes
    let said = try await Verifiers.edges([
      "sign", Hex.encode(seed), Hex.encode(Array(note[...end])),
    ])
    let signatures = try JSONDecoder().decode([String: String].self, from: Data(said.output.utf8))
    func bundle(_ signature: [UInt8]) throws -> BundleAttempt {
      var forgery = try sample.forgery()
      var changed = note
      Self.changeSignature(of: &changed) { _ in signature }
      forgery[name] = changed
      forgery.relist()
      forgery.sign(as: sample.survivor)
      return BundleAttempt(archive: try forgery.archive(), trust: sample.trust)
    }
    let plain = try #require(signatures["plain"])
    #expect(try bundle(hex(plain)).verdict.outcome == .intact)
    let attempts = try signatures.sorted { $0.key < $1.key }.filter { $0.key != "plain" }
      .map { try bundle(hex($0.value)) }
    #expect(attempts.count == 11)
    try await row.refuses(attempts, as: .checkpointInvalid)
  }

  private func signFolder(_ row: Row) async throws {
    let meeting = try await Meeting.shared.value
    let name = try meeting.files.name("head", of: meeting.survivorLog)
    for change in [EdgePoints.unreduced, { EdgePoints.all[0] + $0.suffix(32) }] {
      var files = meeting.files
      files.put(
        try files.frames(name).map { frame in
          guard case .heads(let heads) = frame else { return frame }
          return .heads(
            heads.map { head in
              var note = head.note
              Self.changeSignature(of: &note, change)
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
