import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import Support
import Sync
import Testing
import Vault
import VerifiableLog

/// What stands beside the leaves, or in their place: ciphertext and slots.
@Suite struct `Attacks on ciphertext and keys` {
  @Test func `Row 19: a ciphertext opens under two keys`() async throws {
    try await Row(19, "a ciphertext that opens to other words than its leaf commits to").hold {
      row in
      let vectors = try ProtocolVector.all("entry").filter {
        $0.expected == "commitment-mismatch"
      }
      #expect(!vectors.isEmpty)
      for vector in vectors { #expect(try vector.isCommitmentMismatch()) }
      row.saw(.refused, at: .library)
      let meeting = try await Meeting()
      let mailbox = try TemporaryFolder(meeting.files)
      try await meeting.advocate.opened { vault in
        try await vault.forgeUncommitted()
        try await vault.meet(mailbox.path)
      }
      let reader = try await meeting.newcomer()
      let state = try await reader.opened { vault in
        _ = try await vault.meet(mailbox.path)
        #expect(try await vault.texts() == Meeting.texts)
        #expect(try await vault.entries(ofCase: "theirs").count { $0.standing == .locked } == 1)
        return try await vault.state()
      }
      row.saw(.locked, at: .folder)
      let listed = try await reader.entries(inCase: "theirs")
      #expect(listed.allSatisfy { !["shown", "other"].contains($0["words"] as? String) })
      #expect(listed.count { $0["standing"] as? String == "locked" } == 1, "\(listed)")
      row.saw(.locked, at: .program)
      try await reader.opened { vault in _ = try await vault.meet(mailbox.path) }
      let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
      #expect(said.object["state"] as? String == state.hex, "\(said.object)")
      let logs = said.object["logs"] as? [[String: Any]]
      let hers = logs?.first { $0["log"] as? String == meeting.advocateLog.base32 }
      #expect(hers?["size"] as? Int == 2 && hers?["opened"] as? Int == 1, "\(said.object)")
      row.saw(.locked, at: .independent)
      row.passes(.verifier, because: "a bundle has no ciphertext")
    }
  }

  @Test func `Row 20: an entry is encrypted again`() async throws {
    try await Row(20, "an entry encrypted again by somebody who has its key").hold { row in
      let place = EntryPlace(
        caseID: CaseID(Bytes32.random()), logID: LogID(Bytes32.random()), sequence: 0)
      let key = SecretKey.random()
      let entries = try ["one", "two"].map { text in
        var content = EntryContent()
        content.words = text
        return try SealedEntry(
          sealing: content.parts, kind: .evidence, context: EntryContext(clock: 1), at: place,
          key: key)
      }
      let forged = SealedEntry(leaf: entries[0].leaf, ciphertext: entries[1].ciphertext)
      #expect(throws: CaseLogError.otherCiphertext) { try forged.open(at: place, key: key) }
      row.saw(.refused, at: .library)
      let meeting = try await Meeting.shared.value
      var files = meeting.files
      let name = try files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
      try files.changeRange(name) { range in
        range.with(
          entries: range.entries.map { entry in
            guard case .ciphertext(let bytes) = entry.content else { return entry }
            return entry.with(content: .ciphertext(bytes.dropLast() + [bytes.last! ^ 1]))
          })
      }
      try await row.refuses(
        FolderAttempt(meeting: meeting, files: files, problems: ["mailboxFault"]))
      row.passes(.verifier, because: "a bundle has no ciphertext")
    }
  }

  @Test func `Row 21: slots are swapped, replaced, or thousands of junk ones added`() async throws {
    try await Row(21, "slots swapped, replaced, thousands of junk ones added").hold { row in
      let meeting = try await Meeting.shared.value
      let added = try withJunk(meeting)
      let folder = try TemporaryFolder(added)
      let kit = meeting.survivor.path("kit")
      let whole = try await Verifiers.folder(folder.path, kit: kit)
      let honest = try TemporaryFolder(meeting.files)
      let plain = try await Verifiers.folder(honest.path, kit: kit)
      #expect(
        whole.status == 0 && whole.object["state"] as? String == plain.object["state"] as? String)
      let reader = try await meeting.newcomer()
      let clock = ContinuousClock()
      let start = clock.now
      try await reader.opened { vault in
        let outcome = try await vault.meet(folder.path)
        #expect(outcome.problems == [])
        #expect(try await vault.texts() == Meeting.texts)
        #expect(try await vault.check().findings == [])
      }
      // A valid slot wins, and the work is bounded.
      #expect(clock.now - start < .seconds(60))
      row.saw(.nothing, at: .library)
      let replaced = try TemporaryFolder(try withOtherSlots(meeting))
      let poor = try await meeting.newcomer()
      try await poor.opened { vault in
        #expect(try await vault.meet(replaced.path).problems == [])
        let texts = try await vault.texts()
        #expect(texts.isStrictSubset(of: Meeting.texts), "\(texts)")
        let listed = try await vault.entries(ofCase: "theirs")
        #expect(listed.count { $0.standing == .locked } >= 2)
        #expect(listed.allSatisfy { $0.standing == .open || $0.standing == .locked })
        #expect(try await vault.check().findings == [])
      }
      row.saw(.locked, at: .folder)
      let synced = try await poor.cairn("sync", "--mailbox", honest.path)
      #expect(synced.status == 0, "\(synced.all)")
      let standings = try await poor.standings(inCase: "theirs")
      #expect(Set(standings.keys) == Meeting.texts && Set(standings.values) == ["open"])
      row.saw(.mended, at: .program)
      row.saw(.nothing, at: .independent)
      row.passes(.verifier, because: "a bundle has no slots")
    }
  }

