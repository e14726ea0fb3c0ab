internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// Where a row stands.
struct RowPlace: Hashable {
  let page: UInt32
  let copy: SalvagedPages.Copy
  let cell: Int
  /// On a page of which a newer copy is lost.
  let isOld: Bool
}

/// A row of the vault, known by its shape (`Schema`), with what is small of it.
enum SalvagedRow {
  case aCase(Int64, id: CaseID, name: String)
  case log(Int64, id: LogID, caseRef: Int64)
  case leaf(Int64, log: Int64, id: EntryID, hasCiphertext: Bool)
  case entry(Int64, caseRef: Int64)
  /// That an entry is listed, and is open here.
  case listing(Int64, isOpen: Bool)
  case blob(BlobRoot)
  case slot(leaf: Int64, epoch: EpochID, box: [UInt8])
  case epoch(EpochID, caseRef: Int64, audience: [UInt8], sealedKey: [UInt8])
  case erasure(EntryID, isDestroyed: Bool)
  case memberName(LogID, String)

  /// The tables that hold what is salvaged, by their columns alone: no two of them are alike.
  enum Shape {
    case aCase, log, leaf, entry, listing, blob, slot, epoch, erasure, memberName

    init?(_ columns: [SQLitePage.ColumnType], isTable: Bool) {
      let form = String(columns.map(Self.letter))
      let found = (isTable ? Self.tables : Self.indexes).first { Self.matches(form, $0.form) }
      guard let found else { return nil }
      self = found.shape
    }

    // n null, i integer, t text, b blob, k blob of 32 bytes, d leaf data, s slot's box, c sealed key. In a form
    // a capital may be null too, and * is whatever follows.
    private static let tables: [(form: String, shape: Shape)] = [
      ("niiiTIKb", .entry), ("niiiTIKbB", .entry), ("niiidkB", .leaf), ("nkiBi", .blob),
      ("ikbc", .epoch), ("niiiiIIIIIIi", .listing), ("nktiKib*", .aCase), ("nikkikb*", .log),
    ]
    private static let indexes: [(form: String, shape: Shape)] = [
      ("iksi", .slot), ("ikii", .erasure), ("ikt", .memberName),
    ]

    private static func letter(_ column: SQLitePage.ColumnType) -> Character {
      switch column {
      case .null: return "n"
      case .integer: return "i"
      case .real: return "r"
      case .text: return "t"
      case .blob(32): return "k"
      case .blob(LeafData.byteCount): return "d"
      case .blob(Slot.byteCount): return "s"
      case .blob(72): return "c"
      case .blob: return "b"
      }
    }

    private static func matches(_ columns: String, _ form: String) -> Bool {
      var rest = Substring(columns)
      for letter in form {
        if letter == "*" { return true }
        guard let column = rest.popFirst() else { return false }
        let isAny = column == "n" && letter.isUppercase
        let wanted = Character(letter.lowercased())
        // Any blob may by chance have one of the lengths that have letters of their own.
        guard isAny || column == wanted || wanted == "b" && "kdsc".contains(column) else {
          return false
        }
      }
      return rest.isEmpty
    }
  }
}

/// The rows of one page.
struct SalvagedRows {
  private let pages: SalvagedPages

  init(_ pages: SalvagedPages) { self.pages = pages }

  /// Each row on a page that is one of the vault's.
  ///
  /// - Returns: how many rows are known to have been there and cannot be read.
  func forEach(
    on page: SalvagedPages.Page, _ number: UInt32,
    _ body: (RowPlace, SalvagedRow) -> Void
  ) -> Int {
    guard let (cells, broken) = SQLitePage.cells(of: page.bytes, isFirst: number == 1) else {
      return 0
    }
    var lost = broken
    for (index, cell) in cells.enumerated() {
      guard let columns = SQLitePage.columns(of: cell.local),
        let shape = SalvagedRow.Shape(columns, isTable: cell.rowid != nil)
      else { continue }
      let place = RowPlace(page: number, copy: page.copy, cell: index, isOld: page.isOld)
      if let row = row(shape, columns, cell, isOld: page.isOld) {
        body(place, row)
      } else {
        lost += 1
      }
    }
    return lost
  }

