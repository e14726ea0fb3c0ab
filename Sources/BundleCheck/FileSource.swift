public import SealedBundle

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A file as a source of bytes, read in place.
public struct FileSource: ByteSource, ~Copyable {
  private let descriptor: Int32
  public let byteCount: UInt64
  private let watch: BundleCheck.Watch?

  /// Opens a file for reading.
  ///
  /// - Parameter watch: told of each reading; when it answers no, nothing can be read any more.
  /// - Throws: `.unreadable` also for what is no regular file, since only that keeps its length.
  public init(path: String, watch: BundleCheck.Watch? = nil) throws(SourceError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable
    }
    self.descriptor = descriptor
    self.watch = watch
    byteCount = UInt64(status.st_size)
  }

  deinit { close(descriptor) }

  public func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard count >= 0, offset <= byteCount, UInt64(count) <= byteCount - offset else {
      throw .outOfBounds
    }
    if let watch, !watch(count) { throw .unreadable }
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + done }, count - done,
          off_t(offset) + off_t(done))
      }
      if got < 0 && errno == EINTR { continue }
      // 0 where the size promised more: somebody made the file shorter meanwhile.
      guard got > 0 else { throw .unreadable }
      done += got
    }
    return bytes
  }
}
