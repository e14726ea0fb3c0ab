import CaseLog
import Cryptography
import Foundation
import People
import Support
import Testing
import VerifiableLog

@testable import Vault

/// The files of a folder, by path below it.
typealias Files = [String: [UInt8]]

extension Person {
  /// By the kit, which costs microseconds where a passphrase costs a tenth of a second.
  func open(at time: UInt64? = nil) throws -> OpenVault {
    var surroundings = Person.surroundings
    if let time {
      surroundings = Surroundings(now: { time }, machine: Person.surroundings.machine)
    }
    return try OpenVault(opening: vault, kit: try kit(), surroundings: surroundings)
  }

  func open(_ passphrase: String) throws -> OpenVault {
    try OpenVault(
      opening: vault, passphrase: try locked(passphrase), surroundings: Person.surroundings)
  }

  /// Whoever this is, with folder and vault of her own that nobody else has: in the same good standing, as if the
  /// vault had been moved there. What takes long to make is made once so, and each row changes its own.
  func duplicate() async throws -> Person {
    let person = try await Person(hasVault: false)
    for name in ["vault", "kit"] {
      try FileManager.default.copyItem(atPath: path(name), toPath: person.path(name))
    }
    let vault = try person.open()
    try await vault.settle()
    try await vault.close()
    return person
  }

  func kit() throws -> RecoveryKit {
    let text = try String(contentsOfFile: path("kit"), encoding: .utf8)
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    let words = lines.compactMap { $0.split(separator: " ").last }.joined(separator: " ")
    return try Array(words.utf8).withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
  }

  /// Opens the vault, and closes it again: the program may need it next.
  @discardableResult
  func opened<T>(_ body: (OpenVault) async throws -> T) async throws -> T {
    let vault = try open()
    let result = try await body(vault)
    try await vault.close()
    return result
  }
}

func words(_ text: String) -> NewEntry {
  var content = EntryContent()
  content.words = text
  return NewEntry(source: nil, content: content)
}

extension TemporaryFolder {
  convenience init(_ files: Files) throws {
    try self.init()
    try write(files)
  }

  func write(_ files: Files) throws {
    for (name, bytes) in files {
      let url = URL(filePath: path + "/" + name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }
  }
}

/// A survivor and an advocate who met in a folder, each with the other's receipt. Their vaults are closed.
///
/// The survivor entered “one”, “two”, a file, and something private that she shared later; the advocate wrote a note.
struct Meeting: Sendable {
  let survivor: Person
  let advocate: Person
  let survivorLog: LogID
  let advocateLog: LogID
  let caseID: CaseID
  /// The folder as it lies then.
  let files: Files

  /// Everything that its entries say.
  static let texts: Set = ["one", "two", "a picture", "for you", "a note"]
  static let picture = noise(150_000, seed: 3)

  /// One for all who only look at it, and change copies of its folder.
  static let shared = Task { try await Meeting() }

  /// One whose vaults a row may write to.
  static func copy() async throws -> Meeting { try await shared.value.copy() }

  func copy() async throws -> Meeting {
    Meeting(
      survivor: try await survivor.duplicate(), advocate: try await advocate.duplicate(), of: self)
  }

  private init(survivor: Person, advocate: Person, of other: Meeting) {
    self.survivor = survivor
    self.advocate = advocate
    survivorLog = other.survivorLog
    advocateLog = other.advocateLog
    caseID = other.caseID
    files = other.files
  }

