import Cryptography
import Foundation
import Mailboxes
import Support
import Sync
import Synchronization
import Testing
import VerifiableLog

@Suite struct `A folder as a mailbox` {
  @Test func `does what every mailbox must do`() throws {
    var folders: [TemporaryFolder] = []
    let conformance = MailboxConformance {
      let folder = TemporaryFolder()
      folders.append(folder)
      return folder.mailbox
    }
    try conformance.runAll()
  }

  @Test func `a stick carries what its own devices never left there`() throws {
    let (first, second) = (TemporaryFolder(), TemporaryFolder())
    var world = World(3)
    world.append(3, to: 0)
    let blob = world.replicas[0].attach(world.generator.bytes(200_000))
    let private1 = world.words(2)
    world.replicas[0].append(private1, isPrivate: true)
    world.replicas[0].share([6])
    // A meets B on one stick, B meets C on another that A never saw.
    try world.exchange(0, first.mailbox)
    try world.exchange(1, first.mailbox)
    world.append(1, to: 1)
    let carried = try world.exchange(1, second.mailbox)
    #expect(carried.blobsSent == 1)
    #expect(carried.logs.allSatisfy { $0.entriesSent == $0.sizeAfter })
    let report = try world.exchange(2, second.mailbox)
    #expect(report.findings == [])
    #expect(world.replicas[2].sealedBlobs[blob] != nil)
    #expect(world.replicas[2].digest() == world.replicas[1].digest())
    // And back: A learns of C by B's second stick.
    world.append(2, to: 2)
    try world.exchange(2, second.mailbox)
    try world.exchange(1, second.mailbox)
    try world.exchange(1, first.mailbox)
    try world.exchange(0, first.mailbox)
    #expect(world.digests.count == 1)
  }

  @Test func `what its own subfolder has is not carried twice`() throws {
    let folder = TemporaryFolder()
    var world = World(3)
    world.append(3, to: 0)
    try world.exchangeAll(folder.mailbox)
    for (index, replica) in world.replicas.enumerated() {
      let name = "-" + replica.name
      let ranges = folder.files().filter { $0.contains(name + "/r-") }
      #expect(ranges.count == (index == 0 ? 1 : 0))
    }
  }

