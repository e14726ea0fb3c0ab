import CaseLog
import Cryptography
import Support
import Synchronization
import Vault
import VerifiableLog

/// A survivor with her devices, advocates with theirs, thieves, and mailboxes that nobody can trust.
final class World {
  static let beginning: UInt64 = 1_700_000_000

  let schedule: Schedule
  let cast: Cast
  var devices: [Device] = []
  var clouds: [Meeting: Cloud] = [.everyone: Cloud(), .ownDevices: Cloud()]
  var facts = Facts()
  var receipts = Receipts()
  /// True time, which no device need know.
  var time = World.beginning
  private(set) var transcript: [String] = []
  private(set) var failures: [String] = []
  private(set) var crashes = 0
  /// Whether copies ended with different histories of a log that has two: in the same state all the same.
  var isParted = false
  private var step = ""

  init(_ schedule: Schedule, _ cast: Cast) async throws {
    self.schedule = schedule
    self.cast = cast
    Machine.draw(from: schedule.seed, 0)
    devices = try cast.devices()
    let phone = devices[0]
    phone.caseName = "default"
    if let own = try await phone.heldLogs()?.own { facts.addLog(own, of: phone) }
    facts.founder = try await phone.heldLogs()?.own
    try await record(Written(""), by: phone)
  }

  func close() async throws {
    for device in devices { try await device.close() }
  }

  // MARK: - What is told

  func say(_ text: String) { transcript.append(step + text) }

  func fail(_ text: String) {
    let failure = "\(step)\(text)"
    failures.append(failure)
    transcript.append("!! " + failure)
  }

  func begin(_ step: Step) {
    self.step = "\(step.number) \(step.deed): "
    Machine.draw(from: schedule.seed, UInt64(step.number) + 1)
    time += 60
    for device in devices { setClock(of: device) }
  }

  func begin(_ phase: String, _ number: UInt64) {
    step = phase + ": "
    Machine.draw(from: schedule.seed, number)
    time += 60
    for device in devices { setClock(of: device) }
  }

  private func setClock(of device: Device) {
    let (shown, overflow) = Int64(time).addingReportingOverflow(device.clockError)
    device.clock.set(overflow || shown < 1 ? 1 : UInt64(shown))
  }

  // MARK: - What is written

  /// Lets a vault do something, perhaps until its machine stops; and notes what it signed.
  ///
  /// - Returns: what became of it.
  @discardableResult
  func attempt(
    _ device: Device, crash: Int = 0, _ body: (OpenVault) async throws -> Written
  ) async throws -> Written? {
    let vault = try await device.opened()
    let isSound = await vault.standing == .sound
    let before = try await device.heldLogs()
    let captured = Captured(device)
    if crash > 0 { Machine.stop(before: crash) { captured.capture() } }
    let result: Result<Written, VaultError>
    do {
      result = .success(try await body(vault))
    } catch let error as VaultError {
      result = .failure(error)
    }
    if crash > 0 { _ = Machine.stepsTaken() }
    if let images = try captured.images {
      crashes += 1
      return try await goOn(device, after: images, result, before: before, wasSound: isSound)
    }
    switch result {
    case .success(let written):
      try await record(written, by: device)
      say("\(device.name): \(written.text)")
      return written
    case .failure(let error):
      guard Self.refusals.contains(error.code) else {
        fail("\(device.name): error \(error.code)")
        return nil
      }
      try await record(Written(""), by: device)
      say("\(device.name): refused, \(error.code)")
      return nil
    }
  }

  /// What people are told when something is not for them, or not now. Whatever else a vault says here
  /// would be a loss.
  private static let refusals: Set<VaultError.Code> = [
    .removed, .notSyncedYet, .notAllowed, .unknownEntry, .alreadyRemoved, .removalWithoutEffect,
    .cutWithoutEffect, .notCut, .notErased, .erasedHere, .keptByAnother, .notSetAside,
    .entryErased, .entryLocked, .ownMember, .alreadyMember, .rolledBack, .copied, .mailboxEmpty,
    .mailboxDamaged, .kitMismatch, .caseHeldAlready, .cancelled, .notAnAdvocate, .notAMember,
    .mailboxOfOthers,
  ]

