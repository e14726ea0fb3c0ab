import CaseLog
import Cryptography
import SealedBundle
import Support
import Vault
import VerifiableLog

/// What a bundle is to a stranger.
enum Judgement: Equatable, CustomStringConvertible {
  case holds
  case fails(String)

  static func of(_ verdict: BundleVerdict) -> Judgement {
    switch verdict.outcome {
    case .intact, .consistent: return .holds
    case .changed, .cannotCheck:
      let findings = verdict.findings.map { "\($0.code)" }.joined(separator: ", ")
      return .fails("\(verdict.outcome): \(findings)")
    }
  }

  var description: String {
    switch self {
    case .holds: "in order"
    case .fails(let why): why
    }
  }
}

extension World {
  /// Holds what copies show in the end against what was done.
  func judge(_ defect: Defect? = nil) async throws {
    begin("judging", 1 << 33)
    var seen: [Observation] = []
    for device in devices where device.isCopy { seen.append(try await Observation(device)) }
    try defect?.spoil(&seen, self)
    let full = seen.filter(\.isFull)
    say("\(full.count) full copies of \(seen.count)")
    for copy in full { say("\(copy.device.name) \(copy.hash.hex)") }
    agree(full)
    checkForks(seen, full)
    for copy in full { checkViolations(copy) }
    checkLocks(seen)
    let power = power(full)
    for copy in full { checkMembers(copy, power) }
    for entry in facts.entries { check(entry, seen, power) }
    checkReceipts()
    try await checkVaults(seen)
  }

  private func agree(_ full: [Observation]) {
    guard let first = full.first else { return }
    for copy in full {
      // Of a log with two histories each copy keeps the one that it saw first, and all come to the same state.
      let parted = parted(first, copy)
      if !parted.isEmpty { isParted = true }
      if copy.hash != first.hash || !facts.forked.isSuperset(of: parted) {
        fail(
          "\(first.device.name) and \(copy.device.name) have different states"
            + difference(first, copy, parted))
      }
    }
    for one in full {
      for other in full where one.held == other.held && one.hash != other.hash {
        fail("\(one.device.name) and \(other.device.name) make different states of the same logs")
      }
    }
  }

  /// Logs of members that two copies hold differently. A log of nobody's, since what admitted her turned out to have
  /// no power, is kept by whoever had it then, and taken by nobody any more.
  private func parted(_ one: Observation, _ other: Observation) -> [LogID] {
    Set(one.members.keys).union(other.members.keys).sorted()
      .filter { one.held[$0] != other.held[$0] }
  }

  private func difference(
    _ one: Observation, _ other: Observation, _ parted: [LogID]
  ) -> String {
    let logs = parted.map {
      " \(facts.name($0)) \(one.held[$0]?.size ?? 0)/\(other.held[$0]?.size ?? 0)"
    }
    return logs.isEmpty ? ", with equal logs" : ", by" + logs.joined()
  }

  /// Only whoever signed two histories is told to have done so; and where copies hold both, all of them tell.
  private func checkForks(_ seen: [Observation], _ full: [Observation]) {
    let forked = facts.forked
    for copy in seen {
      for log in copy.members(with: .fork).subtracting(forked).sorted() {
        fail("\(copy.device.name) blames \(facts.name(log)) for a fork")
      }
    }
    for log in forked.sorted() {
      let heads = seen.compactMap { $0.held[log].flatMap(facts.head) }
      let isProvable = heads.contains { one in
        heads.contains { !$0.follows(one) && !one.follows($0) }
      }
      guard isProvable else { continue }
      for copy in full where !copy.members(with: .fork).contains(log) {
        fail("\(copy.device.name) has no proof that \(facts.name(log)) forked")
      }
    }
  }

