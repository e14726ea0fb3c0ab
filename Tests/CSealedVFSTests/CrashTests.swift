import Foundation
import GRDB
import Support
import Testing

/// A crash leaves any part of what was not yet synced, in sectors of 512 bytes. Whatever it leaves,
/// the database opens, is whole, and holds every acknowledged commit.
@Suite struct CrashTests {
  /// What the disk held before and after something whose writes a crash may lose or reorder, and how
  /// many commits were acknowledged by then.
  private struct Step {
    var before: Files
    var after: Files
    var commits: ClosedRange<Int>
  }

  /// Commits of several pages each, with checkpoints and the WAL starting over in between.
  private func history() throws -> [Step] {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    var steps: [Step] = []
    var state = try vault.read()
    func step(_ commits: ClosedRange<Int>, _ sql: String) throws {
      try queue.run(sql)
      let next = try vault.read()
      steps.append(Step(before: state, after: next, commits: commits))
      state = next
    }
    for commit in 1...9 {
      try step((commit - 1)...commit, insertRows(1, of: commit * 1500))
      if commit.isMultiple(of: 3) { try step(commit...commit, "PRAGMA wal_checkpoint(PASSIVE)") }
    }
    try queue.close()
    let closed = try vault.read()
    steps.append(
      Step(before: state, after: Files(database: closed.database, wal: state.wal), commits: 9...9))
    steps.append(Step(before: closed, after: closed, commits: 9...9))
    return steps
  }

  private func expectPrefix(_ files: Files, _ commits: ClosedRange<Int>, _ what: String) throws {
    let queue = try TemporaryVault(files).open(synchronous: "OFF")
    let count = try #require(try queue.int("SELECT count(*) FROM item"))
    #expect(commits.contains(count), "\(what): \(count) of \(commits)")
    let inOrder = "SELECT count(*) FROM item WHERE length(bytes) = id * 1500"
    #expect(try queue.int(inOrder) == count, "\(what)")
    #expect(try queue.string("PRAGMA integrity_check") == "ok", "\(what)")
  }

  @Test func `a WAL torn at any sector loses only what was not acknowledged`() throws {
    for (index, step) in try history().enumerated() {
      guard let before = step.before.wal, let after = step.after.wal, after.count > before.count
      else { continue }
      for end in stride(from: before.count, to: after.count, by: 512) {
        var torn = step.before
        torn.wal = Array(after[0..<end])
        try expectPrefix(torn, step.commits, "step \(index), WAL of \(end) bytes")
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `writes lost and reordered lose only what was not acknowledged`(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    for (index, step) in try history().enumerated() {
      for round in 0..<12 {
        let files = Files(
          database: mix(step.before.database, step.after.database, using: &random),
          wal: mixWAL(step.before.wal ?? [], step.after.wal ?? [], using: &random))
        try expectPrefix(files, step.commits, "seed \(seed), step \(index), round \(round)")
      }
    }
  }

  /// Each changed sector old or new; one that was never written is a hole, or past the end.
  private func mix(
    _ before: [UInt8], _ after: [UInt8], using random: inout SplitMix64
  ) -> [UInt8] {
    var mixed = before
    let odds = UInt64.random(in: 1...7, using: &random)
    for start in stride(from: 0, to: after.count, by: 512) {
      let sector = start..<min(start + 512, after.count)
      if UInt64.random(in: 0..<8, using: &random) >= odds { continue }
      if mixed.count < sector.upperBound {
        mixed += [UInt8](repeating: 0, count: sector.upperBound - mixed.count)
      }
      mixed.replaceSubrange(sector, with: after[sector])
    }
    return mixed
  }

  /// SQLite syncs a new WAL header before it writes frames: either only the header is torn, or it is
  /// there whole.
  private func mixWAL(
    _ before: [UInt8], _ after: [UInt8], using random: inout SplitMix64
  ) -> [UInt8] {
    guard after.count >= walHeaderSize else { return before }
    let header = 0..<walHeaderSize
    var started = before
    if before.count < walHeaderSize {
      started = Array(after[header])
    } else {
      started.replaceSubrange(header, with: after[header])
    }
    if before.prefix(walHeaderSize) != after.prefix(walHeaderSize), Bool.random(using: &random) {
      return Bool.random(using: &random) ? before : Array(started.prefix(40)) + before.dropFirst(40)
    }
    return mix(started, after, using: &random)
  }

  @Test func `a killed process keeps every commit that it acknowledged`() async throws {
    for round in 1...3 {
      let vault = try TemporaryVault()
      let acknowledged = vault.folder.appending(path: "acknowledged").path
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [
          folder = vault.folder.path as String, acknowledged = acknowledged as String,
          commits = round * 15 as Int
        ] in
        let queue = try TemporaryVault(inheriting: folder).open()
        try queue.run(createItems)
        for commit in 1...commits {
          if commit.isMultiple(of: 10) { try queue.run("PRAGMA wal_checkpoint(PASSIVE)") }
          try queue.run(insertRows(1, of: commit * 300))
          try Data("\(commit)".utf8).write(to: URL(filePath: acknowledged))
        }
        kill(getpid(), SIGKILL)
      }
      let text = String(decoding: try Data(contentsOf: URL(filePath: acknowledged)), as: UTF8.self)
      let queue = try vault.open()
      #expect(try queue.int("SELECT count(*) FROM item") == Int(text))
      #expect(try queue.string("PRAGMA integrity_check") == "ok")
    }
  }
}
