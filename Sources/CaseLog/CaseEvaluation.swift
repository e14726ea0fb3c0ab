import Cryptography
import VerifiableLog

/// Who is a member of a case, and how far each log has power: the first steps of evaluating it, in the
/// order in which `Protocol/CaseLog.md`, "State", has them.
struct CaseEvaluation {
  let caseID: CaseID
  /// By log id.
  let logs: [MemberLog]
  private(set) var isStoppedByNewerVersion = false
  private(set) var keptByRoot: [EntryID] = []
  private(set) var members: [CaseState.Member] = []
  /// Cuts that have an effect, of any log, also of one that is no member's.
  private var cuts: [WeighedCut] = []
  /// Where these are in `cuts`, by the log that they cut.
  private var cutsOfLog: [LogID: [Int]] = [:]
  /// Roots of logs at the sizes that somebody asked for, as far as they are held.
  private var heldRoots: [LogID: [UInt64: Bytes32]] = [:]
  /// Where the power of each survivor's log ends, if it does.
  private var endsOfPower: [LogID: UInt64] = [:]
  private let founding: Card?
  private let devices: [Card]
  private let lifts: [RootStatement.Limit]
  private let decisions: [(stays: LogID, cut: [RootStatement.Limit])]
  private let successions: [Succession]

  init(
    caseID: CaseID, statements: [RootStatement], successions: [Succession], logs: [MemberLog]
  ) {
    self.caseID = caseID
    self.logs = logs.sorted { $0.position.logID < $1.position.logID }
    self.successions = successions.sorted { $0.order < $1.order }
    var founding: Card?
    var devices: [Card] = []
    var lifts: [RootStatement.Limit] = []
    var decisions: [(stays: LogID, cut: [RootStatement.Limit])] = []
    for statement in statements.sorted(by: { $0.order < $1.order }) {
      switch statement.content {
      case .founding(_, let card, _): if founding == nil { founding = card }
      case .admitDevice(let card): devices.append(card)
      case .lift(let logID, let size): lifts.append(.init(logID: logID, size: size))
      case .decide(let stays, let cut): decisions.append((stays, cut))
      case .keep(let entry): keptByRoot.append(entry)
      case .unknown: isStoppedByNewerVersion = true
      }
    }
    self.founding = founding
    self.devices = devices
    self.lifts = lifts
    self.decisions = decisions
  }

  func log(_ id: LogID) -> MemberLog? { logs.log(id) }

  func member(_ id: LogID) -> CaseState.Member? { members.first { $0.logID == id } }

  /// Whether control at this place in a survivor's log has no power: behind a cut, or behind a proven fork.
  func isVoid(_ sequence: UInt64, of logID: LogID) -> Bool {
    endsOfPower[logID].map { sequence >= $0 } ?? false
  }

  /// The root over so many leaves of a log; nil if not so many are held, or if nothing depends on it.
  func root(of logID: LogID, size: UInt64) -> Bytes32? {
    size == 0 ? CompactRange().root : heldRoots[logID]?[size]
  }

  /// From where on no control entry of a log can count, whatever it says: its histories part there, or the root
  /// has cut it there. Nobody needs to open what stands behind it; nil if there is no such place.
  func settledFrom(_ logID: LogID) -> UInt64? {
    let device = lineage(of: logID)
    var ends = decisions.flatMap { $0.cut }.filter {
      device.contains($0.logID) && !isLifted($0.logID, $0.size)
    }.map { $0.logID == logID ? common(logID, $0.size) : 0 }
    if let forkedAt = log(logID)?.forkedAt { ends.append(forkedAt) }
    return ends.min()
  }
}

// MARK: - Members

extension CaseEvaluation {
  /// The survivor's devices: only the root makes one, so a thief recruits nobody.
  mutating func admitDevices() {
    if let founding { add(founding, role: .survivor, origin: .founding) }
    for card in devices where card.role == .survivor {
      add(card, role: .survivor, origin: .root)
    }
    admitSuccessors()
    for member in members {
      let end = settledFrom(member.logID) ?? .max
      for entry in log(member.logID)?.control ?? [] where entry.sequence < end {
        // Whatever it does, it may change who is what.
        if entry.control == .failure(.newerVersion) { isStoppedByNewerVersion = true }
      }
    }
  }

