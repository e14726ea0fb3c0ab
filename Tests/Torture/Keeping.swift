import ArgumentParser
import Foundation
import Support
import Vault

/// What a recorded history is about.
enum Life: String, CaseIterable, ExpressibleByArgument {
  /// A survivor and an advocate who meet in a folder.
  case meeting
  /// A survivor who changes her passphrase and her keys, keeps a backup, and restores it beside the vault.
  case keeping

  var people: [String] { self == .meeting ? ["survivor", "advocate"] : ["survivor", "restored"] }
}

/// What opens a vault and its backup, and what the backup holds.
struct Keeping {
  /// By number; more than one where a change was stopped between the two copies of the locks.
  var passphrases: Set<Int> = [0]
  var backup: Shown?
  var backupPassphrases: Set<Int> = []
  /// Those that were ever set, or were to be, are below this number.
  var count = 1

  static func passphrase(_ number: Int) -> String {
    number == 0 ? Workshop.passphrase : "\(Workshop.passphrase) \(number)"
  }

  /// Looks at copies of what a command left.
  mutating func note(
    _ arguments: [String], isDone: Bool, in history: History
  ) async throws {
    let copy = history.workshop.path + "/copy"
    switch arguments[0] {
    case "passphrase":
      passphrases = []
      for number in 0..<count {
        try Tree.copy(history.people[0].vault, to: copy)
        guard let vault = try Vaults.open(copy, passphrase: number) else { continue }
        try await vault.close()
        passphrases.insert(number)
      }
    case "backup":
      let before = backup
      do {
        backup = try await Vaults.restored(
          history.backup, to: copy, kit: try history.kit(of: 0))
      } catch is VaultError where before == nil {
        return
      }
      backupPassphrases = isDone ? passphrases : backupPassphrases.union(passphrases)
    default: return
    }
    try Tree.remove(copy)
  }
}

extension Vaults {
  /// Nil where this passphrase does not open it, or not any more.
  static func open(_ path: String, passphrase number: Int) throws -> OpenVault? {
    do {
      return try OpenVault(
        opening: path, passphrase: try locked(Keeping.passphrase(number)),
        surroundings: surroundings)
    } catch let error as VaultError
      where error.code == .wrongPassphrase || error.code == .keysSuperseded
    {
      return nil
    }
  }

  /// Whether a backup is restored with this passphrase.
  static func restores(
    _ backup: String, to place: String, passphrase number: Int
  ) async throws -> Bool {
    try Tree.remove(place)
    do {
      let (vault, _) = try await OpenVault.restore(
        backup, to: place, passphrase: try locked(Keeping.passphrase(number)),
        surroundings: surroundings)
      try await vault.close()
      return true
    } catch let error as VaultError
      where error.code == .wrongPassphrase || error.code == .keysSuperseded
    {
      return false
    }
  }

  /// What a backup holds, as a vault that is restored from it shows it. All of it is whole.
  static func restored(
    _ backup: String, to place: String, kit: borrowing RecoveryKit
  ) async throws -> Shown {
    try Tree.remove(place)
    let (vault, check) = try await OpenVault.restore(
      backup, to: place, kit: kit, surroundings: surroundings)
    let shown = try await CrashCampaign.examine(vault, standings: [.copied])
    try await vault.close()
    let damage = check.findings.filter(\.isDamage)
    guard damage.isEmpty else { throw Unexpected("restored with \(damage)") }
    return shown
  }
}

extension History {
  var backup: String { workshop.world + "/backup" }

  /// Whether what was restored may write by then.
  func standings(after event: Int, of person: Int) -> Set<OpenVault.Standing> {
    guard life == .keeping, person == 1 else { return [.sound] }
    return possible(after: event, by: person).reduce(into: []) { standings, step in
      guard let step else { return }
      if step.what.hasPrefix("restore") || step.what.contains("[") { standings.insert(.copied) }
      if !step.what.hasPrefix("restore") { standings.insert(.sound) }
    }
  }

  /// A year with a vault and a stick.
  mutating func keep() async throws {
    kits[1] = kits[0]
    try await addThings()
    try await backUp()
    try await addThings()
    try await run(0, ["erase", try anEntry(), "--yes"])
    try await backUp()
    try await change(withNewKeys: true)
    try await addThings()
    try await backUp()
    // Two changes between two backups: both databases have one name.
    try await change(withNewKeys: true)
    try await change(withNewKeys: false)
    try await change(withNewKeys: true)
    try await backUp()
    let renewal = ["renew", "--somebody-has-a-copy"]
    try await mayFail(renewal)
    try await run(0, renewal)
    try await addThings()
    try await change(withNewKeys: true)
    try await backUp()
    try await restore()
  }

  private mutating func addThings() async throws {
    try await run(0, ["add", try file(70_000 + random.below(100_000))])
    try await run(0, ["add", "--text", "Her own words \(random.below(1000))."])
  }

  private mutating func backUp() async throws {
    try await mayFail(["backup", backup], among: 150)
    try await run(0, ["backup", backup])
  }

  /// Whichever passphrase opens the vault in the end is the one that she goes on with.
  private mutating func change(withNewKeys: Bool) async throws {
    let isStopped = random.chance(1, in: 2)
    if isStopped { try await change(withNewKeys: withNewKeys, among: withNewKeys ? 90 : 20) }
    try await change(withNewKeys: withNewKeys, among: nil)
  }

