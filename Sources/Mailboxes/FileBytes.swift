internal import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The bytes of an open file, read and written whole: here only, since by itself a call of the system may do a
/// part of what it was asked for, or nothing because of a signal.
package enum FileBytes {
  /// Why it could not be done, as the system says it.
  package struct Failure: Error {
    package let number: Int32
  }

  /// Reads into the first `count` bytes of a buffer.
  ///
  /// - Parameters:
  ///   - file: the open file's descriptor.
  ///   - offset: where to read; nil where the file stands.
  /// - Returns: how many were read: fewer only where the file ends.
  package static func fill(
    _ buffer: inout [UInt8], count: Int, from file: Int32, at offset: UInt64? = nil
  ) throws(Failure) -> Int {
    precondition(count <= buffer.count, "no more than there is room for")
    return try whole(count) { done in
      unsafe buffer.withUnsafeMutableBytes { bytes in
        let place = unsafe bytes.baseAddress! + done
        guard let offset else { return unsafe read(file, place, count - done) }
        return unsafe pread(file, place, count - done, off_t(offset) + off_t(done))
      }
    }
  }

  /// Writes all of the bytes.
  ///
  /// - Parameter offset: where to write; nil where the file stands.
  package static func put(
    _ bytes: RawSpan, to file: Int32, at offset: UInt64? = nil
  ) throws(Failure) {
    let written = try whole(bytes.byteCount) { done in
      unsafe bytes.withUnsafeBytes { bytes in
        let place = unsafe bytes.baseAddress! + done
        guard let offset else { return unsafe write(file, place, bytes.count - done) }
        return unsafe pwrite(file, place, bytes.count - done, off_t(offset) + off_t(done))
      }
    }
    guard written == bytes.byteCount else { throw Failure(number: EIO) }
  }

  /// As the above, for a whole array.
  package static func put(
    _ bytes: [UInt8], to file: Int32, at offset: UInt64? = nil
  ) throws(Failure) {
    try bytes.withBytes { (bytes) throws(Failure) in try put(bytes, to: file, at: offset) }
  }

  /// - Parameter step: does some of what is left, behind the bytes that are done, and answers as the system does.
  /// - Returns: how much was done until all was, or a step did nothing.
  private static func whole(_ count: Int, _ step: (_ done: Int) -> Int) throws(Failure) -> Int {
    var done = 0
    while done < count {
      let more = step(done)
      if more < 0 && errno == EINTR { continue }
      guard more >= 0 else { throw Failure(number: errno) }
      if more == 0 { break }
      done += more
    }
    return done
  }
}
