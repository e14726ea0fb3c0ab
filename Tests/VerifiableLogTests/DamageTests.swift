import Cryptography
import Support
import Testing
import VerifiableLog

struct DamageTests {
  /// Whatever a decoder accepts must be the one spelling of what it gave: written again, it is the
  /// same bytes. And whatever it is given, it must not trap.
  private struct Decoder {
    let name: String
    let rewritten: ([UInt8]) throws -> [UInt8]
  }

  private func decoders(_ log: LogIdentity) -> [Decoder] {
    [
      Decoder(name: "note") { try SignedNote(parsing: $0).bytes },
      Decoder(name: "checkpoint") { try Checkpoint(parsing: $0).text },
      Decoder(name: "leaf") { try LeafData(parsing: $0).bytes },
      Decoder(name: "cosignature") { try Cosignature(parsing: $0).bytes },
      Decoder(name: "fork proof") { try ForkProof(parsing: $0, of: log).bytes },
      Decoder(name: "verifier key") { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw NoteError.invalidText
        }
        return [UInt8](try NoteKey(verifierKey: text).verifierKey.utf8)
      },
      Decoder(name: "base64") { bytes in
        [UInt8](Base64.encode(try Base64.decode(bytes)).utf8)
      },
      Decoder(name: "CBOR") { bytes in
        var decoder = CBORDecoder(bytes)
        let item = try decoder.readEncoded()
        try decoder.finish()
        return item
      },
    ]
  }

  private func samples() throws -> [[UInt8]] {
    let fixture = try LogFixture()
    let tree = InMemoryTree(leafHashes(9))
    let other = InMemoryTree(leafHashes(5).reversed())
    let checkpoint = fixture.checkpoint(tree)
    let proof = try ForkProof(
      checkpoint, fixture.checkpoint(other), path: try tree.prefixProof(of: 5, in: 9))
    let cosignature = Cosignature.sign(checkpoint.checkpoint, time: 5, with: fixture.key)
    let leaf = LeafData(
      sequence: 1, entryClass: .note, commitment: .zero, ciphertextHash: .zero)
    return [
      proof.bytes, checkpoint.bytes, checkpoint.checkpoint.text, cosignature.bytes, leaf.bytes,
      [UInt8](Base64.encode(cosignature.bytes).utf8), [UInt8](fixture.log.noteKey.verifierKey.utf8),
    ]
  }

  private func damage(_ bytes: inout [UInt8], _ generator: inout SplitMix64) {
    let index = Int.random(in: 0...bytes.count, using: &generator)
    let meaningful: [UInt8] = [0x0A, 0x20, 0x2B, 0x3D, 0x5B, 0x9B, 0xBB, 0xE2, 0xFF]
    switch Int.random(in: 0..<5, using: &generator) {
    case 0 where index < bytes.count:
      bytes[index] = .random(in: .min ... .max, using: &generator)
    case 1 where index < bytes.count: bytes.remove(at: index)
    case 2: bytes.removeSubrange(index...)
    case 3:
      let end = Int.random(in: index...bytes.count, using: &generator)
      bytes.insert(contentsOf: bytes[index..<end], at: index)
    default:
      bytes.insert(meaningful.randomElement(using: &generator) ?? 0, at: index)
    }
  }

  @Test func `no damage traps a decoder or gives a second spelling`() throws {
    let samples = try samples()
    let decoders = decoders(try LogFixture().log)
    var generator = SplitMix64(state: 7)
    var accepted = [Int](repeating: 0, count: decoders.count)
    for round in 0..<4_000 {
      var bytes = samples[round % samples.count]
      for _ in 0..<Int.random(in: 0...3, using: &generator) { damage(&bytes, &generator) }
      for (number, decoder) in decoders.enumerated() {
        // What is refused is refused for good reason elsewhere.
        guard let rewritten = try? decoder.rewritten(bytes) else { continue }
        #expect(rewritten == bytes, "\(decoder.name), round \(round)")
        accepted[number] += 1
      }
    }
    // Each decoder did get something that it accepts.
    #expect(accepted.allSatisfy { $0 > 100 }, "\(accepted)")
  }
}
