public import Sync
public import VerifiableLog

/// What a folder tells of a case to somebody who does not know it yet. Nothing of it is verified.
public struct FoundCase: Hashable, Sendable {
  /// What the case is known by here.
  public let tag: MailboxTag
  /// Root statements, each one CBOR item.
  public fileprivate(set) var statements: [[UInt8]] = []
  /// Wrapped epoch keys, each one CBOR item, by the subfolder that they stand in.
  public fileprivate(set) var wraps: [[[UInt8]]] = []
}

extension FolderMailbox {
  /// The cases that devices left in this folder, as far as their `head` files can be read. An honest folder
  /// has one at most. Nothing is written.
  ///
  /// - Throws: `.unreachable`, `.inputOutput`.
  public func cases() throws(MailboxError) -> [FoundCase] {
    let disk = Disk(fault: fault)
    let root = try Folder(path: path, disk: disk)
    var found: [FoundCase] = []
    var budget = FolderMailbox.maximumPeekByteCount
    let names = try root.names { DeviceFolderName($0) }.sorted { $0.text < $1.text }
    for name in names.prefix(SyncLimits.members) {
      do throws(MailboxError) {
        let file = try root.folder(name.text).file(FileName.head.text)
        FolderMailbox.read(file, of: name, into: &found, &budget)
      } catch {
        // A device that left no head, or none that can be read, tells nothing.
        continue
      }
    }
    return found
  }

  /// Whether devices of any case have a subfolder here.
  ///
  /// - Throws: `.unreachable`, `.inputOutput`.
  public func isUsed() throws(MailboxError) -> Bool {
    let root = try Folder(path: path, disk: Disk(fault: fault))
    return try !root.names { DeviceFolderName($0) }.isEmpty
  }

  /// The devices that have a subfolder of this case.
  ///
  /// - Throws: `.unreachable`, `.inputOutput`.
  public func devices(of tag: MailboxTag) throws(MailboxError) -> [LogID] {
    let root = try Folder(path: path, disk: Disk(fault: fault))
    return try root.names { DeviceFolderName($0) }
      .filter { $0 == DeviceFolderName(tag, $0.logID) }.map(\.logID).sorted()
  }

  /// Of all heads together.
  private static var maximumPeekByteCount: UInt64 { 256 << 20 }
  /// Of one head, as in an exchange.
  private static var maximumPeekByteCountOfHead: UInt64 { 16 << 20 }

  /// Takes what stands in a head, up to where it is cut or garbled.
  private static func read(
    _ file: borrowing File, of name: DeviceFolderName, into found: inout [FoundCase],
    _ budget: inout UInt64
  ) {
    var reader = FrameReader()
    var offset: UInt64 = 0
    var index: Int?
    var wraps: [[UInt8]] = []
    defer { if let index, !wraps.isEmpty { found[index].wraps.append(wraps) } }
    let limit = min(budget, maximumPeekByteCountOfHead)
    while offset < limit, let piece = piece(of: file, at: offset), !piece.isEmpty {
      offset += UInt64(piece.count)
      reader.feed(piece)
      do throws(FrameError) {
        while let frame = try reader.next() {
          if case .hello(let hello) = frame {
            guard DeviceFolderName(hello.tag, hello.logID) == name else { return }
            index = place(of: hello.tag, in: &found)
          }
          guard let index else { continue }
          switch frame {
          case .statements(let items): add(items, to: &found[index].statements)
          case .wraps(let items): wraps += items
          default: continue
          }
        }
      } catch {
        break
      }
    }
    budget -= min(budget, offset)
  }

  private static func piece(of file: borrowing File, at offset: UInt64) -> [UInt8]? {
    do { return try file.read(at: offset, count: 1 << 18) } catch { return nil }
  }

  private static func place(of tag: MailboxTag, in found: inout [FoundCase]) -> Int {
    if let index = found.firstIndex(where: { $0.tag == tag }) { return index }
    found.append(FoundCase(tag: tag))
    return found.count - 1
  }

  private static func add(_ items: [[UInt8]], to list: inout [[UInt8]]) {
    let known = Set(list)
    list += items.filter { !known.contains($0) }
  }
}
