import Foundation

/// What a program did to files, as `Tests/Recorder/Recorder.c` wrote it down.
enum Event {
  /// A counted call of this class.
  case call(UInt8)
  case create(path: String, inode: Int64)
  case write(inode: Int64, offset: Int, bytes: ArraySlice<UInt8>)
  case length(inode: Int64, count: Int)
  case synchronize(inode: Int64)
  case synchronizeFolder(path: String)
  case makeFolder(path: String)
  case remove(path: String)
  case removeFolder(path: String)
  case rename(from: String, to: String)
  case link(from: String, to: String)
  case output(ArraySlice<UInt8>)
}

/// The events of one run of a program, in their order.
struct Trace {
  var events: [Event] = []

  struct Malformed: Error { let offset: Int }

  init(reading path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var offset = 0
    // A killed program may leave a record that is cut.
    while offset + 28 <= bytes.count {
      func number<Number: FixedWidthInteger>(_ at: Int, _ type: Number.Type) -> Number {
        let size = MemoryLayout<Number>.size
        return bytes[(offset + at)..<(offset + at + size)].reversed().reduce(0) {
          $0 << 8 | Number(truncatingIfNeeded: $1)
        }
      }
      let first = Int(number(4, UInt32.self))
      let second = Int(number(8, UInt32.self))
      let start = offset + 28
      guard start + first + second <= bytes.count else { break }
      let path = String(decoding: bytes[start..<(start + first)], as: UTF8.self)
      let rest = bytes[(start + first)..<(start + first + second)]
      guard
        let event = Event(
          sort: bytes[offset], path: path, rest: rest, number: number(12, Int64.self),
          position: Int(number(20, Int64.self)))
      else { throw Malformed(offset: offset) }
      events.append(event)
      offset = start + first + second
    }
  }

  /// The class of each counted call, the first being call number 1.
  var calls: [UInt8] {
    events.compactMap { if case .call(let sort) = $0 { sort } else { nil } }
  }
}

extension Event {
  fileprivate init?(
    sort: UInt8, path: String, rest: ArraySlice<UInt8>, number: Int64, position: Int
  ) {
    switch UnicodeScalar(sort) {
    case "k": self = .call(UInt8(truncatingIfNeeded: number))
    case "c": self = .create(path: path, inode: number)
    case "w": self = .write(inode: number, offset: position, bytes: rest)
    case "t": self = .length(inode: number, count: position)
    case "s": self = .synchronize(inode: number)
    case "S": self = .synchronizeFolder(path: path)
    case "m": self = .makeFolder(path: path)
    case "u": self = .remove(path: path)
    case "d": self = .removeFolder(path: path)
    case "r": self = .rename(from: path, to: String(decoding: rest, as: UTF8.self))
    case "l": self = .link(from: path, to: String(decoding: rest, as: UTF8.self))
    case "o": self = .output(rest)
    default: return nil
    }
  }
}
