import BundleFixtures
import Cryptography
import Foundation
import Support
import Testing

@testable import SealedBundle

/// One file of the CCTV `age` vectors.
struct AgeVector: CustomTestStringConvertible {
  let name: String
  let expected: String
  let payloadHash: String?
  let identities: [String]
  let passphrases: [String]
  let isArmored: Bool
  let isCompressed: Bool
  let body: [UInt8]

  var testDescription: String { name }

  /// Hybrid (ML-KEM) identities are not supported: nor does the `age` of today's Debian know them, and a
  /// bundle is never made for one.
  var needsHybridIdentity: Bool { identities.contains { $0.hasPrefix("AGE-SECRET-KEY-PQ-") } }

  init(_ url: URL) throws {
    let bytes = try [UInt8](Data(contentsOf: url))
    var fields: [(String, String)] = []
    var position = 0
    while bytes[position] != UInt8(ascii: "\n") {
      let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))!
      let line = String(decoding: bytes[position..<end], as: UTF8.self)
      let colon = line.range(of: ": ")!
      fields.append((String(line[..<colon.lowerBound]), String(line[colon.upperBound...])))
      position = end + 1
    }
    func all(_ key: String) -> [String] { fields.filter { $0.0 == key }.map(\.1) }
    name = url.lastPathComponent
    expected = all("expect")[0]
    payloadHash = all("payload").first
    identities = all("identity")
    passphrases = all("passphrase")
    isArmored = all("armored") == ["yes"]
    isCompressed = all("compressed") == ["zlib"]
    body = Array(bytes[(position + 1)...])
  }

  static let all: [AgeVector] = {
    guard SharedVectors.arePresent else { return [] }
    let folder = SharedVectors.url("age")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map { try! AgeVector(folder.appending(path: $0)) }
  }()

  /// The file itself. Some vectors are long and kept compressed.
  func file() throws -> [UInt8] {
    guard isCompressed else { return body }
    return try withTemporaryFolder { folder in
      let (packed, plain) = (folder.appending(path: "in"), folder.appending(path: "out"))
      try Data(body).write(to: packed)
      let script =
        "import sys,zlib; open(sys.argv[2],'wb').write(zlib.decompress(open(sys.argv[1],'rb').read()))"
      _ = try run(["python3", "-c", script, packed.path, plain.path])
      return try [UInt8](Data(contentsOf: plain))
    }
  }
}

func requiredIdentity(_ text: String) throws -> AgeIdentity {
  guard let identity = unsafe AgeIdentity([UInt8](text.utf8).span.bytes) else {
    throw AgeError.noMatch
  }
  return identity
}

func isIdentity(_ text: String) -> Bool {
  do { _ = try requiredIdentity(text) } catch { return false }
  return true
}

func passphrase(_ text: String) throws -> LockedBytes {
  try unsafe LockedBytes(copying: [UInt8](text.utf8).span.bytes)
}

@Suite(.enabled(if: SharedVectors.arePresent, "needs ../shared/vectors"))
struct AgeVectorTests {
  static let supported = AgeVector.all.filter { !$0.needsHybridIdentity }

  @Test(arguments: supported)
  func `published vectors fail and succeed as they say`(vector: AgeVector) throws {
    let file = try vector.file()
    var outcome = "no match"
    for text in vector.identities where outcome == "no match" {
      let identity = try requiredIdentity(text)
      outcome = self.outcome(file, vector, identity)
    }
    for text in vector.passphrases where outcome == "no match" {
      outcome = try self.outcome(file, vector, AgeIdentity(passphrase: passphrase(text)))
    }
    if vector.identities.isEmpty && vector.passphrases.isEmpty {
      outcome = self.outcome(file, vector, AgeIdentity(secretKey: SecretKey.random()))
    }
    #expect(outcome == vector.expected)
  }

