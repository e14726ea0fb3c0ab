public import Cryptography
internal import VerifiableLog

/// Spans of a blob whose hashes are those that its name stands for. Only verification makes them.
public struct VerifiedSpans: Sendable {
  /// The blob.
  public let blob: WantedBlob
  /// The index of the first span.
  public let first: UInt64
  /// The number of spans.
  public let count: UInt64
  /// The sealed spans, joined.
  public let bytes: [UInt8]
}

/// Where spans lie in a sealed blob of a given length.
public struct BlobLayout: Hashable, Sendable {
  /// Bytes of the sealed blob.
  public let byteCount: UInt64
  /// The number of spans.
  public let spanCount: UInt64

  /// The layout of a blob; nil if no blob has that many bytes.
  public init?(byteCount: UInt64) {
    guard byteCount <= SyncLimits.blobByteCount,
      let count = BlobTree.spanCount(sealedByteCount: byteCount)
    else { return nil }
    self.byteCount = byteCount
    spanCount = count
  }

  /// Where the bytes of a run of spans lie.
  public func bytes(of run: Range<UInt64>) -> Range<UInt64> {
    let span = UInt64(BlobTree.spanByteCount)
    return min(run.lowerBound * span, byteCount)..<min(run.upperBound * span, byteCount)
  }
}

/// The hashes of a blob's spans, checked against its name, for spans that come from a mailbox.
///
/// Of a large blob the hashes themselves would not fit in memory: only a hash over each run of 2048 is kept
/// while they pass for the first time, and the runs are checked against it when they are read again.
public struct BlobVerifier: Sendable {
  /// Span hashes in a run.
  public static let runLength: UInt64 = 2048

  private let blob: WantedBlob
  private let layout: BlobLayout
  private var tree = CompactRange()
  private var runs: [Bytes32] = []
  private var isChecked = false

  /// A verifier for a blob; nil if no blob has that length.
  public init?(_ blob: WantedBlob) {
    guard let layout = BlobLayout(byteCount: blob.byteCount) else { return nil }
    self.blob = blob
    self.layout = layout
  }

  /// The runs of span indices in which hashes are read.
  public var runCount: UInt64 { (layout.spanCount - 1) / BlobVerifier.runLength + 1 }

  /// The span indices of a run.
  public func indices(ofRun run: UInt64) -> Range<UInt64> {
    let start = run * BlobVerifier.runLength
    return start..<min(start + BlobVerifier.runLength, layout.spanCount)
  }

  /// Adds the joined hashes of the next run, the first time that they are read.
  public mutating func add(run joined: [UInt8]) {
    for hash in Bytes32.list(joined) { tree.append(hash) }
    runs.append(SHA256Hash.hash(joined))
  }

  /// Whether all hashes have been added, and lead to the blob's name.
  public mutating func check() -> Bool {
    isChecked = tree.size == layout.spanCount && tree.root == blob.root.raw
    return isChecked
  }

  /// The hashes of a run, read for the second time; nil if they are not the same.
  public func hashes(ofRun run: UInt64, _ joined: [UInt8]) -> [Bytes32]? {
    guard isChecked, runs.indices.contains(Int(run)), SHA256Hash.hash(joined) == runs[Int(run)]
    else { return nil }
    return Bytes32.list(joined)
  }

  /// The leading spans of `bytes` that are good, and whether that is all of them. `hashes` are those of the
  /// run that `first` is in.
  public func verify(
    _ bytes: [UInt8], first: UInt64, hashes: [Bytes32]
  ) -> (spans: VerifiedSpans?, isWhole: Bool) {
    var index = first
    var offset = 0
    while offset < bytes.count {
      let place = layout.bytes(of: index..<(index + 1))
      let end = offset + place.count
      guard end <= bytes.count, !place.isEmpty else { break }
      let hash = bytes.withBytes { BlobTree.leafHash($0.extracting(offset..<end)) }
      guard hash == hashes[Int(index % BlobVerifier.runLength)] else { break }
      index += 1
      offset = end
    }
    let isWhole = offset == bytes.count
    guard index > first else { return (nil, isWhole) }
    let good = isWhole ? bytes : Array(bytes[..<offset])
    return (VerifiedSpans(blob: blob, first: first, count: index - first, bytes: good), isWhole)
  }
}
