import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// What stands beside the leaves, or in their place: ciphertext and slots.
@Suite struct `Attacks on ciphertext and keys` {
  @Test func `Row 19: a ciphertext opens under two keys`() async throws {
    try await Row(19, "a ciphertext that opens under two keys, given with the wrong one").hold {
      row in
      let vectors = try ProtocolVector.all("entry").filter {
        $0.expected == "commitment-mismatch"
      }
      #expect(vectors.map(\.name).contains("bad-two-keys"))
      for vector in vectors { #expect(try vector.isCommitmentMismatch()) }
      let meeting = try await Meeting.copy()
      let note = try await TwoKeyedNote(
        at: EntryPlace(caseID: meeting.caseID, logID: meeting.advocateLog, sequence: 1))
      // Under the one key it shows what its leaf commits to; under the other it opens, too, and is refused.
      let shown = try note.sealed.open(at: note.place, key: try secret(note.first))
      var mine = EntryContent()
      mine.words = "Mine."
      #expect(shown.parts[2].part == mine.parts.first)
      #expect(throws: CaseLogError.commitmentMismatch) {
        try note.sealed.open(at: note.place, key: try secret(note.second))
      }
      row.saw(.refused, at: .library)
      let mailbox = try TemporaryFolder(meeting.files)
      try await meeting.advocate.opened { vault in
        try await vault.forge(note, givingFirst: false)
        try await vault.meet(mailbox.path)
      }
      let reader = try await meeting.newcomer()
      try await expectLocked(row, mailbox, of: meeting, for: reader)
      try await expectOpened(row, note, mailbox, of: meeting, for: reader)
      row.passes(.verifier, because: "a bundle has no ciphertext")
    }
  }

