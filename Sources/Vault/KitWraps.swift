internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Which of the wraps in a folder the kit opens. Anybody who can write into the folder can leave as many as she
/// likes: what does not open is not counted, so that it keeps out nothing.
enum KitWraps {
  /// - Parameter devices: what each device's folder has; taken in turn, so that none crowds out another.
  static func select(_ devices: [[[UInt8]]], with kit: borrowing BoxKeyPair) -> [Wrap] {
    var chosen: [Wrap] = []
    var counts: [EpochID: Int] = [:]
    var seen: Set<Wrap> = []
    for turn in 0..<(devices.map(\.count).max() ?? 0) {
      for wraps in devices where turn < wraps.count {
        guard chosen.count < WrapLimits.ofCaseToKit else { return chosen }
        guard let wrap = wrapToKit(wraps[turn]),
          counts[wrap.epoch, default: 0] < WrapLimits.ofEpochToKit,
          seen.insert(wrap).inserted, opens(wrap, with: kit)
        else { continue }
        counts[wrap.epoch, default: 0] += 1
        chosen.append(wrap)
      }
    }
    return chosen
  }

  private static func wrapToKit(_ bytes: [UInt8]) -> Wrap? {
    do throws(CaseLogError) {
      let wrap = try Wrap(decoding: bytes)
      return wrap.recipient == nil ? wrap : nil
    } catch {
      return nil
    }
  }

  private static func opens(_ wrap: Wrap, with kit: borrowing BoxKeyPair) -> Bool {
    do throws(CaseLogError) {
      _ = try wrap.open(with: kit)
      return true
    } catch {
      return false
    }
  }
}

/// Wraps that one key pair opens, made anew for another: so that the first is not needed any more when the
/// entries come that tell which of them count.
enum Rewrapping {
  static func run(
    _ db: Database, _ wraps: [Wrap], with pair: borrowing BoxKeyPair, to card: Card, logID: LogID,
    case ref: Int64
  ) throws {
    for wrap in wraps {
      let own: Wrap
      do throws(CaseLogError) {
        let key = try wrap.open(with: pair)
        own = Wrap(
          epoch: wrap.epoch, recipient: logID, box: try Self.seal(key, to: card))
      } catch {
        continue
      }
      try WrapTable.store(db, own, case: ref)
    }
  }

  private static func seal(
    _ key: borrowing SecretKey, to card: Card
  ) throws(CaseLogError) -> [UInt8] {
    do { return try SealedBox.seal(key, to: card.boxKey) } catch { throw .malformed }
  }
}
