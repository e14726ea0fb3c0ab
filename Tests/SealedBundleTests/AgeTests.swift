import BundleFixtures
import Cryptography
import Foundation
import Support
import Testing

@testable import SealedBundle

private let secretText =
  "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
private let recipientText = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

/// Bytes that do not repeat within a chunk.
private func pattern(_ count: Int) -> [UInt8] {
  var generator = SplitMix64(state: UInt64(count))
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}

private func seal(_ content: [UInt8], in pieces: Int, for recipients: [AgeRecipient]) throws
  -> [UInt8]
{
  var writer = try AgeWriter(MemorySink(), recipients: recipients)
  for start in stride(from: 0, to: content.count, by: pieces) {
    try writer.write(Array(content[start..<min(start + pieces, content.count)]))
  }
  return try writer.finish().bytes
}

private func recipient(of identity: borrowing AgeIdentity) -> AgeRecipient {
  guard let recipient = identity.recipient else { fatalError("a passphrase has no recipient") }
  return recipient
}

private func open(_ file: [UInt8], _ identity: borrowing AgeIdentity) throws -> [UInt8] {
  var source = try AgeSource(MemorySource(file), identity: identity)
  return try source.read(at: 0, count: Int(source.byteCount))
}

@Suite struct AgeTests {
  @Test func `keys are read in their one spelling and written in it`() throws {
    let recipient = try #require(AgeRecipient([UInt8](recipientText.utf8)))
    #expect(recipient.text == recipientText)
    let known = try requiredIdentity(secretText).recipient
    #expect(known == recipient)
  }

  @Test(arguments: [
    "", "age1", recipientText.uppercased(), " " + recipientText, recipientText + "\n",
    recipientText.replacingOccurrences(of: "age1z", with: "Age1z"),
    recipientText.replacingOccurrences(of: "wj", with: "wq"), String(recipientText.dropLast()),
    recipientText + "q", secretText, secretText.lowercased(),
    recipientText.replacingOccurrences(of: "age1", with: "agf1"),
  ])
  func `other spellings are no recipient`(text: String) {
    #expect(AgeRecipient([UInt8](text.utf8)) == nil)
  }

  @Test(arguments: [
    "", secretText.lowercased(), String(secretText.dropLast()), secretText + "Q",
    secretText.replacingOccurrences(of: "EX", with: "Ex"),
    secretText.replacingOccurrences(of: "4E", with: "4F"), recipientText,
  ])
  func `other spellings are no identity`(text: String) {
    #expect(!isIdentity(text))
  }

  @Test func `each character of a key matters`() {
    for index in recipientText.indices {
      for other in "qpz1b" where recipientText[index] != other {
        var text = recipientText
        text.replaceSubrange(index...index, with: String(other))
        #expect(AgeRecipient([UInt8](text.utf8)) == nil)
      }
    }
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
  func `what is sealed opens again, however it was cut up`(count: Int) throws {
    let key = SecretKey.random()
    let identity = AgeIdentity(secretKey: key.copy())
    let recipient = recipient(of: identity)
    let content = pattern(count)
    for pieces in [1000, 65_536, 200_001] {
      let file = try seal(content, in: pieces, for: [recipient])
      #expect(try open(file, identity) == content)
    }
  }

  @Test func `any part can be read, in any order`() throws {
    let identity = AgeIdentity(secretKey: SecretKey.random())
    let content = pattern(200_000)
    let file = try seal(content, in: 4096, for: [recipient(of: identity)])
    var source = try AgeSource(MemorySource(file), identity: identity)
    var generator = SplitMix64(state: 7)
    for _ in 0..<100 {
      let start = Int.random(in: 0...content.count, using: &generator)
      let count = Int.random(in: 0...min(150_000, content.count - start), using: &generator)
      #expect(
        try source.read(at: UInt64(start), count: count) == Array(content[start..<(start + count)]))
    }
    #expect(throws: SourceError.outOfBounds) { try source.read(at: 200_000, count: 1) }
    #expect(throws: SourceError.outOfBounds) { try source.read(at: UInt64.max, count: 1) }
    #expect(throws: SourceError.outOfBounds) { try source.read(at: 0, count: -1) }
  }

