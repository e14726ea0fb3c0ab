import CaseLog
import Cryptography
import Foundation
import Mailboxes
import VerifiableLog

@testable import Sync

extension FuzzTarget {
  static let exchange = [
    FuzzTarget("frames", treeOffset: 6, checkFrames),
    FuzzTarget("intake", treeOffset: 6, checkIntake),
    FuzzTarget("folder", maximumByteCount: 2048, treeOffset: 7, checkFolder),
    FuzzTarget("blob", maximumByteCount: 2048, checkBlob),
  ]
}

// MARK: - Frames

/// The frames up to where it goes no further, and why.
private func frames(_ pieces: [[UInt8]]) -> (frames: [Frame], end: FrameError?) {
  var reader = FrameReader()
  var frames: [Frame] = []
  do throws(FrameError) {
    for piece in pieces {
      reader.feed(piece)
      while let frame = try reader.next() { frames.append(frame) }
    }
    try reader.finish()
    return (frames, nil)
  } catch {
    return (frames, error)
  }
}

/// The type of a frame, then its payload: put behind a `hello` and before an `end`, or taken as a stream itself.
private func stream(_ input: [UInt8]) -> [UInt8] {
  let fuzzed = FuzzCase.shared
  guard input.count >= 6, input[0] & 1 == 0 else { return Array(input.dropFirst()) }
  let payload = Array(input.dropFirst(6))
  let hello = Hello(tag: MailboxTag(caseID: fuzzed.caseID.raw), logID: fuzzed.advocate.id)
  let length = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) }
  return Frame.hello(hello).bytes + [input[1]] + length + payload + Frame.end.bytes
}

private func checkFrames(_ input: [UInt8]) throws(Broken) {
  let bytes = stream(input)
  let (read, end) = frames([bytes])
  let written = read.flatMap(\.bytes)
  try hold(bytes.starts(with: written), "a frame is written as it was read")
  try hold((end == nil) == (written == bytes && read.last == .end), "whole, or not at its end")
  let width = max(1, bytes.count / 7)
  let pieces = stride(from: 0, to: bytes.count, by: width).map {
    Array(bytes[$0..<min($0 + width, bytes.count)])
  }
  let again = frames(pieces)
  try hold(again.frames == read && again.end == end, "in pieces it is the same")
}

// MARK: - What frames do to a copy

/// Frames by a member who has her keys: a range is signed as it is, so that it is looked at further.
private func signed(_ frame: Frame, _ replica: FuzzReplica) -> Frame {
  guard case .range(let range) = frame, let log = replica.heldLogs[range.logID],
    range.logID == FuzzCase.shared.advocate.id, range.first <= log.size
  else { return frame }
  var tree = CompactRange()
  for leaf in replica.leaves[range.logID]?.prefix(Int(range.first)) ?? [] { tree.append(leaf.hash) }
  for (index, entry) in range.entries.enumerated() {
    tree.append(entry.leaf(sequence: range.first + UInt64(index)).hash)
  }
  return .range(
    RangeFrame(
      logID: range.logID, first: range.first, entries: range.entries,
      note: FuzzCase.shared.advocate.head(tree).bytes, proof: []))
}

private func checkIntake(_ input: [UInt8]) throws(Broken) {
  var replica = FuzzReplica()
  let device = FuzzCase.shared.advocate.id
  let before = replica
  var intake = try FrameIntake(replica)
  // More than once, as it would come from several files.
  for isSigned in [(input.first ?? 0) & 2 == 0, false, true] {
    for frame in frames([stream(input)]).frames {
      let frame = isSigned ? signed(frame, replica) : frame
      _ = try intake.take(frame, from: device, into: &replica)
      _ = try intake.seekParting(in: frame, from: device, into: &replica)
    }
    for log in intake.doubtedLogs { _ = try intake.isDoubted(log, replica) }
  }
  try hold(intake.findings.count <= 1024, "no more findings than anybody reads")
  let own = FuzzCase.shared.survivor.id
  try hold(replica.leaves[own] == before.leaves[own], "nobody else writes the own log")
  try hold(
    !intake.findings.contains { $0.kind == .fork(log: own) }, "nor shows it to have forked")
}

// MARK: - Files of a mailbox

