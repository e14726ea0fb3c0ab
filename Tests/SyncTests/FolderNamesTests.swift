import Mailboxes
import Support
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct `Names in a folder` {
  // More records than the system gives at once, of every length: the last one of a batch ends where
  // the memory that holds it ends.
  @Test func `all are read, whole, whatever their length`() throws {
    let folder = TemporaryFolder()
    let made = (0..<3_000).map { number in
      let digits = Array(String(number).utf8)
      return digits + [UInt8](repeating: 0xe9, count: number % (256 - digits.count))
    }
    for name in made { try make(name, in: folder.path) }
    var found: [[UInt8]] = []
    #expect(
      FolderNames.each(in: opened(folder.path)) {
        found.append($0)
        return true
      } == 0)
    #expect(Set(found) == Set(made))
    #expect(found.count == made.count)
  }

  @Test func `reading ends when enough is known`() throws {
    let folder = TemporaryFolder()
    for name in ["a", "b", "c"] { try make(Array(name.utf8), in: folder.path) }
    var count = 0
    #expect(
      FolderNames.each(in: opened(folder.path)) { _ in
        count += 1
        return count < 2
      } == 0)
    #expect(count == 2)
  }

  @Test func `what is no folder is an error, not an empty one`() throws {
    let folder = TemporaryFolder()
    try make(Array("a".utf8), in: folder.path)
    let file = unsafe open(folder.path + "/a", O_RDONLY | O_CLOEXEC)
    #expect(FolderNames.each(in: file) { _ in true } == ENOTDIR)
  }

  private func opened(_ path: String) -> Int32 {
    unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }

  private func make(_ name: [UInt8], in folder: String) throws {
    let file = unsafe (Array(folder.utf8) + [UInt8(ascii: "/")] + name + [0])
      .withUnsafeBytes { path in
        unsafe open(
          path.assumingMemoryBound(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY | O_CLOEXEC,
          0o600)
      }
    try #require(file >= 0)
    close(file)
  }
}