  @Test func `each of several recipients can open, nobody else`() throws {
    let first = AgeIdentity(secretKey: SecretKey.random())
    let second = AgeIdentity(secretKey: SecretKey.random())
    let stranger = AgeIdentity(secretKey: SecretKey.random())
    let recipients = [first.recipient, second.recipient].compactMap { $0 }
    let file = try seal([1, 2, 3], in: 10, for: recipients)
    #expect(try open(file, first) == [1, 2, 3])
    #expect(try open(file, second) == [1, 2, 3])
    #expect(throws: AgeError.noMatch) { try open(file, stranger) }
    #expect(throws: AgeError.noMatch) {
      try open(file, AgeIdentity(passphrase: passphrase("correct horse")))
    }
  }

  @Test func `a passphrase opens, a wrong one does not match`() throws {
    var writer = try AgeWriter(
      MemorySink(), passphrase: passphrase("correct horse"), workFactor: 10)
    try writer.write([1, 2, 3])
    let file = try writer.finish().bytes
    #expect(try open(file, AgeIdentity(passphrase: passphrase("correct horse"))) == [1, 2, 3])
    #expect(throws: AgeError.noMatch) {
      try open(file, AgeIdentity(passphrase: passphrase("correct horsf")))
    }
  }

  @Test func `nobody and an unusable key are refused before anything is written`() {
    #expect(throws: AgeWriteError.noRecipients) {
      _ = try AgeWriter(MemorySink(), recipients: [])
    }
    #expect(throws: AgeWriteError.badRecipient) {
      _ = try AgeWriter(MemorySink(), recipients: [AgeRecipient(key: .zero)])
    }
  }

  @Test func `whatever byte of a file is flipped, it does not open`() throws {
    let identity = AgeIdentity(secretKey: SecretKey.random())
    let file = try seal(pattern(300), in: 100, for: [recipient(of: identity)])
    for index in file.indices {
      for mask: UInt8 in [0x01, 0x80] {
        var bytes = file
        bytes[index] ^= mask
        #expect(throws: AgeError.self) { try open(bytes, identity) }
      }
    }
    for count in 0..<file.count {
      #expect(throws: AgeError.self) { try open(Array(file.prefix(count)), identity) }
    }
    #expect(throws: AgeError.self) { try open(file + [0], identity) }
  }

  @Test func `an altered chunk in the middle is not given out, its neighbours are`() throws {
    let identity = AgeIdentity(secretKey: SecretKey.random())
    let content = pattern(200_000)
    var file = try seal(content, in: 4096, for: [recipient(of: identity)])
    file[file.count - 100_000] ^= 1
    var source = try AgeSource(MemorySource(file), identity: identity)
    #expect(try source.read(at: 0, count: 65_536) == Array(content[..<65_536]))
    #expect(throws: SourceError.notAuthentic) { try source.read(at: 65_536, count: 65_536) }
    #expect(try source.read(at: 131_072, count: 10) == Array(content[131_072..<131_082]))
  }
}

/// Both directions against the command that everybody else has.
@Suite struct AgeCommandTests {
  @Test(arguments: [0, 5, 65_536, 200_000])
  func `the age command opens what we seal for a key, and the reverse`(count: Int) throws {
    try withTemporaryFolder { folder in
      let (key, sealed, plain) = (
        folder.appending(path: "key"), folder.appending(path: "sealed"),
        folder.appending(path: "plain")
      )
      try Data(secretText.utf8).write(to: key)
      let content = pattern(count)
      let recipient = try #require(AgeRecipient([UInt8](recipientText.utf8)))
      try Data(seal(content, in: 1000, for: [recipient])).write(to: sealed)
      guard let age = try run(["age", "-d", "-i", key.path, "-o", plain.path, sealed.path]) else {
        return
      }
      #expect(age.status == 0, "\(age.output)")
      // For an empty content age makes no file.
      if count == 0 { try Data().write(to: plain) }
      #expect(try [UInt8](Data(contentsOf: plain)) == content)

      let identity = try requiredIdentity(secretText)
      for options in [["-r", recipientText], ["-a", "-r", recipientText]] {
        let made = try run(["age"] + options + ["-o", sealed.path, plain.path])
        #expect(made?.status == 0)
        let file = try [UInt8](Data(contentsOf: sealed))
        if options.count == 3 {
          var source = try AgeSource(ArmorSource(MemorySource(file)), identity: identity)
          #expect(try source.read(at: 0, count: count) == content)
        } else {
          #expect(try open(file, identity) == content)
        }
      }
    }
  }

  /// `age` asks for passphrases on a terminal only, so Python lends it one.
  private static let terminal = """
    import os, pty, sys
    words, command = sys.argv[1].encode(), sys.argv[2:]
    pid, fd = pty.fork()
    if pid == 0: os.execvp(command[0], command)
    seen = b""
    while True:
        try: piece = os.read(fd, 1024)
        except OSError: break
        if not piece: break
        seen += piece
        if seen.rstrip().endswith(b":"):
            seen = b""
            os.write(fd, words + b"\\n")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """

  @Test func `the age command opens what we seal with a passphrase, and the reverse`() throws {
    try withTemporaryFolder { folder in
      let (sealed, plain) = (folder.appending(path: "sealed"), folder.appending(path: "plain"))
      let words = "mutter-kaput-zebra"
      var writer = try AgeWriter(MemorySink(), passphrase: passphrase(words))
      try writer.write(Array("for the court".utf8))
      try Data(writer.finish().bytes).write(to: sealed)
      let pty = ["python3", "-c", Self.terminal, words]
      guard try run(["age", "--version"]) != nil,
        let age = try run(pty + ["age", "-d", "-o", plain.path, sealed.path])
      else { return }
      #expect(age.status == 0, "\(age.output)")
      #expect(try String(contentsOf: plain, encoding: .utf8) == "for the court")

      let made = try run(pty + ["age", "-p", "-o", sealed.path, plain.path])
      #expect(made?.status == 0)
      let file = try [UInt8](Data(contentsOf: sealed))
      #expect(
        try open(file, AgeIdentity(passphrase: passphrase(words))) == Array("for the court".utf8))
    }
  }
}
