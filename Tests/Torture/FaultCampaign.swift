import CaseLog
import Cryptography
import Foundation
import Support
import Vault

/// Lets each single call to the system fail, in turn, and looks at what the program says and what is left.
struct FaultCampaign {
  enum Command: String, CaseIterable {
    case initialise = "init"
    case words, small, large, several, amend, retract, erase, sync
    case passphrase
    case newKeys = "new-keys"
    case renew, backup, restore

    /// Makes a vault where none is.
    var isMaking: Bool { self == .initialise || self == .restore }
    /// By which it can be seen whether it was done.
    var leavesEntries: Bool {
      [.words, .small, .large, .several, .amend, .retract, .erase].contains(self)
    }
  }

  /// How calls fail; after a colon how many of them, where 0 is all that follow.
  static let faults = [
    "eio", "enospc", "short", "kill", "kill-half", "kill-after", "eio:0", "enospc:0",
  ]

  struct Figures {
    var runs = 0
    var calls = 0
    var failed = 0
    var killed = 0
    var succeeded = 0
    /// The program could not say that it was done, and it was.
    var doneAllTheSame = 0
    var strays = 0
    var failures: [String] = []
  }

  private let workshop: Workshop
  private let person: Person
  private let other: Person
  private let kitText: [UInt8]
  private let base: Moment
  private let before: Shown
  /// What the backup holds.
  private let backedUp: Shown
  private let target: String
  private var backup: String { workshop.world + "/backup" }
  private var figures = Figures()

