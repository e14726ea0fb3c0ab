import Cryptography
import Support
import Testing
import VerifiableLog

private let origin = "cairn/iux5o2omvtdk4qlqcmmghuv7zeaq7lallyj2ytolzsyeoyyn65fq"
private let root = "DSfif3gnzNdFGZ6Os6avNo4QZK9Crp+DdA6YEh4rwCU="

/// The fixture's checkpoint of one leaf, made with Python (hashlib and pyca/cryptography).
private let published =
  "\(origin)\n1\n\(root)\n\n"
  + "— \(origin) vdeYBLI1CeZlDF3ctC7d9u74T/jso5Dkm1jD8G6VH2+OTJfL3koCFBrHEcAdwWPDGQSoqg4uqXtp"
  + "4V5aCYjaUXzSPQE=\n"

struct CheckpointTests {
  @Test func `a log is named by case and key`() throws {
    let fixture = try LogFixture()
    let id = fixture.log.id
    #expect(id.hex == "452fd769ccacc6ae4170131863d2bfc9010fac0b5e13ac4dcbccb047630df74b")
    #expect(id.origin.string == origin)
    #expect(id.receiptName.string == origin + "/receipt")
  }

  @Test func `signs the same bytes as another implementation`() throws {
    let fixture = try LogFixture()
    let signed = fixture.checkpoint(size: 1, root: MerkleTree.leafHash([UInt8]("leaf".utf8)))
    #expect(String(decoding: signed.bytes, as: UTF8.self) == published)
    #expect(signed.minimalBytes == signed.bytes)
  }

  @Test func `verifies what another implementation signed`() throws {
    let log = try LogFixture().log
    let checkpoint = try VerifiedCheckpoint(verifying: [UInt8](published.utf8), of: log)
    #expect(checkpoint.size == 1)
    #expect(checkpoint.root == MerkleTree.leafHash([UInt8]("leaf".utf8)))
    #expect(checkpoint.bytes == [UInt8](published.utf8))
  }

  @Test func `keeps the bytes it received, and gives them without the signatures of others`() throws
  {
    let log = try LogFixture().log
    let received = [UInt8]((published + "— witness AAAAAAA=\n").utf8)
    let checkpoint = try VerifiedCheckpoint(verifying: received, of: log)
    #expect(checkpoint.bytes == received)
    #expect(checkpoint.minimalBytes == [UInt8](published.utf8))
  }

  @Test func `another log's checkpoint is refused, also by its own key`() throws {
    let other = try LogFixture(offset: 1).log
    let key = try LogFixture().log.key
    let elsewhere = LogIdentity(caseID: .zero, key: key)
    for log in [other, elsewhere] {
      #expect(throws: CheckpointError.wrongOrigin) {
        try VerifiedCheckpoint(verifying: [UInt8](published.utf8), of: log)
      }
    }
  }

  @Test func `a checkpoint that the log did not sign is refused`() throws {
    let log = try LogFixture().log
    let larger = published.replacing("\n1\n", with: "\n2\n")
    #expect(throws: CheckpointError.note(.invalidSignature)) {
      try VerifiedCheckpoint(verifying: [UInt8](larger.utf8), of: log)
    }
    let unsigned = "\(origin)\n1\n\(root)\n\n— witness AAAAAAA=\n"
    #expect(throws: CheckpointError.note(.notSigned)) {
      try VerifiedCheckpoint(verifying: [UInt8](unsigned.utf8), of: log)
    }
    #expect(throws: CheckpointError.note(.controlCharacter)) {
      try VerifiedCheckpoint(
        verifying: [UInt8](published.replacing("\n", with: "\r\n").utf8), of: log)
    }
  }

  @Test(
    arguments: [
      ("", .malformed), ("a\n1\n\(root)", .malformed), ("a\n1\n", .malformed),
      ("a\n1\n\(root)\nextension\n", .malformed), ("a\n1\n\(root)\n\n", .malformed),
      ("\n1\n\(root)\n", .wrongOrigin), ("a b\n1\n\(root)\n", .wrongOrigin),
      ("a\n\n\(root)\n", .invalidSize), ("a\n01\n\(root)\n", .invalidSize),
      ("a\n00\n\(root)\n", .invalidSize), ("a\n+1\n\(root)\n", .invalidSize),
      ("a\n-1\n\(root)\n", .invalidSize), ("a\n 1\n\(root)\n", .invalidSize),
      ("a\n1a\n\(root)\n", .invalidSize), ("a\n18446744073709551616\n\(root)\n", .invalidSize),
      ("a\n100000000000000000000\n\(root)\n", .invalidSize), ("a\n١\n\(root)\n", .invalidSize),
      ("a\n1\n\n", .invalidRoot), ("a\n1\nAAAA\n", .invalidRoot),
      ("a\n1\nDSfif3gnzNdFGZ6Os6avNo4QZK9Crp+DdA6YEh4rwCV=\n", .invalidRoot),
      ("a\n1\nDSfif3gnzNdFGZ6Os6avNo4QZK9Crp+DdA6YEh4rwCU\n", .invalidRoot),
      ("a\n1\n\(root) \n", .invalidRoot), ("a\n0\n\(root)\n", .invalidRoot),
    ] as [(String, CheckpointError)])
  func `refuses what is not a checkpoint`(text: String, error: CheckpointError) {
    #expect(throws: error) { try Checkpoint(parsing: [UInt8](text.utf8)) }
  }

  @Test(arguments: [UInt64(0), 1, 9, 10, 4_294_967_296, .max])
  func `every size there and back`(size: UInt64) throws {
    let root = size == 0 ? MerkleTree.emptyRoot : Bytes32.zero
    let checkpoint = Checkpoint(origin: try NoteKeyName("a"), size: size, root: root)
    #expect(try Checkpoint(parsing: checkpoint.text) == checkpoint)
  }

  @Test func `signing with a key that is not the log's is a bug and traps`() async {
    await #expect(processExitsWith: .failure) {
      let one = try LogFixture()
      let other = try LogFixture(offset: 1)
      _ = VerifiedCheckpoint(signing: one.key, of: other.log, size: 1, root: .zero)
    }
  }
}

