internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Of which epochs this device holds the key, without the keys.
struct HeldEpochs {
  private struct Held {
    let id: EpochID
    let audience: Audience
    let author: LogID
    let sequence: UInt64
    /// Nil for an epoch that does not count, which may have opened what does.
    let record: CaseState.EpochRecord?
  }

  private let own: LogID
  private let held: [Held]
  private let state: CaseState
  /// As far as it was asked for.
  private var followed: [LogID: UInt64] = [:]

  /// - Parameter state: the case as it is now.
  init(_ db: Database, of row: CaseRow, in state: CaseState) throws {
    self.state = state
    own = row.logID
    let counting = Dictionary(state.epochs.map { ($0.id, $0) }) { first, _ in first }
    var voidCounts: [Int64: Int] = [:]
    held = try Row.fetchAll(
      db,
      cached: """
        SELECT p.epoch, p.audience, l.log_ref, l.sequence, g.log_id
        FROM epoch p JOIN leaf l ON l.entry_id = p.epoch JOIN log g ON g.id = l.log_ref
        WHERE p.case_ref = ? ORDER BY l.log_ref, l.sequence
        """, arguments: [row.ref]
    ).compactMap { epoch in
      let id: EpochID = try epoch.identifier("epoch")
      if counting[id] == nil {
        voidCounts[epoch["log_ref"], default: 0] += 1
        guard voidCounts[epoch["log_ref"], default: 0] <= WrapLimits.voidEpochsHandedOn else {
          return nil
        }
      }
      return Held(
        id: id, audience: try Audience(decoding: epoch.bytes("audience")),
        author: try epoch.identifier("log_id"), sequence: epoch.number("sequence"),
        record: counting[id])
    }
  }

  /// Epochs whose key a member should have, and that nobody trustworthy has given her: also those that were replaced or
  /// do not count any more, since what was sealed to them is still there. To a member in good standing only.
  ///
  /// - Parameters:
  ///   - isNew: whether this device has just admitted her, so that nobody can have removed her.
  ///   - isDone: whether it was handed to her already.
  mutating func due(
    to member: CaseState.Member, now: UInt64, isNew: Bool = false,
    isDone: (EpochID) -> Bool = { _ in false }
  ) -> [EpochID] {
    guard member.role == .survivor || member.isReader(at: now) else { return [] }
    var due: [EpochID] = []
    for epoch in held where member.belongs(to: epoch.audience) && !isDone(epoch.id) {
      let isListed = epoch.record?.epoch.members.contains(member.logID) ?? false
      guard isListed ? !isTrusted(epoch) : isNew || isFollowed(epoch) else { continue }
      due.append(epoch.id)
    }
    return due
  }

  /// Whoever begins an epoch gives its key to all whom it lists. A thief may list whom she gives nothing.
  private func isTrusted(_ epoch: Held) -> Bool {
    state.member(epoch.author).map { $0.cut == nil } ?? false
  }

  /// Whoever is not listed may be removed, by what its author knew and this copy was not shown.
  private mutating func isFollowed(_ epoch: Held) -> Bool {
    guard epoch.author != own else { return true }
    let end = followed[epoch.author] ?? state.followedUntil(epoch.author)
    followed[epoch.author] = end
    return epoch.sequence < end
  }
}
