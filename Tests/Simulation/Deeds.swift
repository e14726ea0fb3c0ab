import CaseLog
import Cryptography
import SealedBundle
import Support
import Vault
import VerifiableLog

extension World {
  /// Does what a line of the schedule says, as far as there is anybody who can.
  func perform(_ step: Step) async throws {
    begin(step)
    guard let device = actor(for: step) else { return say("nobody") }
    if device.isHonest, device.caseName != nil {
      let standing = try await device.opened().standing
      if standing != .sound { return try await renew(device, step, isNeeded: true) }
    }
    switch step.deed {
    case .add, .addPrivately, .addFile: try await add(device, step)
    case .amend, .retract: try await addAbout(device, step)
    case .admit: try await admit(device, step)
    case .recover: try await recover(device, step)
    case .share: try await share(device, step)
    case .remove, .decide, .reinstate: try await judge(device, step)
    case .erase, .keep, .keepByRoot, .adopt: try await settleEntry(device, step)
    case .meet: try await exchange(device, .everyone, step)
    case .meetOwn: try await exchange(device, .ownDevices, step)
    case .renew: try await renew(device, step, isNeeded: false)
    case .backUp, .restoreHere, .restoreElsewhere: try await backUp(device, step)
    case .steal, .takeAway: try await steal(device, step)
    case .violate: try await violate(device, step)
    case .passTime, .jumpClock: changeTime(device, step)
    case .export: try await export(device)
    }
  }

  private func actor(for step: Step) -> Device? {
    devices.filter { device in
      guard !device.isGone else { return false }
      let isIn = device.caseName != nil
      switch step.deed {
      case .recover: return !isIn && device.owner == .survivor
      case .violate: return isIn && device.role == .advocate
      case .decide, .reinstate, .keepByRoot: return isIn && device.owner == .survivor
      case .addPrivately, .retract, .admit, .share, .remove, .erase, .keep, .adopt, .meetOwn:
        return isIn && device.role == .survivor
      case .backUp, .jumpClock, .export, .steal: return device.isCopy
      case .takeAway:
        return device.isCopy && devices.count(where: { $0.isCopy && $0.role == .survivor }) > 1
      case .restoreHere, .restoreElsewhere: return device.isCopy && !device.backups.isEmpty
      case .add, .addFile, .amend, .meet, .renew, .passTime: return isIn
      }
    }.element(step.device)
  }

  // MARK: - Entries

  private func add(_ device: Device, _ step: Step) async throws {
    var content = EntryContent()
    content.words = "\(device.name) \(step.number)"
    var entry = NewEntry(content: content)
    if step.deed == .addPrivately { entry.audience = .ownDevices }
    if step.deed == .addFile {
      let path = device.place + "/file"
      try Files.write(
        Array(
          repeating: UInt8(truncatingIfNeeded: step.choice),
          count: step.choice.isMultiple(of: 5) ? 70_000 : 900),
        to: path)
      entry.sources = [.file(path: path)]
    }
    try await save(entry, device, step)
  }

  private func addAbout(_ device: Device, _ step: Step) async throws {
    let found = try await entries(of: device) { $0.standing == .open }.element(step.choice)
    guard let found else { return say("nothing to be about") }
    var content = EntryContent()
    content.about = [found.id]
    content.words = "\(device.name) \(step.number)"
    let kind: EntryKind =
      device.role == .advocate ? .note : step.deed == .amend ? .amend : .retract
    if kind == .retract { content.words = nil }
    try await save(NewEntry(kind: kind, content: content), device, step)
  }

  private func save(_ entry: NewEntry, _ device: Device, _ step: Step) async throws {
    let name = device.caseName
    let role = device.role
    let words = entry.content.words ?? ""
    try await attempt(device, crash: step.crash) { vault in
      let outcome = try await vault.add([entry], toCase: name)
      if let failure = outcome.failure { throw failure.error }
      guard let id = outcome.saved.first?.id else { throw Unexpected("nothing saved") }
      let readers = try await vault.readers(ofEntry: id.base32).filter { $0.role == .advocate }
      let own = try await vault.heldLogs(ofCase: name).own
      let firsts = Set((readers.map(\.logID) + (role == .advocate ? [own] : [])).map(first))
      if entry.audience == .ownDevices, !readers.isEmpty {
        throw Unexpected("a private entry has readers")
      }
      return Written(
        "“\(words)” for \(readers.count)", [.entry(id)],
        [Written.Draft(id: id, words: words, readers: firsts)])
    }
  }

  private func first(_ log: LogID) -> LogID { facts.first(of: log) }

