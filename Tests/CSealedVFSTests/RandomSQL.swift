import Support

/// Statements over a few tables that may or may not be there, so that many of them fail, and those the
/// same way everywhere: nothing depends on time, on chance or on where the database lies.
struct RandomSQL {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(state: seed) }

  mutating func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  private mutating func one(of choices: [String]) -> String {
    choices[draw(0...choices.count - 1)]
  }

  private mutating func chance(_ one: Int, in all: Int) -> Bool { draw(1...all) <= one }

  // MARK: Pieces

  private mutating func table() -> String { one(of: ["t0", "t1", "t2", "t3"]) }

  private mutating func column() -> String { one(of: ["a", "b", "c", "d"]) }

  private mutating func word() -> String {
    one(of: ["ash", "birch", "cedar", "dogwood", "elm", "fir", "hazel", "juniper", "larch", "oak"])
  }

  private mutating func words() -> String {
    (0...draw(0...30)).map { _ in word() }.joined(separator: " ")
  }

  /// Some values fit a page many times over, some fill several.
  private mutating func value() -> String {
    switch draw(0...9) {
    case 0: "NULL"
    case 1: "\(draw(-1_000_000_000_000...1_000_000_000_000))"
    case 2: "\(draw(-1000...1000)).\(draw(0...99))"
    case 3: "zeroblob(\(draw(0...9000)))"
    case 4: "printf('%0\(draw(1...5000))d', \(draw(0...99)))"
    case 5: "CAST(printf('%0\(draw(3000...14_000))d', \(draw(0...9))) AS BLOB)"
    case 6: "x'\(String(draw(0...255) + 256, radix: 16).suffix(2))00FF'"
    default: "'\(words())'"
    }
  }

  private mutating func condition() -> String {
    switch draw(0...7) {
    case 0: "a = \(draw(0...60))"
    case 1: "a BETWEEN \(draw(0...40)) AND \(draw(20...90))"
    case 2: "a % \(draw(2...7)) = \(draw(0...2))"
    case 3: "b > '\(word())'"
    case 4: "b LIKE '%\(word())%'"
    case 5: "c IS NULL OR typeof(c) = 'text'"
    case 6: "length(c) > \(draw(0...5000))"
    default: "d IN (SELECT a FROM \(table()) WHERE a < \(draw(1...50)))"
    }
  }

  // MARK: Statements

  /// What a sequence begins with.
  mutating func beginning() -> [String] {
    var statements = [newTable(), newTable(), newTable(), newTable()]
    let prefixes = one(of: ["", ", prefix = '2 3'"])
    statements.append("CREATE VIRTUAL TABLE words USING fts5(b\(prefixes))")
    statements += (0...draw(1...4)).map { _ in insertMany() }
    return statements
  }

  mutating func statement() -> String {
    switch draw(0...99) {
    case 0..<18: return insert()
    case 18..<25: return insertMany()
    case 25..<37: return update()
    case 37..<44: return delete()
    case 44..<56: return select()
    case 56..<62: return schema()
    case 62..<74: return transaction()
    case 74..<88: return fullText()
    default: return pragma()
    }
  }

  private mutating func newTable() -> String {
    let columns = one(of: [
      "a INTEGER PRIMARY KEY, b TEXT, c, d", "a INTEGER PRIMARY KEY AUTOINCREMENT, b, c BLOB, d",
      "a, b TEXT COLLATE NOCASE, c, d REAL", "a INT UNIQUE, b, c, d DEFAULT 7",
      "a INTEGER PRIMARY KEY, b, c, d CHECK(d IS NULL OR d <> 13)",
      "a INTEGER PRIMARY KEY, b, c, d REFERENCES t0(a) ON DELETE CASCADE",
    ])
    if chance(1, in: 6) {
      return "CREATE TABLE \(table())(a, b, c, d, PRIMARY KEY(a, b)) WITHOUT ROWID"
    }
    return "CREATE TABLE \(table())(\(columns))"
  }

  private mutating func insert() -> String {
    let verb = one(of: [
      "INSERT", "INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL",
      "INSERT OR ROLLBACK", "INSERT OR ABORT",
    ])
    let key = chance(1, in: 3) ? "NULL" : "\(draw(0...90))"
    let upsert =
      verb == "INSERT" && chance(1, in: 4) ? " ON CONFLICT DO UPDATE SET c = excluded.c" : ""
    return "\(verb) INTO \(table())(a, b, c, d) VALUES (\(key), \(value()), \(value()), \(value()))"
      + upsert
  }

  private mutating func insertMany() -> String {
    let (count, first) = (draw(2...120), draw(0...200))
    return """
      WITH RECURSIVE n(i) AS (SELECT \(first) UNION ALL SELECT i + 1 FROM n WHERE i < \(first + count))
      INSERT \(one(of: ["", "OR IGNORE", "OR REPLACE"])) INTO \(table())(a, b, c, d)
      SELECT i, '\(word()) ' || i, \(value()), i % \(draw(2...20)) FROM n
      """
  }

  private mutating func update() -> String {
    let verb = one(of: ["UPDATE", "UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"])
    if chance(1, in: 5) {
      return "\(verb) \(table()) SET a = a + \(draw(-3...40)) WHERE \(condition())"
    }
    return "\(verb) \(table()) SET \(column()) = \(value()) WHERE \(condition())"
  }

  private mutating func delete() -> String {
    chance(1, in: 9) ? "DELETE FROM \(table())" : "DELETE FROM \(table()) WHERE \(condition())"
  }

  private mutating func select() -> String {
    switch draw(0...5) {
    case 0: "SELECT count(*), sum(a), total(d), max(length(c)) FROM \(table()) WHERE \(condition())"
    case 1: "SELECT * FROM \(table()) WHERE \(condition())"
    case 2: "SELECT b, count(*) FROM \(table()) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"
    case 3:
      "SELECT x.a, y.b FROM \(table()) x JOIN \(table()) y ON x.a = y.d WHERE x.\(condition()) LIMIT 50"
    case 4: "SELECT DISTINCT typeof(\(column())), \(column()) FROM \(table()) ORDER BY 2 LIMIT 30"
    default: "SELECT * FROM sqlite_schema"
    }
  }

  private mutating func schema() -> String {
    switch draw(0...9) {
    case 0: newTable()
    case 1: "DROP TABLE \(table())"
    case 2: "ALTER TABLE \(table()) ADD COLUMN e\(draw(0...2)) DEFAULT \(draw(0...9))"
    case 3: "CREATE TEMP TABLE scrap\(draw(0...3)) AS SELECT * FROM \(table())"
    case 4: "CREATE UNIQUE INDEX i\(draw(0...5)) ON \(table())(\(column()), a)"
    case 5: "CREATE INDEX i\(draw(0...5)) ON \(table())(\(column())) WHERE \(column()) IS NOT NULL"
    case 6: "DROP INDEX i\(draw(0...5))"
    case 7: "CREATE INDEX i\(draw(0...5)) ON \(table())(length(c), \(column()))"
    case 8: "REINDEX"
    default:
      """
      CREATE TRIGGER IF NOT EXISTS r\(draw(0...2)) AFTER DELETE ON \(table()) BEGIN \
      INSERT OR IGNORE INTO \(table())(a, b) VALUES (old.a + 1000, old.b); END
      """
    }
  }

  private mutating func transaction() -> String {
    one(of: [
      "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT s0",
      "SAVEPOINT s1", "ROLLBACK TO s0", "ROLLBACK TO s1", "RELEASE s0", "RELEASE s1",
    ])
  }

  private mutating func fullText() -> String {
    switch draw(0...9) {
    case 0..<4: "INSERT INTO words(b) VALUES ('\(words())')"
    case 4: "INSERT INTO words(b) SELECT b FROM \(table()) LIMIT \(draw(1...60))"
    case 5: "UPDATE words SET b = '\(words())' WHERE rowid % \(draw(2...9)) = 1"
    case 6: "DELETE FROM words WHERE rowid = \(draw(1...40))"
    case 7: "SELECT rowid, rank FROM words('\(word()) \(one(of: ["AND", "OR", "NOT"])) \(word())')"
    case 8: "SELECT snippet(words, 0, '<', '>', '..', 6) FROM words('\(word()) + \(word())')"
    default:
      "INSERT INTO words(words) VALUES ('\(one(of: ["optimize", "rebuild", "integrity-check"]))')"
    }
  }

  private mutating func pragma() -> String {
    switch draw(0...13) {
    case 0..<3: "PRAGMA wal_checkpoint(\(one(of: ["PASSIVE", "FULL", "RESTART", "TRUNCATE"])))"
    case 3, 4: "PRAGMA integrity_check"
    case 5: "PRAGMA foreign_key_check"
    case 6: "PRAGMA page_count"
    case 7: "PRAGMA freelist_count"
    case 8: "PRAGMA cache_size = \(draw(5...60))"
    case 9: "PRAGMA incremental_vacuum(\(draw(1...50)))"
    case 10: "PRAGMA wal_autocheckpoint = \(draw(0...40))"
    case 11: "PRAGMA journal_size_limit = \(draw(0...200_000))"
    case 12: "PRAGMA user_version = \(draw(0...999))"
    default: "ANALYZE"
    }
  }
}
