import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Vectors of `Protocol/Vectors` for what one person keeps (`Protocol/VaultFiles.md`).
@Suite struct VaultVectorTests {
  @Test(arguments: try ProtocolVector.all("kit"))
  func kit(_ vector: ProtocolVector) throws {
    let words = Array(try vector.field("words", String.self).utf8)
    var found = "ok"
    do {
      let kit = try words.withBytes { (bytes) throws(KitWordsError) in
        try RecoveryKit(words: bytes)
      }
      #expect(try kit.keyPair().publicKey.raw.bytes == vector.bytes("key"))
      #expect(try kit.check() == vector.field("check", String.self))
      let typed = try vector.field("words", String.self).lowercased()
      #expect(kit.words == typed.split(whereSeparator: \.isWhitespace).map(String.init))
    } catch is KitWordsError {
      found = "malformed"
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("paper"))
  func paper(_ vector: ProtocolVector) throws {
    let text = Array(try vector.field("text", String.self).utf8)
    var found = "ok"
    do {
      let kit = try text.withBytes { (bytes) throws(KitWordsError) in
        try RecoveryKit(paper: bytes)
      }
      #expect(try kit.keyPair().publicKey.raw.bytes == vector.bytes("key"))
    } catch is KitWordsError {
      found = "malformed"
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("words"))
  func `six words`(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    let words =
      vector.name == "good-card"
      ? try ComparedWords.of(try Card(decoding: input))
      : try ComparedWords.of(root: try VerifyingKey(input))
    #expect(try words.joined(separator: " ") == vector.field("words", String.self))
    #expect(vector.expected == "ok")
  }

  @Test(arguments: try ProtocolVector.all("keys-file"))
  func `keys file`(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    let passphrase = Array(try vector.field("passphrase", String.self).utf8)
    let seed = try vector.bytes("kit")
    let master = try vector.bytes("master")
    var found = "ok"
    do throws(VaultError) {
      let file = try KeysFile(decoding: input)
      let opened = try passphrase.withBytes { (bytes) throws(VaultError) in
        try file.unlock(passphrase: bytes)
      }
      #expect(opened.withBytes { $0.copied() } == master)
      let byKit = try file.unlock(kit: try keyPair(ofKit: seed))
      #expect(byKit.withBytes { $0.copied() } == master)
    } catch {
      switch error.code {
      case .keysDamaged: found = "damaged"
      case .newerVersion: found = "newer-version"
      case .wrongPassphrase: found = "wrong-passphrase"
      case .kitMismatch: found = "wrong-kit"
      default: found = error.code.rawValue
      }
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("anchor"))
  func anchor(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    let key = try secret(vector.bytes("key"))
    var found = "ok"
    do {
      let anchor = try Anchor(opening: input, key: key)
      #expect(try anchor.vaultID == vector.bytes("vault"))
      let inode = try vector.field("inode", UInt64.self)
      #expect(try anchor.place == Anchor.place(machine: vector.bytes("machine"), file: inode))
      let said = try vector.field("logs", [[Any]].self)
      #expect(anchor.logs.map { $0.position.logID.raw.hex } == said.map { $0[1] as? String })
      #expect(anchor.logs.map(\.position.size) == said.map { $0[2] as? UInt64 })
    } catch let error as VaultError {
      found = error.code == .newerVersion ? "newer-version" : "damaged"
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("attempts"))
  func attempts(_ vector: ProtocolVector) throws {
    let read = OpeningAttempts(decoding: try vector.bytes("input"))
    let found = [
      UInt64(read.failures), UInt64(read.untoldFailures), read.lastFailure ?? 0,
      read.lastOpening ?? 0,
    ]
    #expect(try found == vector.field("said", [UInt64].self))
  }

  /// As salvage reads pages, each by itself; that SQLite sees the same, the tests of the sealed VFS hold.
  @Test(arguments: try ProtocolVector.all("page"))
  func page(_ vector: ProtocolVector) throws {
    let folder = try TemporaryFolder()
    let number = try vector.field("number", Int.self)
    var file = Data(count: (number - 1) * SalvagedPages.pageByteCount)
    file.append(contentsOf: try vector.bytes("input"))
    try file.write(to: URL(filePath: folder.path + "/vault.db"))
    let pages = try SalvagedPages(
      files: VaultFiles(folder: folder.path), key: try secret(vector.bytes("key")),
      vaultID: try vector.bytes("vault"))
    let page = pages.page(UInt32(number))
    #expect((page == nil ? "locked" : "ok") == vector.expected)
    if let page { #expect(try page.bytes == vector.bytes("plain")) }
  }

  /// As salvage reads a database and the log beside it; what SQLite makes of them, the tests of the sealed VFS hold.
  @Test(arguments: try ProtocolVector.all("wal"))
  func wal(_ vector: ProtocolVector) throws {
    let folder = try TemporaryFolder()
    for (name, field) in ["vault.db": "database", "vault.db-wal": "input"] {
      try Data(vector.bytes(field)).write(to: URL(filePath: folder.path + "/" + name))
    }
    let pages = try SalvagedPages(
      files: VaultFiles(folder: folder.path), key: try secret(vector.bytes("key")),
      vaultID: try vector.bytes("vault"))
    try pages.readLog { _ in }
    let page = try #require(pages.page(1))
    #expect(try SQLitePage.uint32(page.bytes, 60) == vector.field("salvaged", UInt32.self))
    #expect(try page.isOld == vector.field("old", Bool.self))
  }

  @Test(arguments: try ProtocolVector.all("blob"))
  func blob(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    let key = try secret(vector.bytes("key"))
    let size = try vector.field("size", UInt64.self)
    var tree = BlobTree()
    for start in stride(from: 0, to: input.count, by: BlobTree.spanByteCount) {
      tree.append(Array(input[start..<min(start + BlobTree.spanByteCount, input.count)]))
    }
    var found = "ok"
    if tree.root.raw.bytes != (try vector.bytes("root")) {
      found = "other-root"
    } else {
      var content: [UInt8] = []
      do {
        let reader = try BlobReader(inline: input, path: "", key: key, size: size)
        try reader.forEachPiece { content += $0.copied() }
        #expect(try SHA256Hash.hash(content).bytes == vector.bytes("sha256"))
      } catch is VaultError { found = "damaged" }
    }
    #expect(found == vector.expected)
  }
}

private func secret(_ bytes: [UInt8]) throws -> SecretKey {
  try bytes.withBytes { (bytes) throws(CryptographyError) in try SecretKey(copying: bytes) }
}

func keyPair(ofKit seed: [UInt8]) throws(VaultError) -> BoxKeyPair {
  do {
    let words = seed.withBytes { KitWords.encode($0) }.joined(separator: " ")
    let kit = try Array(words.utf8).withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
    return try kit.keyPair()
  } catch {
    throw VaultError(.kitMismatch)
  }
}
