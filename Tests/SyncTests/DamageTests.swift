import Cryptography
import Foundation
import Support
import Sync
import Testing
import VerifiableLog

@testable import Mailboxes

/// Only the reading half of an exchange.
func readOnly(
  _ folder: TemporaryFolder, into replica: inout MemoryReplica
) throws -> [Finding] {
  let disk = Disk(fault: nil)
  let root = try Folder(path: folder.path, disk: disk)
  var exchange = try FolderExchange(replica, disk, { _ in }, { false })
  try exchange.list(root)
  try exchange.readAll(root, into: &replica)
  try exchange.readBlobs(root, into: &replica)
  return exchange.intake.findings
}

@Suite struct `Damaged files` {
  /// A folder with small files of two devices, one of each kind, and a third device to read them.
  struct Scene {
    let folder = TemporaryFolder()
    let reader: MemoryReplica
    let expected: [String]
    let truth: [MemoryReplica]

    init() throws {
      var world = World(3)
      world.append(1, to: 0)
      world.append(2, to: 1)
      world.replicas[0].append(world.words(1), isPrivate: true)
      world.replicas[0].share([3])
      _ = world.replicas[0].attach(world.generator.bytes(90))
      for index in [0, 1, 0, 1] { try world.exchange(index, folder.mailbox) }
      reader = world.replicas[2]
      truth = world.replicas
      var whole = reader
      #expect(try readOnly(folder, into: &whole) == [])
      expected = whole.digest()
    }

    /// What was taken in of damaged files must be a beginning of what is true.
    func check(_ replica: MemoryReplica, damaged: String, _ note: Comment) {
      for owner in truth.prefix(2) {
        let held = replica.stored[owner.ownLog]
        let own = owner.stored[owner.ownLog]!
        #expect(own.leaves.starts(with: held?.leaves ?? []), note)
        for (sequence, ciphertext) in held?.ciphertexts ?? [:] {
          #expect(own.ciphertexts[sequence] == ciphertext, note)
        }
        #expect(replica.knownForks.isEmpty, note)
        for blob in replica.sealedBlobs { #expect(MemoryReplica.root(of: blob.value) == blob.key) }
      }
    }
  }

  @Test func `attack 36: a file cut at any byte is harmless, and so is its return`() throws {
    let scene = try Scene()
    for file in scene.folder.files() {
      let bytes = scene.folder.read(file)
      // Heads consist of notes, where one byte is like the next.
      for length in stride(from: 0, to: bytes.count, by: file.hasSuffix("head") ? 7 : 1) {
        try scene.folder.write(Array(bytes[..<length]), to: file)
        var replica = scene.reader
        let findings = try readOnly(scene.folder, into: &replica)
        scene.check(replica, damaged: file, "\(file) cut at \(length)")
        #expect(!findings.isEmpty, "\(file) cut at \(length)")
        if length.isMultiple(of: 77) {
          try scene.folder.write(bytes, to: file)
          #expect(try readOnly(scene.folder, into: &replica) == [])
          #expect(replica.digest() == scene.expected, "\(file) after a cut at \(length)")
        }
      }
      try scene.folder.write(bytes, to: file)
    }
  }

  @Test func `attack 4: nor does a flipped byte do any harm`() throws {
    let scene = try Scene()
    var random = SplitMix64(state: 4)
    for file in scene.folder.files() {
      let bytes = scene.folder.read(file)
      let first = Int.random(in: 0..<5, using: &random)
      for index in stride(from: first, to: bytes.count, by: 5) {
        var flipped = bytes
        flipped[index] ^= UInt8.random(in: 1...255, using: &random)
        try scene.folder.write(flipped, to: file)
        var replica = scene.reader
        _ = try readOnly(scene.folder, into: &replica)
        scene.check(replica, damaged: file, "\(file) flipped at \(index)")
      }
      try scene.folder.write(bytes, to: file)
    }
  }

  @Test func `one device's damage does not keep another's files from being read`() throws {
    let scene = try Scene()
    let advocate = scene.truth[1]
    let part = "-" + advocate.name
    for file in scene.folder.files() where file.contains(part) {
      let bytes = scene.folder.read(file)
      try scene.folder.write([0xff] + bytes, to: file)
      var replica = scene.reader
      let findings = try readOnly(scene.folder, into: &replica)
      #expect(findings.allSatisfy { $0.device == advocate.ownLog } && !findings.isEmpty)
      #expect(replica.stored[scene.truth[0].ownLog]?.held.size == 6)
      try scene.folder.write(bytes, to: file)
    }
  }

  @Test func `a file of a newer version is told from a damaged one`() throws {
    let scene = try Scene()
    let file = try #require(scene.folder.files().first { $0.hasSuffix("head") })
    var bytes = scene.folder.read(file)
    bytes[7] = 2
    try scene.folder.write(bytes, to: file)
    var replica = scene.reader
    let findings = try readOnly(scene.folder, into: &replica)
    #expect(findings.map(\.kind).contains(.newerVersion(.head)))
  }

  /// Attack 9, by file: what one case's device wrote, put where another's is expected.
  @Test func `files under a false name are refused`() throws {
    let scene = try Scene()
    let files = scene.folder.files().filter { !$0.hasSuffix("head") }
    for file in files {
      for other in files where other != file {
        let bytes = scene.folder.read(file)
        try scene.folder.write(scene.folder.read(other), to: file)
        var replica = scene.reader
        let findings = try readOnly(scene.folder, into: &replica)
        scene.check(replica, damaged: file, "\(other) as \(file)")
        #expect(!findings.isEmpty, "\(other) as \(file)")
        try scene.folder.write(bytes, to: file)
      }
    }
  }

  /// A device that carries a log can lie about it, but what it wrote is passed over when others wrote it too.
  @Test func `a carrier that promises more than it has does not stop the next`() throws {
    let (folder, honest) = (TemporaryFolder(), TemporaryFolder())
    var world = World(3)
    world.append(4, to: 0)
    try world.exchange(0, honest.mailbox)
    try world.exchange(1, honest.mailbox)
    try world.exchange(1, folder.mailbox)
    let range = try #require(folder.files().first { $0.contains("/r-") })
    let bytes = folder.read(range)
    let promise = range.replacing("0000000006", with: "0000000009")
    try folder.remove(range)
    try folder.write(bytes, to: promise)
    var reader = world.replicas[2]
    let findings = try readOnly(folder, into: &reader)
    #expect(findings.map(\.kind).contains(.damaged(.range(world.replicas[0].ownLog))))
    #expect(reader.stored[world.replicas[0].ownLog]?.held.size == 6)
  }
}
