import CaseLog
import Cryptography
import Support
import Synchronization
import Vault
import VerifiableLog

extension World {
  /// A device meets others in its view of a mailbox: what it sees there may be old, cut or garbled, and what it
  /// leaves may not get through.
  func exchange(_ device: Device, _ meeting: Meeting, _ step: Step) async throws {
    var random = SplitMix64(step.weather, 2)
    let isClear = step.weather == 0
    let seen = try deliver(to: device, meeting, isClear: isClear, &random)
    if !seen.isEmpty { say("sees " + seen.joined(separator: ", ")) }
    let shown = device.views[meeting]?.subfolders ?? [:]
    let patience = !isClear && random.chance(1, in: 15) ? random.below(40) : nil
    try await meet(device, meeting, crash: step.crash, cancelAfter: patience)
    let push = isClear ? .whole : Weather.Push.drawn(&random)
    facts.handOut(
      from: device, isSure: push == .whole && step.crash == 0 && patience == nil)
    if push != .whole { say("leaves \(push)") }
    try collect(from: device, meeting, shown: shown, push, &random)
  }

  private func meet(
    _ device: Device, _ meeting: Meeting, crash: Int, cancelAfter: Int?
  ) async throws {
    guard let path = device.views[meeting]?.path else { return }
    let name = device.caseName
    var problems: [SyncOutcome.Problem] = []
    try await attempt(device, crash: crash) { vault in
      let patience = Patience(cancelAfter ?? .max)
      let outcome = try await vault.meet(
        path, caseNamed: name, isOwn: meeting == .ownDevices, isCancelled: { patience.isOver() })
      problems = outcome.problems
      let (received, sent) = (
        outcome.members.reduce(0) { $0 + $1.entriesReceived },
        outcome.members.reduce(0) { $0 + $1.entriesSent }
      )
      return Written(
        "\(meeting) \(received) in, \(sent) out" + problems.map { " " + told($0) }.joined())
    }
    if device.isHonest { checkBlame(problems, by: device) }
  }

  /// Nobody is said to have signed two histories who did not, nor a copy to be old that is not.
  private func checkBlame(_ problems: [SyncOutcome.Problem], by device: Device) {
    for problem in problems {
      switch problem {
      case .fork(let log) where !facts.forked.contains(log):
        fail("\(device.name): says that \(facts.name(log)) forked")
      case .ownLogAhead:
        guard let own = device.memory.log, let head = device.memory.own[own] else { continue }
        let isOld = facts.heads[own]?.contains { !head.follows($0) } ?? false
        if !isOld { fail("\(device.name): says that it is old itself") }
      // One bit of a file's beginning, which nobody signs, makes it one of another version.
      case .newerVersion(let log) where !facts.garbled.contains(log):
        fail("\(device.name): says that \(facts.name(log)) has a newer version")
      default: continue
      }
    }
  }

  private func told(_ problem: SyncOutcome.Problem) -> String {
    switch problem {
    case .damaged(let log): "damaged:" + facts.name(log)
    case .mailboxFault(let log): "fault:" + facts.name(log)
    case .gap(let log): "gap:" + facts.name(log)
    case .fork(let log): "fork:" + facts.name(log)
    case .newerVersion(let log): "newer:" + facts.name(log)
    case .ownLogAhead: "own-log-ahead"
    case .forgedStatement(let log): "forged-statement:" + facts.name(log)
    case .notWritten: "not-written"
    case .withoutRoom: "without-room"
    case .falseLength(let log): "false-length:" + facts.name(log)
    case .lost: "lost"
    case .unreachable: "unreachable"
    }
  }

  // MARK: - The way of the files

  /// Brings a device's view of a mailbox up to what it is allowed to see.
  ///
  /// - Returns: what of it is not as it is.
  func deliver(
    to device: Device, _ meeting: Meeting, isClear: Bool, _ random: inout SplitMix64
  ) throws -> [String] {
    var seen: [String] = []
    guard let cloud = clouds[meeting] else { return [] }
    for (name, subfolder) in cloud.subfolders.sorted(by: { $0.key < $1.key }) {
      let weather = isClear ? .whole : Weather.Pull.drawn(&random)
      guard var content = subfolder.seen(through: weather, &random) else {
        seen.append("nothing of \(whose(name))")
        continue
      }
      if weather != .whole { seen.append("\(whose(name)) \(weather)") }
      if weather == .garbled, let log = owner(of: name) { facts.garbled.insert(log) }
      if device.owns(name) {
        // What the device has itself is not overwritten; what it lost comes back.
        let own = device.views[meeting]?.subfolders[name] ?? [:]
        content.merge(own) { _, own in own }
      }
      try device.views[meeting]?.put(content, as: name)
    }
    return seen
  }

  private func whose(_ subfolder: String) -> String {
    owner(of: subfolder).map(facts.name) ?? "unknown"
  }

  private func owner(of subfolder: String) -> LogID? {
    // In any order: one log at most has that name.
    facts.names.keys.first { subfolder.hasSuffix($0.base32) }
  }

  /// - Parameter shown: what was there before it looked.
  private func collect(
    from device: Device, _ meeting: Meeting, shown: [String: Subfolder.Content],
    _ weather: Weather.Push, _ random: inout SplitMix64
  ) throws {
    guard let view = device.views[meeting] else { return }
    for name in try Files.names(in: view.path) where device.owns(name) {
      let before = Set(device.views[meeting]?.subfolders[name]?.keys.map { $0 } ?? [])
      let content = try device.views[meeting]?.look(at: name) ?? [:]
      clouds[meeting]?.take(content, as: name, seenBefore: before, through: weather, &random)
      // What was there before is its own of before, which was looked at then, or what the mailbox made of that.
      if device.isHonest, let head = content["head"], head != shown[name]?["head"] {
        receipts.add(in: head) { self.fail("\(device.name): \($0)") }
      }
    }
  }
}

extension Device {
  /// Whether it writes into this subfolder, or did with older keys.
  func owns(_ subfolder: String) -> Bool {
    // In any order: one log at most has that name.
    memory.own.keys.contains { subfolder.hasSuffix($0.base32) }
      || memory.log.map { subfolder.hasSuffix($0.base32) } ?? false
  }
}

/// How often somebody who waits may be asked whether to go on.
private final class Patience: Sendable {
  private let left: Mutex<Int>
  init(_ count: Int) { left = Mutex(count) }

  func isOver() -> Bool {
    left.withLock { left in
      left -= 1
      return left < 0
    }
  }
}

extension OpenVault {
  fileprivate func meet(
    _ folder: String, caseNamed name: String?, isOwn: Bool,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(VaultError) -> SyncOutcome {
    try sync(
      caseNamed: name, mailbox: folder, audience: isOwn ? .ownDevices : .everyone,
      isCancelled: isCancelled)
  }
}
