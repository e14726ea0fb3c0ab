internal import Cryptography
internal import Sync
internal import VerifiableLog

/// Why a file of frames goes no further.
enum FrameFileError: Error {
  case unreadable(MailboxError)
  case frames(FrameError)
}

/// The frames in a file, without `hello`, the summary of a head, and `end`, which are checked here.
struct FrameFile: ~Copyable {
  let name: FileName
  private let file: File
  private let hello: Hello
  private var reader = FrameReader()
  private(set) var offset: UInt64 = 0
  /// Bytes of the whole file.
  var byteCount: UInt64 { file.byteCount }
  /// What a head says that its frames come to; that they do is known once all are read.
  private(set) var summary: Bytes32?
  /// Of a range, the first sequence that no frame had yet.
  private var covered: UInt64 = 0

  private static let pieceByteCount = 1 << 18

  init(_ file: consuming File, _ name: FileName, _ hello: Hello) {
    self.file = file
    self.name = name
    self.hello = hello
    if case .range(_, let run) = name { covered = run.lowerBound }
  }

  /// The next frame; nil after `end`, which nothing may follow.
  mutating func next() throws(FrameFileError) -> Frame? {
    while true {
      let frame: Frame?
      do throws(FrameError) { frame = try reader.next() } catch { throw .frames(error) }
      switch frame {
      case nil: guard try feed() else { return nil }
      case .end: continue
      case .hello(let found): guard found == hello else { throw .frames(.malformed) }
      case .summary(let found) where name == .head: summary = found
      case .range(let range):
        guard case .range(let log, let run) = name, range.logID == log, range.first == covered,
          range.end <= run.upperBound
        else { throw .frames(.unknownType) }
        covered = range.end
        return frame
      case let frame?:
        guard name.mayHold(frame) else { throw .frames(.unknownType) }
        return frame
      }
    }
  }

  /// Whether these bytes stand in a place of the file. Nothing else of it is read.
  func has(_ bytes: ArraySlice<UInt8>) -> Bool {
    do throws(MailboxError) {
      return try file.read(at: UInt64(bytes.startIndex), count: bytes.count) == Array(bytes)
    } catch {
      // Whoever reads the file as frames will meet it again, and tell.
      return false
    }
  }

  /// Reads a piece of the file; false at its end.
  private mutating func feed() throws(FrameFileError) -> Bool {
    let piece: [UInt8]
    do throws(MailboxError) {
      piece = try file.read(at: offset, count: FrameFile.pieceByteCount)
    } catch {
      throw .unreadable(error)
    }
    offset += UInt64(piece.count)
    if piece.isEmpty {
      do throws(FrameError) { try reader.finish() } catch { throw .frames(error) }
      if case .range(_, let run) = name, covered < run.upperBound { throw .frames(.malformed) }
      return false
    }
    reader.feed(piece)
    return true
  }
}

extension FileName {
  /// Whether a frame belongs into a file of this name, which is no range.
  fileprivate func mayHold(_ frame: Frame) -> Bool {
    switch (self, frame) {
    case (.head, .statements), (.head, .successions), (.head, .heads), (.head, .wraps),
      (.head, .forks):
      true
    case (.share, .slots), (.share, .bodies): true
    default: false
    }
  }
}