  /// Nobody sees anything else in it, nor is anything but this entry in doubt.
  private func expectLocked(
    _ row: Row, _ mailbox: TemporaryFolder, of meeting: Meeting, for reader: Person
  ) async throws {
    let state = try await reader.opened { vault in
      let met = try await vault.meet(mailbox.path)
      #expect(met.problems == [])
      #expect(try await vault.texts() == Meeting.texts)
      let listed = try await vault.entries(ofCase: "theirs")
      #expect(listed.count { $0.standing == .locked } == 1)
      #expect(listed.allSatisfy { [.open, .locked].contains($0.standing) })
      #expect(try await vault.check().findings == [])
      return try await vault.state()
    }
    row.saw(.locked, at: .folder)
    let standings = try await reader.entries(inCase: "theirs").map { entry in
      "\(entry["words"] as? String ?? ""): \(entry["standing"] as? String ?? "")"
    }
    #expect(Set(standings) == Set(Meeting.texts.map { "\($0): open" } + [": locked"]))
    row.saw(.locked, at: .program)
    let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
    #expect(said.status == 0 && said.object["state"] as? String == state.hex, "\(said.object)")
    #expect(
      try said.opened(of: meeting.advocateLog) == 1 && said.size(of: meeting.advocateLog) == 2)
    row.saw(.locked, at: .independent)
  }

  /// With both keys beside it, the right one wins, whichever comes first.
  private func expectOpened(
    _ row: Row, _ note: TwoKeyedNote, _ mailbox: TemporaryFolder, of meeting: Meeting,
    for reader: Person
  ) async throws {
    let slot = try await meeting.advocate.opened {
      try await $0.slot(for: note.first, leaf: note.leaf, in: meeting.advocateLog)
    }
    let right = WireSlot(epoch: slot.epoch, box: slot.box)
    var files = try mailbox.allFiles()
    let name = try #require(
      files.keys.sorted().last { $0.contains("/r-\(meeting.advocateLog.base32)-") })
    try files.changeRange(name) { range in
      range.with(
        entries: range.entries.map { $0.commitment == note.leaf.commitment ? $0.adding(right) : $0 }
      )
    }
    let both = try TemporaryFolder(files)
    for person in [reader, try await meeting.newcomer()] {
      try await person.opened { vault in
        let met = try await vault.meet(both.path)
        #expect(met.problems == [])
        #expect(try await vault.texts() == Meeting.texts.union(["Mine."]))
      }
    }
    let said = try await Verifiers.folder(both.path, kit: meeting.survivor.path("kit"))
    #expect(try said.status == 0 && said.opened(of: meeting.advocateLog) == 2, "\(said.object)")
  }

  @Test func `Row 20: an entry is encrypted again`() async throws {
    try await Row(
      20, "an entry encrypted again, by somebody who has its key and that of its audience"
    ).hold { row in
      let meeting = try await Meeting.copy()
      let kept = try await meeting.advocate.opened { vault in
        let listed = try await vault.entries(ofCase: "theirs")
        return try ["one", "for you"].map { text in
          try #require(listed.first { $0.content?.words == text }).id
        }
      }
      let name = try meeting.files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
      for key in [nil, [UInt8](repeating: 5, count: 32)] {
        let forged = try await meeting.advocate.opened {
          try await $0.sealedAgain(kept[0], saying: "forged", under: key)
        }
        // Its key fits the slot; with another one, the slot is made to fit as well.
        let slots = key == nil ? [] : [WireSlot(epoch: forged.slot.epoch, box: forged.slot.box)]
        for commitment in [forged.old.commitment, forged.new.leaf.commitment] {
          var files = meeting.files
          try files.changeRange(name) { range in
            range.with(
              entries: range.entries.map { entry in
                guard entry.commitment == forged.old.commitment else { return entry }
                return WireEntry(
                  classByte: entry.classByte, commitment: commitment,
                  content: .ciphertext(forged.new.ciphertext), slots: slots + entry.slots)
              })
          }
          try #require(files != meeting.files)
          #expect(try meeting.verdict(on: files.range(name)).isFault)
          row.saw(.refused, at: .library)
          try await row.refuses(
            FolderAttempt(meeting: meeting, files: files, problems: ["mailboxFault"]))
        }
      }
      try await replaceBody(row, meeting, of: kept[1])
      row.passes(.verifier, because: "a bundle has no ciphertext")
    }
  }

  /// What was shared later comes by itself, after its leaf.
  private func replaceBody(_ row: Row, _ meeting: Meeting, of entry: EntryID) async throws {
    let forged = try await meeting.advocate.opened {
      try await $0.sealedAgain(entry, saying: "forged")
    }
    var files = meeting.files
    for name in files.keys.sorted() where name.contains("-\(meeting.survivorLog.base32)/s-") {
      files.put(
        try files.frames(name).map { frame in
          guard case .bodies(let bodies) = frame else { return frame }
          return .bodies(
            bodies.map {
              Body(
                logID: $0.logID, sequence: $0.sequence,
                ciphertext: $0.sequence == forged.old.sequence
                  ? forged.new.ciphertext : $0.ciphertext)
            })
        }, in: name)
    }
    try #require(files != meeting.files)
    try await row.refuses(
      FolderAttempt(meeting: meeting, files: files))
  }

  @Test func `Row 21: slots are swapped, replaced, or thousands of junk ones added`() async throws {
    try await Row(21, "slots swapped, replaced, thousands of junk ones added").hold { row in
      let meeting = try await Meeting.shared.value
      let kit = meeting.survivor.path("kit")
      let honest = try TemporaryFolder(meeting.files)
      let plain = try await Verifiers.folder(honest.path, kit: kit)
      try await addJunk(row, meeting, plain)
      for files in [try withOtherSlots(meeting), try withReplacedSlots(meeting)] {
        let replaced = try TemporaryFolder(files)
        let poor = try await meeting.newcomer()
        let state = try await poor.opened { vault in
          let met = try await vault.meet(replaced.path)
          #expect(met.problems == [])
          let texts = try await vault.texts()
          #expect(texts.isStrictSubset(of: Meeting.texts), "\(texts)")
          let listed = try await vault.entries(ofCase: "theirs")
          #expect(listed.count == Meeting.texts.count)
          #expect(listed.count { $0.standing == .locked } >= 2)
          #expect(listed.allSatisfy { $0.standing == .open || $0.standing == .locked })
          #expect(try await vault.check().findings == [])
          return try await vault.state()
        }
        row.saw(.locked, at: .folder)
        let locked = try await Verifiers.folder(replaced.path, kit: kit)
        #expect(locked.object["state"] as? String == state.hex)
        #expect(
          try locked.opened(of: meeting.survivorLog) < plain.opened(of: meeting.survivorLog))
        let told = try await poor.standings(inCase: "theirs")
        #expect(Set(told.values) == ["open"] && told.count < Meeting.texts.count, "\(told)")
        let again = try TemporaryFolder(meeting.files)
        let synced = try await poor.cairn("sync", "--mailbox", again.path)
        #expect(synced.status == 0, "\(synced.all)")
        let standings = try await poor.standings(inCase: "theirs")
        #expect(Set(standings.keys) == Meeting.texts && Set(standings.values) == ["open"])
        row.saw(.mended, at: .program)
      }
      row.passes(.verifier, because: "a bundle has no slots")
    }
  }

  /// A valid slot wins, and what is kept of all the others is little.
  private func addJunk(_ row: Row, _ meeting: Meeting, _ plain: Said) async throws {
    let folder = try TemporaryFolder(try withJunk(meeting))
    let whole = try await Verifiers.folder(folder.path, kit: meeting.survivor.path("kit"))
    #expect(whole.status == 0)
    #expect(whole.object["state"] as? String == plain.object["state"] as? String)
    #expect(try whole.opened(of: meeting.survivorLog) == plain.opened(of: meeting.survivorLog))
    row.saw(.nothing, at: .independent)
    let (one, other) = (try await meeting.newcomer(), try await meeting.newcomer())
    try await one.opened { vault in
      let met = try await vault.meet(folder.path)
      #expect(met.problems == [])
      #expect(try await vault.texts() == Meeting.texts)
      #expect(try await vault.check().findings == [])
      #expect(try await vault.slotCounts().allSatisfy { $0 <= Limits.slotsOfEntry })
    }
    row.saw(.nothing, at: .library)
    let synced = try await other.cairn("sync", "--mailbox", folder.path)
    #expect(synced.status == 0, "\(synced.all)")
    let standings = try await other.standings(inCase: "theirs")
    #expect(Set(standings.keys) == Meeting.texts && Set(standings.values) == ["open"])
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

  /// Of content, each slot is of the right epoch and holds nothing.
  private func withReplacedSlots(_ meeting: Meeting) throws -> Files {
    try withSlots(meeting) { entry, _ in
      entry.slots.map { WireSlot(epoch: $0.epoch, box: noise($0.box.count, seed: 21)) }
    }
  }

  /// Of content, each entry has another one's slots.
  private func withOtherSlots(_ meeting: Meeting) throws -> Files {
    try withSlots(meeting) { _, other in other.slots }
  }

  /// Each entry of content has the slots that come of it and of the next one.
  private func withSlots(
    _ meeting: Meeting, _ change: (WireEntry, WireEntry) -> [WireSlot]
  ) throws -> Files {
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
          slots: change(entry, range.entries[other]))
      }
      return range.with(entries: entries)
    }
    return files
  }
}

extension WireEntry {
  fileprivate func adding(_ slot: WireSlot) -> WireEntry {
    WireEntry(
      classByte: classByte, commitment: commitment, content: content, slots: slots + [slot])
  }
}

extension Said {
  /// Of a folder: what is said of a log.
  private func figure(_ name: String, of log: LogID) throws -> Int {
    let logs = try #require(object["logs"] as? [[String: Any]])
    let found = try #require(logs.first { $0["log"] as? String == log.base32 })
    return try #require(found[name] as? Int)
  }

  func size(of log: LogID) throws -> Int { try figure("size", of: log) }
  /// So many of its entries could be read.
  func opened(of log: LogID) throws -> Int { try figure("opened", of: log) }
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
