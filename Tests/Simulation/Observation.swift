import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// What one copy shows in the end.
struct Observation {
  struct Trouble: Hashable {
    let code: CaseTrouble.Code
    let member: LogID?
    let count: Int
  }

  struct Shown {
    var standing: EntrySummary.Standing
    var words: String?
  }

  let device: Device
  let own: LogID
  var hash: Bytes32
  var members: [LogID: (role: Role, standing: MemberSummary.Standing)] = [:]
  var entries: [EntryID: Shown] = [:]
  var troubles: [Trouble]
  var held: [LogID: LogPosition] = [:]

  init(_ device: Device) async throws {
    self.device = device
    let (vault, name) = (try await device.opened(), device.caseName)
    hash = try await vault.stateHash(ofCase: name)
    for member in try await vault.members(ofCase: name).members {
      members[member.logID] = (member.role, member.standing)
    }
    for entry in try await vault.entries(ofCase: name) {
      entries[entry.id] = Shown(standing: entry.standing, words: entry.content?.words)
    }
    troubles = try await vault.status(ofCase: name, isLookedAt: false).flatMap(\.troubles).map {
      Trouble(code: $0.code, member: $0.member, count: $0.count)
    }
    let logs = try await vault.heldLogs(ofCase: name)
    own = logs.own
    for position in logs.positions where position.size > 0 { held[position.logID] = position }
  }

  /// Whether it can open all that everybody can.
  var isFull: Bool { !has(.lockedControl) && !isCut }

  /// Whether power was taken from it.
  var isCut: Bool {
    switch members[own]?.standing {
    case .good, .lapses, .lapsed: false
    case .removed, .contested, nil: true
    }
  }

  func has(_ code: CaseTrouble.Code) -> Bool { troubles.contains { $0.code == code } }

  func members(with code: CaseTrouble.Code) -> Set<LogID> {
    Set(troubles.filter { $0.code == code }.compactMap(\.member))
  }
}

extension MemberSummary.Standing {
  /// Where its power ends, in the oracle's words.
  var bound: Power.Bound? {
    switch self {
    case .removed(let size): Power.Bound(size: size, isContested: false)
    case .contested(let size): Power.Bound(size: size, isContested: true)
    case .good, .lapses, .lapsed: nil
    }
  }
}