struct CosignatureTests {
  // By Python over the checkpoint above, at 1700000000, with the same seed.
  private let published = hex(
    "000000006553f100b30b451782ba9bb32954c5c161568c5ab24e149d5d7447317f80bacfdb96db41"
      + "70a294b5381d391b8a4acbcc8c653a594584c68c6d57d810e07ad4e523b2ff05")

  private func checkpoint() throws -> Checkpoint {
    let fixture = try LogFixture()
    return fixture.checkpoint(size: 1, root: MerkleTree.leafHash([UInt8]("leaf".utf8))).checkpoint
  }

  private func cosigner() throws -> NoteKey {
    let fixture = try LogFixture()
    return fixture.log.id.cosigner(fixture.key.publicKey)
  }

  @Test func `signs the same bytes as another implementation`() throws {
    let fixture = try LogFixture()
    let cosignature = Cosignature.sign(
      try checkpoint(), time: 1_700_000_000, with: fixture.key)
    #expect(cosignature.bytes == published)
    #expect(try cosigner().id == 0x0E1E_D17C)
  }

  @Test func `verifies to a receipt, alone, as a line and as a note`() throws {
    let (checkpoint, cosigner) = (try checkpoint(), try cosigner())
    let receipt = try VerifiedReceipt(
      verifying: try Cosignature(parsing: published), of: checkpoint, by: cosigner)
    #expect(receipt.time == 1_700_000_000)
    #expect(receipt.checkpoint == checkpoint)
    let line = receipt.cosignature.noteSignature(by: cosigner)
    #expect(try VerifiedReceipt(verifying: line, of: checkpoint, by: cosigner) == receipt)
    #expect(try VerifiedReceipt(verifying: receipt.note.bytes, by: cosigner) == receipt)
  }

  @Test func `another time, head or key does not verify`() throws {
    let (checkpoint, cosigner) = (try checkpoint(), try cosigner())
    var later = published
    later[7] += 1
    let other = Checkpoint(origin: checkpoint.origin, size: 2, root: checkpoint.root)
    let stranger = cosigner.name
    let strangerKey = NoteKey(
      name: stranger, algorithm: .cosignatureV1, publicKey: try LogFixture(offset: 1).log.key)
    for (bytes, head, key) in [
      (later, checkpoint, cosigner), (published, other, cosigner),
      (published, checkpoint, strangerKey),
    ] {
      #expect(throws: CosignatureError.invalidSignature) {
        try VerifiedReceipt(verifying: try Cosignature(parsing: bytes), of: head, by: key)
      }
    }
  }

  @Test func `a line or note by another key, or with a second line, is no receipt of this one`()
    throws
  {
    let (checkpoint, cosigner) = (try checkpoint(), try cosigner())
    let receipt = try VerifiedReceipt(
      verifying: try Cosignature(parsing: published), of: checkpoint, by: cosigner)
    let other = NoteKey(
      name: try NoteKeyName("other"), algorithm: .cosignatureV1, publicKey: cosigner.publicKey)
    #expect(throws: CosignatureError.malformed) {
      try VerifiedReceipt(verifying: receipt.note.bytes, by: other)
    }
    let line = receipt.cosignature.noteSignature(by: cosigner)
    let double = SignedNote(text: checkpoint.text, signatures: [line, line])
    #expect(throws: CosignatureError.malformed) {
      try VerifiedReceipt(verifying: double.bytes, by: cosigner)
    }
    let elsewhere = SignedNote(text: [UInt8]("no checkpoint\n".utf8), signatures: [line])
    #expect(throws: CosignatureError.malformed) {
      try VerifiedReceipt(verifying: elsewhere.bytes, by: cosigner)
    }
  }

  @Test func `a checkpoint's own signature is no cosignature, nor the other way`() throws {
    let fixture = try LogFixture()
    let checkpoint = try checkpoint()
    let signature = checkpoint.text.withBytes { fixture.key.sign($0) }
    for time in ["0000000000000000", "000000006553f100"] {
      let cosignature = try Cosignature(
        parsing: hex(time) + signature.bytes)
      #expect(throws: CosignatureError.invalidSignature) {
        try VerifiedReceipt(verifying: cosignature, of: checkpoint, by: try cosigner())
      }
    }
  }

  @Test func `72 bytes and a time below 2^63, or nothing`() {
    for count in [0, 71, 73] {
      #expect(throws: CosignatureError.malformed) {
        try Cosignature(parsing: [UInt8](repeating: 0, count: count))
      }
    }
    #expect(throws: CosignatureError.malformed) {
      try Cosignature(parsing: [0x80] + [UInt8](repeating: 0, count: 71))
    }
  }
}
