import Foundation
import Support
import Testing

@testable import SealedBundle

/// A path that the test spells out.
func path(_ text: String) -> BundlePath {
  guard let path = BundlePath([UInt8](text.utf8)) else { fatalError("not a path: \(text)") }
  return path
}

/// An archive of these files, as the writer makes it.
func zip(_ files: [(String, String)]) throws -> [UInt8] {
  var writer = ZipWriter(MemorySink())
  for (name, text) in files { try writer.add(path(name), [UInt8](text.utf8)) }
  return try writer.finish().bytes
}

/// Opens an archive and reads every member through, checksums and all.
func readWhole(_ archive: [UInt8]) throws(ZipError) -> [(String, [UInt8])] {
  var reader = try ZipReader(MemorySource(archive))
  var files: [(String, [UInt8])] = []
  for member in reader.members {
    files.append((member.path.text, try reader.read(member, limit: 1 << 20)))
  }
  return files
}

/// An archive put together by hand, each record as given: for what the writer would never write.
struct HandmadeZip {
  var prefix: [UInt8] = []
  var locals: [[UInt8]] = []
  var centrals: [[UInt8]] = []
  var beforeEnd: [UInt8] = []
  var count: UInt64?
  var suffix: [UInt8] = []

  /// Adds a member whose local and central name, content and offset may be made to lie.
  mutating func add(
    _ name: String, _ text: String = "text", centralName: String? = nil, at offset: Int? = nil,
    gap: Int = 0, hidden: Bool = false
  ) {
    let content = [UInt8](text.utf8)
    let position = prefix.count + locals.map(\.count).reduce(0, +) + gap
    let member = HandmadeZip.fields(name, content, at: offset ?? position)
    locals.append([UInt8](repeating: 0, count: gap) + HandmadeZip.local(member) + content)
    if !hidden {
      let central = HandmadeZip.fields(centralName ?? name, content, at: offset ?? position)
      centrals.append(HandmadeZip.central(central))
    }
  }

  struct Fields { var name: [UInt8], content: [UInt8], offset: Int }

  static func fields(_ name: String, _ content: [UInt8], at offset: Int) -> Fields {
    Fields(name: [UInt8](name.utf8), content: content, offset: offset)
  }

  /// As `ZipRecords`, for names that are no `BundlePath`.
  private static func member(_ fields: Fields) -> ZipMember {
    let stand = String(repeating: "x", count: max(1, fields.name.count))
    return ZipMember(
      path: path(stand), byteCount: UInt64(fields.content.count),
      crc32: CRC32.checksum(fields.content), headerOffset: UInt64(fields.offset))
  }

  static func local(_ fields: Fields) -> [UInt8] {
    Array(ZipRecords.localHeader(member(fields)).dropLast(max(1, fields.name.count))) + fields.name
  }

  static func central(_ fields: Fields) -> [UInt8] {
    Array(ZipRecords.centralHeader(member(fields)).dropLast(max(1, fields.name.count)))
      + fields.name
  }

  var bytes: [UInt8] {
    let body = prefix + locals.flatMap { $0 }
    let directory = centrals.flatMap { $0 }
    let end = ZipRecords.end(
      count: count ?? UInt64(centrals.count), directoryOffset: UInt64(body.count),
      directoryByteCount: UInt64(directory.count))
    return body + directory + beforeEnd + end + suffix
  }
}

/// Runs a program of the system and gives what it printed, or nil if there is no such program.
func run(_ arguments: [String], in folder: URL? = nil) throws -> (status: Int32, output: String)? {
  let finished = try ChildProcess.run(
    ["env"] + arguments, in: folder?.path, withErrors: true)
  return finished.status == 127 ? nil : finished
}

/// A folder that is gone after `body`.
func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appending(path: "cairn-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