  func entries(
    of device: Device, _ isWanted: (EntrySummary) -> Bool
  ) async throws -> [EntrySummary] {
    try await device.opened().entries(ofCase: device.caseName).filter(isWanted)
      .sorted { ($0.logID, $0.sequence) < ($1.logID, $1.sequence) }
  }

  /// Writes with a patched program what only a survivor may.
  private func violate(_ device: Device, _ step: Step) async throws {
    let kinds: [EntryKind] = [.evidence, .amend, .retract, .erase, .admit, .cut]
    guard let kind = kinds.element(step.choice) else { return }
    let about = try await entries(of: device) { $0.standing == .open }.element(step.other)
    var content = EntryContent()
    content.words = "forged \(step.number)"
    if let about { content.about = [about.id] }
    let name = device.caseName
    let words = content.words ?? ""
    let message = content
    try await attempt(device, crash: step.crash) { vault in
      let id = try await vault.append(message, as: kind, toCase: name)
      return Written(
        "forged \(kind.name ?? "?")", [.violation(id)],
        [Written.Draft(id: id, words: words, readers: [], isViolation: true)])
    }
  }

  /// What is done to one entry later.
  private func settleEntry(_ device: Device, _ step: Step) async throws {
    let found = try await entries(of: device) { entry in
      switch step.deed {
      case .erase: entry.standing == .open || entry.standing == .disputed
      case .keep, .keepByRoot: entry.standing == .erased
      default: entry.standing == .disputed || entry.standing == .setAside
      }
    }.element(step.choice)
    guard let found else { return say("nothing to \(step.deed.rawValue)") }
    let (name, kit) = (device.caseName, device.kit)
    let written = try await attempt(device, crash: step.crash) { vault in
      let id = found.id.base32
      switch step.deed {
      case .erase:
        let gone = try await vault.erase([id]).entries
        return Written("erased \(gone.count)", gone.isEmpty ? [] : [.erasure(gone)])
      case .keep:
        let kept = try await vault.keep(id)
        return Written("kept \(kept.count)", kept.map(Act.keeping))
      case .keepByRoot:
        try await vault.keepByRoot(found.id, inCase: name, kit: RecoveryKit.typed(kit))
        return Written("kept by the root")
      default:
        let adopted = try await vault.adopt(id)
        return Written("adopted\(adopted.isNew ? "" : " before")")
      }
    }
    if written != nil, step.deed == .keepByRoot { facts.say([.keep(found.id)], on: device) }
  }

  // MARK: - Time and bundles

  private func changeTime(_ device: Device, _ step: Step) {
    if step.deed == .passTime {
      let passed: [UInt64] = [3_600, 86_400, 15 * 86_400, 40 * 86_400]
      time += passed.element(step.choice) ?? 0
      return say("\(time)")
    }
    let errors: [Int64] = [
      0, 3_600, -3_600, -Int64(time), 80 * 31_557_600, -400 * 86_400, 20 * 86_400,
    ]
    device.clockError = errors.element(step.choice) ?? 0
    say("\(device.name) \(device.clockError)")
  }

  /// Hands the case over, and looks at it as a stranger does.
  func export(_ device: Device) async throws {
    let own = try await device.heldLogs()?.own
    let isKnown = try await device.opened().members(ofCase: device.caseName).members
      .contains { $0.logID == own }
    // A member who has not even learnt of her admission has nothing to hand over.
    guard isKnown else { return say("\(device.name) has nothing to hand over") }
    // A bundle holds all control entries, and whoever was removed cannot open those that came later: what she
    // has is hers to read and not to hand over. Counted, and told as what is missing in Scripts/simulate.
    let troubles = try await device.opened().status(ofCase: device.caseName, isLookedAt: false)
    if troubles.contains(where: {
      $0.troubles.contains { $0.code == .lockedControl || $0.code == .removed }
    }) {
      return say("\(device.name) cannot hand over: removed")
    }
    let path = device.place + "/bundle"
    try Files.removeTree(path)
    let (name, hash) = (
      device.caseName, try await device.opened().stateHash(ofCase: device.caseName)
    )
    try await attempt(device) { vault in
      let identity = AgeIdentity(secretKey: SecretKey.random())
      guard let recipient = identity.recipient else { throw Unexpected("no recipient") }
      let outcome = try await vault.export(
        caseNamed: name, entries: nil, to: path, seal: .recipients([recipient]),
        program: "simulation", includesPrivate: true)
      let verdict = Judgement.of(outcome.verdict)
      guard verdict == .holds else { throw Unexpected("the bundle is \(verdict)") }
      guard outcome.verdict.record?.state.stateHash == hash else {
        throw Unexpected("the bundle is of another state")
      }
      return Written("bundle of \(outcome.entryCount)")
    }
  }
}
