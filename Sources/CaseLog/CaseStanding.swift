public import VerifiableLog

// What follows from a state for a member, an entry, an epoch.

extension CaseState {
  public func member(_ logID: LogID) -> Member? {
    let index = members.lowerBound { $0.logID < logID }
    return index < members.count && members[index].logID == logID ? members[index] : nil
  }

  /// A log, and those of older keys of its device, newest first.
  public func lineage(of logID: LogID) -> [LogID] {
    Member.lineage(of: logID) { member($0) }
  }

  /// Members in good standing.
  public var standingMembers: [Member] { members.filter { $0.cut == nil } }

  /// Where an entry of content or a note stands in the view.
  public enum ContentStanding: Hashable, Sendable {
    case counted
    /// Written beyond a cut or a fork, and a third member saw it: in view, and marked.
    case disputed
    /// Written beyond a cut, and nobody else's word is there for it.
    case setAside
    /// A survivor's device wants it gone.
    case erased
    /// Against the rules of the case.
    case violation
  }

  /// - Parameter witnesses: members of whom a receipt covers the entry.
  public func standing(
    of id: EntryID, in logID: LogID, at sequence: UInt64, entryClass: EntryClass?,
    witnesses: [LogID]
  ) -> ContentStanding {
    guard let member = member(logID) else { return .setAside }
    guard let entryClass, member.role.mayWrite(entryClass) else { return .violation }
    if entryClass != .control, isErased(id) { return .erased }
    if let cut = member.cut, sequence >= cut.contentSize {
      let isSeen = witnesses.contains { witness in
        witness != logID && !cut.authors.contains(witness) && bindsTime(witness)
      }
      return isSeen ? .disputed : .setAside
    }
    let isForked = forks.contains { $0.logID == logID && sequence >= $0.size }
    return isForked ? .disputed : .counted
  }

  /// Whether an erasure of this entry has an effect.
  public func isErased(_ entry: EntryID) -> Bool { !erasures(of: entry).isEmpty }

  /// The erasures of an entry that have an effect.
  public func erasures(of entry: EntryID) -> [Erasure] {
    var index = erasures.lowerBound { $0.entry < entry }
    var found: [Erasure] = []
    while index < erasures.count, erasures[index].entry == entry {
      found.append(erasures[index])
      index += 1
    }
    return found
  }

  /// Receipts of those who were cut bound no time.
  public func bindsTime(_ witness: LogID) -> Bool {
    member(witness).map { $0.cut == nil } ?? false
  }

  /// From where on a fork of this member's log is proven: where its histories part, as far as that is known.
  public func forkedAt(_ logID: LogID) -> UInt64? {
    forks.first { $0.logID == logID }?.size
  }

  /// Epochs of an audience that a writer may use: not replaced, and neither begun by nor given to anybody
  /// who was cut. Several may have been begun at once; by id.
  public func usableEpochs(of audience: Audience) -> [EpochRecord] {
    let own = epochs.filter { $0.epoch.audience == audience }
    let replaced = Set(own.flatMap { $0.epoch.replaces })
    return own.filter { record in
      !replaced.contains(record.id)
        && member(record.logID)?.cut == nil
        && record.epoch.members.allSatisfy { member($0)?.cut == nil }
    }
  }

  /// Members who belong to an audience now.
  public func members(of audience: Audience) -> [Member] {
    standingMembers.filter { $0.belongs(to: audience) }
  }
}

extension CaseState.Member {
  /// A log, and those of older keys of its device, newest first.
  static func lineage(of logID: LogID, among member: (LogID) -> CaseState.Member?) -> [LogID] {
    var result = [logID]
    while let last = result.last, case .succession(let old) = member(last)?.origin,
      !result.contains(old)
    {
      result.append(old)
    }
    return result
  }

  /// Whether the audience is one of this member's, cut or not.
  public func belongs(to audience: Audience) -> Bool {
    switch audience {
    case .devices: role == .survivor
    case .advocate(let first): role == .survivor || firstLogID == first
    case .everyone: true
    }
  }
}
