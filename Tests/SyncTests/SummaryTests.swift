import Cryptography
import Foundation
import Sync
import Testing
import VerifiableLog

@testable import Mailboxes

@Suite struct `The summary of a head` {
  private static let frames: [Frame] = [.statements([item(1)]), .wraps([item(2)])]

  private static func stream(_ summaries: [Frame], at place: Int = 1, of frames: [Frame]) -> [UInt8]
  {
    var all = [Frames.hello] + frames + [.end]
    all.insert(contentsOf: summaries, at: place)
    return Frames.stream(all)
  }

  private static func summary(_ frames: [Frame]) -> Frame {
    .summary(Frame.summary(of: frames.map(\.bytes)))
  }

  @Test(arguments: [1, 7, Int.max], [0, 2])
  func `holds for the frames between it and the end`(piece: Int, count: Int) throws {
    let frames = Array(Self.frames.prefix(count))
    let good = Self.summary(frames)
    let bytes = Self.stream([good], of: frames)
    #expect(try Frames.read(bytes, piece: piece) == [Frames.hello, good] + frames + [.end])
    let other = Self.stream([Self.summary(frames + frames + [.wraps([])])], of: frames)
    #expect(throws: FrameError.otherSummary) { try Frames.read(other, piece: piece) }
  }

  @Test func `stands second and once`() {
    let good = Self.summary(Self.frames)
    for (summaries, place) in [([good, good], 1), ([good], 2), ([good], 3)] {
      #expect(throws: FrameError.misplacedSummary) {
        try Frames.read(Self.stream(summaries, at: place, of: Self.frames))
      }
    }
    #expect(throws: FrameError.misplacedHello) {
      try Frames.read(Self.stream([good], at: 0, of: Self.frames))
    }
  }

  @Test func `has 32 bytes`() {
    let head = Frames.hello.bytes
    #expect(throws: FrameError.malformed) {
      try Frames.read(head + [0x0e, 0, 0, 0, 33, 0x58, 31] + [UInt8](repeating: 0, count: 31))
    }
    #expect(throws: FrameError.tooLong) { try Frames.read(head + [0x0e, 0, 0, 0, 35]) }
  }
}

/// What a device reads of its own in an idle exchange: the beginning of its head, and the end of each of its files.
private func ownBytes(_ replica: MemoryReplica, _ folder: TemporaryFolder) -> UInt64 {
  UInt64(117 + 6 * folder.files().count { $0.contains("-\(replica.name)/") })
}

@Suite struct `An exchange in which nothing is new` {
  /// Copies that have come to hold the same, and their folder.
  struct Scene {
    let folder = TemporaryFolder()
    var world: World

    init(_ members: Int) throws {
      world = World(members)
      for index in 0..<members { world.append(2, to: index) }
      for _ in 0..<2 { try world.exchangeAll(folder.mailbox) }
    }

    func head(of index: Int) throws -> String {
      let name = world.replicas[index].name
      return try #require(folder.files().first { $0.hasSuffix("-\(name)/head") })
    }

    /// A member of whom nobody knows yet, and who holds nothing.
    var late: MemoryReplica {
      MemoryReplica(
        TestDevice(seed: 50), caseID: World.caseID, founder: world.replicas[0].device)
    }

    /// Puts other frames into a head, under the summary that it has.
    func change(_ index: Int, _ change: ([Frame]) throws -> [Frame]) throws {
      let file = try head(of: index)
      let frames = try Frames.read(folder.read(file))
      let middle = try change(Array(frames[2...].dropLast()))
      try folder.write(Frames.stream(Array(frames.prefix(2)) + middle + [.end]), to: file)
    }
  }

