import Cryptography
import Sync
import Testing
import VerifiableLog

@Suite struct `Heads and receipts` {
  /// A founder's head with the advocate's receipt, and a third member who reads it.
  private func scene() throws -> (reader: MemoryReplica, founder: MemoryReplica, note: SignedNote) {
    let folder = TemporaryFolder()
    var world = World(3)
    world.append(3, to: 0)
    for index in [0, 1, 0, 2] { try world.exchange(index, folder.mailbox) }
    let founder = world.replicas[0]
    let key = founder.device.signingKey.publicKey.raw
    let head = try #require(try founder.heads().first { $0.signingKey == key })
    var reader = world.replicas[2]
    reader.stored[founder.ownLog]?.receipts = [:]
    return (reader, founder, try SignedNote(parsing: head.note))
  }

  private func take(
    _ text: [UInt8], _ signatures: [NoteSignature], _ reader: inout MemoryReplica,
    of founder: MemoryReplica
  ) throws -> [Finding] {
    var intake = try FrameIntake(reader)
    let note = SignedNote(text: text, signatures: signatures)
    let head = SignedHead(
      signingKey: founder.device.signingKey.publicKey.raw, note: note.bytes)
    _ = try intake.take(.heads([head]), from: founder.ownLog, into: &reader)
    return intake.findings
  }

  @Test func `a member's receipt counts, those of strangers and false ones are passed over`() throws
  {
    let (reader, founder, note) = try scene()
    #expect(note.signatures.count == 2)
    let receipt = note.signatures[1]
    let stranger = NoteSignature(
      keyName: try NoteKeyName("stranger"), keyID: 7, signature: receipt.signature)
    var bytes = receipt.signature
    bytes[3] ^= 1
    let backdated = NoteSignature(
      keyName: receipt.keyName, keyID: receipt.keyID, signature: bytes)
    let short = NoteSignature(keyName: receipt.keyName, keyID: receipt.keyID, signature: [1])
    for (lines, count) in [([receipt], 1), ([stranger, backdated, short, receipt], 1), ([], 0)] {
      var copy = reader
      #expect(try take(note.text, [note.signatures[0]] + lines, &copy, of: founder) == [])
      #expect(copy.stored[founder.ownLog]?.receipts[5]?.count ?? 0 == count)
    }
  }

  /// Attack 27.
  @Test func `a note with more signatures than allowed is refused unread`() throws {
    let (reader, founder, note) = try scene()
    var copy = reader
    let lines = [note.signatures[0]] + [NoteSignature](repeating: note.signatures[1], count: 64)
    let findings = try take(note.text, lines, &copy, of: founder)
    #expect(findings.map(\.kind) == [.fault(log: founder.ownLog, .badNote)])
    #expect(copy.stored[founder.ownLog]?.receipts.isEmpty == true)
  }

  @Test func `a head that the log's key did not sign is a fault`() throws {
    let (reader, founder, note) = try scene()
    var copy = reader
    let findings = try take(note.text, [note.signatures[1]], &copy, of: founder)
    #expect(findings.map(\.kind) == [.fault(log: founder.ownLog, .badNote)])
  }

  /// Attack 21: slots of entries that are not there, or in any number, cost nothing.
  @Test func `slots and bodies of what is not held are not handed on`() throws {
    let (reader, founder, _) = try scene()
    var copy = reader
    var intake = try FrameIntake(copy)
    let box = [UInt8](repeating: 0, count: 48)
    let slot = Slot(logID: founder.ownLog, sequence: 9, epoch: EntryID(.zero), box: box)
    let body = Body(logID: founder.ownLog, sequence: 0, ciphertext: [1, 2, 3])
    let late = Body(logID: founder.ownLog, sequence: 9, ciphertext: [1, 2, 3])
    let unknown = Body(logID: LogID(.zero), sequence: 0, ciphertext: [1])
    copy.isBroken = true
    for frame in [Frame.slots([slot]), .bodies([late, unknown, body])] {
      #expect(try !intake.take(frame, from: founder.ownLog, into: &copy).changed)
    }
    #expect(intake.findings.map(\.kind) == [.wrongBody(log: founder.ownLog)])
  }
}

@Suite struct `What an intake tells` {
  /// A hostile mailbox could fill the list before what decides comes.
  @Test func `is not kept from what decides by anything in any number`() throws {
    let folder = TemporaryFolder()
    var world = World(3)
    let old = world.replicas[0]
    world.append(3, to: 0)
    try world.exchange(0, folder.mailbox)
    var reader = old
    var intake = try FrameIntake(reader)
    func flood() {
      for number in 0..<2000 {
        intake.note(.gap(log: LogID(.zero), size: UInt64(number)), of: old.ownLog)
      }
    }
    flood()
    let count = intake.findings.count
    #expect(count < 2000 && !intake.isOutdated)
    let head = Frame.heads(try world.replicas[0].heads())
    _ = try intake.take(head, from: world.replicas[1].ownLog, into: &reader)
    #expect(intake.isOutdated)
    let other = world.replicas[1].ownLog
    for device in world.replicas { intake.note(.fork(log: other), of: device.ownLog) }
    flood()
    #expect(
      intake.findings.dropFirst(count).map(\.kind) == [.ownLogAhead(size: 5), .fork(log: other)])
  }
}
