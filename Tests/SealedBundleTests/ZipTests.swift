import Foundation
import Testing

@testable import SealedBundle

@Suite struct ZipTests {
  @Test func `what the writer writes, the reader reads`() throws {
    let files = [("a.txt", "one"), ("data/b.txt", ""), ("data/c", "three")]
    let read = try readWhole(zip(files))
    #expect(read.map(\.0) == files.map(\.0))
    #expect(read.map { String(decoding: $0.1, as: UTF8.self) } == files.map(\.1))
  }

  @Test func `an archive without members is one`() throws {
    #expect(try readWhole(zip([])).isEmpty)
  }

  @Test func `a member is found by its name only`() throws {
    let reader = try ZipReader(
      MemorySource(zip([("b", "1"), ("a/z", "2"), ("a.z", "3"), ("c", "4")])))
    for name in ["a.z", "a/z", "b", "c"] { #expect(reader.member(path(name))?.path == path(name)) }
    for name in ["a", "A/z", "d", "0"] { #expect(reader.member(path(name)) == nil) }
  }

  @Test func `the CRC is the one of the standard`() {
    #expect(CRC32.checksum([UInt8]("123456789".utf8)) == 0xCBF4_3926)
    #expect(CRC32.checksum([]) == 0)
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for split in [0, 1, 7, 8, 9, 500, 999] {
      var crc = CRC32()
      unsafe crc.update([UInt8](bytes[..<split]).span.bytes)
      unsafe crc.update([UInt8](bytes[split...]).span.bytes)
      #expect(crc.value == CRC32.checksum(bytes))
    }
  }

  @Test func `unzip and Python open what the writer writes`() throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending(path: "a.zip")
      let big = String(repeating: "0123456789", count: 20_000)
      try Data(zip([("bagit.txt", "x"), ("data/exhibits/1-0.txt", big), ("empty", "")]))
        .write(to: archive)
      if let unzip = try run(["unzip", "-t", archive.path]) {
        #expect(unzip.status == 0 && unzip.output.contains("No errors detected"))
      }
      let script =
        "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(*z.namelist())"
      if let python = try run(["python3", "-c", script, archive.path]) {
        #expect(python.output == "bagit.txt data/exhibits/1-0.txt empty\n")
      }
    }
  }

  /// The member of 5 GiB is a hole in a sparse file; the directory lies behind it.
  @Test func `members beyond 4 GiB are read, also by unzip and Python`() throws {
    let hole: UInt64 = 5 << 30
    let large = ZipMember(path: path("large"), byteCount: hole, crc32: 0, headerOffset: 0)
    let smallText = [UInt8]("after the hole".utf8)
    let small = ZipMember(
      path: path("small"), byteCount: UInt64(smallText.count),
      crc32: CRC32.checksum(smallText), headerOffset: large.content.upperBound)
    let directory = ZipRecords.centralHeader(large) + ZipRecords.centralHeader(small)
    let tail =
      ZipRecords.localHeader(small) + smallText + directory
      + ZipRecords.end(
        count: 2, directoryOffset: small.content.upperBound,
        directoryByteCount: UInt64(directory.count))
    let source = SparseSource(
      head: ZipRecords.localHeader(large), hole: hole, tail: tail)
    var reader = try ZipReader(source)
    #expect(reader.members == [large, small])
    #expect(try reader.read(small, limit: 100) == smallText)
    #expect(throws: ZipError.memberTooLarge(path("large"))) {
      try reader.read(large, limit: 1 << 20)
    }

    try withTemporaryFolder { folder in
      let archive = folder.appending(path: "large.zip")
      try Data().write(to: archive)
      let file = try FileHandle(forWritingTo: archive)
      try file.write(contentsOf: source.head)
      try file.seek(toOffset: UInt64(source.head.count) + hole)
      try file.write(contentsOf: tail)
      try file.close()
      if let unzip = try run(["unzip", "-p", archive.path, "small"]) {
        #expect(unzip.output == "after the hole")
      }
      let script = """
        import sys,zipfile
        z=zipfile.ZipFile(sys.argv[1])
        print([i.file_size for i in z.infolist()], z.read("small").decode())
        """
      if let python = try run(["python3", "-c", script, archive.path]) {
        #expect(python.output == "[5368709120, 14] after the hole\n")
      }
    }
  }

  @Test func `more than 65534 members need the wide end record and have it`() throws {
    var writer = ZipWriter(MemorySink())
    for index in 0..<65_536 { try writer.add(path("f/\(index)"), []) }
    let archive = try writer.finish().bytes
    #expect(try ZipReader(MemorySource(archive)).members.count == 65_536)
  }

  @Test func `a file that changed between the two readings is an error`() throws {
    let content = [UInt8]("what it is now".utf8)
    var source = MemorySource(content)
    var writer = ZipWriter(MemorySink())
    #expect(throws: ZipWriteError.changedWhileRead(path("a"))) {
      try writer.add(path("a"), byteCount: 14, crc32: 1, from: &source)
    }
    #expect(throws: ZipWriteError.changedWhileRead(path("b"))) {
      try writer.add(path("b"), byteCount: 15, crc32: CRC32.checksum(content), from: &source)
    }
    _ = consume writer
  }

  @Test(arguments: [("a", "A"), ("a/b", "a/B"), ("a", "a/b"), ("a", "a"), ("x-1/b", "x-1")])
  func `the writer refuses names that collide`(pair: (String, String)) throws {
    var writer = ZipWriter(MemorySink())
    try writer.add(path(pair.0), [])
    try writer.add(path("a-1"), [])
    try writer.add(path(pair.1), [])
    do {
      _ = try writer.finish()
      Issue.record("accepted")
    } catch {
      #expect(error == .collidingNames)
    }
  }

  @Test func `sinks that fail are reported`() throws {
    var writer = ZipWriter(BoundedSink(room: 40))
    #expect(throws: ZipWriteError.sink(.full)) {
      try writer.add(path("a"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    }
    _ = consume writer
  }

  @Test(arguments: [
    "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a b", "a\\b", "ä", "a\nb",
    "a:b", "a\0", "~", "a*", String(repeating: "a", count: 256),
  ])
  func `these are no names`(name: String) {
    #expect(BundlePath([UInt8](name.utf8)) == nil)
  }

  @Test(arguments: [
    "a", "...", ".a", "a..b", "a/b/c", "A-Z_0.9", String(repeating: "a", count: 255),
  ])
  func `these are names`(name: String) {
    #expect(BundlePath([UInt8](name.utf8))?.text == name)
  }
}

/// A source with a hole of zeros that takes no memory.
struct SparseSource: ByteSource {
  let head: [UInt8]
  let hole: UInt64
  let tail: [UInt8]

  var byteCount: UInt64 { UInt64(head.count) + hole + UInt64(tail.count) }

  func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard isWithin(byteCount, offset, count) else { throw .outOfBounds }
    let tailStart = UInt64(head.count) + hole
    return (0..<count).map { index in
      let position = offset + UInt64(index)
      if position < UInt64(head.count) { return head[Int(position)] }
      return position < tailStart ? 0 : tail[Int(position - tailStart)]
    }
  }
}

/// A sink that is full at some point.
struct BoundedSink: ByteSink {
  var room: Int
  mutating func write(_ bytes: RawSpan) throws(SinkError) {
    guard bytes.byteCount <= room else { throw .full }
    room -= bytes.byteCount
  }
}