  @Test(arguments: [2, 3, 5]) func `reads 39 bytes of each other head`(members: Int) throws {
    var scene = try Scene(members)
    for index in 0..<members {
      let report = try scene.world.exchange(index, scene.folder.mailbox)
      #expect(
        report.bytesRead == ownBytes(scene.world.replicas[index], scene.folder)
          + UInt64(39 * (members - 1)))
      #expect(report.bytesWritten == 0 && report.findings == [])
      for other in scene.world.replicas where other.ownLog != scene.world.replicas[index].ownLog {
        for log in scene.world.replicas.map(\.ownLog) {
          #expect(report.behind(other.ownLog, on: log) == 0)
        }
      }
    }
  }

  @Test func `asks the replica to take nothing`() throws {
    let scene = try Scene(3)
    var replica = scene.world.replicas[1]
    replica.isBroken = true
    #expect(try readOnly(scene.folder, into: &replica) == [])
  }

  /// Whoever is not in step reads all of it, and what anybody else left.
  @Test func `is none for who lacks something`() throws {
    var scene = try Scene(3)
    scene.world.append(1, to: 0)
    try scene.world.exchange(0, scene.folder.mailbox)
    let report = try scene.world.exchange(1, scene.folder.mailbox)
    #expect(report.logs.map(\.entriesReceived).reduce(0, +) == 1)
    try scene.world.exchangeAll(scene.folder.mailbox)
    #expect(scene.world.digests.count == 1)
    #expect(try scene.world.exchange(1, scene.folder.mailbox).bytesWritten == 0)
  }

  @Test func `damage behind a summary that is known harms nobody`() throws {
    var scene = try Scene(3)
    let file = try scene.head(of: 0)
    let whole = scene.folder.read(file)
    try scene.change(0) { [$0[0]] + $0.reversed().dropLast() }
    #expect(scene.folder.read(file).count == whole.count && scene.folder.read(file) != whole)
    // In step: nobody lacks what stands there, and nobody looks.
    for index in 0..<3 {
      let report = try scene.world.exchange(index, scene.folder.mailbox)
      #expect(report.findings == [] && report.bytesWritten == 0)
    }
    // Who lacks something reads it and tells; and the next time that not all say the same, it is written again.
    var late = scene.late
    let findings = try readOnly(scene.folder, into: &late)
    #expect(
      findings == [Finding(device: scene.world.replicas[0].ownLog, kind: .damaged(.head))])
    #expect(late.knownWraps == scene.world.replicas[2].knownWraps)
    scene.world.append(1, to: 1)
    try scene.world.exchange(1, scene.folder.mailbox)
    try scene.world.exchange(0, scene.folder.mailbox)
    #expect(try Frames.read(scene.folder.read(file)).last == .end)
    #expect(try readOnly(scene.folder, into: &late) == [])
  }

  @Test(arguments: ["hello", "summary", "end"])
  func `a device mends its own head where others look`(place: String) throws {
    var scene = try Scene(2)
    let file = try scene.head(of: 0)
    let whole = scene.folder.read(file)
    var damaged = whole
    damaged[["hello": 20, "summary": 90, "end": whole.count - 1][place]!] ^= 1
    try scene.folder.write(damaged, to: file)
    _ = try scene.world.exchange(0, scene.folder.mailbox)
    #expect(scene.folder.read(file) == whole)
  }

  /// The only copy that is there is looked at whole.
  @Test func `a device that is alone mends all of its head`() throws {
    var scene = try Scene(1)
    let file = try scene.head(of: 0)
    let whole = scene.folder.read(file)
    for index in stride(from: 0, to: whole.count, by: 13) {
      var damaged = whole
      damaged[index] ^= 1
      try scene.folder.write(damaged, to: file)
      _ = try scene.world.exchange(0, scene.folder.mailbox)
      #expect(scene.folder.read(file) == whole, "\(index)")
    }
  }

  @Test func `frames under a summary that is not theirs count one by one, and that is told`() throws
  {
    let scene = try Scene(2)
    try scene.change(0) { frames in
      frames.filter { if case .wraps = $0 { false } else { true } } + [.wraps([item(9)])]
    }
    var late = scene.late
    let findings = try readOnly(scene.folder, into: &late)
    #expect(
      findings == [Finding(device: scene.world.replicas[0].ownLog, kind: .damaged(.head))])
    #expect(late.knownWraps.contains(item(9)))
  }

  /// A head without one is in order: it is read as it always was, and the own one is written with it.
  @Test func `a head without a summary is read whole`() throws {
    var scene = try Scene(2)
    for index in 0..<2 {
      let file = try scene.head(of: index)
      let frames = try Frames.read(scene.folder.read(file))
      try scene.folder.write(Frames.stream([frames[0]] + frames[2...]), to: file)
    }
    let report = try scene.world.exchange(0, scene.folder.mailbox)
    #expect(report.findings == [])
    #expect(report.bytesWritten == UInt64(scene.folder.read(try scene.head(of: 0)).count))
    #expect(try scene.world.exchange(1, scene.folder.mailbox).findings == [])
    let idle = try scene.world.exchange(0, scene.folder.mailbox)
    #expect(idle.bytesRead == ownBytes(scene.world.replicas[0], scene.folder) + 39)
  }

  @Test func `what a known head proves is told each time`() throws {
    let folder = TemporaryFolder()
    var world = World(3)
    var forger = World(3).replicas[2]
    world.append(1, to: 2)
    forger.append([[0, 1, 2, 3]])
    try world.exchange(2, folder.mailbox)
    try world.exchange(0, folder.mailbox)
    let other = TemporaryFolder()
    var first = World(3).replicas[0]
    _ = try other.mailbox.exchange(with: &forger)
    _ = try other.mailbox.exchange(with: &first)
    try world.exchange(0, other.mailbox)
    let log = world.replicas[2].ownLog
    #expect(world.replicas[0].knownForks[log] != nil)
    try world.exchange(0, folder.mailbox)
    try world.exchange(1, folder.mailbox)
    for file in folder.files() where file.contains("-" + world.replicas[2].name) {
      try folder.remove(file)
    }
    for index in [0, 1, 0, 1] { try world.exchange(index, folder.mailbox) }
    let report = try world.exchange(0, folder.mailbox)
    #expect(
      report.findings.contains(
        Finding(device: world.replicas[1].ownLog, kind: .fork(log: log))))
    #expect(
      report.bytesWritten == 0 && report.bytesRead == ownBytes(world.replicas[0], folder) + 39)
  }
}
