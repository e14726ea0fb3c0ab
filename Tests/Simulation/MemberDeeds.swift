import CaseLog
import Cryptography
import Support
import Vault
import VerifiableLog

// Who is in the case, and who holds which keys.

extension World {
  /// A survivor's device, or a thief with one, admits an advocate.
  func admit(_ device: Device, _ step: Step) async throws {
    guard
      let advocate = devices.filter({ $0.owner == .advocate && $0.caseName == nil })
        .element(step.weather == 0 ? 0 : step.choice)
    else { return say("nobody to admit") }
    let card = try await advocate.opened().makeCard()
    let name = device.caseName
    let selection: EntrySelection = step.other.isMultiple(of: 3) ? .none : .all
    var shared: ShareOutcome?
    let before = crashes
    try await attempt(device, crash: step.crash) { vault in
      let held = Set(try await vault.entries(ofCase: name).map(\.id))
      let outcome = try await vault.share(
        caseNamed: name, with: card.text, words: card.words, selection: selection)
      shared = outcome
      let open = selection == .none ? [] : Array(held)
      return Written(
        "admits \(advocate.name), \(outcome.entryCount) shown",
        [.admission(outcome.member), .sharing(open, with: outcome.member)])
    }
    // An invitation that was lost in a crash is not handed over.
    guard let shared, crashes == before else { return }
    try await attempt(advocate) { vault in
      let joined = try await vault.join(
        shared.invitation, words: shared.caseWords, name: "theirs")
      advocate.caseName = joined.caseName
      return Written("joins")
    }
  }

  /// A further device of the survivor's, from what reached it of the case.
  func recover(_ device: Device, _ step: Step) async throws {
    var random = SplitMix64(step.weather, 3)
    _ = try deliver(to: device, .everyone, isClear: step.weather == 0, &random)
    guard let folder = device.views[.everyone]?.path else { return }
    let kit = device.kit
    try await attempt(device, crash: step.crash) { vault in
      let found = try OpenVault.findCase(in: folder, kit: RecoveryKit.typed(kit))
      try await vault.recover(found, kit: RecoveryKit.typed(kit), named: "recovered")
      device.caseName = "recovered"
      return Written("is admitted by the root")
    }
    guard let log = try await device.heldLogs()?.own else { return }
    if !facts.rootAdmitted.contains(log) { facts.rootAdmitted.append(log) }
  }

  /// Opens one more entry to an advocate.
  func share(_ device: Device, _ step: Step) async throws {
    let name = device.caseName
    let member = try await device.opened().members(ofCase: name).members
      .filter { $0.role == .advocate }.element(step.choice)
    let entry = try await entries(of: device) { $0.standing == .open }.element(step.other)
    guard let member, let entry else { return say("nothing to share") }
    try await attempt(device, crash: step.crash) { vault in
      let outcome = try await vault.share(
        .entries([entry.id.base32]), ofCase: name, withMember: member.logID.base32)
      let opened = outcome.entries
      return Written(
        "shows \(opened.count) to \(facts.name(member.logID))",
        opened.isEmpty ? [] : [.sharing(opened, with: member.logID)])
    }
  }

  /// Removes a member, lets the root decide, or takes her back.
  func judge(_ device: Device, _ step: Step) async throws {
    let name = device.caseName
    let members = try await device.opened().members(ofCase: name).members
    let target = members.filter { member in
      switch (step.deed, member.standing) {
      case (.reinstate, .removed), (.reinstate, .contested): true
      case (.reinstate, _): false
      default: !member.isOwn
      }
    }.element(step.choice)
    guard let target else { return say("nobody to judge") }
    let held = try await device.heldLogs()?.position(of: target.logID)
    let (kit, member) = (device.kit, target.logID.base32)
    var statements: [Statement] = []
    try await attempt(device, crash: step.crash) { vault in
      switch step.deed {
      case .remove:
        let outcome = try await vault.remove(member, fromCase: name)
        let cut = try await vault.heldLogs(ofCase: name).position(of: outcome.member.logID)
        return Written(
          "removes \(facts.name(outcome.member.logID)) at \(cut?.size ?? 0)",
          cut.map { [.cut($0)] } ?? [])
      case .decide:
        let size =
          step.other.isMultiple(of: 4) ? 0 : step.other.isMultiple(of: 5) ? held?.size : nil
        let decision = try await vault.decide(
          stays: nil, cut: [(member, size)], inCase: name, kit: RecoveryKit.typed(kit))
        statements.append(
          .decision(stays: decision.stays, cut: decision.cut.map { ($0.logID, $0.size) }))
        return Written(
          "root cuts "
            + decision.cut.map { "\(facts.name($0.logID)) at \($0.size)" }.joined(separator: ", "))
      default:
        let log = try await vault.reinstate(member, inCase: name, kit: RecoveryKit.typed(kit))
        statements.append(.lift(log))
        return Written("root takes \(facts.name(log)) back")
      }
    }
    facts.say(statements, on: device)
  }

  // MARK: - Keys and copies

  func renew(_ device: Device, _ step: Step, isNeeded: Bool) async throws {
    try await renew(device, crash: step.crash, isNeeded: isNeeded)
  }

  func renew(_ device: Device, crash: Int = 0, isNeeded: Bool) async throws {
    try await attempt(device, crash: crash) { vault in
      let outcome = try await vault.renew(evenIfSound: !isNeeded)
      return Written("takes new keys in \(outcome.cases.count)")
    }
  }

  func backUp(_ device: Device, _ step: Step) async throws {
    if step.deed == .backUp {
      device.backups.append(try await device.backUp(after: facts.sayingCount(of: device)))
      return say("\(device.name)")
    }
    guard let backup = device.backups.element(step.choice) else { return }
    try await device.putBack(backup)
    facts.forget(from: device, after: backup.sayingCount)
    if step.deed == .restoreElsewhere {
      device.machine += "+"
      for meeting in Meeting.allCases { try device.views[meeting]?.clear() }
    }
    say(
      "\(device.name) is as it was at \(device.memory.log.flatMap { device.memory.own[$0]?.position.size } ?? 0)"
    )
  }

  /// Somebody copies a device with its passphrase, or takes it away.
  func steal(_ device: Device, _ step: Step) async throws {
    let count = devices.count { $0.owner == .thief }
    guard count < 2 else { return say("enough thieves") }
    var backup = step.other.isMultiple(of: 2) ? device.backups.element(step.choice) : nil
    if backup == nil { backup = try await device.backUp(after: 0) }
    guard let backup else { return }
    let thief = try Device(
      name: "thief\(count + 1)", owner: .thief, role: device.role,
      place: cast.folder + "/thief\(count + 1)", machine: "thief", kit: device.kit)
    try await thief.putBack(backup)
    for log in backup.memory.own.keys.sorted() { facts.addHolder(thief, of: log) }
    devices.append(thief)
    if step.deed == .takeAway {
      try await device.close()
      device.isGone = true
      facts.lose(device)
    }
    say("\(device.name)\(device.isGone ? " is gone" : "")")
  }
}
