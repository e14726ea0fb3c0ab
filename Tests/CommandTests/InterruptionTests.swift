import Foundation
import People
import Support
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct `When it cannot go on` {
  @Test func `Ctrl-C during a large file keeps what was complete and nothing else`() async throws {
    let person = try await Person()
    _ = try person.folder.file("first.png", noise(100_000))
    try makeSparseFile(person.path("large.mp4"), byteCount: 20 << 30)
    let running = try person.begin("add", "first.png", "large.mp4")
    // The large one is being written when more than one temporary file was begun.
    #expect(try await running.send(SIGINT) { try person.temporaryFiles().count > 1 })
    let stopped = try await running.finish()
    #expect(stopped.status == 130, "\(stopped.all)")
    #expect(stopped.output.contains("first.png"))
    #expect(stopped.told.contains("Stopped, as you asked. 1 of 2 files were saved"))
    // The same command would enter the first one twice.
    #expect(stopped.told.contains("To go on, name only the files that are not among those above"))
    #expect(!stopped.told.contains("same command"))
    #expect(try person.temporaryFiles() == [])
    #expect(try person.blobFiles().count == 1)
    let entries = try await person.entries()
    #expect(entries.count == 1)
    let id = try #require(entries[0]["id"] as? String)
    #expect(try await person.cairn("extract", id, "--output", "out").status == 0)
  }

  @Test func `a process that is killed leaves a vault that the next one tidies`() async throws {
    let person = try await Person()
    try makeSparseFile(person.path("large.mp4"), byteCount: 20 << 30)
    let running = try person.begin("add", "large.mp4")
    #expect(try await running.send(SIGKILL) { try !person.temporaryFiles().isEmpty })
    _ = try await running.finish()
    #expect(try person.temporaryFiles().count == 1)
    try await person.expectNothingKept()
    #expect(try await person.cairn("add", "--text", "Still here.").status == 0)
  }

  /// A stream that was cut between two pieces of 1 MiB looks as if it had ended.
  private static let pieces = 2 << 20

  @Test(arguments: ["add", "note"])
  func `a stream that Ctrl-C cuts between two pieces is not taken for whole`(command: String)
    async throws
  {
    let person = try await Person()
    let pipe = Pipe()
    let producer = try ChildProcess(
      ["/bin/sh", "-c", "head -c \(Self.pieces) /dev/urandom; exec sleep 900"],
      output: pipe.fileHandleForWriting.fileDescriptor)
    try pipe.fileHandleForWriting.close()
    let running = try person.begin(command, "-", input: pipe.fileHandleForReading)
    try pipe.fileHandleForReading.close()
    // The first piece is written once the second one is there as a whole.
    let isCut = try await running.send(SIGINT) {
      guard try !person.temporaryFiles().isEmpty else { return false }
      Thread.sleep(forTimeInterval: 0.2)
      return true
    }
    #expect(isCut)
    let stopped = try await running.finish()
    producer.send(SIGTERM)
    _ = await producer.ended()
    #expect(stopped.status == 130, "\(stopped.all)")
    #expect(stopped.told.contains("Stopped, as you asked."), "\(stopped.all)")
    try await person.expectNothingKept()
  }

  @Test func `a stream that breaks off between two pieces is not taken for whole`() async throws {
    let person = try await Person()
    var ends: [Int32] = [-1, -1]
    #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let (writing, reading) = (ends[0], FileHandle(fileDescriptor: ends[1], closeOnDealloc: false))
    let running = try person.begin("add", "-", input: reading)
    // Whoever closes without having read this breaks the connection.
    #expect(unsafe send(ends[1], [0], 1, 0) == 1)
    try reading.close()
    let bytes = noise(Self.pieces)
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes {
        unsafe send(writing, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { break }
      sent += count
    }
    #expect(sent == bytes.count)
    #expect(try await eventually { try !person.temporaryFiles().isEmpty })
    close(writing)
    let broken = try await running.finish()
    #expect(broken.status == 1, "\(broken.all)")
    #expect(broken.told.contains("The system could not read or write."), "\(broken.all)")
    #expect(broken.told.contains("It was not added, and no part of it was kept."))
    try await person.expectNothingKept()
  }

  static let smallDisk = SmallDisk()

  @Test(.enabled(if: smallDisk.isThere, "a small disk can be mounted by root only"))
  func `a full disk keeps what fitted, and says so`() async throws {
    let person = try await Person(hasVault: false)
    let vault = try #require(Self.smallDisk.path) + "/vault"
    let common = ["--vault", vault, "--passphrase-file", person.passphraseFile]
    let made = try await person.run(["init", "--kit", "kit", "--kdf", "light"] + common)
    #expect(made.status == 0, "\(made.all)")
    _ = try person.folder.file("large.mp4", noise(6 << 20))
    let refused = try await person.run(["add", "large.mp4"] + common)
    #expect(refused.status == 1)
    #expect(refused.told.contains("The disk is full."), "\(refused.all)")
    #expect(refused.told.contains("It was not added, and no part of it was kept."))
    let left = try FileManager.default.contentsOfDirectory(atPath: vault + "/blobs/tmp")
    #expect(left == [])
    let scripted = try await person.run(["add", "large.mp4", "--json"] + common)
    #expect(try scripted.errorCode() == "diskFull")
    // What is small enough still goes in, and the vault is whole.
    #expect(try await person.run(["add", "--text", "One."] + common).status == 0)
    let listed = try await person.run(["list", "--json"] + common)
    #expect((try listed.json()["entries"] as? [Any])?.count == 1)
  }

  @Test(.enabled(if: smallDisk.isThere, "a small disk can be mounted by root only"))
  func `a full disk leaves no piece of what was taken out`() async throws {
    let person = try await Person()
    _ = try person.folder.file("large.mp4", noise(6 << 20))
    _ = try await person.cairn("add", "large.mp4")
    let id = try #require(try await person.entries().first?["id"] as? String)
    let output = try #require(Self.smallDisk.path) + "/out"
    let refused = try await person.cairn("extract", id, "--output", output)
    #expect(refused.status == 1)
    #expect(refused.told.contains("The disk is full."))
    #expect(try FileManager.default.contentsOfDirectory(atPath: output) == [])
  }
}

/// A disk of 4 MB for the tests of this process.
final class SmallDisk: Sendable {
  let path: String?
  var isThere: Bool { path != nil }

  init() {
    let place = FileManager.default.temporaryDirectory.path + "/cairn-disk-\(UUID().uuidString)"
    do {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
      path = try SmallDisk.mount(at: place) ? place : nil
      // Taken away again with the last process that is in it: this one.
      if path != nil { atexit { SmallDisk.unmountAll() } }
    } catch {
      path = nil
    }
  }

  /// A disk of 4 MiB in memory, of a test's own; whether it could be mounted.
  static func mount(at place: String) throws -> Bool {
    try ChildProcess(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", place]).wait()
      == 0
  }

  /// Also while somebody is in it.
  static func unmount(_ place: String) { _ = unsafe umount2(place, Int32(MNT_DETACH)) }

  private static func unmountAll() {
    guard let place = `When it cannot go on`.smallDisk.path else { return }
    unmount(place)
    _ = unsafe rmdir(place)
  }
}
