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

/// A range of the survivor's log, changed by whoever can write into the folder.
@Suite struct `Attacks on ranges` {
  /// Changes the survivor's first range, and gives it to the library and to all who read the folder.
  private func refuses(
    _ row: Row, problems: Set<String> = ["mailboxFault"],
    _ change: (RangeFrame, Meeting) throws -> RangeFrame
  ) async throws {
    let meeting = try await Meeting.shared.value
    var files = meeting.files
    let name = try files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
    try files.changeRange(name) { try change($0, meeting) }
    try #require(files != meeting.files)
    #expect(try meeting.verdict(on: files.range(name)).isFault)
    row.saw(.refused, at: .library)
    try await row.refuses(FolderAttempt(meeting: meeting, files: files, problems: problems))
  }

  /// The same in a bundle: leaves of the survivor's log.
  private func refuses(
    _ row: Row, leaves change: @escaping (inout [[UInt8]], SampleCase) throws -> Void
  ) async throws {
    try await row.refuses([
      BundleChange(
        what: row.tried, careless: .fileDiffers, listed: .leavesDiffer, resigned: .leavesDiffer
      ) { forgery, sample in
        var leaves = sample.survivor.leaves.map(\.bytes)
        try change(&leaves, sample)
        forgery["proof/logs/\(try sample.index(of: sample.survivor)).leaves"] = leaves.flatMap {
          $0
        }
      }
    ])
  }

  @Test func `Row 3: an entry is dropped from a range`() async throws {
    try await Row(3, "an entry dropped from a range").hold { row in
      try await refuses(row) { range, _ in
        range.with(entries: Array(range.entries[..<2] + range.entries[3...]))
      }
      try await refuses(row) { leaves, _ in leaves.remove(at: 2) }
    }
  }

  @Test func `Row 5: entries are swapped`() async throws {
    try await Row(5, "two entries swapped").hold { row in
      try await refuses(row) { range, _ in
        var entries = range.entries
        entries.swapAt(2, 3)
        return range.with(entries: entries)
      }
      try await refuses(row) { leaves, _ in leaves.swapAt(2, 3) }
    }
  }

  @Test func `Row 8: entries of one log are spliced into another`() async throws {
    try await Row(8, "entries of one log spliced into another").hold { row in
      try await refuses(row) { range, meeting in
        let hers = try meeting.files.name(
          "r-\(meeting.advocateLog.base32)", of: meeting.advocateLog)
        var entries = range.entries
        entries[2] = try #require(try meeting.files.range(hers).entries.first)
        return range.with(entries: entries)
      }
      try await refuses(row) { leaves, sample in leaves[2] = sample.advocate.leaves[0].bytes }
    }
  }

  @Test func `Row 9: entries of another case are replayed`() async throws {
    try await Row(9, "entries of another case replayed").hold { row in
      let stranger = try await Person()
      let other = try TemporaryFolder()
      let log = try await stranger.opened { vault in
        _ = try await vault.add([words("one"), words("two")], toCase: nil)
        try await vault.meet(other.path)
        return try await vault.ownLog()
      }
      let theirs = try other.allFiles()
      let range = try theirs.range(try theirs.name("r-", of: log))
      // Its range under this log's name, with its own head, and under the name and id of this log.
      try await refuses(row) { own, _ in
        own.with(entries: Array(range.entries.prefix(own.entries.count)), note: range.note)
      }
      try await refuses(row) { leaves, sample in
        let elsewhere = try SampleDevice(
          seed: 10, caseID: CaseID(try signingKey(77).publicKey.raw), role: .survivor)
        for _ in 0..<3 {
          try elsewhere.append(.evidence, EntryContent().parts, clock: SampleCase.start)
        }
        leaves[2] = elsewhere.leaves[2].bytes
      }
    }
  }