  private func outcome(_ file: [UInt8], _ vector: AgeVector, _ identity: borrowing AgeIdentity)
    -> String
  {
    do throws(AgeError) {
      if vector.isArmored {
        return try outcome(ArmorSource(MemorySource(file)), vector, identity)
      }
      return try outcome(MemorySource(file), vector, identity)
    } catch {
      switch error {
      case .armor: return "armor failure"
      case .header: return "header failure"
      case .noMatch: return "no match"
      case .mac: return "HMAC failure"
      case .payload: return "payload failure"
      case .source, .outOfMemory: return "\(error)"
      }
    }
  }

  private func outcome<S: ByteSource & ~Copyable>(
    _ base: consuming S, _ vector: AgeVector, _ identity: borrowing AgeIdentity
  ) throws(AgeError) -> String {
    var source = try AgeSource(base, identity: identity)
    do throws(SourceError) {
      let bytes = try source.read(at: 0, count: Int(source.byteCount))
      #expect(SHA256Hash.hash(bytes).hex == vector.payloadHash)
      return "success"
    } catch {
      return error == .notAuthentic ? "payload failure" : "\(error)"
    }
  }

  /// What a reader that goes from front to back would have given out before it failed. Ours checks the
  /// end first and gives out less; that the chunks themselves agree with the vector is checked here.
  @Test(arguments: supported.filter { $0.expected == "payload failure" })
  func `what comes before a damaged chunk is what the vector says`(vector: AgeVector) throws {
    var file = try vector.file()
    if vector.isArmored {
      var armor = try ArmorSource(MemorySource(file))
      file = try armor.read(at: 0, count: Int(armor.byteCount))
    }
    let header = try AgeHeader(file)
    let identity = try requiredIdentity(vector.identities[0])
    let nonce = Array(file[header.byteCount..<(header.byteCount + AgePayload.nonceByteCount)])
    let payload = AgePayload(try header.unwrap(with: identity), nonce: nonce)
    var rest = file[(header.byteCount + AgePayload.nonceByteCount)...]
    var given: [UInt8] = []
    var index: UInt64 = 0
    while true {
      let sealed = Array(rest.prefix(AgePayload.sealedChunkByteCount))
      rest = rest.dropFirst(sealed.count)
      do {
        // A chunk that is not full can only be the last.
        if sealed.count < AgePayload.sealedChunkByteCount { throw AgeError.payload }
        given += try payload.open(sealed, index: index, isLast: false)
      } catch {
        do {
          let last = try payload.open(sealed, index: index, isLast: true)
          if !(last.isEmpty && index > 0) { given += last }
        } catch {}
        break
      }
      index += 1
    }
    #expect(SHA256Hash.hash(given).hex == vector.payloadHash)
  }

  @Test func `hybrid vectors are not supported, all of them and no others`() {
    let unsupported = AgeVector.all.filter(\.needsHybridIdentity).map(\.name)
    #expect(
      unsupported == [
        "hybrid", "hybrid_and_x25519", "hybrid_currupted_enc_mlkem",
        "hybrid_currupted_enc_x25519", "hybrid_grease", "hybrid_identity", "hybrid_long_share",
        "hybrid_low_order", "hybrid_no_match", "hybrid_not_canonical_body", "hybrid_short_share",
        "hybrid_uppercase",
      ])
    #expect(Self.supported.count == AgeVector.all.count - 12)
  }

  /// What the format makes of a stanza of unknown kind: it is somebody else's.
  @Test(arguments: AgeVector.all.filter(\.needsHybridIdentity))
  func `a hybrid stanza is passed over, and a hybrid key is not read as one of ours`(
    vector: AgeVector
  ) throws {
    #expect(!isIdentity(vector.identities[0]))
    let other = try #require(AgeVector.all.first { $0.name == "x25519_no_match" })
    let ours = try requiredIdentity(other.identities[0])
    var outcome = "success"
    do throws(AgeError) { _ = try AgeSource(MemorySource(vector.body), identity: ours) } catch {
      outcome = "\(error)"
    }
    switch vector.name {
    case "hybrid_and_x25519": #expect(outcome == "success")  // its other stanza is for this key
    case "hybrid_not_canonical_body": #expect(outcome == "header")  // no kind of stanza may be so
    default: #expect(outcome == "noMatch")
    }
  }
}
