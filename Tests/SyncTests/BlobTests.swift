import Cryptography
import Support
import Sync
import Testing
import VerifiableLog

@testable import Mailboxes

@Suite struct `Blobs` {
  static let span = BlobTree.spanByteCount

  /// A folder in which two devices have a blob of so many spans, and a third that wants it.
  struct Scene {
    let folder = TemporaryFolder()
    var world = World(3)
    let root: BlobRoot
    var files: [String] { folder.files().filter { $0.contains("/b-") } }

    init(byteCount: Int, copies: Int = 2) throws {
      let sealed = world.generator.bytes(byteCount)
      root = world.replicas[0].attach(sealed)
      try world.exchange(0, folder.mailbox)
      guard copies == 2 else { return }
      // The second copy, as if it had been carried here from elsewhere.
      try world.exchange(1, folder.mailbox)
      let file = files[0]
      let name = String(file.split(separator: "/")[1])
      let part = folder.files().first { !$0.hasPrefix(file.prefix(30)) }!.split(separator: "/")[0]
      try folder.write(folder.read(file), to: "\(part)/\(name)")
    }

    func offset(ofSpan index: Int, of count: Int) -> Int { 8 + 32 * count + index * Blobs.span }

    mutating func damage(_ file: String, at offset: Int) throws {
      var bytes = folder.read(file)
      bytes[offset] ^= 1
      try folder.write(bytes, to: file)
    }

    mutating func readAsThird() throws -> ExchangeReport { try world.exchange(2, folder.mailbox) }
    var third: MemoryReplica { world.replicas[2] }
  }

  @Test func `attack 18: a damaged span is refused, the good ones before it stay`() throws {
    var scene = try Scene(byteCount: Self.span * 5 + 100, copies: 1)
    try scene.damage(scene.files[0], at: scene.offset(ofSpan: 3, of: 6) + 50)
    let report = try scene.readAsThird()
    #expect(report.blobsReceived == 0)
    #expect(report.findings.map(\.kind) == [.damagedSpan(scene.root, index: 3)])
    #expect(scene.third.partialBlobs[scene.root]?.count == 3 * Self.span)
    // Once the span is good again, only what was lacking is taken.
    try scene.damage(scene.files[0], at: scene.offset(ofSpan: 3, of: 6) + 50)
    let second = try scene.readAsThird()
    #expect(second.blobsReceived == 1)
    #expect(second.bytesRead < UInt64(3 * Self.span + 10_000))
    #expect(scene.third.sealedBlobs == scene.world.replicas[0].sealedBlobs)
  }

  @Test func `what one copy lacks comes from another`() throws {
    var scene = try Scene(byteCount: Self.span * 5 + 100)
    #expect(scene.files.count == 2)
    try scene.damage(scene.files[0], at: scene.offset(ofSpan: 2, of: 6))
    let bytes = scene.folder.read(scene.files[1])
    var swapped = bytes
    swapped.replaceSubrange(
      scene.offset(ofSpan: 0, of: 6)..<scene.offset(ofSpan: 1, of: 6),
      with: [UInt8](repeating: 0, count: Self.span))
    try scene.folder.write(swapped, to: scene.files[1])
    let report = try scene.readAsThird()
    #expect(report.findings.count <= 2)
    #expect(report.blobsReceived == 1 || report.findings.count == 2)
    try scene.readToEnd()
    #expect(scene.third.sealedBlobs == scene.world.replicas[0].sealedBlobs)
  }

  @Test func `attack 18: another blob, other hashes or another length are refused at once`() throws
  {
    var scene = try Scene(byteCount: Self.span * 2, copies: 1)
    let file = scene.files[0]
    let bytes = scene.folder.read(file)
    for offset in [0, 7, 8, 40, 71] {
      var changed = bytes
      changed[offset] ^= 4
      try scene.folder.write(changed, to: file)
      var reader = scene.third
      let findings = try readOnly(scene.folder, into: &reader)
      #expect(findings.map(\.kind) == [.damagedBlob(scene.root)], "byte \(offset)")
      #expect(reader.partialBlobs.isEmpty)
    }
    try scene.folder.write(bytes, to: file)
    #expect(try scene.readAsThird().blobsReceived == 1)
  }

