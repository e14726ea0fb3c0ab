import CaseLog
import Vault
import VerifiableLog

extension World {
  /// What was saved is there on every copy, in the words it had, and open to those for whom it was.
  func check(_ entry: Entry, _ seen: [Observation], _ power: Power?) {
    let author = devices.first { $0.name == entry.head.device }
    // A vault that was put back from an older backup has forgotten what came after.
    let isKept =
      author.map { $0.isCopy && $0.memory.own[entry.log]?.follows(entry.head) == true } ?? false
    let isForked = facts.forked.contains(entry.log)
    let isHeldByAny = seen.contains { holds($0, entry) }
    for copy in seen {
      let isOwn = copy.device.name == entry.head.device
      guard holds(copy, entry) else {
        // Whoever was admitted by somebody without the power to do so is no member.
        if !isOwn, copy.members[entry.log] == nil, power?.isMember(entry.log) != true { continue }
        if isKept ? isOwn || copy.isFull && !isForked : isHeldByAny && copy.isFull && !isForked {
          fail("\(copy.device.name) has lost “\(entry.words)”")
        }
        continue
      }
      guard let shown = copy.entries[entry.id] else {
        if !entry.isViolation { fail("\(copy.device.name) does not list “\(entry.words)”") }
        continue
      }
      check(entry, shown, on: copy, power, isKept: isKept)
    }
  }

  private func holds(_ copy: Observation, _ entry: Entry) -> Bool {
    copy.held[entry.log].flatMap(facts.head)?.follows(entry.head) ?? false
  }

  private func check(
    _ entry: Entry, _ shown: Observation.Shown, on copy: Observation, _ power: Power?, isKept: Bool
  ) {
    let isReadable = shown.standing == .open || shown.standing == .disputed
    if let words = shown.words, words != entry.words {
      fail("\(copy.device.name) shows “\(words)” for “\(entry.words)”")
    }
    if entry.isViolation {
      // Of whoever is no member nothing counts in any way.
      if shown.standing != .violation, shown.standing != .setAside || copy.members[entry.log] != nil
      {
        fail("\(copy.device.name) counts “\(entry.words)” as \(shown.standing)")
      }
      return
    }
    if shown.words != nil || isReadable, !mayRead(copy, entry) {
      fail("\(copy.device.name) reads “\(entry.words)”, which nobody showed it")
    }
    guard copy.isFull, let power else { return }
    let allowed = expected(entry, on: copy, power, isKept: isKept)
    if !allowed.contains(shown.standing) {
      fail("\(copy.device.name) has “\(entry.words)” as \(shown.standing), not \(allowed)")
    }
  }

  private func mayRead(_ copy: Observation, _ entry: Entry) -> Bool {
    let reader = facts.first(of: copy.own)
    // A retraction goes to all who can open what it takes back.
    if copy.device.role == .survivor || entry.words.isEmpty || entry.readers.contains(reader) {
      return true
    }
    return Power(facts, known: [:]).wasShared(entry.id, with: reader)
  }

  private func expected(
    _ entry: Entry, on copy: Observation, _ power: Power, isKept: Bool
  ) -> [EntrySummary.Standing] {
    if power.isErased(entry.id) { return [.erased] }
    let isFor =
      copy.device.role == .survivor || entry.readers.contains(facts.first(of: copy.own))
    // What is gone for good, or was only with somebody who is, cannot be had from anybody.
    let isThere = isFor && isKept && !power.wasErased(entry.id)
    // Whoever was admitted without power is no member, and what she wrote is seen by nobody's word.
    if !power.isMember(entry.log) { return isThere ? [.setAside] : [.setAside, .locked] }
    if power.isVoid(entry.log, entry.head.start) {
      return isThere ? [.disputed, .setAside] : [.disputed, .setAside, .locked]
    }
    if isThere { return [.open] }
    return mayRead(copy, entry) ? [.open, .locked] : [.locked]
  }
}