  /// The machine stopped in the midst: all that counts is what is there when the vault is opened again.
  private func goOn(
    _ device: Device, after images: Captured.Images, _ result: Result<Written, VaultError>,
    before: HeldLogs?, wasSound: Bool
  ) async throws -> Written? {
    let nameAfter = device.caseName
    let after = try await device.heldLogs()
    try await device.close()
    try images.vault.putBack(at: device.vaultPath)
    for meeting in Meeting.allCases {
      guard let path = device.views[meeting]?.path else { continue }
      try images.views[meeting]?.putBack(at: path)
      try device.views[meeting]?.lookAgain()
    }
    device.caseName = images.caseName
    let vault: OpenVault
    do {
      vault = try await device.opened()
    } catch let error as VaultError {
      fail("\(device.name): after a crash it does not open: \(error.code)")
      return nil
    }
    if wasSound, await vault.standing != .sound {
      fail("\(device.name): after a crash it is \(await vault.standing)")
    }
    if let nameAfter, device.caseName == nil,
      try await vault.cases().contains(where: { $0.name == nameAfter })
    {
      device.caseName = nameAfter
    }
    let now = try await device.heldLogs()
    guard now?.ownPosition == before?.ownPosition || now?.ownPosition == after?.ownPosition else {
      fail("\(device.name): after a crash its log is neither as before nor as after")
      return nil
    }
    let isDone = now?.ownPosition != before?.ownPosition
    let written: Written? = if case .success(let written) = result { written } else { nil }
    try await record(isDone ? written ?? Written("") : Written(""), by: device)
    say("\(device.name): crashed, \(isDone ? "done all the same" : "not done")")
    return isDone ? written : nil
  }

  /// Notes what a vault signed since it was looked at last, and that it lost nothing that it held.
  func record(_ written: Written, by device: Device) async throws {
    guard let held = try await device.heldLogs() else { return }
    let own = held.own
    if let log = device.memory.log, log != own {
      facts.succeed(log, by: own, on: device)
    } else {
      facts.addLog(own, of: device)
    }
    device.memory.log = own
    if let position = held.ownPosition, position.size > 0 {
      let last = device.memory.own[own]
      if last?.position != position {
        let head = Head(position, after: last, by: device.name, acts: written.acts)
        device.memory.own[own] = head
        facts.add(
          head,
          written.drafts.map { draft in
            Entry(
              id: draft.id, log: own, head: head, words: draft.words, author: device.role,
              readers: draft.readers, isViolation: draft.isViolation)
          })
      } else if !written.acts.isEmpty {
        fail("\(device.name): it said that it wrote, and signed nothing")
      }
    }
    try await compare(held, with: device)
  }

  /// Logs only grow, each in the history that is held of it.
  private func compare(_ held: HeldLogs, with device: Device) async throws {
    guard device.isHonest else { return }
    for position in held.positions where position.size > 0 {
      guard let head = try await head(covering: position) else {
        fail(
          "\(device.name): holds \(position.size) of \(facts.name(position.logID)), never signed")
        continue
      }
      if let before = device.memory.held[position.logID], let old = facts.head(at: before),
        !head.follows(old)
      {
        fail(
          "\(device.name): held \(before.size) of \(facts.name(position.logID)), now \(position.size)"
        )
      }
      device.memory.held[position.logID] = position
    }
  }

  /// The head that was signed over so many leaves, or the least one over more of the same: who lacks the content
  /// of an entry passes on no more than the beginning of its log.
  private func head(covering position: LogPosition) async throws -> Head? {
    if let head = facts.head(at: position) { return head }
    for head in facts.heads(beyond: position) {
      for other in devices where other.isCopy {
        let held = try await other.heldLogs()
        guard held?.position(of: position.logID) == head.position else { continue }
        let root = try await other.opened().root(
          ofLog: position.logID, size: position.size, inCase: other.caseName)
        if root == position.root { return head }
      }
    }
    return nil
  }
}

/// What somebody's act came to.
struct Written {
  let text: String
  var acts: [Act] = []
  var drafts: [Draft] = []

  init(_ text: String, _ acts: [Act] = [], _ drafts: [Draft] = []) {
    self.text = text
    self.acts = acts
    self.drafts = drafts
  }

  struct Draft {
    let id: EntryID
    let words: String
    let readers: Set<LogID>
    var isViolation = false
  }
}

extension HeldLogs {
  var ownPosition: LogPosition? { positions.first { $0.logID == own } }
  func position(of log: LogID) -> LogPosition? { positions.first { $0.logID == log } }
}

/// What a machine that stops leaves: its files as they are then.
private final class Captured: Sendable {
  struct Images: Sendable {
    let vault: FolderImage
    let views: [Meeting: FolderImage]
    let caseName: String?
  }

  private let vault: String
  private let views: [Meeting: String]
  private let caseName: String?
  private let result = Mutex<Result<Images, any Error>?>(nil)

  init(_ device: Device) {
    vault = device.vaultPath
    views = device.views.mapValues(\.path)
    caseName = device.caseName
  }

  func capture() {
    result.withLock { result in
      result = Result {
        Images(
          vault: try FolderImage(of: vault), views: try views.mapValues(FolderImage.init(of:)),
          caseName: caseName)
      }
    }
  }

  var images: Images? {
    get throws { try result.withLock { try $0?.get() } }
  }
}
