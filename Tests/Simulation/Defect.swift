import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// Something that is spoilt on purpose in what the oracle is shown, so that it is seen to notice.
enum Defect: String, CaseIterable, ExpressibleByArgument {
  /// One copy is in another state.
  case state
  /// One copy does not list what was saved.
  case lost
  /// One copy shows other words.
  case words
  /// An advocate reads what is the survivor's alone.
  case shown
  /// Somebody is blamed for a fork.
  case blame
  /// A violation is not told.
  case silence
  /// What an advocate forged counts.
  case role
  /// Somebody was cut whom nobody cut.
  case cut
  /// A witness signed for what was never signed.
  case receipt

  /// - Throws: where there is nothing to spoil, so that another seed has to be tried.
  func spoil(_ seen: inout [Observation], _ world: World) throws {
    guard !seen.isEmpty else { throw NothingToSpoil() }
    let last = seen.count - 1
    switch self {
    case .state:
      guard seen.count(where: \.isFull) > 1, let index = seen.lastIndex(where: \.isFull) else {
        throw NothingToSpoil()
      }
      seen[index].hash = .zero
    case .lost:
      guard let id = seen[0].entries.keys.sorted().first else { throw NothingToSpoil() }
      for index in seen.indices { seen[index].entries[id] = nil }
    case .words:
      try Self.change(
        &seen[last], where: { $0.standing == .open && $0.words != nil },
        by: { $0.words = "other words" })
    case .shown:
      guard let index = seen.firstIndex(where: { $0.device.role == .advocate }) else {
        throw NothingToSpoil()
      }
      try Self.change(&seen[index], where: { $0.standing == .locked }, by: { $0.standing = .open })
    case .blame:
      let honest = seen[0].own
      guard !world.facts.forked.contains(honest) else { throw NothingToSpoil() }
      seen[last].troubles.append(.init(code: .fork, member: honest, count: 1))
    case .silence:
      guard let index = seen.firstIndex(where: { $0.isFull && $0.has(.violation) }) else {
        throw NothingToSpoil()
      }
      seen[index].troubles.removeAll { $0.code == .violation }
    case .role:
      try Self.change(&seen[0], where: { $0.standing == .violation }, by: { $0.standing = .open })
    case .cut:
      guard world.facts.forked.isEmpty, let index = seen.firstIndex(where: \.isFull),
        let log = seen[index].members.keys.sorted().last, log != seen[index].own
      else { throw NothingToSpoil() }
      seen[index].members[log]?.standing = .removed(1_000)
    case .receipt:
      let (one, other) = (seen[0].own.base32, seen[last].own.base32)
      world.receipts.add(.init(size: 1, root: .zero), .init(witness: one, log: other))
    }
  }

  struct NothingToSpoil: Error {}

  private static func change(
    _ copy: inout Observation, where isMeant: (Observation.Shown) -> Bool,
    by change: (inout Observation.Shown) -> Void
  ) throws {
    let found = copy.entries.filter { isMeant($0.value) }.min { $0.key < $1.key }
    guard let (id, before) = found else { throw NothingToSpoil() }
    var shown = before
    change(&shown)
    copy.entries[id] = shown
  }
}