/// The kind of file, and what is in it.
private func checkFolder(_ input: [UInt8]) throws(Broken) {
  let kind = input.first ?? 0
  let rest = Array(input.dropFirst())
  let fuzzed = FuzzCase.shared
  var replica = FuzzReplica()
  let place = ScratchFolder()
  let tag = Base32.encode(MailboxTag(caseID: fuzzed.caseID.raw).bytes).prefix(16)
  let folder = "\(tag)-\(fuzzed.advocate.id.base32)"
  var bytes = stream(rest)
  if kind & 8 == 8 {
    bytes = frames([bytes]).frames.flatMap { signed($0, replica).bytes }
  }
  let name: String
  switch kind % 4 {
  case 0: name = "head"
  case 1: name = "r-\(fuzzed.advocate.id.base32)-0000000003-000000000\(4 + kind >> 5)"
  case 2: name = "s-\(Base32.encode(FuzzReplica.share.bytes))"
  default:
    name = "b-\(FuzzReplica.blob.root.base32)"
    bytes = rest
  }
  place.write(bytes, to: folder, name)
  let before = replica.leaves[fuzzed.survivor.id]
  let mailbox = FolderMailbox(path: place.path)
  do {
    _ = try mailbox.cases()
    let report = try mailbox.exchange(with: &replica)
    try hold(report.findings.count <= 1024, "no more findings than anybody reads")
    let size = replica.heldLogs[fuzzed.advocate.id]?.size
    _ = try mailbox.exchange(with: &replica)
    try hold(replica.heldLogs[fuzzed.advocate.id]?.size == size, "once more gives nothing more")
    try hold(replica.leaves[fuzzed.survivor.id] == before, "nobody else writes the own log")
  } catch let error as Broken {
    throw error
  } catch ExchangeError<Broken>.replica(let broken) {
    throw broken
  } catch {
    throw Broken(promise: "what a device left does not end an exchange")
  }
}

// MARK: - Blobs

/// The sealed bytes of a blob and its hashes, after what the input does to them.
private func checkBlob(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let spanCount = 1 + choices.number(below: 3)
  let last = 17 + choices.number(below: 200)
  let full = (0..<(spanCount - 1)).map { number in
    [UInt8](repeating: UInt8(number), count: BlobTree.spanByteCount)
  }
  let spans = full + [[UInt8](repeating: 9, count: last)]
  var tree = BlobTree()
  for span in spans { tree.append(span) }
  let hashes = spans.map { span in span.withBytes { BlobTree.leafHash($0) } }
  let claimed =
    choices.bool() ? UInt64(spans.joined().count) : choices.uint64() >> UInt64(choices.byte() % 64)
  let wanted = WantedBlob(root: tree.root, byteCount: claimed)
  guard var verifier = BlobVerifier(wanted) else { return }
  try hold(claimed <= 1 << 41, "no longer than an attachment can be")
  guard verifier.runCount < 100 else { return }
  var joined = hashes.flatMap(\.bytes)
  for _ in 0..<(choices.byte() % 3) where !joined.isEmpty {
    joined[choices.number(below: joined.count)] ^= choices.byte()
  }
  verifier.add(run: choices.bool() ? joined : choices.bytes(200))
  guard verifier.check() else { return }
  try hold(joined == hashes.flatMap(\.bytes), "only the hashes that lead to its name")
  guard let first = verifier.hashes(ofRun: 0, joined) else {
    throw Broken(promise: "read once more they are the same")
  }
  let start = choices.number(below: spanCount)
  var bytes = spans[start...].joined().map { $0 }
  if choices.bool() { bytes[choices.number(below: bytes.count)] ^= choices.byte() }
  if choices.bool() { bytes.removeLast(choices.number(below: bytes.count)) }
  if choices.bool() { bytes += choices.remaining }
  let (good, isWhole) = verifier.verify(bytes, first: UInt64(start), hashes: first)
  let expected = spans[start...].prefix(Int(good?.count ?? 0)).joined()
  try hold((good?.bytes ?? []).elementsEqual(expected), "nothing but the blob's own spans")
  try hold(!isWhole || bytes.elementsEqual(good?.bytes ?? []), "all of it, or it is told")
}

/// A folder in memory, gone when its owner lets go.
private final class ScratchFolder {
  let path: String

  init() {
    let base =
      FileManager.default.fileExists(atPath: "/dev/shm")
      ? "/dev/shm" : FileManager.default.temporaryDirectory.path
    path = base + "/cairn-fuzz-\(UUID().uuidString)"
    make(path)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { return }
  }

  private func make(_ path: String) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      preconditionFailure("no room for a folder")
    }
  }

  func write(_ bytes: [UInt8], to folder: String, _ name: String) {
    make(path + "/" + folder)
    guard FileManager.default.createFile(atPath: "\(path)/\(folder)/\(name)", contents: Data(bytes))
    else { preconditionFailure("no room for a file") }
  }
}
