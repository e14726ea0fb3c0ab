import CaseLog
import Cryptography
import Foundation
import Support
import Vault

/// Lays out states that a power cut could have left, opens each as the program would, and compares what it
/// shows with what was acknowledged.
struct CrashCampaign {
  let history: History
  let seed: UInt64
  /// The only state to be tried, and shown.
  let only: Int?
  var stage: Stage
  var stateFolder: String { stage.path }
  var figures = Figures()
  /// What sound vaults showed, by all their bytes: of equal ones a second look says the same.
  private var known: [Int: Shown] = [:]

  struct Figures {
    var states = 0
    var events = 0
    var vaultsOpened = 0
    var vaultsKnown = 0
    var beforeFirst = 0
    var livedOn = 0
    var filesRead = 0
    var backupsRead = 0
    var passphrasesTried = 0
    var failures: [String] = []

    mutating func add(_ other: Figures) {
      states += other.states
      events += other.events
      vaultsOpened += other.vaultsOpened
      vaultsKnown += other.vaultsKnown
      beforeFirst += other.beforeFirst
      livedOn += other.livedOn
      filesRead += other.filesRead
      backupsRead += other.backupsRead
      passphrasesTried += other.passphrasesTried
      failures += other.failures
    }
  }

  init(history: History, seed: UInt64, only: Int? = nil) {
    self.history = history
    self.seed = seed
    self.only = only
    stage = Stage(path: history.workshop.path + "/state", keptInodes: history.keptInodes)
  }

  /// Tries that many different states, spread evenly over the history.
  mutating func run(states wanted: Int, progress: Progress) async throws -> Figures {
    figures.events = history.events.count
    var seen: Set<Int> = []
    var drawn = 0
    // The history gives only so many states; with each pass more are drawn of each moment.
    for pass in 0..<1000 where figures.states < wanted {
      let before = figures.states
      let disk = SimulatedDisk(root: history.workshop.world)
      try disk.apply(.makeFolder(path: history.mailbox))
      try disk.apply(.synchronizeFolder(path: history.workshop.world))
      let remaining = wanted - figures.states
      for (index, event) in history.events.enumerated() {
        try disk.apply(event)
        if case .call = event { continue }
        let share =
          remaining * (index + 1) / history.events.count - remaining * index / history.events.count
        var random = SplitMix64(seed, UInt64(pass) << 32 | UInt64(index))
        let due = max(
          share, pass == 0 && random.chance(wanted, in: history.events.count * 2) ? 1 : 0)
        for _ in 0..<(disk.isSettled ? min(due, 1) : due) where figures.states < wanted {
          drawn += 1
          let modes = SimulatedDisk.Mode.allCases
          let mode = modes[random.below(modes.count)]
          let state = disk.crash(mode, using: &random)
          let further = random.next()
          var key = Hasher()
          key.combine(state.digest())
          key.combine(history.steps.firstIndex { $0.acknowledged.map { $0 > index } ?? false })
          guard seen.insert(key.finalize()).inserted else { continue }
          if let only, only != drawn { continue }
          figures.states += 1
          await check(state, after: index, number: drawn, mode: mode, SplitMix64(further))
          progress.tell(
            "\(figures.states) of \(wanted) crash states, \(figures.failures.count) failures")
        }
      }
      if figures.states == before { break }
    }
    if only == nil { try Tree.remove(stateFolder) }
    return figures
  }

  private mutating func check(
    _ state: DiskContent, after event: Int, number: Int, mode: SimulatedDisk.Mode,
    _ random: SplitMix64
  ) async {
    var random = random
    let step = history.steps.first { $0.events.contains(event) }
    do {
      try stage.show(state)
      try checkPapers(after: event)
      for person in history.people.indices {
        // The one that was not in use was left alone; it is looked at now and then.
        guard person == step?.person || random.chance(1, in: 6) else { continue }
        try await checkVault(of: person, in: state, after: event, &random)
      }
      if history.life == .keeping {
        try await checkKeeping(of: state, after: event, &random)
      } else if random.chance(1, in: 12) {
        stage.forget()
        try await liveOn(after: event, &random)
      }
      if only != nil { say("state \(number) is sound; it was laid out in \(stateFolder)") }
    } catch {
      figures.failures.append(
        "state \(number), seed \(seed), after event \(event) in “\(step?.what ?? "")”, \(mode): \(error)"
      )
      if let last = figures.failures.last { say("FAILED: \(last)") }
      do { try Tree.copy(stateFolder, to: history.workshop.path + "/failed-\(number)") } catch {}
    }
  }

  private func checkPapers(after event: Int) throws {
    for (name, bytes) in history.papersDue(after: event) {
      guard
        try Tree.exists(stateFolder + "/" + name) && Tree.read(stateFolder + "/" + name) == bytes
      else { throw Unexpected("\(name), of which its user was told, is not there") }
    }
  }

  // MARK: - One vault