  init() async throws {
    workshop = try Workshop("faults")
    person = Person(name: "vault", workshop: workshop)
    other = Person(name: "other", workshop: workshop)
    try await person.makeVault()
    kitText = try Tree.read(person.kitFile)
    let first = try person.done("add", "--text", "The first words.", "--json").savedIDs()
    guard let target = first.first else { throw Unexpected("nothing was added") }
    self.target = target
    try person.done("add", try workshop.input("first.bin", noise(90_000, seed: 1)))
    try person.done("backup", workshop.world + "/backup")
    try person.done("add", try workshop.input("second.bin", noise(80_000, seed: 11)))
    try Tree.make(workshop.world + "/mailbox")
    base = try Moment(of: workshop.world)
    backedUp = try await Vaults.restored(
      workshop.world + "/backup", to: workshop.path + "/back", kit: try Vaults.kit(text: kitText))
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kitText))
    before = try await CrashCampaign.examine(vault)
    try await vault.close()
    try base.restore(to: workshop.world)
  }

  private func arguments(_ command: Command) throws -> [String] {
    switch command {
    case .initialise: ["init", "--kit", other.kitFile, "--kdf", "light"]
    case .words: ["add", "--text", "Words that may come to be."]
    case .small: ["add", try workshop.input("small.bin", noise(3000, seed: 2))]
    case .large: ["add", try workshop.input("large.bin", noise(150_000, seed: 3))]
    case .several:
      ["add"]
        + (try (4..<8).map {
          try workshop.input("several-\($0).bin", noise(Int($0) * 15_000, seed: $0))
        })
    case .amend: ["amend", target, "--text", "More of it."]
    case .retract: ["retract", target, "--text", "Not so."]
    case .erase: ["erase", target, "--yes"]
    case .sync: ["sync", "--mailbox", workshop.world + "/mailbox"]
    case .passphrase: ["passphrase", "--new-passphrase-file", try newPassphrase()]
    case .newKeys:
      ["passphrase", "--new-passphrase-file", try newPassphrase(), "--somebody-may-know-it"]
    case .renew: ["renew", "--somebody-has-a-copy"]
    case .backup: ["backup", backup]
    case .restore: ["restore", backup]
    }
  }

  private func newPassphrase() throws -> String {
    try workshop.input("new", Array((Keeping.passphrase(1) + "\n").utf8))
  }

  /// Each call of the command from `first` on, or every so many of them, with each fault that can befall it.
  mutating func run(
    _ command: Command, faults: [String], from first: Int, every: Int, progress: Progress
  ) async throws {
    let arguments = try arguments(command)
    let whole = try await perform(command, arguments, fault: nil)
    let calls = whole.trace.calls
    figures.calls += calls.count
    // A little beyond the end, since not each run makes the same number of calls.
    for number in stride(from: first, through: calls.count + 2, by: every) {
      for fault in faults where Self.concerns(fault, number <= calls.count ? calls[number - 1] : 0)
      {
        figures.runs += 1
        progress.tell(
          "\(command.rawValue), call \(number) of \(calls.count), \(figures.failures.count) failures"
        )
        let parts = fault.split(separator: ":", maxSplits: 1)
        let spec = (["\(number)"] + parts.map(String.init)).joined(separator: ":")
        do {
          let tried = try await perform(command, arguments, fault: spec)
          try await judge(tried.run, command, fault)
        } catch {
          let failure = "\(command.rawValue) with \(spec): \(error)"
          figures.failures.append(failure)
          say("FAILED: \(failure)")
        }
      }
    }
  }

  /// Whether this fault makes a difference to a call of this class.
  private static func concerns(_ fault: String, _ call: UInt8) -> Bool {
    switch fault {
    case "short", "kill-half": call == UInt8(ascii: "w")
    case "enospc": Array("cwsmnt".utf8).contains(call)
    // What follows is the same until the next call that takes space.
    case "enospc:0": Array("cwm".utf8).contains(call)
    case "kill-after": !Array("or".utf8).contains(call)
    case "kill": !Array("or".utf8).contains(call)
    default: true
    }
  }

  func finish() throws -> Figures {
    try workshop.remove()
    return figures
  }

  private func perform(
    _ command: Command, _ arguments: [String], fault: String?
  ) async throws -> (run: Run, trace: Trace) {
    try base.restore(to: workshop.world)
    let file = workshop.path + "/trace"
    try Tree.remove(file)
    let who = command.isMaking ? other : person
    let run = try who.cairn(arguments, Person.Trial(trace: fault == nil ? file : nil, fault: fault))
    guard fault == nil else { return (run, Trace.none) }
    guard run.status == 0 else { throw Unexpected("\(arguments) fails by itself: \(run.errors)") }
    return (run, try Trace(reading: file))
  }

  // MARK: - Judging

  private static let statuses: Set<Int32> = [0, 1, 10, 11, 12, 20, 21, 22, 69, 130]

  private mutating func judge(_ run: Run, _ command: Command, _ fault: String) async throws {
    let isKill = fault.hasPrefix("kill")
    if run.wasKilled {
      guard isKill else { throw Unexpected("a signal ended it: \(run.errors.suffix(400))") }
      figures.killed += 1
    } else if run.status == 0 {
      figures.succeeded += 1
    } else {
      figures.failed += 1
      guard Self.statuses.contains(run.status) else { throw Unexpected("exit code \(run.status)") }
      guard run.errors.split(separator: " ").count > 5 else {
        throw Unexpected("it fails without a word: “\(run.errors)”")
      }
      // A full disk is no damage, and a disk that takes nothing is none.
      guard run.status != 20 || !fault.hasPrefix("enospc") else {
        throw Unexpected("it calls a full disk damage: “\(run.errors)”")
      }
    }
    if command.isMaking {
      try await judgeMade(run, command, isDead: fault == "eio:0")
    } else {
      if command == .passphrase || command == .newKeys { try await judgePassphrases(run) }
      try await judgeVault(run, command)
      if command == .backup { try await judgeBackup(run) }
    }
  }

  /// - Parameter isDead: no call succeeded after the first fault, so nothing could be taken back either.
  private mutating func judgeMade(_ run: Run, _ command: Command, isDead: Bool) async throws {
    guard Tree.exists(other.vault) else {
      guard run.status != 0 else {
        throw Unexpected("it says that there is a vault, and there is none")
      }
      if !run.wasKilled, !isDead {
        let left = try Tree.names(below: workshop.world).filter { !base.isPart($0) }
        guard left.isEmpty else { throw Unexpected("left behind: \(left.prefix(5))") }
      }
      return
    }
    if run.status != 0 { figures.doneAllTheSame += 1 }
    let isNew = command == .initialise
    let vault = try Vaults.open(
      other.vault, kit: isNew ? try Vaults.kit(other.kitFile) : try Vaults.kit(text: kitText))
    let shown = try await CrashCampaign.examine(vault, standings: isNew ? [.sound] : [.copied])
    guard isNew ? shown.entries.isEmpty && shown.cases == ["default"] : shown == backedUp else {
      throw Unexpected("a new vault that shows \(shown)")
    }
    try await vault.close()
  }

  /// Whichever is tried first: one of the two opens it, and then the other does not; and after a success the new one.
  private func judgePassphrases(_ run: Run) async throws {
    var opened: [Int] = []
    for number in figures.runs.isMultiple(of: 2) ? [0, 1] : [1, 0] {
      guard let vault = try Vaults.open(person.vault, passphrase: number) else { continue }
      try await vault.close()
      opened.append(number)
    }
    guard opened == [1] || (opened == [0] && run.status != 0) else {
      throw Unexpected("the passphrases \(opened) open it")
    }
  }

  /// The former one or the new one is whole; and nothing keeps the next one from being made, also after new keys.
  private func judgeBackup(_ run: Run) async throws {
    let kit = try Vaults.kit(text: kitText)
    let place = workshop.path + "/back"
    let held = try await Vaults.restored(backup, to: place, kit: kit)
    guard held == before || (held == backedUp && run.status != 0) else {
      throw Unexpected("a backup that shows \(held)")
    }
    if figures.runs.isMultiple(of: 2) {
      let vault = try Vaults.open(person.vault, kit: kit)
      try await vault.sealAnew(passphrase: try locked(Keeping.passphrase(1)))
      try await vault.close()
    }
    let vault = try Vaults.open(person.vault, kit: kit)
    let shown = try await CrashCampaign.examine(vault)
    _ = try await vault.backUp(to: backup)
    try await vault.close()
    guard try await Vaults.restored(backup, to: place, kit: kit) == shown else {
      throw Unexpected("the next backup shows something else")
    }
  }

  private mutating func judgeVault(_ run: Run, _ command: Command) async throws {
    let vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kitText))
    let shown = try await CrashCampaign.examine(vault)
    let isDone = try isDone(command, shown, after: run)
    guard isDone || run.status != 0 else {
      throw Unexpected("it says that it is done, and it is not")
    }
    if isDone, run.status != 0, command.leavesEntries { figures.doneAllTheSame += 1 }
    for finding in try await vault.check().findings {
      if case .strayFiles = finding { figures.strays += 1 }
    }
    let left = try Tree.names(below: person.vault + "/blobs/tmp")
    guard left.isEmpty else { throw Unexpected("temporary files stay: \(left)") }
    // With the disk well again, it goes on.
    var content = EntryContent()
    content.words = "Afterwards."
    let added = try await vault.add([NewEntry(content: content)], toCase: nil)
    guard added.failure == nil, added.saved.count == 1 else {
      throw Unexpected("nothing can be added afterwards: \(added)")
    }
    try await vault.close()
  }

  /// Whether the command's effect is there; throws if a part of it is of which nobody was told, or if anything else
  /// changed.
  private func isDone(_ command: Command, _ shown: Shown, after run: Run) throws -> Bool {
    let isGone = shown.entries[target]?.standing == .erased
    let isTakenBack = shown.entries[target]?.isRetracted == true
    for (id, entry) in before.entries where shown.entries[id] != entry {
      let isExpected = id == target && (command == .erase || command == .retract)
      guard isExpected, isGone || isTakenBack else {
        throw Unexpected("an entry changed: \(shown.entries[id]?.description ?? "it is gone")")
      }
    }
    let new = shown.entries.filter { before.entries[$0.key] == nil }.values
    let expected: Int
    switch command {
    case .erase:
      expected = 0
      guard new.isEmpty else { throw Unexpected("\(new.count) entries are new") }
      return isGone
    case .sync, .initialise, .passphrase, .newKeys, .renew, .backup, .restore: expected = 0
    case .several: expected = 4
    default: expected = 1
    }
    let named = run.text.split(separator: "\n").count { $0.hasPrefix("Saved ") }
    guard named <= new.count else {
      throw Unexpected("\(named) entries are saved, it says, and \(new.count) are there")
    }
    // Where it stops at one of several files, it names those that it saved.
    let isTold = command == .several && run.status != 0 && (run.wasKilled || named == new.count)
    guard new.isEmpty || new.count == expected || isTold else {
      throw Unexpected("\(new.count) of \(expected) entries are there, and \(named) were named")
    }
    if command == .retract, isTakenBack != (new.count == 1) { throw Unexpected("half taken back") }
    for entry in new {
      guard entry.standing == .open, entry.content != nil,
        entry.presentAttachments.count == entry.content?.attachments.count
      else { throw Unexpected("half an entry: \(entry)") }
    }
    return new.count == expected
  }
}

extension Trace {
  fileprivate static var none: Trace { Trace() }
  fileprivate init() { events = [] }
}

extension Moment {
  /// Whether a path is one of its own.
  func isPart(_ name: String) -> Bool { files[name] != nil || folders.contains(name) }
}