  /// 5,000 slots in the file of what was shared later, for what is shared there and for other entries.
  private func withJunk(_ meeting: Meeting) throws -> Files {
    var files = meeting.files
    let name = try files.name("s-", of: meeting.survivorLog)
    var frames = try files.frames(name)
    var slots: [Slot] = []
    for case .slots(let some) in frames { slots += some }
    let real = try #require(slots.first)
    var junk: [Slot] = []
    for number in 0..<5000 {
      let sequence = number.isMultiple(of: 2) ? real.sequence : UInt64(number % 7)
      let epoch = number.isMultiple(of: 3) ? EntryID(Bytes32.random()) : real.epoch
      junk.append(
        Slot(
          logID: real.logID, sequence: sequence, epoch: epoch,
          box: Randomness.bytes(Slot.byteCount)))
    }
    frames.insert(.slots(junk), at: frames.count - 1)
    files.put(frames, in: name)
    return files
  }

  /// Of content, each entry has another one's slots.
  private func withOtherSlots(_ meeting: Meeting) throws -> Files {
    // What was shared later has slots in files of its own.
    var files = meeting.files.filter { !$0.key.contains("/s-") }
    let name = try files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
    try files.changeRange(name) { range in
      let content = range.entries.indices.filter {
        range.entries[$0].classByte == EntryClass.content.rawValue
      }
      var entries = range.entries
      for (place, other) in zip(content, content.dropFirst() + content.prefix(1)) {
        let entry = range.entries[place]
        entries[place] = WireEntry(
          classByte: entry.classByte, commitment: entry.commitment, content: entry.content,
          slots: range.entries[other].slots)
      }
      return range.with(entries: entries)
    }
    return files
  }
}

extension ProtocolVector {
  /// Whether an entry's key opens its ciphertext to something else than its leaf commits to.
  func isCommitmentMismatch() throws -> Bool {
    let leaf = try LeafData(parsing: try bytes("leaf"))
    let sealed = SealedEntry(leaf: leaf, ciphertext: try bytes("input"))
    let place = EntryPlace(
      caseID: CaseID(try #require(Bytes32(try bytes("case")))),
      logID: LogID(try #require(Bytes32(try bytes("log")))), sequence: leaf.sequence)
    let key = try bytes("key").withBytes { (bytes) throws(CryptographyError) in
      try SecretKey(copying: bytes)
    }
    do throws(CaseLogError) {
      _ = try sealed.open(at: place, key: key)
      return false
    } catch {
      return error == .commitmentMismatch
    }
  }
}
