import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

/// Vectors of `Protocol/Vectors/keys-pair` (`Protocol/VaultFiles.md`, "keys, keys.bak"): which of two copies of the locks
/// opens a vault, and what becomes of them.
@Suite struct LockVectorTests {
  private let folder: TemporaryFolder
  private let locks: [String: String]
  private let masters: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    let base = try #require(ProtocolVector.all("keys-pair").first { $0.name == "base" })
    locks = try base.field("locks")
    masters = try base.field("masters")
  }

  @Test(arguments: try ProtocolVector.all("keys-pair"))
  func pair(_ vector: ProtocolVector) throws {
    for (name, file) in try vector.field("files", [String: Any].self) {
      if let file = file as? String { try put(Hex.decode(try #require(locks[file])), name) }
    }
    for name in try vector.field("databases", [String].self) { try put([], name) }
    let kit = try vector.fields["kit"].map { _ in try vector.bytes("kit") }
    var found = "ok"
    do throws(VaultError) {
      try open(vector, kit)
    } catch {
      switch error.code {
      case .keysSuperseded: found = "superseded"
      case .keysOutdated: found = "outdated"
      case .keysDamaged: found = "damaged"
      case .newerVersion: found = "newer-version"
      case .wrongPassphrase: found = "wrong-passphrase"
      default: found = error.code.rawValue
      }
    }
    #expect(found == vector.expected)
    for (name, file) in try vector.field("left", [String: Any].self) {
      let wanted = try (file as? String).map { try Hex.decode(try #require(locks[$0])) }
      let there = FileManager.default.contents(atPath: folder.path + "/" + name)
      let isLeft = there.map { [UInt8]($0) } == wanted
      #expect(isLeft, "\(name)")
    }
  }

  /// - Parameter kit: its seed; nil where a passphrase is tried.
  private func open(_ vector: ProtocolVector, _ kit: [UInt8]?) throws(VaultError) {
    let files = VaultFiles(folder: folder.path)
    let passphrase = Array((vector.fields["passphrase"] as? String ?? "").utf8)
    let opened = try OpenedLocks.open(files, provesHeader: kit == nil) {
      (file) throws(VaultError) in
      if let kit { return try file.unlock(kit: try keyPair(ofKit: kit)) }
      return try passphrase.withBytes { (bytes) throws(VaultError) in
        try file.unlock(passphrase: bytes)
      }
    }
    let name = vector.fields["opened"] as? String ?? ""
    let bytes = opened.keysFile.bytes
    let master = opened.master.withBytes { $0.copied() }
    #expect(Hex.encode(bytes) == locks[name] && Hex.encode(master) == masters[name])
    let condition = try opened.settle(isSound: false)
    let told =
      switch condition {
      case .whole: "whole"
      case .madeAgain: "made-again"
      case .differed: "differed"
      case .oneLeft: "one-left"
      }
    #expect(told == vector.fields["told"] as? String)
  }

  private func put(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(filePath: folder.path + "/" + name))
  }
}