  @Test func `files that went missing or were cut are written again`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    world.append(3, to: 0)
    _ = world.replicas[0].attach(world.generator.bytes(100_000))
    try world.exchangeAll(folder.mailbox)
    let before = folder.files()
    for file in before {
      let bytes = folder.read(file)
      try folder.remove(file)
      try world.exchangeAll(folder.mailbox)
      #expect(folder.read(file) == bytes, "removed")
      try folder.write(Array(bytes.dropLast(7)), to: file)
      try world.exchangeAll(folder.mailbox)
      #expect(folder.read(file) == bytes, "cut")
    }
    #expect(folder.files() == before)
  }

  @Test func `what was cut of a device that is gone is written again by others`() throws {
    let folder = TemporaryFolder()
    var world = World(3)
    world.append(3, to: 0)
    for index in [0, 1] { try world.exchange(index, folder.mailbox) }
    let file = try #require(
      folder.files().first { $0.contains("-" + world.replicas[0].name + "/r-") })
    try folder.write(Array(folder.read(file).dropLast(7)), to: file)
    for index in [2, 1, 2] { try world.exchange(index, folder.mailbox) }
    #expect(world.replicas[2].digest() == world.replicas[1].digest())
  }

  /// The replica forgets what it asked for once the exchange has ended: it must not come back with a power cut.
  @Test(arguments: [false, true])
  func `what was erased is gone from the medium when the exchange ends`(
    isGoneAlready: Bool
  ) throws {
    let folder = TemporaryFolder()
    var world = World(2)
    let blob = world.replicas[0].attach(world.generator.bytes(100_000))
    try world.exchangeAll(folder.mailbox)
    world.replicas[0].erased = [.blob(blob)]
    world.replicas[0].sealedBlobs[blob] = nil
    world.replicas[0].attachments[blob] = nil
    // An exchange that was killed had removed it, and nothing more.
    if isGoneAlready {
      for file in folder.files() where file.contains("/b-") { try folder.remove(file) }
    }
    let last = Mutex<FileOperation?>(nil)
    let mailbox = FolderMailbox(path: folder.path) { operation in
      if operation == .remove || operation == .synchronize { last.withLock { $0 = operation } }
      return nil
    }
    try world.exchange(0, mailbox)
    #expect(folder.files().filter { $0.contains("/b-") } == [])
    #expect(last.withLock(\.self) == .synchronize)
  }

  @Test func `the folder of another case is refused and left as it is`() throws {
    let folder = TemporaryFolder()
    var world = World(1)
    world.append(1, to: 0)
    try world.exchange(0, folder.mailbox)
    let before = folder.files()
    var other = MemoryReplica(
      TestDevice(seed: 5), caseID: .zero, founder: TestDevice(seed: 5))
    other.append(world.words(1))
    #expect(throws: ExchangeError<MemoryReplica.Failure>.self) {
      try folder.mailbox.exchange(with: &other)
    }
    do { _ = try folder.mailbox.exchange(with: &other) } catch .mailbox(.otherCase) {} catch {
      Issue.record("another error")
    }
    #expect(folder.files() == before)
  }

  @Test func `a folder that is not there is unreachable`() throws {
    var world = World(1)
    do {
      try world.exchange(0, FolderMailbox(path: "/nowhere/at/all"))
      Issue.record("no error")
    } catch ExchangeError<MemoryReplica.Failure>.mailbox(.unreachable) {}
  }

  @Test func `names with dots, links and pipes lead nowhere`() throws {
    let (folder, outside) = (TemporaryFolder(), TemporaryFolder())
    var world = World(2)
    try world.exchangeAll(folder.mailbox)
    world.append(2, to: 0)
    try world.exchange(0, folder.mailbox)
    let part = "/" + folder.files()[0].split(separator: "/")[0]
    // The newest range of the founder, moved out and linked to.
    let range = try #require(folder.files().first { $0.contains("/r-") && $0.hasSuffix("03") })
    try outside.write(folder.read(range), to: "range")
    try folder.remove(range)
    let manager = FileManager.default
    try manager.createSymbolicLink(
      atPath: folder.path + "/" + range, withDestinationPath: outside.path + "/range")
    for name in ["r-..", "b-../../x", "head (copy)", "r-x-0-1", "HEAD", "s-", "\u{202E}daeh"] {
      let path = folder.path + part + "/" + name.replacing("/", with: "_")
      _ = manager.createFile(atPath: path, contents: Data([1]))
    }
    let report = try world.exchange(1, folder.mailbox)
    #expect(report.logs.map(\.entriesReceived).reduce(0, +) == 0)
    let unreadable = Finding.Kind.unreadable(.range(world.replicas[0].ownLog))
    #expect(report.findings.map(\.kind) == [unreadable])
    try manager.removeItem(atPath: folder.path + "/" + range)
    #expect(unsafe mkfifo(folder.path + "/" + range, 0o644) == 0)
    #expect(try world.exchange(1, folder.mailbox).findings.map(\.kind) == [unreadable])
  }

  @Test func `a link in the place of the own subfolder is not followed`() throws {
    let (folder, outside) = (TemporaryFolder(), TemporaryFolder())
    var world = World(1)
    try world.exchange(0, folder.mailbox)
    let part = String(folder.files()[0].split(separator: "/")[0])
    try FileManager.default.removeItem(atPath: folder.path + "/" + part)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/" + part, withDestinationPath: outside.path)
    #expect(throws: ExchangeError<MemoryReplica.Failure>.self) {
      try world.exchange(0, folder.mailbox)
    }
    #expect(outside.files() == [])
  }

  @Test func `a replica that fails ends the exchange with its own error`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    try world.exchange(0, folder.mailbox)
    world.replicas[1].isBroken = true
    do {
      try world.exchange(1, folder.mailbox)
      Issue.record("no error")
    } catch ExchangeError<MemoryReplica.Failure>.replica(.broken) {}
    world.replicas[1].isBroken = false
    try world.exchangeAll(folder.mailbox)
    #expect(world.digests.count == 1)
  }
}
