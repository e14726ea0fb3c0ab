public import SealedBundle

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What came of taking the files out of a bundle.
public struct BundleOpening: Sendable {
  public let verdict: BundleVerdict
  /// How many files were written: all of them, or none that may be relied on.
  public let fileCount: Int
  public let byteCount: UInt64
  /// Why writing stopped.
  public let failure: SinkError?
}

extension BundleCheck {
  /// Verifies a bundle and, unless it was changed or cannot be checked, writes its files into a folder that
  /// is there and empty. What stopped half-way is the caller's to remove.
  public static func open(
    path: String, key: borrowing BundleKey, trust: BundleTrust, into folder: String,
    watch: Watch? = nil
  ) throws(BundleOpenError) -> BundleOpening {
    try perform(TakingOut(trust: trust, folder: folder), path: path, key: key, watch: watch)
  }
}

private struct TakingOut: BundleTask {
  let trust: BundleTrust
  let folder: String

  func run<Source: ByteSource & ~Copyable>(_ source: consuming Source) -> BundleOpening {
    var reader: BundleReader<Source>
    do throws(BundleFinding) { reader = try BundleReader(source) } catch {
      return stopped(BundleVerdict(error))
    }
    let verdict = BundleVerifier.verify(opened: &reader, trust: trust)
    guard verdict.outcome == .intact || verdict.outcome == .consistent else {
      return stopped(verdict)
    }
    var byteCount: UInt64 = 0
    for member in reader.members {
      do throws(BundleExtractError) {
        try write(member, from: &reader)
        byteCount += member.byteCount
      } catch {
        switch error {
        case .bundle(let finding): return stopped(BundleVerdict(finding))
        case .sink(let reason):
          return BundleOpening(verdict: verdict, fileCount: 0, byteCount: 0, failure: reason)
        }
      }
    }
    return BundleOpening(
      verdict: verdict, fileCount: reader.members.count, byteCount: byteCount, failure: nil)
  }

  func stopped(_ verdict: BundleVerdict) -> BundleOpening {
    BundleOpening(verdict: verdict, fileCount: 0, byteCount: 0, failure: nil)
  }

  /// The path's own type lets it lead nowhere but below the folder.
  private func write<Source: ByteSource & ~Copyable>(
    _ member: ZipMember, from reader: inout BundleReader<Source>
  ) throws(BundleExtractError) {
    var place = folder
    for component in member.path.text.split(separator: "/").dropLast() {
      place += "/" + component
      guard unsafe mkdir(place, 0o700) == 0 || errno == EEXIST else {
        throw .sink(NewFileSink.reason(errno))
      }
    }
    var sink: NewFileSink
    do throws(SinkError) {
      sink = try NewFileSink(path: folder + "/" + member.path.text)
    } catch { throw .sink(error) }
    try reader.extract(member, to: &sink)
    do throws(SinkError) { try sink.synchronize() } catch { throw .sink(error) }
  }
}

/// A file of mode 0600 that was not there before, as the place where a file of a bundle goes.
private struct NewFileSink: ByteSink, ~Copyable {
  private let descriptor: Int32

  init(path: String) throws(SinkError) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Self.reason(errno) }
  }

  deinit { close(descriptor) }

  func write(_ bytes: RawSpan) throws(SinkError) {
    var done = 0
    while done < bytes.byteCount {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe systemWrite(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw Self.reason(errno) }
      done += put
    }
  }

  func synchronize() throws(SinkError) {
    guard fsync(descriptor) == 0 else { throw Self.reason(errno) }
  }

  static func reason(_ error: Int32) -> SinkError {
    error == ENOSPC || error == EDQUOT ? .full : .unwritable
  }
}

/// The system's `write`, which that of the sink hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}
