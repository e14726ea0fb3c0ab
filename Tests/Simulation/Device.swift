import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// A device of somebody's: a vault in a folder, a clock, and her own view of each mailbox.
final class Device {
  enum Owner: Equatable {
    case survivor
    case advocate
    /// Has an older copy of a survivor's or an advocate's vault, what opens it, and a patched program.
    case thief
  }

  let name: String
  let owner: Owner
  /// What the vault's keys may do in the case.
  let role: Role
  let place: String
  let kit: [String]
  let clock = SimulatedClock(World.beginning)
  /// How far its clock is from the true one.
  var clockError: Int64 = 0
  var machine: String
  var views: [Meeting: View]
  /// What the vault calls the case that this is about; nil until it is a member.
  var caseName: String?
  /// What it would have kept if its vault was put back from a backup.
  var memory = Memory()
  var backups: [Backup] = []
  /// Stolen and not copied: its owner has it no more.
  var isGone = false
  private(set) var vault: OpenVault?

  /// What the vault must hold, by what it was told or has said.
  struct Memory {
    /// Of each log that was its own: what it signed last.
    var own: [LogID: Head] = [:]
    var log: LogID?
    /// The largest head that it was seen to hold.
    var held: [LogID: LogPosition] = [:]
  }

  /// A vault's folder at some time.
  struct Backup {
    let image: FolderImage
    let memory: Memory
    let caseName: String?
    /// How many statements of the root had been made on it.
    let sayingCount: Int
  }

  init(name: String, owner: Owner, role: Role, place: String, machine: String, kit: [String]) throws
  {
    self.name = name
    self.owner = owner
    self.role = role
    self.place = place
    self.machine = machine
    self.kit = kit
    views = [
      .everyone: try View(place + "/shared"), .ownDevices: try View(place + "/own"),
    ]
    try Files.makeFolder(vaultPath)
  }

  var vaultPath: String { place + "/vault" }
  var isHonest: Bool { owner != .thief }
  /// Whether it holds the case, and is still in the hands of its owner.
  var isCopy: Bool { isHonest && !isGone && caseName != nil }

  var surroundings: Surroundings {
    let clock = clock
    return Surroundings(now: { clock.now }, machine: Array(machine.utf8))
  }

  /// The vault, opened by the kit: what a passphrase costs is not what this is about.
  func opened() async throws -> OpenVault {
    if let vault { return vault }
    let opened = try OpenVault(
      opening: vaultPath, kit: try RecoveryKit.typed(kit), surroundings: surroundings)
    if owner == .thief, await opened.standing != .sound { try await opened.signAsItIs() }
    vault = opened
    return opened
  }

  func close() async throws {
    let open = vault
    vault = nil
    try await open?.close()
  }

  func backUp(after sayingCount: Int) async throws -> Backup {
    try await close()
    return Backup(
      image: try FolderImage(of: vaultPath), memory: memory, caseName: caseName,
      sayingCount: sayingCount)
  }

  func putBack(_ backup: Backup) async throws {
    try await close()
    try backup.image.putBack(at: vaultPath)
    memory = backup.memory
    caseName = backup.caseName
  }

  /// How often something in its mailboxes changed.
  var viewChanges: Int { views.values.reduce(0) { $0 + $1.changes } }

  /// How far its vault holds the case; nil before it is a member.
  func heldLogs() async throws -> HeldLogs? {
    guard let caseName else { return nil }
    return try await opened().heldLogs(ofCase: caseName)
  }
}

extension RecoveryKit {
  static func typed(_ words: [String]) throws -> RecoveryKit {
    try Array(words.joined(separator: " ").utf8).withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
  }
}
