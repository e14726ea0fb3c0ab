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
    let root = try Folder(path: path, disk: Disk(fault: fault))
    var peek = FolderPeek()
    let names = try root.names { DeviceFolderName($0) }.sorted { $0.text < $1.text }
    for name in names.prefix(SyncLimits.members) {
      do throws(MailboxError) {
        peek.read(try root.folder(name.text).file(FileName.head.text), of: name)
      } catch {
        // A device that left no head, or none that can be read, tells nothing.
        continue
      }
    }
    return peek.found
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
}

/// What is gathered from heads, one after the other.
private struct FolderPeek {
  private(set) var found: [FoundCase] = []
  /// The statements of each case that was found.
  private var known: [Set<[UInt8]>] = []
  /// What may still be read: of all heads together as in an exchange.
  private var budget: UInt64 = 256 << 20
  /// Of one head, likewise.
  private static var maximumByteCountOfHead: UInt64 { UInt64(SyncLimits.headFileByteCount) }

  /// Takes what stands in a head, up to where it is cut or garbled.
  mutating func read(_ file: borrowing File, of name: DeviceFolderName) {
    var reader = FrameReader()
    var offset: UInt64 = 0
    var index: Int?
    var wraps: [[UInt8]] = []
    defer {
      budget -= min(budget, offset)
      if let index, !wraps.isEmpty { found[index].wraps.append(wraps) }
    }
    let limit = min(budget, FolderPeek.maximumByteCountOfHead)
    while offset < limit, let piece = piece(of: file, at: offset), !piece.isEmpty {
      offset += UInt64(piece.count)
      reader.feed(piece)
      do throws(FrameError) {
        while let frame = try reader.next() {
          if case .hello(let hello) = frame {
            guard DeviceFolderName(hello.tag, hello.logID) == name else { return }
            index = place(of: hello.tag)
          }
          guard let index else { continue }
          switch frame {
          case .statements(let items): add(items, to: index)
          case .wraps(let items): wraps += items
          default: continue
          }
        }
      } catch {
        return
      }
    }
  }

  private func piece(of file: borrowing File, at offset: UInt64) -> [UInt8]? {
    do { return try file.read(at: offset, count: 1 << 18) } catch { return nil }
  }

  private mutating func place(of tag: MailboxTag) -> Int {
    if let index = found.firstIndex(where: { $0.tag == tag }) { return index }
    found.append(FoundCase(tag: tag))
    known.append([])
    return found.count - 1
  }

  private mutating func add(_ items: [[UInt8]], to index: Int) {
    for item in items where known[index].insert(item).inserted {
      found[index].statements.append(item)
    }
  }
}