  private func checkViolations(_ copy: Observation) {
    for (log, position) in copy.held.sorted(by: { $0.key < $1.key }) {
      let done = facts.head(at: position)?.history.reduce(0) { count, head in
        count
          + head.acts.count { if case .violation = $0 { true } else { false } }
      }
      let told = copy.troubles.filter { $0.code == .violation && $0.member == log }
        .reduce(0) { $0 + $1.count }
      if done ?? 0 != told, copy.members[log] != nil {
        fail("\(copy.device.name) tells \(told) violations of \(facts.name(log)), not \(done ?? 0)")
      }
    }
  }

  /// Whoever has her power can read what everybody can.
  private func checkLocks(_ seen: [Observation]) {
    for copy in seen where copy.has(.lockedControl) && !copy.isCut {
      let isInGoodStanding = seen.contains { other in
        other.isFull && other.members[copy.own].map { $0.standing.bound == nil } ?? false
      }
      if isInGoodStanding { fail("\(copy.device.name) cannot open what everybody can") }
    }
  }

  /// Nil where nobody can say what is known: since a log has two histories, since the root lifted what was
  /// known to one device, or since what the root said may be lost.
  private func power(_ full: [Observation]) -> Power? {
    let isLifted = facts.statements.contains { if case .lift = $0 { true } else { false } }
    guard facts.forked.isEmpty, !isLifted, !facts.isUnsure, let first = full.first else {
      return nil
    }
    return Power(facts, known: first.held.compactMapValues(facts.head))
  }

  private func checkMembers(_ copy: Observation, _ power: Power?) {
    let everybody = Set(facts.names.keys).union(facts.admitted)
    for log in copy.members.keys.sorted() where !everybody.contains(log) {
      fail("\(copy.device.name) has a member that nobody is")
    }
    guard let power else { return }
    for (log, member) in copy.members.sorted(by: { $0.key < $1.key }) {
      let ofRole = member.role == .survivor ? power.survivors : power.advocates
      if !ofRole.contains(log) {
        fail("\(copy.device.name) has \(facts.name(log)) as \(member.role)")
      }
      if member.standing.bound != power.bound(of: log) {
        fail(
          "\(copy.device.name): \(facts.name(log)) is \(member.standing), not"
            + " \(power.bound(of: log).map { "\($0)" } ?? "in good standing")")
      }
    }
    let here = devices.filter(\.isCopy).compactMap(\.memory.log)
    for log in power.survivors.union(power.advocates).sorted()
    where copy.members[log] == nil && here.contains(log) {
      fail("\(copy.device.name) does not have \(facts.name(log)) as a member")
    }
  }

  private func checkReceipts() {
    let logs = Dictionary(uniqueKeysWithValues: facts.names.keys.map { ($0.base32, $0) })
    for (pair, given) in receipts.given {  // In any order; failures are few.
      guard let witness = logs[pair.witness], let log = logs[pair.log] else { continue }
      // A key that somebody stole, or that forgot, answers for nothing.
      guard facts.holders[witness]?.count == 1, !facts.forked.contains(witness) else { continue }
      let heads = given.map {
        facts.head(at: LogPosition(logID: log, size: $0.size, root: $0.root))
      }
      let isOneHistory = heads.allSatisfy { one in
        heads.allSatisfy { other in
          guard let one, let other else { return false }
          return one.follows(other) || other.follows(one)
        }
      }
      if !isOneHistory {
        fail("\(facts.name(witness)) gave receipts for two histories of \(facts.name(log))")
      }
    }
  }

  /// Of every third case one vault is checked whole and hands the case over: both take as long as many exchanges.
  private func checkVaults(_ seen: [Observation]) async throws {
    guard schedule.seed.isMultiple(of: 3), let copy = seen.element(schedule.seed / 3) else {
      return
    }
    let findings = try await copy.device.opened().check().findings.filter(\.isDamage)
    if !findings.isEmpty { fail("\(copy.device.name): check finds \(findings)") }
    if copy.isFull { try await export(copy.device) }
  }
}