  private init() async throws {
    survivor = try await Person()
    advocate = try await Person()
    let mailbox = try TemporaryFolder()
    let hers = try survivor.open()
    let theirs = try advocate.open()
    let picture = try survivor.folder.file("shot.png", Self.picture)
    var shown = words("a picture")
    shown.sources = [.file(path: picture)]
    var secret = words("for you")
    secret.audience = .ownDevices
    let added = try await hers.add([words("one"), words("two"), shown, secret], toCase: nil)
    let kept = try #require(added.saved.last?.id)
    let card = try await theirs.makeCard()
    let share = try await hers.share(caseNamed: nil, with: card.text, words: card.words)
    _ = try await theirs.join(share.invitation, words: share.caseWords, name: "theirs")
    try await hers.meet(mailbox.path)
    try await theirs.meet(mailbox.path)
    advocateLog = try await theirs.ownLog()
    _ = try await hers.share(
      .entries([kept.base32]), ofCase: nil, withMember: advocateLog.base32)
    _ = try await theirs.add([words("a note")], toCase: "theirs")
    for _ in 0..<2 {
      for vault in [hers, theirs] { try await vault.meet(mailbox.path) }
    }
    try await hers.meet(mailbox.path)
    #expect(try await hers.texts() == Self.texts)
    #expect(try await theirs.texts() == Self.texts)
    survivorLog = try await hers.ownLog()
    caseID = try #require(try await hers.cases().first?.caseID)
    try await hers.close()
    try await theirs.close()
    files = try mailbox.allFiles()
  }

  /// A further device of the survivor's, made with the kit, that knows the case and nothing of it yet.
  ///
  /// - Parameter number: devices of one number are one and the same, and must not meet.
  func newcomer(_ number: Int = 0) async throws -> Person {
    try await Newcomers.shared.device(number, of: self).duplicate()
  }
}

/// Devices as `Meeting.newcomer` gives them, each made once.
private actor Newcomers {
  static let shared = Newcomers()
  private var made: [Int: Task<Person, any Error>] = [:]

  func device(_ number: Int, of meeting: Meeting) async throws -> Person {
    if let device = made[number] { return try await device.value }
    let device = Task { try await Self.make(meeting) }
    made[number] = device
    return try await device.value
  }

  private static func make(_ meeting: Meeting) async throws -> Person {
    let folder = try TemporaryFolder(meeting.files)
    let person = try await Person(hasVault: false)
    let kit = try meeting.survivor.kit()
    try FileManager.default.copyItem(
      atPath: meeting.survivor.path("kit"), toPath: person.path("kit"))
    let vault = try OpenVault.create(
      at: person.vault, passphrase: try locked(Person.passphrase), kit: kit, cost: .least,
      recovering: try OpenVault.findCase(in: folder.path, kit: kit), named: "theirs",
      surroundings: Person.surroundings)
    try await vault.close()
    return person
  }
}

extension Finished {
  /// Whether it ended as a command does that did nothing, for this reason.
  func isRefusal(_ code: String) throws -> Bool { try status == 1 && errorCode() == code }
}

extension OpenVault {
  /// The name of the case that tests are about.
  func theirName() throws -> String? { try cases().first { $0.name == "theirs" }?.name }

  @discardableResult
  func meet(_ folder: String) throws -> SyncOutcome {
    try sync(caseNamed: try theirName(), mailbox: folder, audience: .everyone)
  }

  func ownLog() throws -> LogID {
    let name = try theirName()
    return try read { db in try CaseRow.find(db, name).logID }
  }

  func texts() throws -> Set<String> {
    Set(
      try entries(ofCase: try theirName()).filter { $0.standing == .open }
        .compactMap { $0.content?.words })
  }

  func standing(of text: String) throws -> EntrySummary.Standing? {
    try entries(ofCase: try theirName()).first { $0.content?.words == text }?.standing
  }

  func state() throws -> Bytes32 { try stateHash(ofCase: try theirName()) }
}

extension SyncOutcome.Problem {
  /// As the program names it.
  var code: String {
    switch self {
    case .damaged: "damaged"
    case .mailboxFault: "mailboxFault"
    case .gap: "gap"
    case .fork: "fork"
    case .ownLogAhead: "ownLogAhead"
    case .forgedStatement: "forgedStatement"
    case .newerVersion: "newerVersion"
    case .notWritten: "notWritten"
    case .withoutRoom: "diskFull"
    case .falseLength: "falseLength"
    case .lost: "contentLost"
    case .unreachable: "mailboxUnreachable"
    }
  }
}
