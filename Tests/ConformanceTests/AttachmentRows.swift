import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// The file of an attachment in a folder: the length of the sealed blob, the hashes of its spans, the spans.
private struct BlobFile {
  let root: BlobRoot
  let byteCount: UInt64
  let layout: BlobLayout
  var hashes: [UInt8]
  var spans: [UInt8]

  /// The one file of the survivor's.
  init(of meeting: Meeting) throws {
    let name = try meeting.files.name("b-", of: meeting.survivorLog)
    let bytes = try #require(meeting.files[name])
    let raw = try Base32.decode(String(try #require(name.split(separator: "-").last)))
    root = BlobRoot(try #require(Bytes32(raw)))
    byteCount = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    layout = try #require(BlobLayout(byteCount: byteCount))
    let count = Int(layout.spanCount) * Bytes32.byteCount
    hashes = Array(bytes[8..<(8 + count)])
    spans = Array(bytes[(8 + count)...])
    #expect(UInt64(spans.count) == byteCount)
  }

  var bytes: [UInt8] {
    [56, 48, 40, 32, 24, 16, 8, 0].map { UInt8(truncatingIfNeeded: byteCount >> $0) } + hashes
      + spans
  }

  /// Another one, whole in itself, under the name of this.
  var swapped: BlobFile {
    var other = self
    other.spans = noise(spans.count, seed: 18)
    other.hashes = []
    for index in 0..<layout.spanCount {
      let span = Array(other.spans[place(index)])
      other.hashes += span.withBytes { BlobTree.leafHash($0) }.bytes
    }
    return other
  }

  func place(_ span: UInt64) -> Range<Int> {
    let bytes = layout.bytes(of: span..<(span + 1))
    return Int(bytes.lowerBound)..<Int(bytes.upperBound)
  }

  func damaged(at span: UInt64) -> BlobFile {
    var other = self
    other.spans[place(span).lowerBound + 1000] ^= 1
    return other
  }

  /// What the library takes of these spans under the name; nil where it takes not even the hashes.
  func taken() throws -> (spans: VerifiedSpans?, isWhole: Bool)? {
    var verifier = try #require(BlobVerifier(WantedBlob(root: root, byteCount: byteCount)))
    #expect(verifier.runCount == 1)
    verifier.add(run: hashes)
    guard verifier.check() else { return nil }
    let list = try #require(verifier.hashes(ofRun: 0, hashes))
    return verifier.verify(spans, first: 0, hashes: list)
  }
}

@Suite struct `Attacks on attachments` {
  @Test func `Row 18: an attachment is swapped, or a span of it damaged`() async throws {
    try await Row(18, "an attachment’s blob swapped, or one span of it damaged").hold { row in
      let meeting = try await Meeting.shared.value
      let blob = try BlobFile(of: meeting)
      let name = try meeting.files.name("b-", of: meeting.survivorLog)
      #expect(blob.layout.spanCount == 3 && blob.bytes == meeting.files[name])
      #expect(try blob.taken()?.isWhole == true)
      #expect(try blob.swapped.taken() == nil)
      var others = blob
      others.spans = blob.swapped.spans
      #expect(try others.taken()?.spans == nil, "nothing of it under the right hashes either")
      for span in 0..<blob.layout.spanCount {
        let taken = try #require(try blob.damaged(at: span).taken())
        #expect(!taken.isWhole)
        let (count, good) = (taken.spans?.count ?? 0, taken.spans?.bytes ?? [])
        #expect(count == span)
        #expect(good == Array(blob.spans[..<blob.place(span).lowerBound]))
      }
      row.saw(.refused, at: .library)
      for change in [blob.swapped, others, blob.damaged(at: 1)] {
        var files = meeting.files
        files[name] = change.bytes
        try await row.refuses(FolderAttempt(meeting: meeting, files: files, lacksSomething: false))
      }
      try await expectGoodSpansKept(blob, name, meeting)
      try await row.refuses([
        BundleChange(
          what: "an exhibit changed", careless: .fileDiffers, listed: .signatureInvalid,
          resigned: .exhibitDiffers
        ) { forgery, _ in forgery["data/exhibits/1-0.png"]?[3] ^= 1 },
        BundleChange(
          what: "an exhibit swapped", careless: .fileDiffers, listed: .signatureInvalid,
          resigned: .exhibitDiffers
        ) { forgery, _ in
          forgery["data/exhibits/1-0.png"] = forgery["data/exhibits/1-1"]
        },
      ])
    }
  }

  /// What is good before the damage is kept, and is not read again; nothing comes out until all is good.
  private func expectGoodSpansKept(
    _ blob: BlobFile, _ name: String, _ meeting: Meeting
  ) async throws {
    var read: [UInt64] = []
    for span in 0..<blob.layout.spanCount {
      var files = meeting.files
      files[name] = blob.damaged(at: span).bytes
      let folder = try TemporaryFolder(files)
      let reader = try await meeting.newcomer()
      let id = try await reader.opened { vault in
        let met = try await vault.meet(folder.path)
        #expect(met.filesAwaited == 1 && met.problems == [.damaged(meeting.survivorLog)])
        let listed = try await vault.entries(ofCase: "theirs")
        return try #require(listed.first { $0.content?.words == "a picture" }).id.base32
      }
      let partial = reader.vault + "/blobs/partial/\(blob.root.base32)-\(blob.byteCount)"
      let kept = FileManager.default.contents(atPath: partial).map { Array($0) } ?? []
      #expect(kept == Array(blob.spans[..<blob.place(span).lowerBound]), "span \(span)")
      if span == 1 {
        let early = try await reader.cairn("extract", id, "--output", "early")
        #expect(
          early.status == 1 && early.told.contains("has not arrived here yet"), "\(early.all)")
        let left = try reader.folder.allFiles().keys.filter { $0.hasPrefix("early") }
        #expect(left.isEmpty)
      }
      try folder.write(meeting.files)
      try await reader.opened { vault in
        let outcome = try await vault.meet(folder.path)
        #expect(outcome.filesReceived == 1 && outcome.filesAwaited == 0)
        #expect(outcome.problems == [])
        read.append(outcome.bytesRead)
        let out = try await vault.extract(id, to: reader.path("out")).written
        let path = try #require(out.first?.path)
        #expect(try Data(contentsOf: URL(filePath: path)) == Data(Meeting.picture))
      }
    }
    for (fewer, more) in zip(read.dropFirst(), read) {
      #expect(more - fewer >= UInt64(BlobTree.spanByteCount), "\(read)")
    }
  }

  /// The note of an advocate names the survivor's own file. Nobody's part of the folder is damaged by what she says of it,
  /// and nobody writes anything again.
  @Test func `an entry that says another length of a file blames nobody who has it`() async throws {
    let meeting = try await Meeting.copy()
    let blob = try BlobFile(of: meeting)
    let folder = try TemporaryFolder(meeting.files)
    try await meeting.advocate.opened { vault in
      var content = EntryContent()
      content.attachments = [
        Attachment(
          number: 0, size: 1000, sha256: .zero, mediaType: "image/png", isWithoutContent: false,
          blob: .init(root: blob.root, key: [UInt8](repeating: 1, count: 32)))
      ]
      try await vault.forge(.note, content.parts)
      try await vault.meet(folder.path)
    }
    for _ in 0..<2 {
      let met = try await meeting.survivor.opened { try await $0.meet(folder.path) }
      #expect(met.problems == [.falseLength(meeting.advocateLog)])
      #expect(met.filesSent == 0 && met.filesAwaited == 1)
    }
    // Nor whoever said the right length, where the file could not be taken in by that either.
    var files = try folder.allFiles()
    files[try files.name("b-", of: meeting.survivorLog)] = blob.damaged(at: 0).bytes
    let partly = try TemporaryFolder(files)
    let reader = try await meeting.newcomer()
    let problems = try await reader.opened { try await $0.meet(partly.path).problems }
    #expect(
      Set(problems) == [.falseLength(meeting.advocateLog), .damaged(meeting.survivorLog)],
      "\(problems)")
    let told = try await meeting.survivor.cairn("sync", "--mailbox", folder.path)
    #expect(told.status == 0, "\(told.all)")
    #expect(told.told.contains("said that it is longer or shorter"), "\(told.all)")
  }
}
