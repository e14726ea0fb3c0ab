public import Cryptography
internal import Foundation

/// Bytes that no compressor shortens and that are the same in each run.
public func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return UInt8(truncatingIfNeeded: state >> 24)
  }
}

/// A passphrase as the vault wants it.
public func locked(_ text: String) throws -> LockedBytes {
  try Array(text.utf8).withBytes { (bytes) throws(CryptographyError) in
    try LockedBytes(copying: bytes)
  }
}

/// Gives a file other content. It stays the same file, as when a disk image is put back.
public func overwrite(_ path: String, with bytes: [UInt8]) throws {
  let handle = try FileHandle(forWritingTo: URL(filePath: path))
  try handle.truncate(atOffset: 0)
  try handle.write(contentsOf: Data(bytes))
  try handle.close()
}
