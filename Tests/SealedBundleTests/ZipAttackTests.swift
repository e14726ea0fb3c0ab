import Foundation
import Support
import Testing

@testable import SealedBundle

/// Row 48: an archive whose directory and local headers differ; hidden, double or trailing data.
@Suite struct ZipAttackTests {
  private func expect(
    _ expected: ZipError, _ archive: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: expected, sourceLocation: sourceLocation) { try readWhole(archive) }
  }

  private func archive(_ build: (inout HandmadeZip) -> Void) -> [UInt8] {
    var zip = HandmadeZip()
    build(&zip)
    return zip.bytes
  }

  @Test func `an archive made by hand is accepted when it keeps to the profile`() throws {
    let bytes = archive {
      $0.add("a")
      $0.add("b/c")
    }
    #expect(try readWhole(bytes).map(\.0) == ["a", "b/c"])
  }

  @Test func `other names in the directory than in the local header`() {
    expect(.headersDiffer(path("b")), archive { $0.add("a", centralName: "b") })
  }

  @Test func `a member that the directory does not list`() {
    expect(
      .badLayout,
      archive {
        $0.add("a")
        $0.add("hidden", hidden: true)
      })
    expect(
      .badLayout,
      archive {
        $0.add("hidden", hidden: true)
        $0.add("a")
      })
    expect(
      .badLayout,
      archive {
        $0.add("a")
        $0.add("hidden", hidden: true)
        $0.add("b")
      })
  }

  @Test func `two members over the same bytes`() {
    expect(
      .badLayout,
      archive {
        $0.add("a")
        $0.add("b", at: 0)
      })
  }

  @Test func `data before, between, after, and before the end record`() {
    expect(
      .badLayout,
      archive {
        $0.prefix = [1]
        $0.add("a")
      })
    expect(
      .badLayout,
      archive {
        $0.add("a")
        $0.add("b", gap: 1)
      })
    expect(
      .noEndRecord,
      archive {
        $0.add("a")
        $0.suffix = [0]
      })
    expect(
      .badEndRecord,
      archive {
        $0.add("a")
        $0.beforeEnd = [0]
      })
  }

  @Test func `two archives one after the other`() throws {
    expect(.badEndRecord, try zip([("a", "1")]) + zip([("b", "2")]))
  }

  @Test func `a second end record behind the first, or in a comment`() {
    let whole = archive { $0.add("a") }
    let end = Array(whole.suffix(22))
    expect(.badEndRecord, whole + end)
    var commented = whole
    commented[commented.count - 2] = 22
    expect(.badEndRecord, commented + end)
  }

  @Test func `a directory that counts more or fewer members than it holds`() {
    expect(
      .badDirectory,
      archive {
        $0.add("a")
        $0.add("b")
        $0.count = 1
      })
    expect(
      .badDirectory,
      archive {
        $0.add("a")
        $0.count = 2
      })
    expect(
      .tooManyMembers,
      archive {
        $0.add("a")
        $0.count = 1 << 21
      })
  }

  @Test func `the same name twice, also with other case, and a file where a folder is`() {
    expect(
      .collidingNames,
      archive {
        $0.add("a")
        $0.add("a")
      })
    expect(
      .collidingNames,
      archive {
        $0.add("data/a")
        $0.add("Data/A")
      })
    expect(
      .collidingNames,
      archive {
        $0.add("a/b")
        $0.add("a-b")
        $0.add("a")
      })
  }

  @Test(arguments: ["../a", "/a", "a/", "a\\b", "a//b", "é", "a\nb", "a\u{202E}b"])
  func `names that other programs would write elsewhere`(name: String) {
    expect(.badName, archive { $0.add(name) })
  }

  @Test func `a directory in another order than the members`() {
    expect(
      .badLayout,
      archive {
        $0.add("a")
        $0.add("b")
        $0.centrals.reverse()
      })
  }

  /// Offset of a field in the local header, in the central header, and a value that the profile forbids.
  @Test(arguments: [
    (4, 6, "version"), (6, 8, "flags"), (8, 10, "method"), (10, 12, "time"), (12, 14, "date"),
    (14, 16, "CRC"), (18, 20, "stored size"), (22, 24, "original size"), (26, 28, "name length"),
    (28, 30, "extra length"),
  ])
  func `a field changed in one header or in both`(local: Int, central: Int, name: String) throws {
    let whole = try zip([("a", "text"), ("b", "text")])
    let directory = Int(whole.littleEndian(at: whole.count - 6, count: 4))
    var oneLocal = whole
    oneLocal[local] ^= 0x01
    var oneCentral = whole
    oneCentral[directory + central] ^= 0x01
    var both = oneLocal
    both[directory + central] ^= 0x01
    for bytes in [oneLocal, oneCentral, both] {
      #expect(throws: ZipError.self) { try readWhole(bytes) }
    }
  }

  @Test func `a wide field where none is needed, or not where one is`() throws {
    var zip = HandmadeZip()
    zip.add("a")
    let extra: [UInt8] = [1, 0, 16, 0] + [4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]
    var central = zip.centrals[0]
    central[30] = 20
    zip.centrals[0] = central + extra
    expect(.badDirectory, zip.bytes)
    for index in 20..<28 { zip.centrals[0][index] = 0xFF }
    expect(.badDirectory, zip.bytes)
    zip.centrals[0] = Array(zip.centrals[0].dropLast(20))
    zip.centrals[0][30] = 0
    expect(.badDirectory, zip.bytes)
  }

  @Test func `a wide end record where none is needed`() throws {
    let whole = try zip([("a", "1")])
    let directory = whole.littleEndian(at: whole.count - 6, count: 4)
    let length = whole.littleEndian(at: whole.count - 10, count: 4)
    let wide = ZipRecords.end(
      count: 1 << 16, directoryOffset: directory, directoryByteCount: length)
    var bytes = whole.dropLast(22) + wide
    let start = whole.count - 22
    bytes[start + 24] = 1
    bytes[start + 26] = 0
    bytes[start + 32] = 1
    bytes[start + 34] = 0
    #expect(throws: ZipError.self) { try readWhole(Array(bytes)) }
  }

  @Test func `whatever byte is flipped, it is noticed`() throws {
    let whole = try zip([("bagit.txt", "hello"), ("data/exhibits/1-0.jpg", "picture"), ("p/q", "")])
    for index in whole.indices {
      for mask: UInt8 in [0x01, 0x20, 0x80, 0xFF] {
        var bytes = whole
        bytes[index] ^= mask
        #expect(throws: ZipError.self, "byte \(index)") { try readWhole(bytes) }
      }
    }
  }

  @Test func `cut at any byte, it is refused`() throws {
    let whole = try zip([("a", "hello"), ("b", "world")])
    for count in 0..<whole.count {
      #expect(throws: ZipError.self) { try readWhole(Array(whole.prefix(count))) }
    }
  }

  @Test func `archives of other programs are refused, not half read`() throws {
    let script = """
      import sys,zipfile
      z=zipfile.ZipFile(sys.argv[1],"w",getattr(zipfile,sys.argv[2]))
      z.writestr("a.txt","hello hello hello hello")
      z.close()
      """
    try withTemporaryFolder { folder in
      for method in ["ZIP_STORED", "ZIP_DEFLATED"] {
        let file = folder.appending(path: method)
        guard let made = try run(["python3", "-c", script, file.path, method]) else { return }
        #expect(made.status == 0)
        let bytes = try [UInt8](Data(contentsOf: file))
        #expect(throws: ZipError.self) { try readWhole(bytes) }
      }
    }
  }

  @Test func `noise never traps`() {
    var generator = SplitMix64(state: 48)
    for _ in 0..<2000 {
      var bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      bytes += ZipRecords.end(
        count: UInt64.random(in: 0...3, using: &generator),
        directoryOffset: UInt64.random(in: 0...300, using: &generator),
        directoryByteCount: UInt64.random(in: 0...300, using: &generator))
      #expect(throws: ZipError.self) { _ = try readWhole(bytes + [0]) }
      do { _ = try readWhole(bytes) } catch {}
    }
  }
}
