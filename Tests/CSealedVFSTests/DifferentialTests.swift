import Foundation
import GRDBSQLite
import Testing

/// The same statements over a plain and a sealed database: whatever SQLite answers over the one, it
/// answers over the other, to the last byte of every page.
///
/// `CAIRN_DIFFERENTIAL=2500` makes it that many sequences instead of a few hundred, a long run, and
/// `CAIRN_DIFFERENTIAL_SEED=65` repeats one, telling each statement.
@Suite struct DifferentialTests {
  static let sequences =
    ProcessInfo.processInfo.environment["CAIRN_DIFFERENTIAL"].flatMap { Int($0) } ?? 240

  static let onlySeed =
    ProcessInfo.processInfo.environment["CAIRN_DIFFERENTIAL_SEED"].flatMap { UInt64($0) }

  /// Tests run side by side, and these keep a core busy for seconds.
  static let parts = 4

  private struct Count {
    var statements = 0
    var failed = 0
    var crashes = 0
    var images = 0
  }

  @Test(.enabled(if: onlySeed != nil))
  func `one sequence is repeated`() throws {
    var count = Count()
    try compare(seed: try #require(Self.onlySeed), &count)
  }

  @Test(.enabled(if: onlySeed == nil), arguments: 0..<parts)
  func `random SQL does over a sealed database what it does over a plain one`(part: Int) throws {
    var count = Count()
    for seed in stride(from: part, to: Self.sequences, by: Self.parts) {
      try compare(seed: UInt64(seed), &count)
    }
    print(
      "differential, part \(part): \(count.statements) statements, \(count.failed) of them errors,"
        + " \(count.crashes) recoveries, \(count.images) images of all pages")
    // It must have met what it is about.
    #expect(count.statements > 40 * (Self.sequences / Self.parts))
    #expect(count.failed > 0 && count.failed < count.statements / 2)
    #expect(count.crashes > 0 && count.images > 0)
  }

  @Test func `a sealed database that differs is seen to differ`() throws {
    let (plain, sealed) = (try Side(isSealed: false), try Side(isSealed: true))
    let sql = "CREATE TABLE t0(a, b)"
    #expect(plain.connections[0].run(sql) == sealed.connections[0].run(sql))
    #expect(plain.connections[0].image() == sealed.connections[0].image())
    _ = sealed.connections[0].run("INSERT INTO t0 VALUES (1, 2)")
    let rows = "SELECT * FROM t0"
    #expect(plain.connections[0].run(rows) != sealed.connections[0].run(rows))
    #expect(plain.connections[0].image() != sealed.connections[0].image())
  }

  private func compare(seed: UInt64, _ count: inout Count) throws {
    var source = RandomSQL(seed: seed)
    let (plain, sealed) = (try Side(isSealed: false), try Side(isSealed: true))
    let isAutoVacuumed = source.draw(0...3) == 0
    for side in [plain, sealed] where isAutoVacuumed {
      _ = side.connections[0].run("PRAGMA auto_vacuum = INCREMENTAL")
      _ = side.vacuum()
    }
    for sql in source.beginning() {
      expectSame(sql, on: 0, plain, sealed, seed, &count)
    }
    for step in 0..<40 {
      let kind = source.draw(0...49)
      if Self.onlySeed != nil && kind < 7 { print("step \(step) of kind \(kind)") }
      switch kind {
      case 0:
        for side in [plain, sealed] { try side.reopen() }
      case 1, 2:
        for side in [plain, sealed] { try side.crash() }
        count.crashes += 1
      case 3:
        let codes = [try plain.moveToBackup(), try sealed.moveToBackup()]
        #expect(codes[0] == codes[1], "seed \(seed), step \(step), backup")
      case 4:
        #expect(plain.vacuum() == sealed.vacuum(), "seed \(seed), step \(step), VACUUM")
      case 5, 6:
        expectSameImage(plain, sealed, seed, &count)
      case 7..<13:
        // Another connection reads along, and may hold a snapshot that checkpoints have to respect.
        let sql = source.draw(0...2) == 0 ? "BEGIN" : source.statement()
        expectSame(sql, on: 1, plain, sealed, seed, &count)
      default:
        expectSame(source.statement(), on: 0, plain, sealed, seed, &count)
      }
    }
    for side in [plain, sealed] { try side.reopen() }
    expectSame("PRAGMA integrity_check", on: 0, plain, sealed, seed, &count)
    expectSameImage(plain, sealed, seed, &count)
  }

  private func expectSame(
    _ sql: String, on connection: Int, _ plain: Side, _ sealed: Side, _ seed: UInt64,
    _ count: inout Count
  ) {
    let answer = plain.connections[connection].run(sql)
    let sealedAnswer = sealed.connections[connection].run(sql)
    count.statements += 1
    if Self.onlySeed != nil { print("\(connection): \(sql)\n   \(answer)\n   \(sealedAnswer)") }
    if answer.code != SQLITE_OK { count.failed += 1 }
    if answer != sealedAnswer {
      Issue.record("seed \(seed): \(sql)\nplain:  \(answer)\nsealed: \(sealedAnswer)")
    }
  }

  private func expectSameImage(
    _ plain: Side, _ sealed: Side, _ seed: UInt64, _ count: inout Count
  ) {
    let (left, right) = (plain.connections[0].image(), sealed.connections[0].image())
    if left != nil { count.images += 1 }
    guard left != right else { return }
    let differing = zip(left ?? [], right ?? []).enumerated().first { $1.0 != $1.1 }?.offset
    Issue.record(
      """
      seed \(seed): the pages differ: \(left?.count ?? -1) and \(right?.count ?? -1) bytes, \
      first at \(differing.map(String.init) ?? "the end")
      """)
  }
}