  /// All values of a row; nil if a part of it is lost.
  func values(at place: RowPlace) -> [SQLitePage.Value]? {
    guard let bytes = pages.bytes(of: place.copy, place.page),
      let cells = SQLitePage.cells(of: bytes, isFirst: place.page == 1)?.cells,
      cells.indices.contains(place.cell)
    else { return nil }
    return values(of: cells[place.cell], isOld: place.isOld)
  }

  /// The rest of an old row stood on pages that may be of other rows by now.
  private func values(of cell: SQLitePage.Cell, isOld: Bool) -> [SQLitePage.Value]? {
    guard !isOld || cell.payloadByteCount <= cell.local.count else { return nil }
    var payload = Array(cell.local)
    var next = cell.overflow
    while payload.count < cell.payloadByteCount {
      guard let number = next, number > 0, let page = pages.newest(number) else { return nil }
      // Each page of the chain gives at least a byte of a bounded payload, so that a ring of pages ends too.
      let wanted = min(cell.payloadByteCount - payload.count, page.count - 4)
      payload += page[4..<4 + wanted]
      next = SQLitePage.uint32(page, 0)
    }
    // A chain that goes on is another row's.
    guard next ?? 0 == 0 else { return nil }
    return SQLitePage.values(of: payload)
  }

  private func row(
    _ shape: SalvagedRow.Shape, _ columns: [SQLitePage.ColumnType], _ cell: SQLitePage.Cell,
    isOld: Bool
  ) -> SalvagedRow? {
    switch shape {
    case .entry:
      // What it says is read when it is written out; of a long one only the beginning stands here.
      guard let rowid = cell.rowid, let caseRef = beginning(of: cell, 2)?[1].integer else {
        return nil
      }
      return .entry(rowid, caseRef: caseRef)
    case .leaf:
      guard let rowid = cell.rowid, let values = beginning(of: cell, 6),
        let log = values[1].integer, let id = identifier(values[5], EntryID.self)
      else { return nil }
      return .leaf(rowid, log: log, id: id, hasCiphertext: columns[6] != .null)
    case .blob:
      guard let root = beginning(of: cell, 2).flatMap({ identifier($0[1], BlobRoot.self) }) else {
        return nil
      }
      return .blob(root)
    default: return values(of: cell, isOld: isOld).flatMap { small(shape, $0, cell.rowid) }
    }
  }

  private func small(
    _ shape: SalvagedRow.Shape, _ values: [SQLitePage.Value], _ rowid: Int64?
  ) -> SalvagedRow? {
    switch shape {
    case .aCase:
      guard let rowid, let id = identifier(values[1], CaseID.self), let name = text(values[2])
      else { return nil }
      return .aCase(rowid, id: id, name: name)
    case .log:
      guard let rowid, let id = identifier(values[2], LogID.self), let ref = values[1].integer
      else { return nil }
      return .log(rowid, id: id, caseRef: ref)
    case .listing:
      guard let rowid, let state = values[4].integer else { return nil }
      return .listing(rowid, isOpen: state != ListingState.locked.rawValue)
    case .slot:
      guard let leaf = values[0].integer, let epoch = identifier(values[1], EpochID.self),
        let box = values[2].blob
      else { return nil }
      return .slot(leaf: leaf, epoch: epoch, box: box)
    case .epoch:
      guard let ref = values[0].integer, let id = identifier(values[1], EpochID.self),
        let audience = values[2].blob, let key = values[3].blob
      else { return nil }
      return .epoch(id, caseRef: ref, audience: audience, sealedKey: key)
    case .erasure:
      guard let id = identifier(values[1], EntryID.self), let done = values[3].integer else {
        return nil
      }
      return .erasure(id, isDestroyed: done != 0)
    case .memberName:
      guard let id = identifier(values[1], LogID.self), let name = text(values[2]) else {
        return nil
      }
      return .memberName(id, name)
    case .entry, .leaf, .blob: return nil
    }
  }

  /// The first values of a row of which the rest may stand on other pages.
  private func beginning(of cell: SQLitePage.Cell, _ count: Int) -> [SQLitePage.Value]? {
    SQLitePage.firstValues(of: cell.local, count)
  }

  private func identifier<ID: Identifier32>(_ value: SQLitePage.Value, _: ID.Type) -> ID? {
    value.blob.flatMap { Bytes32($0) }.map { ID($0) }
  }

  private func text(_ value: SQLitePage.Value) -> String? {
    value.text.map { String(decoding: $0, as: UTF8.self) }
  }
}