  private mutating func change(withNewKeys: Bool, among calls: Int?) async throws {
    let new = try workshop.input(
      "new", Array((Keeping.passphrase(keeping.count) + "\n").utf8))
    keeping.count += 1
    let arguments =
      ["passphrase", "--new-passphrase-file", new] + (withNewKeys ? ["--somebody-may-know-it"] : [])
    if let calls {
      let what = ["kill", "kill-after", "eio", "enospc"][random.below(4)]
      try await run(0, arguments, fault: "\(1 + random.below(calls)):\(what)")
    } else {
      try await run(0, arguments)
    }
    guard let number = keeping.passphrases.sorted().randomElement(using: &random) else {
      throw Unexpected("no passphrase opens the vault")
    }
    try Tree.write(
      Array((Keeping.passphrase(number) + "\n").utf8), to: workshop.inputs + "/passphrase")
  }

  private mutating func restore() async throws {
    let arguments = ["restore", backup]
    try await mayFail(arguments, by: 1, among: 60)
    if !Tree.exists(people[1].vault) { try await run(1, arguments) }
    try await mayFail(["renew"], by: 1)
    try await run(1, ["renew"])
    try await run(1, ["add", "--text", "Here too."])
  }
}

extension CrashCampaign {
  /// Of a vault that changed its locks, and of its backup.
  mutating func checkKeeping(
    of state: DiskContent, after event: Int, _ random: inout SplitMix64
  ) async throws {
    let possible = history.possible(after: event, by: 0).map { $0?.keeping }
    if random.chance(1, in: 2) {
      try lay(state)
      try await checkPassphrases(possible, after: event, &random)
    }
    try lay(state)
    try await checkBackup(possible, &random)
    if random.chance(1, in: 3), !possible.contains(where: { $0 == nil }) {
      try await keepOn(&random)
    }
  }

  private mutating func lay(_ state: DiskContent) throws {
    stage.forget()
    try stage.show(state)
  }

  private func place(of person: Int) -> String {
    stateFolder + history.people[person].vault.dropFirst(history.workshop.world.count)
  }

  /// One of those that may open it does, and none other, then or before.
  private mutating func checkPassphrases(
    _ possible: [Keeping?], after event: Int, _ random: inout SplitMix64
  ) async throws {
    guard !possible.contains(where: { $0 == nil }) else { return }
    let may = possible.reduce(into: Set<Int>()) { $0.formUnion($1?.passphrases ?? []) }
    let others = Set(0..<history.keeping.count).subtracting(may)
    let (states, isWhole) = history.allowed(after: event, for: 0)
    var opened: Int?
    for number in may.sorted().shuffled(using: &random)
      + [others.sorted().randomElement(using: &random)].compactMap({ $0 })
    {
      figures.passphrasesTried += 1
      guard let vault = try Vaults.open(place(of: 0), passphrase: number) else { continue }
      guard opened == nil, may.contains(number) else {
        throw Unexpected("passphrase \(number) opens it, after \(opened.map(String.init) ?? "-")")
      }
      opened = number
      try compare(try await Self.examine(vault), with: states, isWhole: isWhole)
      try await vault.close()
    }
    guard opened != nil else { throw Unexpected("none of the passphrases \(may) opens it") }
  }

  /// What was called done can be restored, or what came after it.
  private mutating func checkBackup(
    _ possible: [Keeping?], _ random: inout SplitMix64
  ) async throws {
    let backup = stateFolder + "/backup"
    let place = history.workshop.path + "/back"
    let shown: Shown
    do {
      shown = try await Vaults.restored(backup, to: place, kit: try history.kit(of: 0))
    } catch is VaultError where possible.contains(where: { $0?.backup == nil }) {
      return
    }
    figures.backupsRead += 1
    guard possible.contains(where: { $0?.backup == shown }) else {
      throw Unexpected("the backup holds \(shown.entries.count) entries that were not there so")
    }
    guard random.chance(1, in: 4) else { return }
    let may = possible.reduce(into: Set<Int>()) { $0.formUnion($1?.backupPassphrases ?? []) }
    var open: Set<Int> = []
    for number in 0..<history.keeping.count
    where try await Vaults.restores(backup, to: place, passphrase: number) { open.insert(number) }
    guard !open.isEmpty, may.isSuperset(of: open) else {
      throw Unexpected("the passphrases \(open) restore the backup, not one of \(may)")
    }
  }

  /// Nothing that was cut keeps her from taking new keys, and from bringing the backup up to date.
  private mutating func keepOn(_ random: inout SplitMix64) async throws {
    let kit = try history.kit(of: 0)
    if random.chance(1, in: 2) {
      let vault = try Vaults.open(place(of: 0), kit: kit)
      try await vault.sealAnew(passphrase: try locked(Keeping.passphrase(history.keeping.count)))
      try await vault.close()
    }
    let vault = try Vaults.open(place(of: 0), kit: kit)
    let shown = try await Self.examine(vault)
    _ = try await vault.backUp(to: stateFolder + "/backup")
    try await vault.close()
    let restored = try await Vaults.restored(
      stateFolder + "/backup", to: history.workshop.path + "/back", kit: kit)
    guard restored == shown else { throw Unexpected("the next backup holds something else") }
    figures.livedOn += 1
  }
}