  /// Admission only adds, so the order of the logs does not matter; of two admissions of one key the lesser
  /// (log id, sequence) counts.
  mutating func admitAdvocates() {
    for log in logs where member(log.position.logID)?.role == .survivor {
      for entry in log.control where !isVoid(entry.sequence, of: log.position.logID) {
        guard case .success(.admit(let admission)) = entry.control, admission.role == .advocate
        else { continue }
        add(
          admission.card, role: .advocate, origin: .entry(entry.id), until: admission.until)
      }
    }
    admitSuccessors()
  }

  /// New keys of members, and new keys of those.
  private mutating func admitSuccessors() {
    var index = 0
    while index < members.count {
      let old = members[index]
      index += 1
      let own = successions.filter {
        $0.oldLogID(in: caseID) == old.logID && $0.card.role == old.role
      }
      for succession in own.prefix(Limits.successionsOfLog) {
        add(
          succession.card, role: old.role, origin: .succession(of: old.logID),
          until: old.until, first: old.firstLogID)
      }
    }
  }

  private mutating func add(
    _ card: Card, role: Role, origin: CaseState.Member.Origin, until: UInt64? = nil,
    first: LogID? = nil
  ) {
    let logID = card.logID(in: caseID)
    guard members.count < Limits.members, member(logID) == nil else { return }
    // Keys upon keys of one device must not leave others without a place.
    if let first, members.count(where: { $0.firstLogID == first }) >= Limits.keysOfDevice { return }
    members.append(
      CaseState.Member(
        logID: logID, card: card, role: role, origin: origin, until: until,
        firstLogID: first ?? logID))
  }

  /// All members by log id, each with its cut.
  func markedMembers() -> [CaseState.Member] {
    members.map { member in
      var member = member
      member.cut = bound(of: member.logID)
      member.settledFrom = settledFrom(member.logID)
      return member
    }.sorted { $0.logID < $1.logID }
  }
}

// MARK: - Cuts

/// A cut and what became of it when all were weighed against each other.
private struct WeighedCut {
  enum Standing { case stands, contested, void }
  typealias Author = (logID: LogID, sequence: UInt64)
  let target: LogID
  /// The size that it names.
  let size: UInt64
  /// Where the power of the log ends by it: there, or where the histories of the log part.
  let end: UInt64
  /// Where it cuts the entries that this copy holds.
  let contentEnd: UInt64
  /// The entry that says so; nil for the root.
  let author: Author?
  var standing: Standing
}

extension CaseEvaluation {
  /// Weighs cuts: one stands when no cut that may stand takes the power from its entry, and falls when one
  /// that stands does. Those that only each other keep in the balance are contested, and take power too.
  ///
  /// - Parameter roots: asked once at most for each log.
  mutating func weighCuts<Failure: Error>(
    roots: (LogID, [UInt64]) throws(Failure) -> [UInt64: Bytes32]
  ) throws(Failure) {
    for decision in decisions {
      for limit in decision.cut where !isLifted(limit.logID, limit.size) {
        cuts.append(
          WeighedCut(
            target: limit.logID, size: limit.size, end: common(limit.logID, limit.size),
            contentEnd: limit.size, author: nil, standing: .stands))
      }
    }
    let entries = members.flatMap { member in log(member.logID).map(cutEntries) ?? [] }
    try readRoots(entries.map { $0.position }, roots)
    for (author, position) in entries {
      let end = common(position.logID, position.size)
      let isOfHeld = root(of: position.logID, size: position.size) == position.root
      // Beyond the place where histories part no copy can check the root of the other one.
      guard isOfHeld || end < position.size else { continue }
      cuts.append(
        WeighedCut(
          target: position.logID, size: position.size, end: end,
          contentEnd: isOfHeld ? position.size : end, author: author, standing: .contested))
    }
    for (index, cut) in cuts.enumerated() { cutsOfLog[cut.target, default: []].append(index) }
    settle()
    for member in members where member.role == .survivor {
      endsOfPower[member.logID] =
        [bound(of: member.logID)?.size, log(member.logID)?.forkedAt].compactMap { $0 }.min()
    }
  }

  /// Reads what is asked of each log in one go: whoever stole a device can name thousands of sizes.
  private mutating func readRoots<Failure: Error>(
    _ named: [LogPosition], _ roots: (LogID, [UInt64]) throws(Failure) -> [UInt64: Bytes32]
  ) throws(Failure) {
    var wanted: [LogID: Set<UInt64>] = [:]
    for position in named { wanted[position.logID, default: []].insert(position.size) }
    for log in logs {
      let held = log.position
      var sizes = wanted[held.logID] ?? []
      if let forkedAt = log.forkedAt { sizes.insert(forkedAt) }
      let inside = sizes.filter { $0 > 0 && $0 < held.size }.sorted()
      var known = inside.isEmpty ? [:] : try roots(held.logID, inside)
      known[held.size] = held.root
      heldRoots[held.logID] = known
    }
  }