  /// An entry may say anything: whoever has the file, and carries it as it was signed, is not to blame for that.
  @Test func `a blob of another length than an entry says is nobody's damage`() throws {
    let scene = try Scene(byteCount: Self.span * 3 + 500)
    for length in [Self.span * 3 + 700, Self.span * 2 + 17, Self.span * 9] {
      var reader = scene.third
      _ = try readOnly(scene.folder, into: &reader)
      reader.sealedBlobs = [:]
      reader.attachments[scene.root] = UInt64(length)
      let findings = try readOnly(scene.folder, into: &reader)
      let kind = Finding.Kind.blobOfOtherLength(scene.root, claimed: UInt64(length))
      #expect(Set(findings.map(\.kind)) == [kind])
      // With a length that is false, or cut, it is damaged whatever anybody says.
      let files = scene.files.map { ($0, scene.folder.read($0)) }
      for (file, bytes) in files {
        try scene.folder.write(bytes[..<7] + [bytes[7] ^ 1] + bytes[8...], to: file)
      }
      let damaged = try readOnly(scene.folder, into: &reader)
      #expect(Set(damaged.map(\.kind)) == [.damagedBlob(scene.root)])
      for (file, bytes) in files { try scene.folder.write(bytes, to: file) }
    }
  }

  @Test func `a blob without room keeps nothing else from being exchanged`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    let large = world.replicas[0].attach(world.generator.bytes(Self.span * 3))
    let small = world.replicas[0].attach(world.generator.bytes(500))
    try world.exchange(0, folder.mailbox)
    world.append(1, to: 1)
    world.replicas[1].room = 1000
    let report = try world.exchange(1, folder.mailbox)
    #expect(report.findings.map(\.kind) == [.blobWithoutRoom(large)])
    #expect(world.replicas[1].sealedBlobs.keys.map(\.self) == [small])
    #expect(try world.exchange(0, folder.mailbox).logs.map(\.entriesReceived).reduce(0, +) == 1)
    world.replicas[1].room = .max
    #expect(try world.exchange(1, folder.mailbox).findings == [])
    #expect(world.replicas[1].sealedBlobs == world.replicas[0].sealedBlobs)
  }

  @Test func `a blob cut anywhere is taken up where it was cut`() throws {
    var scene = try Scene(byteCount: Self.span * 4 + 1000, copies: 1)
    let file = scene.files[0]
    let bytes = scene.folder.read(file)
    for span in 0...4 {
      for extra in [0, 1, 700] {
        let length = scene.offset(ofSpan: span, of: 5) + extra
        try scene.folder.write(Array(bytes[..<length]), to: file)
        var reader = scene.third
        _ = try readOnly(scene.folder, into: &reader)
        #expect(reader.partialBlobs[scene.root]?.count ?? 0 == span * Self.span)
        try scene.folder.write(bytes, to: file)
        #expect(try readOnly(scene.folder, into: &reader) == [])
        #expect(reader.sealedBlobs == scene.world.replicas[0].sealedBlobs)
      }
    }
    #expect(try scene.readAsThird().findings == [])
  }

  /// After a power cut a file may have its length, or any part of it, and zeros where its content was.
  @Test(arguments: [0, 2, 4], [1, 5])
  func `what a power cut left here of a blob is made good, and nobody is blamed`(
    span: Int, kept: Int
  ) throws {
    let scene = try Scene(byteCount: Self.span * 4 + 1000, copies: 1)
    let sealed = try #require(scene.world.replicas[0].sealedBlobs[scene.root])
    var partial = Array(sealed.prefix(max(kept, span + 1) * Self.span))
    let torn = span * Self.span + 100
    partial.replaceSubrange(torn..<(torn + 512), with: [UInt8](repeating: 0, count: 512))
    var reader = scene.third
    reader.partialBlobs[scene.root] = partial
    #expect(try readOnly(scene.folder, into: &reader) == [])
    #expect(reader.sealedBlobs[scene.root] == sealed)
  }

  /// Nor is damage in the mailbox hidden by it.
  @Test func `damage is still told where something torn was held as well`() throws {
    var scene = try Scene(byteCount: Self.span * 5 + 100, copies: 1)
    try scene.damage(scene.files[0], at: scene.offset(ofSpan: 3, of: 6) + 50)
    var reader = scene.third
    reader.partialBlobs[scene.root] = [UInt8](repeating: 0, count: Self.span * 5 + 100)
    let findings = try readOnly(scene.folder, into: &reader)
    #expect(findings.map(\.kind) == [.damagedSpan(scene.root, index: 3)])
  }

  @Test func `writing is taken up too, and does not trust what it finds`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    let root = world.replicas[0].attach(world.generator.bytes(Self.span * 40))
    var written: UInt64 = 0
    #expect(throws: ExchangeError<MemoryReplica.Failure>.self) {
      try folder.mailbox.exchange(
        with: &world.replicas[0], progress: { written = $0.bytesWritten },
        isCancelled: { written > UInt64(Self.span * 20) })
    }
    let partial = try #require(folder.files().first { $0.contains("/.b-") })
    var bytes = folder.read(partial)
    let count = bytes.count
    #expect(count > Self.span * 16)
    bytes[count / 2] ^= 1
    try folder.write(bytes, to: partial)
    let report = try world.exchange(0, folder.mailbox)
    #expect(report.blobsSent == 1)
    #expect(report.bytesWritten < UInt64(Self.span * 30))
    #expect(try world.exchange(1, folder.mailbox).blobsReceived == 1)
    #expect(world.replicas[1].sealedBlobs[root] == world.replicas[0].sealedBlobs[root])
    #expect(folder.files().filter { $0.contains("/.") } == [])
  }

  @Test func `more span hashes than one run`() throws {
    // Spans as short as the format allows would not do: every span but the last is full.
    let count = Int(BlobVerifier.runLength) + 3
    let blob = WantedBlob(
      root: BlobRoot(.zero), byteCount: UInt64(count) * UInt64(Self.span))
    var verifier = try #require(BlobVerifier(blob))
    #expect(verifier.runCount == 2)
    #expect(verifier.indices(ofRun: 1) == 2048..<2051)
    let hashes = (0..<count).map { SHA256Hash.hash([UInt8($0 & 255), UInt8($0 >> 8)]) }
    var tree = CompactRange()
    for hash in hashes { tree.append(hash) }
    verifier = try #require(
      BlobVerifier(WantedBlob(root: BlobRoot(tree.root), byteCount: blob.byteCount)))
    let runs = [Array(hashes[..<2048]), Array(hashes[2048...])].map { $0.flatMap(\.bytes) }
    for run in runs { verifier.add(run: run) }
    let isGood = verifier.check()
    #expect(isGood)
    #expect(verifier.hashes(ofRun: 1, runs[1]) == Array(hashes[2048...]))
    // The file was changed between the first reading and the second.
    #expect(verifier.hashes(ofRun: 1, runs[0]) == nil)
    #expect(verifier.hashes(ofRun: 2, runs[1]) == nil)
  }
}

extension Blobs.Scene {
  fileprivate mutating func readToEnd() throws {
    for _ in 0..<2 where third.sealedBlobs[root] == nil { _ = try readAsThird() }
    guard third.sealedBlobs[root] == nil else { return }
    // Neither copy is whole, and the owner's exchange repairs hers.
    for file in files { try folder.remove(file) }
    try world.exchange(0, folder.mailbox)
    _ = try readAsThird()
  }
}
