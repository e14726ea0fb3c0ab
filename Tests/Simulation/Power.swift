import CaseLog
import VerifiableLog

/// Who may do what in the end, by what was done: the rules of `Protocol/CaseLog.md`, "State", worked out once
/// more from acts, with none of the code that is under test.
struct Power {
  struct Bound: Equatable {
    let size: UInt64
    let isContested: Bool
  }

  private struct Cut {
    enum Standing { case stands, open, fallen }
    let target: LogID
    let size: UInt64
    let author: (log: LogID, start: UInt64)?
    var standing: Standing
  }

  private let facts: Facts
  /// Acts that copies know of, each with its log and where it begins.
  private let acts: [(log: LogID, start: UInt64, act: Act)]
  private(set) var survivors: Set<LogID> = []
  private(set) var advocates: Set<LogID> = []
  private var cuts: [Cut] = []

  /// - Parameter known: the head of each log that copies agree on.
  init(_ facts: Facts, known: [LogID: Head]) {
    self.facts = facts
    acts = known.sorted { $0.key < $1.key }.flatMap { log, head in
      head.history.reversed().flatMap { head in head.acts.map { (log, head.start, $0) } }
    }
    survivors = Set([facts.founder].compactMap(\.self) + facts.rootAdmitted)
    addSuccessors(to: &survivors)
    weigh()
    for (log, start, act) in acts where survivors.contains(log) && !isVoid(log, start) {
      if case .admission(let member) = act { advocates.insert(member) }
    }
    addSuccessors(to: &advocates)
  }

  func isMember(_ log: LogID) -> Bool { survivors.contains(log) || advocates.contains(log) }

  private func addSuccessors(to members: inout Set<LogID>) {
    for succession in facts.successions where members.contains(succession.old) {
      members.insert(succession.new)
    }
  }

  private func isDecidedAgainst(_ author: LogID, _ target: LogID) -> Bool {
    facts.statements.contains {
      guard case .decision(let stays, let cut) = $0 else { return false }
      return stays == target && cut.contains { $0.log == author }
    }
  }

  private mutating func weigh() {
    for case .decision(_, let limits) in facts.statements {
      for limit in limits {
        cuts.append(Cut(target: limit.log, size: limit.size, author: nil, standing: .stands))
      }
    }
    for (log, start, act) in acts where survivors.contains(log) {
      guard case .cut(let position) = act, !facts.lineage(of: log).contains(position.logID),
        !isDecidedAgainst(log, position.logID)
      else { continue }
      cuts.append(
        Cut(target: position.logID, size: position.size, author: (log, start), standing: .open))
    }
    var isChanged = true
    while isChanged {
      isChanged = false
      for index in cuts.indices where cuts[index].standing == .open {
        guard let author = cuts[index].author else { continue }
        let over = cutsOver(author.log, author.start)
        if over.contains(where: { $0.standing == .stands }) {
          cuts[index].standing = .fallen
        } else if over.isEmpty {
          cuts[index].standing = .stands
        } else {
          continue
        }
        isChanged = true
      }
    }
  }

  /// Cuts that have not fallen and take the power from an act.
  private func cutsOver(_ log: LogID, _ start: UInt64) -> [Cut] {
    let line = facts.lineage(of: log)
    return cuts.filter {
      $0.standing != .fallen && line.contains($0.target) && ($0.target != log || start >= $0.size)
    }
  }

  func isVoid(_ log: LogID, _ start: UInt64) -> Bool { !cutsOver(log, start).isEmpty }

  func bound(of log: LogID) -> Bound? {
    let line = facts.lineage(of: log)
    let over = cuts.filter { $0.standing != .fallen && line.contains($0.target) }
    guard let size = over.map({ $0.target == log ? $0.size : 0 }).min() else { return nil }
    let own = over.filter { $0.target == log && $0.size == size }
    return Bound(
      size: size, isContested: !own.isEmpty && !own.contains { $0.standing == .stands })
  }

  func isErased(_ entry: EntryID) -> Bool {
    let counted = acts.filter { survivors.contains($0.log) && !isVoid($0.log, $0.start) }
    let isKeptByRoot = facts.statements.contains {
      if case .keep(let kept) = $0 { kept == entry } else { false }
    }
    guard !isKeptByRoot else { return false }
    return counted.contains { erasure in
      guard case .erasure(let gone) = erasure.act, gone.contains(entry) else { return false }
      return !counted.contains {
        if case .keeping(entry) = $0.act { $0.log != erasure.log } else { false }
      }
    }
  }

  /// Whether anybody ever wanted it gone, with the power to do so or without.
  func wasErased(_ entry: EntryID) -> Bool {
    facts.heads.values.contains { heads in
      heads.contains { head in
        head.acts.contains {
          if case .erasure(let gone) = $0 { gone.contains(entry) } else { false }
        }
      }
    }
  }

  /// Whether anybody ever opened it to this advocate.
  func wasShared(_ entry: EntryID, with reader: LogID) -> Bool {
    facts.heads.values.contains { heads in
      heads.contains { head in
        head.acts.contains {
          guard case .sharing(let shown, let member) = $0 else { return false }
          return shown.contains(entry) && facts.first(of: member) == reader
        }
      }
    }
  }
}
