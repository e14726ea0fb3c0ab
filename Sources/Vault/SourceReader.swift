internal import Cryptography

/// Reads a file that somebody else may be writing: notices when it changed under the reading.
final class SourceReader {
  private let file: OpenFile
  private let before: OpenFile.Status
  /// The last component of the path, as bytes of the file system.
  let name: [UInt8]?
  private(set) var mediaType = MediaType.unknown
  private var hasRead = false

  /// - Throws: `.fileMissing`, `.fileUnreadable`, `.notAFile`, `.fileEmpty`.
  init(_ source: NewEntry.Source) throws(VaultError) {
    switch source {
    case .file(let path):
      file = try OpenFile(reading: path)
      name = path.split(separator: "/").last.map { Array($0.utf8) }
    case .found(let path):
      file = try OpenFile(found: path)
      name = path.split(separator: UInt8(ascii: "/")).last.map { Array($0) }
    case .descriptor(let descriptor, let name):
      file = try OpenFile(duplicating: descriptor)
      self.name = name.map { Array($0.utf8) }
    }
    before = try file.status()
    if case .descriptor = source { return }
    guard before.isRegular else { throw VaultError(.notAFile) }
    guard before.size > 0 else { throw VaultError(.fileEmpty) }
  }

  /// Bytes before anything was read; nil for what has no end yet.
  var size: UInt64? { before.isRegular ? before.size : nil }

  /// - Throws: `.fileUnreadable` with the system's reason: a bad place on a disk is the file's matter.
  func read(into buffer: inout [UInt8], count: Int) throws(VaultError) -> Int {
    let got: Int
    do throws(VaultError) {
      got = try file.read(into: &buffer, count: count)
    } catch {
      throw error.code == .inputOutput
        ? VaultError(.fileUnreadable, systemError: error.systemError) : error
    }
    if !hasRead {
      hasRead = true
      mediaType = MediaType.of(firstBytes: buffer[..<min(got, 4096)])
    }
    return got
  }

  /// - Throws: `.fileChanged` when size or time are not what they were, `.fileEmpty` when nothing came.
  func checkUnchanged(size: UInt64) throws(VaultError) {
    guard size > 0 else { throw VaultError(.fileEmpty) }
    guard before.isRegular else { return }
    guard try file.status() == before, size == before.size else { throw VaultError(.fileChanged) }
  }

  /// Size and SHA-256 only.
  func digest(
    onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> (size: UInt64, sha256: Bytes32) {
    var hash = SHA256Hash()
    var size: UInt64 = 0
    let chunk = 1 << 20
    var buffer = [UInt8](repeating: 0, count: chunk)
    while true {
      let count = try read(into: &buffer, count: chunk)
      buffer.withBytes { hash.update($0.extracting(0..<count)) }
      size += UInt64(count)
      try onBytes(count)
      if count < chunk { break }
    }
    try checkUnchanged(size: size)
    return (size, hash.finalize())
  }
}
