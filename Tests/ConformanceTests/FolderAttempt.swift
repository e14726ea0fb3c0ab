import CaseLog
import Cryptography
import Foundation
import People
import Support
import Sync
import Testing
import Vault
import VerifiableLog

/// A folder in which somebody changed something, given to everybody who reads folders.
struct FolderAttempt {
  let meeting: Meeting
  let files: Files
  /// Files that end with zeros up to this length, which take no room on the disk.
  var lengths: [String: UInt64] = [:]
  /// What an exchange has to say of it, as the program names it; more may be said.
  var problems: Set<String> = ["damaged"]
  /// What `verify.py` has to say of it.
  var codes: Set<String> = ["file-damaged"]
  /// How the program ends then.
  var status: Int32 = 20
  /// Whether reading it once leaves out something.
  var lacksSomething = true
}

extension FolderAttempt {
  func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder(files)
    for (name, length) in lengths {
      let file = try FileHandle(forWritingTo: URL(filePath: folder.path + "/" + name))
      try file.truncate(atOffset: length)
      try file.close()
    }
    return folder
  }
}

extension Row {
  /// No program needs more memory than this, whatever is in a folder.
  static let withLittleMemory = ["/usr/bin/prlimit", "--as=\(512 << 20)"]

  /// Gives a folder to a vault, to the program and to `verify.py`: none believes what is wrong in it, each says so, and
  /// with the folder as it was all comes that was there.
  func refuses(
    _ attempt: FolderAttempt, as outcome: Outcome = .refused,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let folder = try attempt.folder()
    let kit = attempt.meeting.survivor.path("kit")
    let said = try await Verifiers.folder(folder.path, kit: kit, through: Self.withLittleMemory)
    #expect(
      said.codes.isSuperset(of: attempt.codes), "\(said.codes)", sourceLocation: sourceLocation)
    #expect(
      said.status == (attempt.codes.contains("file-damaged") ? 20 : 21), "\(said.object)",
      sourceLocation: sourceLocation)
    saw(attempt.codes.contains("file-damaged") ? .refused : outcome, at: .independent)

    let reader = try await attempt.meeting.newcomer()
    try await reader.opened { vault in
      let met = try await vault.meet(folder.path)
      #expect(
        attempt.problems.isSubset(of: met.problems.map(\.code)), "\(met.problems)",
        sourceLocation: sourceLocation)
      #expect(
        met.problems.allSatisfy { $0.code != "fork" } && met.violations == 0,
        "nobody is blamed", sourceLocation: sourceLocation)
      let texts = try await vault.texts()
      #expect(
        attempt.lacksSomething
          ? texts.isStrictSubset(of: Meeting.texts) : texts == Meeting.texts, "\(texts)",
        sourceLocation: sourceLocation)
      #expect(try await vault.check().findings == [], sourceLocation: sourceLocation)
    }
    saw(outcome, at: .folder)

    let synced = try await reader.syncWithLittleMemory(folder)
    let told = try synced.json()["problems"] as? [[String: Any]] ?? []
    #expect(
      attempt.problems.isSubset(of: told.compactMap { $0["code"] as? String }), "\(synced.all)",
      sourceLocation: sourceLocation)
    #expect(
      synced.status == attempt.status, "\(synced.all)",
      sourceLocation: sourceLocation)
    let honest = try TemporaryFolder(attempt.meeting.files)
    let again = try await reader.cairn("sync", "--mailbox", honest.path)
    #expect(again.status == 0, "\(again.all)", sourceLocation: sourceLocation)
    try await reader.opened { vault in
      let texts = try await vault.texts()
      #expect(texts == Meeting.texts, sourceLocation: sourceLocation)
      #expect(try await vault.check().findings == [], sourceLocation: sourceLocation)
    }
    saw(outcome, at: .program)
  }
}

extension Person {
  /// What an exchange says, told for scripts.
  func syncWithLittleMemory(_ folder: TemporaryFolder) async throws -> Finished {
    try await start(
      [
        "sync", "--mailbox", folder.path, "--json", "--vault", vault, "--passphrase-file",
        passphraseFile,
      ], through: Row.withLittleMemory
    ).finish()
  }
}

// MARK: - What somebody can change

extension Files {
  /// The one file of this log's owner whose name begins so.
  func name(_ prefix: String, of log: LogID) throws -> String {
    try #require(
      keys.sorted().first { $0.contains("-\(log.base32)/\(prefix)") }, "\(keys.sorted())")
  }

  /// The frames of a file of the kind in which entries, heads or shares stand.
  func frames(_ name: String) throws -> [Frame] {
    var reader = FrameReader()
    reader.feed(self[name] ?? [])
    var frames: [Frame] = []
    while let frame = try reader.next() { frames.append(frame) }
    return frames
  }

  /// As whoever writes them would: where there is a summary, it is that of these frames.
  mutating func put(_ frames: [Frame], in name: String) {
    var frames = frames
    if frames.count > 2, case .summary = frames[1] {
      frames[1] = .summary(Frame.summary(of: frames[2...].dropLast().map(\.bytes)))
    }
    self[name] = frames.flatMap(\.bytes)
  }

  /// The one range of a file.
  func range(_ name: String) throws -> RangeFrame {
    for case .range(let range) in try frames(name) { return range }
    throw CocoaError(.fileReadCorruptFile)
  }

  mutating func changeRange(
    _ name: String, _ change: (RangeFrame) throws -> RangeFrame
  ) throws {
    put(
      try frames(name).map { frame in
        if case .range(let range) = frame { .range(try change(range)) } else { frame }
      }, in: name)
  }
}

extension RangeFrame {
  func with(
    log: LogID? = nil, first: UInt64? = nil, entries: [WireEntry]? = nil, note: [UInt8]? = nil,
    proof: [Bytes32]? = nil
  ) -> RangeFrame {
    RangeFrame(
      logID: log ?? logID, first: first ?? self.first, entries: entries ?? self.entries,
      note: note ?? self.note, proof: proof ?? self.proof)
  }
}

extension Meeting {
  /// The log's key, as the folder's heads give it.
  func identity(of log: LogID, in files: Files? = nil) throws -> LogIdentity {
    let files = files ?? self.files
    for case .heads(let heads) in try files.frames(try files.name("head", of: log)) {
      for head in heads {
        let identity = LogIdentity(caseID: caseID.raw, key: try VerifyingKey(head.signingKey))
        if identity.id == log { return identity }
      }
    }
    throw CocoaError(.fileReadCorruptFile)
  }

  /// What the library says of a range of the survivor's log to whoever holds nothing of it, or its first range.
  func verdict(on frame: RangeFrame, holdsAll: Bool = false) throws -> RangeVerdict {
    let identity = try identity(of: survivorLog)
    var verifier = RangeVerifier(HeldLog(identity: identity, receiptKey: identity.key))
    let whole = try files.range(try files.name("r-\(survivorLog.base32)", of: survivorLog))
    let leaves = whole.entries.enumerated().map { $1.leaf(sequence: UInt64($0)) }
    if holdsAll { _ = verifier.verify(whole) { _ in [] } }
    return verifier.verify(frame) { run in
      Array(leaves[Int(run.lowerBound)..<Int(run.upperBound)])
    }
  }
}