  private mutating func checkVault(
    of person: Int, in state: DiskContent, after event: Int, _ random: inout SplitMix64
  ) async throws {
    let (states, isWhole) = history.allowed(after: event, for: person)
    let place = history.people[person].vault.dropFirst(history.workshop.world.count + 1)
    let digest = state.digest(below: String(place))
    if let shown = known[digest] {
      figures.vaultsKnown += 1
      return try compare(shown, with: states, isWhole: isWhole)
    }
    let vault: OpenVault
    do {
      vault = try Vaults.open(stateFolder + "/" + place, kit: try history.kit(of: person))
    } catch let error as VaultError where error.code == .noVault && states.contains(nil) {
      figures.beforeFirst += 1
      return
    }
    figures.vaultsOpened += 1
    let shown = try await Self.examine(
      vault, standings: history.standings(after: event, of: person))
    try compare(shown, with: states, isWhole: isWhole)
    if let id = shown.entries.keys.sorted().randomElement(using: &random) {
      try await readFiles(of: id, shown, in: vault)
    }
    try await vault.close()
    known[digest] = shown
  }

  func compare(_ shown: Shown, with states: [Shown?], isWhole: Bool) throws {
    let departures = shown.departures(from: states.map { $0 ?? Shown() }, isWhole: isWhole)
    guard departures.isEmpty else {
      throw Unexpected(departures.prefix(3).joined(separator: "; "))
    }
    guard !isWhole || states.contains(shown) else {
      throw Unexpected("half of a command is there: \(shown.entries.count) entries")
    }
  }

  /// An open vault is sound, undamaged by its own word, and shows something.
  static func examine(
    _ vault: OpenVault, standings: Set<OpenVault.Standing> = [.sound]
  ) async throws -> Shown {
    let standing = await vault.standing
    guard standings.contains(standing) else { throw Unexpected("standing is \(standing)") }
    let checked = try await vault.check()
    let damage = checked.findings.filter(\.isDamage)
    guard damage.isEmpty else { throw Unexpected("check found \(damage)") }
    return try await Shown(vault, isComplete: checked.filesAwaited == 0)
  }

  /// The bytes of an entry's files are the ones that it says.
  private mutating func readFiles(of id: String, _ shown: Shown, in vault: OpenVault) async throws {
    guard let entry = shown.entries[id], entry.standing == .open, let content = entry.content,
      !content.attachments.isEmpty
    else { return }
    let out = history.workshop.path + "/read"
    try Tree.remove(out)
    let extraction = try await vault.extract(id, to: out)
    guard extraction.missing.isEmpty || entry.presentAttachments.count < content.attachments.count
    else { throw Unexpected("a file of \(id.prefix(10)) is missing") }
    for file in extraction.written {
      figures.filesRead += 1
      let digest = SHA256Hash.hash(try Tree.read(file.path))
      guard content.attachments.contains(where: { $0.sha256 == digest }) else {
        throw Unexpected("a file of \(id.prefix(10)) is another one")
      }
    }
  }

  // MARK: - And afterwards

  /// Both go on after the crash: they add, they meet, and nothing of what others hold is ahead of its owner.
  private mutating func liveOn(after event: Int, _ random: inout SplitMix64) async throws {
    let mailbox = stateFolder + "/mailbox"
    var shared: [OpenVault] = []
    for person in history.people.indices {
      guard history.allowed(after: event, for: person).states.allSatisfy({ $0 != nil }) else {
        continue
      }
      let path = stateFolder + history.people[person].vault.dropFirst(history.workshop.world.count)
      let vault = try Vaults.open(path, kit: try history.kit(of: person))
      let caseName = person == 0 ? "default" : "theirs"
      guard try await vault.cases().contains(where: { $0.name == caseName }) else {
        try await vault.close()
        continue
      }
      var content = EntryContent()
      content.words = "After the crash \(random.below(1000))."
      let added = try await vault.add([NewEntry(content: content)], toCase: caseName)
      // An advocate who joined and has met nobody yet cannot write yet.
      guard added.saved.count == 1 || added.failure?.error.code == .notSyncedYet else {
        throw Unexpected("nothing can be added afterwards: \(added)")
      }
      shared.append(vault)
    }
    if shared.count == history.people.count {
      let first = random.below(2)
      for (round, turn) in [first, 1 - first, first, 1 - first].enumerated() {
        let outcome = try await shared[turn].sync(
          caseNamed: turn == 0 ? "default" : "theirs", mailbox: mailbox)
        let bad = outcome.problems.filter {
          switch $0 {
          case .unreachable: false
          // Until the other has been there again, what it was about to write may be lacking.
          case .gap: round > 1
          default: true
          }
        }
        guard bad.isEmpty else { throw Unexpected("a sync afterwards met \(bad)") }
      }
      let hashes = [
        try await shared[0].stateHash(ofCase: "default"),
        try await shared[1].stateHash(ofCase: "theirs"),
      ]
      guard hashes[0] == hashes[1] else { throw Unexpected("the copies do not agree afterwards") }
    }
    for vault in shared {
      _ = try await Self.examine(vault)
      try await vault.close()
    }
    figures.livedOn += 1
  }
}