  /// Weighs until nothing changes any more. What is certain only grows, so that the order does not matter.
  private mutating func settle() {
    var isChanged = true
    while isChanged {
      isChanged = false
      var known: [LogID: (certain: UInt64?, possible: UInt64?)] = [:]
      for index in cuts.indices where cuts[index].standing == .contested {
        guard let author = cuts[index].author else { continue }
        let bounds = known[author.logID] ?? bounds(of: author.logID)
        known[author.logID] = bounds
        if let certain = bounds.certain, author.sequence >= certain {
          cuts[index].standing = .void
        } else if bounds.possible.map({ author.sequence < $0 }) ?? true {
          cuts[index].standing = .stands
        } else {
          continue
        }
        isChanged = true
      }
    }
  }

  /// Cuts in a log that have the form of one that counts: of another device's log, not below what this log
  /// has acknowledged of it, and neither lifted nor decided against. Those from where on the log is settled
  /// fall, whatever they name.
  private func cutEntries(
    of log: MemberLog
  ) -> [(author: WeighedCut.Author, position: LogPosition)] {
    /// How far, at the most.
    var acknowledged: [LogID: UInt64] = [:]
    var found: [(author: WeighedCut.Author, position: LogPosition)] = []
    let author = log.position.logID
    let end = settledFrom(author) ?? .max
    for entry in log.control where entry.sequence < end && !entry.isViolation {
      for position in entry.acknowledged {
        acknowledged[position.logID] = max(acknowledged[position.logID] ?? 0, position.size)
      }
      guard case .success(.cut(let cut)) = entry.control else { continue }
      guard found.count < Limits.cutsOfLog else { break }
      let target = cut.position
      let isBelow = acknowledged[target.logID].map { $0 > target.size } ?? false
      let isDecidedAgainst = decisions.contains { decision in
        decision.stays == target.logID && decision.cut.contains { $0.logID == author }
      }
      if !isBelow, !isDecidedAgainst, !lineage(of: author).contains(target.logID),
        !isLifted(target.logID, target.size)
      {
        found.append(((author, entry.sequence), target))
      }
    }
    return found
  }

  /// How many of so many leaves of a log all its histories have in common.
  private func common(_ logID: LogID, _ size: UInt64) -> UInt64 {
    min(size, log(logID)?.forkedAt ?? size)
  }

  private func isLifted(_ logID: LogID, _ size: UInt64) -> Bool {
    lifts.contains { $0.logID == logID && size <= $0.size }
  }

  private func lineage(of logID: LogID) -> [LogID] {
    CaseState.Member.lineage(of: logID) { member($0) }
  }

  /// Where the power of a log ends for certain, and where it may end.
  private func bounds(of logID: LogID) -> (certain: UInt64?, possible: UInt64?) {
    var certain: UInt64?
    var possible: UInt64?
    for target in lineage(of: logID) {
      for cut in cuts(of: target) {
        let size = target == logID ? cut.end : 0
        possible = min(possible ?? size, size)
        if cut.standing == .stands { certain = min(certain ?? size, size) }
      }
    }
    return (certain, possible)
  }

  /// The cuts of a log that have not fallen.
  private func cuts(of target: LogID) -> [WeighedCut] {
    (cutsOfLog[target] ?? []).map { cuts[$0] }.filter { $0.standing != .void }
  }

  /// The lowest of the cuts of a log, or of older keys of its device.
  private func bound(of logID: LogID) -> CaseState.Cut? {
    guard let size = bounds(of: logID).possible else { return nil }
    let all = cuts(of: logID)
    let own = all.filter { $0.end == size }
    var authors: [LogID] = []
    for author in own.compactMap({ $0.author?.logID }).sorted() where authors.last != author {
      authors.append(author)
    }
    return CaseState.Cut(
      size: size, contentSize: own.isEmpty ? size : all.map { $0.contentEnd }.min() ?? size,
      statedSize: own.map { $0.size }.max() ?? size, authors: authors,
      isContested: !own.contains { $0.standing == .stands } && !own.isEmpty)
  }
}
