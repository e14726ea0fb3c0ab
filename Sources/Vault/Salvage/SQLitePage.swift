internal import Cryptography

/// A page of a b-tree as SQLite's file format describes it ("Database File Format", sections 1.6 and 2.1), read
/// without SQLite and without what is around it. Every length in it is held to a limit: what does not fit is
/// no row.
enum SQLitePage {
  /// Bytes of a page without those that sealing takes.
  static let usableByteCount = 4056
  /// More than any row of a vault has.
  static let maximumPayload = 2 << 20
  private static let maximumColumns = 32
  private static let databaseHeaderByteCount = 100

  enum Kind: UInt8 {
    case interiorIndex = 2
    case interiorTable = 5
    case leafIndex = 10
    case leafTable = 13

    var isTable: Bool { self == .leafTable || self == .interiorTable }
    var isLeaf: Bool { self == .leafTable || self == .leafIndex }
  }

  /// A row, or as much of it as stands on the page itself.
  struct Cell {
    /// Of a table; an index has none.
    let rowid: Int64?
    let payloadByteCount: Int
    let local: ArraySlice<UInt8>
    /// The page on which the rest begins.
    let overflow: UInt32?
  }

  /// The cells that stand on a page; those that are out of bounds are left out and counted. Nil for a page
  /// that has no rows: interior pages of tables, free and overflow pages.
  ///
  /// - Parameter isFirst: of the database, and so with the header of the file in front.
  static func cells(of page: [UInt8], isFirst: Bool) -> (cells: [Cell], broken: Int)? {
    let start = isFirst ? databaseHeaderByteCount : 0
    guard page.count == usableByteCount, let kind = Kind(rawValue: page[start]),
      kind != .interiorTable
    else { return nil }
    let pointers = start + (kind.isLeaf ? 8 : 12)
    let count = uint16(page, start + 3)
    guard pointers + 2 * count <= page.count else { return nil }
    var cells: [Cell] = []
    var broken = 0
    for index in 0..<count {
      let offset = uint16(page, pointers + 2 * index)
      if offset >= pointers + 2 * count, let cell = cell(page, at: offset, kind) {
        cells.append(cell)
      } else {
        broken += 1
      }
    }
    return (cells, broken)
  }

  private static func cell(_ page: [UInt8], at offset: Int, _ kind: Kind) -> Cell? {
    var position = offset + (kind.isLeaf ? 0 : 4)
    guard let size = varint(page[...], &position), size >= 0, size <= Int64(maximumPayload) else {
      return nil
    }
    var rowid: Int64?
    if kind.isTable {
      guard let number = varint(page[...], &position) else { return nil }
      rowid = number
    }
    let payload = Int(size)
    let local = localByteCount(of: payload, isTable: kind.isTable)
    guard position + local <= page.count else { return nil }
    let bytes = page[position..<position + local]
    guard local < payload else {
      return Cell(rowid: rowid, payloadByteCount: payload, local: bytes, overflow: nil)
    }
    guard position + local + 4 <= page.count else { return nil }
    return Cell(
      rowid: rowid, payloadByteCount: payload, local: bytes,
      overflow: uint32(page, position + local))
  }

  /// How much of a payload stands on the page itself: the format's X, M and K.
  static func localByteCount(of payload: Int, isTable: Bool) -> Int {
    let usable = usableByteCount
    let most = isTable ? usable - 35 : (usable - 12) * 64 / 255 - 23
    guard payload > most else { return payload }
    let least = (usable - 12) * 32 / 255 - 23
    let fitting = least + (payload - least) % (usable - 4)
    return fitting <= most ? fitting : least
  }

  // MARK: - Records

  enum Value: Hashable {
    case null
    case integer(Int64)
    case real
    case text([UInt8])
    case blob([UInt8])

    var integer: Int64? {
      if case .integer(let value) = self { return value }
      return nil
    }
    var blob: [UInt8]? {
      if case .blob(let value) = self { return value }
      return nil
    }
    var text: [UInt8]? {
      if case .text(let value) = self { return value }
      return nil
    }
    var isNull: Bool { self == .null }
  }

