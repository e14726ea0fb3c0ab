import Foundation
import Support
import Sync
import Testing
import VerifiableLog

@testable import Mailboxes

/// A disk, a stick or whoever carries files from one to another may lose some of what a file holds, and leave it its name,
/// its length and its end.
@Suite struct `What is damaged in the middle of a file` {
  /// Two entries a frame, so that frames have proofs, which stand in no leaf.
  private func world(_ count: Int) -> World {
    var world = World(count)
    world.replicas[0].entriesAtOnce = 2
    world.append(3, to: 0)
    return world
  }

  private func range(of replica: MemoryReplica, in folder: TemporaryFolder) throws -> String {
    try #require(folder.files().first { $0.contains("-" + replica.name + "/r-") })
  }

  @Test func `is written again by its author where somebody is stuck before it`() throws {
    let folder = TemporaryFolder()
    var begun = world(2)
    try begun.exchange(0, folder.mailbox)
    let file = try range(of: begun.replicas[0], in: folder)
    let bytes = folder.read(file)
    let log = begun.replicas[0].ownLog
    for index in stride(from: 0, to: bytes.count, by: 9) {
      var world = begun
      var flipped = bytes
      flipped[index] ^= 1
      try folder.write(flipped, to: file)
      for device in [1, 0, 1] { try world.exchange(device, folder.mailbox) }
      let held = world.replicas[1].stored[log]?.held.size
      #expect(held == world.replicas[0].stored[log]?.held.size, "byte \(index) of \(bytes.count)")
      for file in folder.files() where file.contains("-" + world.replicas[1].name) {
        try folder.remove(file)
      }
    }
  }

  @Test func `is written again by others where its author is gone`() throws {
    let folder = TemporaryFolder()
    var world = world(3)
    for index in [0, 1] { try world.exchange(index, folder.mailbox) }
    let file = try range(of: world.replicas[0], in: folder)
    var bytes = folder.read(file)
    bytes[bytes.count / 2] ^= 1
    try folder.write(bytes, to: file)
    for index in [2, 1, 2] { try world.exchange(index, folder.mailbox) }
    #expect(world.replicas[2].digest() == world.replicas[1].digest())
  }

  /// She lacks more each time, for good.
  @Test func `is not looked for where only somebody waits who was removed`() throws {
    let folder = TemporaryFolder()
    var world = world(3)
    try world.exchangeAll(folder.mailbox)
    world.append(3, to: 0)
    for index in [0, 1, 0, 1] { try world.exchange(index, folder.mailbox) }
    let waiting = try world.exchange(1, folder.mailbox).bytesRead
    world.replicas[1].gone = [world.replicas[2].ownLog]
    let rest = try world.exchange(1, folder.mailbox).bytesRead
    let least = folder.files().filter { $0.contains("/r-") }.map { folder.read($0).count }.min()
    #expect(waiting - rest >= UInt64(try #require(least)))
  }

  @Test func `is not looked for where all have what is in it`() throws {
    let folder = TemporaryFolder()
    var world = world(2)
    try world.exchangeAll(folder.mailbox)
    let file = try range(of: world.replicas[0], in: folder)
    world.append(1, to: 0)
    try world.exchange(0, folder.mailbox)
    let report = try world.exchange(0, folder.mailbox)
    let newest =
      folder.files().filter { $0.contains("/r-") && $0.hasPrefix(file.prefix(30)) }
      .map { folder.read($0).count }.min() ?? 0
    #expect(report.bytesRead < UInt64(folder.read(file).count + newest))
  }

  /// As a power cut leaves it on some disks: the length is there, and the content is not.
  @Test func `is zeros to its end, of a blob`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    let root = world.replicas[0].attach(world.generator.bytes(200_000))
    try world.exchange(0, folder.mailbox)
    let file = try #require(folder.files().first { $0.contains("/b-") })
    var bytes = folder.read(file)
    bytes.replaceSubrange((bytes.count - 4096)..., with: [UInt8](repeating: 0, count: 4096))
    try folder.write(bytes, to: file)
    for index in [1, 0, 1] { try world.exchange(index, folder.mailbox) }
    #expect(world.replicas[1].sealedBlobs[root] == world.replicas[0].sealedBlobs[root])
  }
}

@Suite struct `What stands in the way of a file` {
  enum Obstacle: CaseIterable {
    case folder, emptyFolder, pipe, link

    func put(at path: String) throws {
      let manager = FileManager.default
      switch self {
      case .folder:
        try manager.createDirectory(atPath: path + "/inside", withIntermediateDirectories: true)
      case .emptyFolder:
        try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
      case .pipe: #expect(unsafe mkfifo(path, 0o644) == 0)
      case .link:
        try manager.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
      }
    }
  }

  @Test(arguments: Obstacle.allCases)
  func `gives way, and keeps nothing from being written`(_ obstacle: Obstacle) throws {
    let folder = TemporaryFolder()
    var world = World(2)
    world.append(2, to: 0)
    _ = world.replicas[0].attach(world.generator.bytes(100_000))
    try world.exchange(0, folder.mailbox)
    let files = folder.files()
    for file in files {
      let temporary = file.replacing("/", with: "/.")
      for (name, isLacking) in [(file, true), (temporary, true), (temporary, false)] {
        if isLacking { try folder.remove(file) }
        try obstacle.put(at: folder.path + "/" + name)
        try world.exchange(0, folder.mailbox)
        #expect(folder.files().filter { !$0.contains("/.aside") } == files, "\(name)")
      }
    }
    try world.exchange(1, folder.mailbox)
    #expect(world.replicas[1].sealedBlobs == world.replicas[0].sealedBlobs)
  }
}

@Suite struct `Names without number` {
  @Test func `of ranges are asked about once`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    world.append(40, to: 0)
    world.replicas[0].append(world.words(1), isPrivate: true)
    try world.exchangeAll(folder.mailbox)
    let own = try #require(folder.files().first { $0.contains("-" + world.replicas[1].name) })
    let part = own.prefix { $0 != "/" }
    var askings: [Int] = []
    for count in [1, 30] {
      for end in 1...count {
        let name = FileName.range(world.replicas[0].ownLog, 0..<UInt64(end))
        try folder.write([], to: "\(part)/\(name.text)")
      }
      let counter = Counter()
      world.replicas[1].askings = counter
      try world.exchange(1, folder.mailbox)
      askings.append(counter.count)
    }
    #expect(askings[0] == askings[1] && askings[0] > 0)
  }
}
