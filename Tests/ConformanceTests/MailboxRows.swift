import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Sync
import Testing
import Vault
import VerifiableLog

/// A folder that forgets, withholds, or was damaged.
@Suite struct `Attacks by whoever holds the folder` {
  @Test func `Row 2: the mailbox serves an older tree`() async throws {
    try await Row(2, "the mailbox serves an older tree (its own receipt waits for a relay)").hold {
      row in
      let meeting = try await Meeting.shared.value
      let device = try await meeting.newcomer()
      let mailbox = try TemporaryFolder(meeting.files)
      try await device.opened { vault in
        try await vault.meet(mailbox.path)
        _ = try await vault.add([words("later")], toCase: "theirs")
        try await vault.meet(mailbox.path)
      }
      let folder = mailbox.path
      func goBack() throws {
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true)
        try mailbox.write(meeting.files)
      }
      func reader() async throws -> Set<String> {
        try await meeting.newcomer().opened { vault in
          #expect(try await vault.meet(folder).problems == [])
          return try await vault.texts()
        }
      }
      try goBack()
      let older = try await Verifiers.folder(folder, kit: meeting.survivor.path("kit"))
      #expect(older.status == 0)
      try await device.opened { vault in
        let outcome = try await vault.meet(folder)
        #expect(outcome.problems == [])
        #expect(try await vault.texts() == Meeting.texts.union(["later"]))
      }
      #expect(try await reader() == Meeting.texts.union(["later"]))
      row.saw(.mended, at: .library, .folder)
      try goBack()
      let synced = try await device.cairn("sync")
      #expect(synced.status == 0, "\(synced.all)")
      let newer = try await Verifiers.folder(folder, kit: meeting.survivor.path("kit"))
      #expect((newer.object["logs"] as? [Any])?.count == 3, "\(newer.object)")
      row.saw(.mended, at: .program)
      row.passes(.independent, because: "an older folder is whole in itself")
      row.passes(.verifier, because: "no bundle lies in one")
    }
  }

  @Test func `Row 30: the mailbox withholds a log`() async throws {
    try await Row(30, "the mailbox withholds a log").hold { row in
      let meeting = try await Meeting.shared.value
      let device = try await meeting.newcomer()
      let whole = try TemporaryFolder(meeting.files)
      let log = try await device.opened { vault in
        try await vault.meet(whole.path)
        _ = try await vault.add([words("withheld")], toCase: "theirs")
        try await vault.meet(whole.path)
        return try await vault.ownLog()
      }
      let part = try whole.allFiles().filter { !$0.key.contains("-\(log.base32)/") }
      let folder = try TemporaryFolder(part)
      let reader = try await meeting.newcomer()
      try await reader.opened { vault in
        #expect(try await vault.meet(folder.path).problems == [])
        #expect(try await vault.texts() == Meeting.texts)
        _ = try await vault.add([words("of mine")], toCase: "theirs")
      }
      // Whoever waits for a receipt sees that there is none.
      let synced = try await device.cairn("sync", "--mailbox", folder.path)
      #expect(synced.status == 0, "\(synced.all)")
      #expect(synced.told.contains("no receipt yet"), "\(synced.all)")
      row.saw(.told, at: .program)
      // And by another way it comes.
      try await reader.opened { vault in
        let outcome = try await vault.meet(whole.path)
        #expect(outcome.problems == [])
        #expect(try await vault.texts().isSuperset(of: Meeting.texts.union(["withheld"])))
      }
      row.saw(.mended, at: .library, .folder)
      row.passes(.independent, because: "what is not there is not known")
      row.passes(.verifier, because: "no bundle lies in one")
    }
  }

  /// A few bytes of each; `whatever byte of a bundle is flipped` goes through all.
  @Test func `Row 4: any one byte is flipped`() async throws {
    try await Row(4, "any one byte flipped, anywhere").hold { row in
      let sample = try SampleCase.told()
      let bundle = try sample.bundle()
      var generator = SplitMix64(state: 4)
      for index in stride(from: 0, to: bundle.count, by: 601) {
        var bytes = bundle
        bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        let outcome = verify(bytes, sample.trust).outcome
        #expect(outcome == .changed || outcome == .cannotCheck, "byte \(index)")
      }
      row.saw(.refused, at: .library)
      for _ in 0..<3 {
        var bytes = bundle
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        let attempt = BundleAttempt(archive: bytes, trust: sample.trust)
        for (level, said) in try await attempt.said(isRefused: true) {
          #expect(said.status == 20 || said.status == 22, "\(level), byte \(index)")
          row.saw(.refused, at: level)
        }
      }
      try await flipInFolder(row, &generator)
    }
  }

  private func flipInFolder(_ row: Row, _ generator: inout SplitMix64) async throws {
    let meeting = try await Meeting.shared.value
    let reader = try await meeting.newcomer()
    let folder = try TemporaryFolder(meeting.files)
    try await reader.opened { vault in
      for (name, bytes) in meeting.files.sorted(by: { $0.key < $1.key }) {
        for _ in 0..<6 {
          var changed = bytes
          let index = Int.random(in: 0..<bytes.count, using: &generator)
          changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
          try folder.write([name: changed])
          let outcome = try await vault.meet(folder.path)
          #expect(outcome.violations == 0, "\(name) \(index)")
          #expect(outcome.problems.allSatisfy { $0.code != "fork" }, "\(name) \(index)")
        }
        try folder.write([name: bytes])
      }
      #expect(try await vault.meet(folder.path).problems == [])
      #expect(try await vault.texts() == Meeting.texts)
      #expect(try await vault.check().findings == [])
    }
    row.saw(.refused, at: .folder)
    // A file that is needed, for the program and the independent verifier.
    let range = try meeting.files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
    var files = meeting.files
    let middle = try #require(files[range]).count / 2
    files[range]?[middle] ^= 1
    try await row.refuses(
      FolderAttempt(meeting: meeting, files: files, problems: []))
  }

  @Test func `Row 18: an attachment is swapped, or a span of it damaged`() async throws {
    try await Row(18, "an attachment’s blob swapped, or one span of it damaged").hold { row in
      let meeting = try await Meeting.shared.value
      let name = try meeting.files.name("b-", of: meeting.survivorLog)
      let bytes = try #require(meeting.files[name])
      // The last of its spans; after the length and the hash of each.
      var damaged = meeting.files
      damaged[name]?[bytes.count - 100] ^= 1
      var root = BlobTree()
      root.append(Array(bytes.suffix(1000)))
      #expect(!name.contains(BlobRoot(root.root.raw).base32))
      row.saw(.refused, at: .library)
      try await row.refuses(
        FolderAttempt(meeting: meeting, files: damaged, lacksSomething: false))
      try await expectGoodSpansKept(meeting, damaged)
      var swapped = meeting.files
      swapped[name] = Array(bytes.prefix(8)) + noise(bytes.count - 8)
      try await row.refuses(
        FolderAttempt(meeting: meeting, files: swapped, lacksSomething: false))
      try await row.refuses([
        BundleChange(
          what: "an exhibit changed", careless: .fileDiffers, listed: .signatureInvalid,
          resigned: .exhibitDiffers
        ) { forgery, _ in forgery["data/exhibits/1-0.png"]?[3] ^= 1 }
      ])
    }
  }

  /// What was good of it need not be read again.
  private func expectGoodSpansKept(_ meeting: Meeting, _ damaged: Files) async throws {
    let folder = try TemporaryFolder(damaged)
    let reader = try await meeting.newcomer()
    try await reader.opened { vault in
      #expect(try await vault.meet(folder.path).filesAwaited == 1)
      try folder.write(meeting.files)
      let outcome = try await vault.meet(folder.path)
      #expect(outcome.filesReceived == 1 && outcome.filesAwaited == 0)
      #expect(outcome.bytesRead < UInt64(Meeting.picture.count), "\(outcome.bytesRead)")
    }
  }

  @Test func `Row 36: files are cut, and names lead elsewhere`() async throws {
    try await Row(36, "a file cut at any byte; names with “..”, links, absolute paths").hold {
      row in
      let sample = try SampleCase.told()
      let bundle = try sample.bundle()
      for length in stride(from: 0, to: bundle.count, by: 601) {
        let outcome = verify(Array(bundle[..<length]), sample.trust).outcome
        #expect(outcome == .cannotCheck || outcome == .changed, "\(length)")
      }
      let cut = BundleAttempt(archive: Array(bundle.dropLast(50)), trust: sample.trust)
      try await row.refuses(cut, as: cut.verdict.findings.first?.code ?? .notABundle)
      for vector in try ProtocolVector.all("archive")
      where ["bad-parent", "bad-absolute"].contains(vector.name) {
        let attempt = BundleAttempt(archive: try vector.bytes("input"), trust: BundleTrust())
        try await row.refuses(attempt, as: .archiveDamaged)
      }
      try await cutInFolder(row)
    }
  }

  private func cutInFolder(_ row: Row) async throws {
    let meeting = try await Meeting.shared.value
    let reader = try await meeting.newcomer()
    let folder = try TemporaryFolder(meeting.files)
    try await reader.opened { vault in
      for (name, bytes) in meeting.files.sorted(by: { $0.key < $1.key }) {
        for part in [0, 1, 2, 3] {
          try folder.write([name: Array(bytes.prefix(bytes.count * part / 4 + part))])
          let outcome = try await vault.meet(folder.path)
          #expect(outcome.problems.allSatisfy { $0.code != "fork" }, "\(name) \(part)")
          #expect(try await vault.texts().isSubset(of: Meeting.texts))
        }
        try folder.write([name: bytes])
      }
      #expect(try await vault.meet(folder.path).problems == [])
      #expect(try await vault.texts() == Meeting.texts)
    }
    let range = try meeting.files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
    var files = meeting.files
    files[range]?.removeLast(30)
    try await row.refuses(FolderAttempt(meeting: meeting, files: files))
    // A link in the place of a file leads nowhere, even where it leads to the right bytes.
    let linked = try TemporaryFolder(meeting.files)
    let elsewhere = try TemporaryFolder(["r": try #require(meeting.files[range])])
    try FileManager.default.removeItem(atPath: linked.path + "/" + range)
    try FileManager.default.createSymbolicLink(
      atPath: linked.path + "/" + range, withDestinationPath: elsewhere.path + "/r")
    let careful = try await meeting.newcomer()
    try await careful.opened { vault in
      let outcome = try await vault.meet(linked.path)
      #expect(outcome.problems.contains(.damaged(meeting.survivorLog)), "\(outcome.problems)")
      #expect(try await vault.texts().isStrictSubset(of: Meeting.texts))
    }
    let said = try await Verifiers.folder(linked.path)
    #expect(said.status == 20 && said.codes.contains("file-damaged"))
  }
}