  /// What kind of value stands in a column, without the value.
  enum ColumnType: Hashable {
    case null, integer, real
    case text(Int)
    case blob(Int)

    init?(serial: Int64) {
      switch serial {
      case 0: self = .null
      case 1...6, 8, 9: self = .integer
      case 7: self = .real
      case 12...(Int64(maximumPayload) * 2 + 13):
        let count = Int(serial - 12) / 2
        self = serial.isMultiple(of: 2) ? .blob(count) : .text(count)
      default: return nil
      }
    }
  }

  /// The columns of a record as far as its beginning tells, which is enough to know what row it is.
  static func columns(of record: ArraySlice<UInt8>) -> [ColumnType]? {
    guard let serials = serials(of: record)?.serials else { return nil }
    let columns = serials.compactMap { ColumnType(serial: $0) }
    return columns.count == serials.count ? columns : nil
  }

  private static func serials(of record: ArraySlice<UInt8>) -> (serials: [Int64], end: Int)? {
    var position = record.startIndex
    guard let size = varint(record, &position), size >= 1, size <= Int64(record.count) else {
      return nil
    }
    let end = record.startIndex + Int(size)
    var serials: [Int64] = []
    while position < end {
      guard serials.count < maximumColumns, let serial = varint(record, &position), position <= end
      else { return nil }
      serials.append(serial)
    }
    return (serials, end)
  }

  /// The values of a whole record; nil if it has not exactly the bytes that its columns need.
  static func values(of record: [UInt8]) -> [Value]? {
    guard let (serials, end) = serials(of: record[...]) else { return nil }
    var position = end
    let values = values(of: record[...], serials[...], &position)
    return position == record.count ? values : nil
  }

  /// As many values of a record of which perhaps only the beginning is here.
  static func firstValues(of record: ArraySlice<UInt8>, _ count: Int) -> [Value]? {
    guard let (serials, end) = serials(of: record), serials.count >= count else { return nil }
    var position = end
    return values(of: record, serials.prefix(count), &position)
  }

  private static func values(
    of record: ArraySlice<UInt8>, _ serials: ArraySlice<Int64>, _ position: inout Int
  ) -> [Value]? {
    var values: [Value] = []
    for serial in serials {
      guard let type = ColumnType(serial: serial) else { return nil }
      let count: Int
      switch type {
      case .null: count = 0
      case .integer: count = [0, 1, 2, 3, 4, 6, 8, 0, 0, 0][Int(serial)]
      case .real: count = 8
      case .text(let length), .blob(let length): count = length
      }
      guard position + count <= record.endIndex else { return nil }
      let bytes = record[position..<position + count]
      position += count
      switch type {
      case .null: values.append(.null)
      case .integer: values.append(.integer(serial >= 8 ? serial - 8 : integer(bytes)))
      case .real: values.append(.real)
      case .text: values.append(.text(Array(bytes)))
      case .blob: values.append(.blob(Array(bytes)))
      }
    }
    return values
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
    let isNegative = bytes.first.map { $0 & 0x80 != 0 } ?? false
    return bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) }
  }

  // MARK: - Numbers

  private static func uint16(_ bytes: [UInt8], _ offset: Int) -> Int {
    Int(UInt16(bigEndianBytes: bytes[offset..<offset + 2]))
  }

  static func uint32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    UInt32(bigEndianBytes: bytes[offset..<offset + 4])
  }

  /// One to nine bytes, seven bits each and eight in the last.
  private static func varint(_ bytes: ArraySlice<UInt8>, _ position: inout Int) -> Int64? {
    var value: UInt64 = 0
    for index in 0..<9 {
      guard position < bytes.endIndex else { return nil }
      let byte = bytes[position]
      position += 1
      if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
      value = value << 7 | UInt64(byte & 0x7f)
      if byte & 0x80 == 0 { return Int64(bitPattern: value) }
    }
    return nil
  }
}
