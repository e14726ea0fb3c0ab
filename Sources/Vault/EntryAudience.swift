public import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// Who is to open a new entry. The survivor's own devices always can.
public enum EntryAudience: Hashable, Sendable {
  /// Everyone with whom the case is shared now. What is about other entries goes to those only who can open
  /// all of these: an amendment of a private entry is private. A retraction goes to all who can open any of
  /// them, whoever is chosen, or they would take for standing what was taken back.
  case allReaders
  /// Nobody else. Others still see that there is an entry.
  case ownDevices
  /// These advocates, by log id.
  case members([LogID])
}

extension OpenVault {
  /// Refuses a choice of readers before anything is read and sealed.
  ///
  /// - Throws: `.notAllowed` for an advocate, whose notes go to the survivor and to nobody else;
  ///   `.unknownMember`, `.notAnAdvocate`, `.alreadyRemoved`.
  func checkAudiences(of entries: [NewEntry], in row: CaseRow) throws(VaultError) {
    guard entries.contains(where: { $0.audience != .allReaders }) else { return }
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    try read { db in
      let state = try CaseView.state(db, of: row)
      for entry in entries {
        guard case .members(let members) = entry.audience else { continue }
        for member in members { _ = try state.reader(member, at: surroundings.now()) }
      }
    }
  }
}

extension OpenVault {
  /// Whether it should be said that others can see how many entries are not shared with them: in a shared
  /// case, until it was said once.
  public func shouldTellOfWithheld(inCase name: String?) throws(VaultError) -> Bool {
    try read { db in
      let row = try CaseRow.find(db, name)
      let isTold = try Row.fetchOne(
        db, cached: "SELECT 1 FROM setting WHERE name = ?", arguments: [Self.toldOfWithheld(row)])
      guard row.role == .survivor, isTold == nil else { return false }
      return try CaseView.state(db, of: row).members.contains { $0.role == .advocate }
    }
  }

  /// What this vault is in a case.
  ///
  /// - Throws: `.unknownCase`, `.ambiguousCase`.
  public func role(inCase name: String?) throws(VaultError) -> Role {
    try read { db in try CaseRow.find(db, name).role }
  }

  public func noteToldOfWithheld(inCase name: String?) throws(VaultError) {
    try commit { db in
      let row = try CaseRow.find(db, name)
      try db.execute(
        cached: "INSERT OR IGNORE INTO setting(name, value) VALUES (?, x'01')",
        arguments: [Self.toldOfWithheld(row)])
    }
  }

  private static func toldOfWithheld(_ row: CaseRow) -> String { "told-withheld-\(row.ref)" }
}

extension CaseState {
  /// An advocate to whom something can be sealed now.
  ///
  /// - Throws: `.unknownMember`, `.notAnAdvocate`, `.alreadyRemoved`, `.timePassed`.
  func reader(_ logID: LogID, at now: UInt64) throws -> Member {
    guard let member = member(logID) else { throw VaultError(.unknownMember) }
    guard member.role == .advocate else { throw VaultError(.notAnAdvocate) }
    guard member.cut == nil else { throw VaultError(.alreadyRemoved) }
    guard member.isReader(at: now) else { throw VaultError(.timePassed) }
    return member
  }
}

/// Chooses the epochs that an entry's key is sealed to.
struct ReaderChoice {
  private let control: CaseControl
  init(_ control: CaseControl) { self.control = control }

  /// - Parameter targets: the entries that the new one is about.
  func epochs(
    for audience: EntryAudience, as kind: EntryKind, about targets: [EntryID]
  ) throws -> [LoadedEpoch] {
    let row = control.row
    guard row.role == .survivor else {
      guard audience == .allReaders, let own = control.state.member(row.logID) else {
        throw VaultError(.notAllowed)
      }
      return [try control.current(.advocate(own.firstLogID))]
    }
    var advocates = try advocates(for: audience, about: targets)
    if kind == .retract {
      advocates += try readers(of: targets).filter { !advocates.contains($0) }
    }
    return try ([.devices] + advocates).map { try control.current($0) }
  }

  /// The advocates who can open any of these.
  private func readers(of targets: [EntryID]) throws -> [Audience] {
    let opening = Set(try OpenSlots.epochs(control.db, of: targets).values.flatMap(\.epochs))
    let able = control.epochs.filter { opening.contains($0.key.id) }.map { $0.key.audience }
    return control.advocates.filter(able.contains)
  }

  private func advocates(
    for audience: EntryAudience, about targets: [EntryID]
  ) throws -> [Audience] {
    switch audience {
    case .ownDevices: return []
    case .members(let members):
      var result: [Audience] = []
      for logID in members {
        let reader = try control.state.reader(logID, at: control.now)
        let audience = Audience.advocate(reader.firstLogID)
        if !result.contains(audience) { result.append(audience) }
      }
      return result
    case .allReaders:
      guard !targets.isEmpty else { return control.advocates }
      let slots = OpenSlots(control.db, of: control.row, in: control.state)
      return try control.advocates.filter { audience in
        try targets.allSatisfy { try slots.isOpen($0, to: audience) }
      }
    }
  }
}
