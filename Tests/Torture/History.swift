import CaseLog
import Foundation
import Support
import Vault

/// A command of a history, with what it did to the disk and what it told its user.
struct Step {
  let person: Int
  let what: String
  /// Into the history's events.
  let events: Range<Int>
  /// The first event at which its user knew that it was done; nil if she never heard so.
  let acknowledged: Int?
  /// Whether its effect is there whole or not at all; what meets others does so in several steps.
  let isAtomic: Bool
  /// What each person's vault shows after it; nil before there is one.
  let after: [Shown?]
  /// What opens the vault and its backup by then.
  let keeping: Keeping
  /// What commands wrote for their users, by path: kits, cards, exhibits.
  let papers: [String: [UInt8]]
}

/// The life of two vaults, lived by the real program and recorded.
struct History {
  let life: Life
  let workshop: Workshop
  let people: [Person]
  private(set) var events: [Event] = []
  private(set) var steps: [Step] = []
  /// A database keeps its inode where its states are laid out, since the anchor names it.
  var keptInodes: String { workshop.path + "/inodes" }
  var mailbox: String { workshop.world + "/mailbox" }

  private let disk: SimulatedDisk
  var random: SplitMix64
  var kits: [[UInt8]?] = [nil, nil]
  var keeping = Keeping()

  init(seed: UInt64, life: Life = .meeting) throws {
    self.life = life
    workshop = try Workshop("history")
    people = life.people.map { [workshop] in Person(name: $0, workshop: workshop) }
    disk = SimulatedDisk(root: workshop.world)
    random = SplitMix64(seed)
    try Tree.make(keptInodes)
    try Tree.make(workshop.path + "/tmp")
  }

  func kit(of person: Int) throws -> RecoveryKit {
    guard let text = kits[person] else { throw Unexpected("no kit yet") }
    return try Vaults.kit(text: text)
  }

  // MARK: - One command

  struct Differs: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a command of somebody's and records it.
  @discardableResult
  mutating func run(
    _ person: Int, _ arguments: [String], isAtomic: Bool = true, fault: String? = nil
  ) async throws -> Run {
    let file = workshop.path + "/trace"
    try Tree.remove(file)
    let run = try people[person].cairn(arguments, Person.Trial(trace: file, fault: fault))
    guard fault != nil || run.status == 0 else {
      throw Unexpected("\(arguments): \(run.status) \(run.text) \(run.errors)")
    }
    let trace = try Trace(reading: file)
    let range = events.count..<(events.count + trace.events.count)
    events += trace.events
    for event in trace.events { try disk.apply(event) }
    try await check(that: arguments)
    var acknowledged: Int?
    if run.status == 0 {
      acknowledged = range.first { if case .output = events[$0] { true } else { false } }
    }
    let isNew = arguments[0] == "init"
    if isNew, run.status == 0 { kits[person] = try Tree.read(people[person].kitFile) }
    try keepInodes()
    try await keeping.note(arguments, isDone: run.status == 0, in: self)
    steps.append(
      Step(
        person: person,
        what: arguments.prefix(2).joined(separator: " ") + (fault.map { " [\($0)]" } ?? ""),
        events: range, acknowledged: acknowledged, isAtomic: isAtomic,
        after: try await snapshot(), keeping: keeping, papers: try papers()))
    return run
  }

  /// The records hold all that happened: what they add up to is what is there.
  private func check(that arguments: [String]) async throws {
    let real = try Tree.files(below: workshop.world)
    let simulated = disk.now().files.mapValues(\.bytes)
    for name in Set(real.keys).union(simulated.keys) where real[name] != simulated[name] {
      throw Differs(
        description: "the records of \(arguments) do not give \(name): "
          + "\(simulated[name]?.count ?? -1) bytes, not \(real[name]?.count ?? -1)")
    }
  }

  private func keepInodes() throws {
    for name in try Tree.names(below: workshop.world) where name.hasSuffix(".db") {
      let path = workshop.world + "/" + name
      guard let inode = Tree.inode(path), !Tree.exists(keptInodes + "/\(inode)") else { continue }
      try FileManager.default.linkItem(atPath: path, toPath: keptInodes + "/\(inode)")
    }
  }

  /// What each vault shows, read in a copy.
  private func snapshot() async throws -> [Shown?] {
    var shown: [Shown?] = []
    for (index, person) in people.enumerated() {
      guard kits[index] != nil, Tree.exists(person.vault) else {
        shown.append(nil)
        continue
      }
      let copy = workshop.path + "/copy"
      try Tree.copy(person.vault, to: copy)
      let vault = try Vaults.open(copy, kit: try kit(of: index))
      shown.append(try await Shown(vault))
      try await vault.close()
      try Tree.remove(copy)
    }
    return shown
  }

  private func papers() throws -> [String: [UInt8]] {
    let vaults = people.map { $0.name + "/" } + ["mailbox/", "backup/"]
    return try Tree.files(below: workshop.world).filter { name, _ in
      !name.hasPrefix(".") && !vaults.contains { name.hasPrefix($0) }
    }
  }

  // MARK: - What may be there