  @Test func `Row 43: a lying mailbox makes an honest device look forked`() async throws {
    try await Row(43, "bad proofs or none, to make an honest device look forked").hold { row in
      let meeting = try await Meeting.shared.value
      let name = try meeting.files.name(
        "r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
      let honest = try meeting.files.range(name)
      let newest = try newestNote(meeting)
      let lies = [
        honest.with(note: newest), honest.with(note: newest, proof: [.zero]),
        honest.with(proof: [.zero]), honest.with(note: []),
        // Entries that the owner never wrote, under a head that she did sign.
        honest.with(entries: honest.entries.map { $0.with(commitment: .zero) }),
      ]
      for (index, lie) in lies.enumerated() {
        for holdsAll in [false, true] {
          let verdict = try meeting.verdict(on: lie, holdsAll: holdsAll)
          #expect(!verdict.isFork, "lie \(index)")
          // What is held already needs no proof: equal leaves are proof enough.
          #expect(verdict.isFault || holdsAll && verdict.newCount == 0, "lie \(index)")
        }
      }
      for index in [1, 4] { try await refuses(row) { _, _ in lies[index] } }
      row.passes(.verifier, because: "a bundle has all leaves")
    }
  }

  private func newestNote(_ meeting: Meeting) throws -> [UInt8] {
    let ranges = meeting.files.keys.sorted().filter {
      $0.contains("-\(meeting.survivorLog.base32)/r-")
    }
    return try meeting.files.range(try #require(ranges.last)).note
  }

  @Test func `Row 10: entries come with a gap`() async throws {
    try await Row(10, "entries that begin beyond what is there").hold { row in
      let meeting = try await Meeting.shared.value
      var files = meeting.files
      let ranges = files.keys.sorted().filter { $0.contains("-\(meeting.survivorLog.base32)/r-") }
      #expect(ranges.count > 1)
      let first = try files.range(ranges[0])
      guard case .gap(let size) = try meeting.verdict(on: files.range(ranges[1])) else {
        Issue.record("no gap")
        return
      }
      // The answer is the own size.
      #expect(size == 0 && first.first == 0)
      row.saw(.told, at: .library)
      files[ranges[0]] = nil
      try await row.refuses(
        FolderAttempt(meeting: meeting, files: files, problems: ["gap"], codes: ["gap"], status: 0),
        as: .told)
      // Nothing is kept in memory until it fits, however much of it there is.
      let long = try FolderAttempt(
        meeting: meeting, files: files, lengths: [ranges[1]: 1 << 40]
      ).folder()
      let said = try await Verifiers.folder(
        long.path, kit: meeting.survivor.path("kit"), through: Row.withLittleMemory)
      #expect(said.codes.contains("file-damaged"))
      let synced = try await meeting.newcomer().syncWithLittleMemory(long)
      #expect(synced.status == 0, "\(synced.all)")
      row.passes(.verifier, because: "a bundle has all leaves")
    }
  }

  @Test func `Row 1: a range is replayed`() async throws {
    try await Row(1, "a range replayed").hold { row in
      let meeting = try await Meeting.shared.value
      let name = try meeting.files.name(
        "r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
      let again = try meeting.verdict(on: meeting.files.range(name), holdsAll: true)
      #expect(again.newCount == 0)
      row.saw(.nothing, at: .library)

      // The same entries lie there three times: carried by the advocate too, and by somebody unknown.
      var files = meeting.files
      let parts = name.split(separator: "/")
      let stranger = LogID(Bytes32.random()).base32
      let greeting = Array(meeting.files[name] ?? [])
      for owner in [meeting.advocateLog.base32, stranger] {
        let tag = parts[0].prefix(17)
        var frames = try meeting.files.frames(name)
        if case .hello(let hello) = frames[0] {
          frames[0] = .hello(
            Hello(tag: hello.tag, logID: LogID(Bytes32(try Base32.decode(owner))!)))
        }
        files.put(frames, in: "\(tag)\(owner)/\(parts[1])")
      }
      #expect(!greeting.isEmpty && files.count == meeting.files.count + 2)
      let folder = try TemporaryFolder(files)
      let kit = meeting.survivor.path("kit")
      let said = try await Verifiers.folder(folder.path, kit: kit)
      let honest = try TemporaryFolder(meeting.files)
      let before = try await Verifiers.folder(honest.path, kit: kit)
      #expect(said.status == 0, "\(said.object)")
      #expect(said.object["state"] as? String == before.object["state"] as? String)
      row.saw(.nothing, at: .independent)

      let reader = try await meeting.newcomer()
      try await reader.opened { vault in
        let met = try await vault.meet(folder.path)
        #expect(met.problems == [])
        let state = try await vault.state()
        let outcome = try await vault.meet(folder.path)
        #expect(outcome.problems == [] && outcome.members.allSatisfy { $0.entriesReceived == 0 })
        #expect(try await vault.state() == state)
        #expect(try await vault.texts() == Meeting.texts)
      }
      row.saw(.nothing, at: .folder)
      let synced = try await reader.cairn("sync", "--mailbox", folder.path, "--json")
      #expect(synced.status == 0, "\(synced.all)")
      #expect(try await reader.entries(inCase: "theirs").count == Meeting.texts.count)
      row.saw(.nothing, at: .program)
      row.passes(.verifier, because: "a bundle has each leaf once")
    }
  }
}

extension RangeVerdict {
  var isFault: Bool { if case .fault = self { true } else { false } }
  var isFork: Bool { if case .fork = self { true } else { false } }
  var newCount: Int? {
    if case .verified(let range) = self { range.newEntries.count } else { nil }
  }
}

extension WireEntry {
  func with(commitment: Bytes32? = nil, content: Content? = nil) -> WireEntry {
    WireEntry(
      classByte: classByte, commitment: commitment ?? self.commitment,
      content: content ?? self.content, slots: slots)
  }
}
