import BundleCheck
import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import SealedBundle

/// Vectors of `Protocol/Vectors`; others are run where their format is read. `Tests/Protocol/verify_vectors.py` holds the
/// independent verifier to the same. (Those of folders run there only: a folder is read into a vault.)
@Suite struct ProtocolVectorTests {
  @Test(arguments: try ProtocolVector.all("cbor"))
  func cbor(_ vector: ProtocolVector) throws {
    let bytes = try vector.bytes("input")
    vector.expect {
      var decoder = CBORDecoder(bytes)
      try decoder.skip()
      try decoder.finish()
    }
  }

  @Test(arguments: try ProtocolVector.all("checkpoint"))
  func checkpoint(_ vector: ProtocolVector) throws {
    let (note, key) = (try vector.bytes("input"), try vector.bytes("key"))
    let caseID = try #require(Bytes32(try vector.bytes("case")))
    vector.expect {
      let log = LogIdentity(caseID: caseID, key: try VerifyingKey(key))
      _ = try VerifiedCheckpoint(verifying: note, of: log)
    }
  }

  @Test(arguments: try ProtocolVector.all("receipt"))
  func receipt(_ vector: ProtocolVector) throws {
    let note = try vector.bytes("input")
    let key = try NoteKey(verifierKey: try #require(vector.fields["witness"] as? String))
    let time = try #require(vector.fields["time"] as? Int)
    vector.expect {
      let receipt = try VerifiedReceipt(verifying: note, by: key)
      #expect(receipt.time == UInt64(time))
    }
  }

  @Test(arguments: try ProtocolVector.all("card"))
  func card(_ vector: ProtocolVector) throws {
    let bytes = try vector.bytes("input")
    vector.expect { _ = try Card(decoding: bytes) }
  }

  @Test(arguments: try ProtocolVector.all("statement"))
  func statement(_ vector: ProtocolVector) throws {
    let bytes = try vector.bytes("input")
    let caseID = CaseID(try #require(Bytes32(try vector.bytes("case"))))
    let root = try VerifyingKey(try vector.bytes("root"))
    vector.expect { _ = try RootStatement(decoding: bytes, caseID: caseID, root: root) }
  }

  @Test(arguments: try ProtocolVector.all("entry"))
  func entry(_ vector: ProtocolVector) throws {
    let leaf = try LeafData(parsing: try vector.bytes("leaf"))
    let sealed = SealedEntry(leaf: leaf, ciphertext: try vector.bytes("input"))
    let place = EntryPlace(
      caseID: CaseID(try #require(Bytes32(try vector.bytes("case")))),
      logID: LogID(try #require(Bytes32(try vector.bytes("log")))), sequence: leaf.sequence)
    let bytes = try vector.bytes("key")
    let key = try bytes.withBytes { (bytes) throws(CryptographyError) in
      try SecretKey(copying: bytes)
    }
    let found: String
    do throws(CaseLogError) {
      _ = try sealed.open(at: place, key: key)
      found = "ok"
    } catch {
      switch error {
      case .otherCiphertext: found = "other-ciphertext"
      case .locked: found = "locked"
      case .commitmentMismatch: found = "commitment-mismatch"
      case .misplaced, .classMismatch: found = "violation"
      default: found = "malformed"
      }
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("archive"))
  func archive(_ vector: ProtocolVector) throws {
    let bytes = try vector.bytes("input")
    let found: String
    do throws(ZipError) {
      var zip = try ZipReader(MemorySource(bytes))
      for member in zip.members { _ = try zip.read(member, limit: 1 << 20) }
      found = "ok"
    } catch {
      found = BundleFinding(error).code.rawValue
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("age"))
  func age(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    var plain: [UInt8]?
    let found: String
    do throws(AgeError) {
      plain =
        input.starts(with: "-----BEGIN".utf8)
        ? try opened(try ArmorSource(MemorySource(input)), vector)
        : try opened(MemorySource(input), vector)
      found = "ok"
    } catch {
      switch error {
      case .header: found = "not-a-bundle"
      case .noMatch:
        found = vector.fields["passphrase"] == nil ? "wrong-identity" : "wrong-passphrase"
      case .armor, .mac, .payload: found = "encryption-damaged"
      case .source, .outOfMemory: found = "unreadable"
      }
    }
    #expect(found == vector.expected)
    if let plain { #expect(try plain == vector.bytes("plain")) }
  }

  private func opened<Source: ByteSource & ~Copyable>(
    _ source: consuming Source, _ vector: ProtocolVector
  ) throws(AgeError) -> [UInt8] {
    let secret = Array(
      (vector.fields["passphrase"] as? String ?? vector.fields["identity"] as? String ?? "").utf8)
    let identity: AgeIdentity
    if vector.fields["passphrase"] == nil {
      guard let read = secret.withBytes({ AgeIdentity($0) }) else { throw .header }
      identity = read
    } else {
      do {
        identity = AgeIdentity(
          passphrase: try secret.withBytes { (bytes) throws(CryptographyError) in
            try LockedBytes(copying: bytes)
          })
      } catch { throw .outOfMemory }
    }
    var opened = try AgeSource(source, identity: identity)
    do { return try opened.read(at: 0, count: Int(opened.byteCount)) } catch {
      throw .payload
    }
  }

  @Test(arguments: try ProtocolVector.all("bundle"))
  func bundle(_ vector: ProtocolVector) throws {
    let trust = try BundleTrust(
      fingerprint: vector.fields["fingerprint"] as? String,
      witnesses: try #require(vector.fields["witness"] as? [String]))
    let verdict = verify(try vector.bundle(), trust)
    let broken = verdict.findings.first { $0.code.weight != .note }
    #expect(broken?.code.rawValue ?? verdict.outcome.rawValue == vector.expected)
    if let state = vector.fields["state"] as? String {
      #expect(verdict.record?.state.stateHash.hex == state)
    }
    if let findings = vector.fields["findings"] as? [String] {
      #expect(verdict.findings.map(\.code.rawValue) == findings)
    }
  }
}

extension ProtocolVector {
  /// Runs `body`, which throws for what is not in order.
  fileprivate func expect(_ body: () throws -> Void) {
    var found = "ok"
    do { try body() } catch {
      found = error as? CaseLogError == .newerVersion ? "newer-version" : "malformed"
    }
    #expect(found == expected, "\(name)")
  }
}