  /// If the power fails right after this event, what is there is what one of these left: the last that this person knew
  /// to be done, and those since; nil for what was before the first.
  func possible(after event: Int, by person: Int) -> [Step?] {
    guard let current = steps.firstIndex(where: { $0.events.contains(event) }) else {
      return [steps.last]
    }
    var found: [Step?] = []
    for step in steps[...current].reversed() where step.person == person {
      found.append(step)
      if let done = step.acknowledged, done <= event { return found }
    }
    return found + [nil]
  }

  /// What may be shown if the power fails right after this event, and whether it must be one of these as a whole.
  func allowed(after event: Int, for person: Int) -> (states: [Shown?], isWhole: Bool) {
    let steps = possible(after: event, by: person)
    return (
      steps.map { $0?.after[person] ?? nil }, steps.dropLast().allSatisfy { $0?.isAtomic ?? true }
    )
  }

  /// What was written for users and told of by then.
  func papersDue(after event: Int) -> [String: [UInt8]] {
    steps.last { $0.acknowledged.map { $0 <= event } ?? false }?.papers ?? [:]
  }

  // MARK: - The life

  /// Everything that the two do, in an order and with sizes that the seed chooses.
  mutating func live() async throws {
    try Tree.make(mailbox)
    try disk.apply(.makeFolder(path: mailbox))
    try disk.apply(.synchronizeFolder(path: workshop.world))
    try await run(0, ["init", "--kit", people[0].kitFile, "--kdf", "light"])
    guard life == .meeting else { return try await keep() }
    try await keepThings()
    try await change()
    try await share()
    try await meet()
    try await change()
    try await meet()
  }

  mutating func file(_ count: Int) throws -> String {
    try workshop.input("file-\(random.below(1_000_000)).bin", noise(count, seed: random.next()))
  }

  /// Sometimes the program is killed, or the disk fails, before it does what is wanted.
  ///
  /// - Parameter calls: among so many of its first calls.
  mutating func mayFail(
    _ arguments: [String], by person: Int = 0, among calls: Int = 90
  ) async throws {
    guard random.chance(1, in: 2) else { return }
    let what = ["kill", "kill-half", "kill-after", "eio", "enospc"][random.below(5)]
    try await run(person, arguments, fault: "\(1 + random.below(calls)):\(what)")
  }

  private mutating func keepThings() async throws {
    let sizes = [
      500 + random.below(5000), 40_000 + random.below(20_000), 70_000 + random.below(400_000),
    ]
    for size in sizes.shuffled(using: &random) {
      let path = try file(size)
      try await mayFail(["add", path, "--title", "Perhaps \(size)"])
      try await run(
        0, ["add", path, "--title", "Of \(size)", "--url", "https://example.org/\(size)"])
    }
    try await run(0, ["add", "--text", "Her own words \(random.below(1000))."])
    let several = try (0..<3).map { _ in try file(100 + random.below(150_000)) }
    try await mayFail(["add"] + several)
    try await run(0, ["add"] + several)
  }

  mutating func anEntry() throws -> String {
    let open = steps.last?.after[0]?.entries.filter {
      $0.value.standing == .open && $0.value.kind == .evidence && !$0.value.isRetracted
    }
    guard let ids = open?.keys.sorted(), !ids.isEmpty else { throw Unexpected("no entry") }
    return ids[random.below(ids.count)]
  }

  private mutating func change() async throws {
    try await run(0, ["amend", try anEntry(), "--text", "More of it.", try file(80_000)])
    try await run(0, ["tag", try anEntry(), "tag-\(random.below(100))"])
    try await run(0, ["retract", try anEntry(), "--text", "Not so."])
    let gone = try anEntry()
    try await mayFail(["erase", gone, "--yes"])
    // It may be gone by now.
    let next = try anEntry()
    try await run(0, ["erase", next, "--yes"])
    try await run(0, ["case", "new", "case-\(random.below(100_000))"])
  }

  private mutating func share() async throws {
    try await run(1, ["init", "--kit", people[1].kitFile, "--kdf", "light"])
    let (card, invitation) = (workshop.world + "/card", workshop.world + "/invitation")
    let words = try await run(1, ["card", "--output", card, "--json"]).field("words")
    let shared = try await run(
      0,
      [
        "share", "default", "--with", card, "--output", invitation, "--words", words, "--yes",
        "--json",
      ], isAtomic: false)
    try await run(
      1, ["join", invitation, "--words", try shared.field("words"), "--case", "theirs"],
      isAtomic: false)
  }

  private mutating func meet() async throws {
    try await run(0, ["sync", "default", "--mailbox", mailbox], isAtomic: false)
    try await run(1, ["sync", "theirs", "--mailbox", mailbox], isAtomic: false)
    try await run(1, ["add", "--case", "theirs", "--text", "A note \(random.below(1000))."])
    try await run(1, ["sync", "theirs"], isAtomic: false)
    try await run(0, ["add", try file(90_000 + random.below(100_000))])
    try await run(0, ["sync", "default"], isAtomic: false)
    try await run(1, ["sync", "theirs"], isAtomic: false)
    try await run(
      0, ["extract", try anEntry(), "--output", workshop.world + "/out-\(random.below(100_000))"])
  }
}
