import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// What an exchange did, member by member, and what it met.
struct SyncReport {
  let outcome: SyncOutcome
  let now: UInt64

  /// What somebody changed on the way is told by the exit code too; what is only late is not.
  /// What was set aside, perhaps long ago, is told each time and is `check`'s to count: a sync that did its
  /// work is done.
  var status: ExitStatus {
    if outcome.problems.contains(where: \.isTampering) { return .tampered }
    let isPartial = outcome.problems.contains { if case .unreachable = $0 { true } else { false } }
    return isPartial ? .mailboxUnreachable : .done
  }

  // MARK: - For people

  func printText() {
    if let removal {
      Output.paragraph(removal)
      Output.line()
    }
    Output.line("Synced the case \(SafeText.quoted(outcome.caseName)).")
    Output.line()
    for member in outcome.members where member.isOwn { describe(member) }
    for member in outcome.members where !member.isOwn && isTold(member) { describe(member) }
    if !files.isEmpty { field("Files", files) }
    if outcome.members.count == 1 {
      Output.line()
      Output.paragraph(
        "Nobody else is a member yet. “cairn share” admits somebody who made a card.")
    }
    if outcome.isNewOwnFolder {
      Output.remark(
        "Note: everything of this case is in that folder, also what is shared with nobody. Without keys"
          + " it is ciphertext; with the twelve words, or one of your devices, all of it can be opened."
          + " So keep the words somewhere else than the folder.")
    }
    for remark in remarks { Output.remark(remark) }
  }

  /// A line, and one for each other member: for one case of many.
  func printBlock() {
    let name = SafeText.quoted(outcome.caseName)
    let records = Self.moved(
      sent: outcome.members.map(\.entriesSent).reduce(0, +),
      received: outcome.members.map(\.entriesReceived).reduce(0, +))
    var news = records.isEmpty ? [] : ["records: " + records]
    if !files.isEmpty { news.append("files: " + files) }
    Output.paragraph("\(name): " + (news.isEmpty ? "nothing new" : news.joined(separator: "; ")))
    if let removal { Output.paragraph(removal, indent: 4) }
    for member in outcome.members where !member.isOwn {
      guard isTold(member), let receipt = receipt(of: member) else { continue }
      Output.paragraph("\(Self.name(member)): \(receipt)", indent: 4)
    }
    // On standard error it may stand by itself, so it names the case.
    for remark in remarks { Output.remark("\(name): \(remark)") }
  }

  /// Whoever was removed is told before all else: what she does from here on counts for nobody.
  private var removal: String? {
    guard let own = outcome.members.first(where: \.isOwn), case .removed = own.standing else {
      return nil
    }
    return CaseTrouble.removal(of: own.role)
  }

  /// Those who are no longer there are told only if something of theirs still came.
  private func isTold(_ member: SyncOutcome.Member) -> Bool {
    !member.isGone || member.entriesSent + member.entriesReceived > 0
  }

  private var remarks: [String] {
    var remarks = outcome.problems.map { $0.sentence(of: outcome.members) }
    if outcome.violations > 0 {
      let count = Quantity.count(outcome.violations, "entry", "entries")
      let isOne = outcome.violations == 1
      remarks.append(
        "\(count) of this case \(isOne ? "breaks" : "break") its rules: their author's role does not"
          + " include writing \(isOne ? "it. It was" : "them. They were") set aside and"
          + " \(isOne ? "counts" : "count") for nothing; nothing of yours was altered.")
    }
    return remarks
  }

  private func describe(_ member: SyncOutcome.Member) {
    let moved = Self.moved(sent: member.entriesSent, received: member.entriesReceived)
    field(Self.name(member), moved.isEmpty ? "nothing new" : "records: " + moved)
    if !member.isOwn, let receipt = receipt(of: member) { field("", receipt) }
  }

  /// Empty if nothing was.
  private static func moved(sent: UInt64, received: UInt64) -> String {
    var moved: [String] = []
    if sent > 0 { moved.append("\(sent) sent") }
    if received > 0 { moved.append("\(received) received") }
    return moved.joined(separator: ", ")
  }

  /// Nil where there is nothing to give a receipt for, and of those who will give none.
  private func receipt(of member: SyncOutcome.Member) -> String? {
    if member.isGone || removal != nil { return nil }
    guard let time = member.lastReceipt else {
      if member.entriesWithoutReceipt == 0 { return nil }
      let isSeen = outcome.members.contains { !$0.isOwn && $0.lastReceipt != nil }
      return "no receipt yet"
        + (isSeen ? "" : ": until they sync, only this device vouches for what you entered")
    }
    let rest = member.entriesWithoutReceipt
    return "last receipt \(Self.age(of: time, now: now)) (\(Clock.text(time)) by their clock), "
      + (rest == 0
        ? "covers all of yours"
        : Self.uncovered(rest) + " yet")
  }

  static func uncovered(_ rest: UInt64) -> String {
    "does not cover your last \(rest == 1 ? "record" : "\(rest) records")"
  }

  /// Empty if none moved, and none is awaited.
  private var files: String {
    var parts: [String] = []
    if outcome.filesSent > 0 { parts.append("\(outcome.filesSent) sent") }
    if outcome.filesReceived > 0 { parts.append("\(outcome.filesReceived) received") }
    if outcome.filesAwaited > 0 { parts.append("\(outcome.filesAwaited) not here yet") }
    return parts.joined(separator: ", ")
  }

  private func field(_ name: String, _ value: String) {
    let width = 22
    for (index, line) in Columns.wrap(value, to: Columns.width - 1 - width).enumerated() {
      Output.line(Columns.padded(index == 0 ? name : "", to: width) + line)
    }
  }

  static func name(_ member: SyncOutcome.Member) -> String {
    if member.isOwn { return "You" }
    return (member.role == .survivor ? "Survivor " : "Advocate ") + member.logID.base32.prefix(10)
  }

  static func age(of time: UInt64, now: UInt64) -> String {
    guard now >= time else { return "from a clock that is ahead of this one" }
    switch now - time {
    case ..<90: return "just now"
    case let seconds where seconds < 90 * 60: return "\((seconds + 30) / 60) minutes ago"
    case let seconds where seconds < 36 * 3600: return "\((seconds + 1800) / 3600) hours ago"
    case let seconds: return "\((seconds + 43_200) / 86_400) days ago"
    }
  }

  // MARK: - For scripts

  /// The names are stable.
  struct Object: Encodable {
    struct Member: Encodable {
      let entriesReceived: UInt64
      let entriesSent: UInt64
      let entriesWithoutReceipt: UInt64
      let id: String
      let lastReceipt: String?
      let own: Bool
      let role: String
      let standing: String
    }
    struct Problem: Encodable {
      let code: String
      let member: String?
      let message: String
    }
    let bytesRead: UInt64
    let bytesWritten: UInt64
    let `case`: String
    let caseID: String
    let filesAwaited: Int
    let filesReceived: Int
    let filesSent: Int
    let members: [Member]
    let problems: [Problem]
    let violations: Int
  }

  func printJSON() throws { try Output.json(object) }

  var object: Object {
    Object(
      bytesRead: outcome.bytesRead, bytesWritten: outcome.bytesWritten, case: outcome.caseName,
      caseID: outcome.caseID.fingerprint, filesAwaited: outcome.filesAwaited,
      filesReceived: outcome.filesReceived, filesSent: outcome.filesSent,
      members: outcome.members.map { member in
        Object.Member(
          entriesReceived: member.entriesReceived, entriesSent: member.entriesSent,
          entriesWithoutReceipt: member.entriesWithoutReceipt, id: member.logID.base32,
          lastReceipt: member.lastReceipt.map(Clock.iso), own: member.isOwn,
          role: member.role.name, standing: member.standing.name)
      },
      problems: outcome.problems.map { problem in
        Object.Problem(
          code: problem.code, member: problem.logID?.base32,
          message: problem.sentence(of: outcome.members))
      }, violations: outcome.violations)
  }
}

extension SyncOutcome.Member {
  /// Removed, or her time is over.
  var isGone: Bool {
    switch standing {
    case .removed, .lapsed: return true
    case .good, .lapses, .contested: return false
    }
  }
}

extension SyncOutcome.Problem {
  /// A stable name for scripts.
  var code: String {
    switch self {
    case .damaged: return "damaged"
    case .mailboxFault: return "mailboxFault"
    case .gap: return "gap"
    case .fork: return "fork"
    case .ownLogAhead: return "ownLogAhead"
    case .forgedStatement: return "forgedStatement"
    case .newerVersion: return "newerVersion"
    case .notWritten: return "notWritten"
    case .withoutRoom: return "diskFull"
    case .falseLength: return "falseLength"
    case .lost: return "contentLost"
    case .unreachable: return "mailboxUnreachable"
    }
  }

  var logID: LogID? {
    switch self {
    case .damaged(let id), .mailboxFault(let id), .gap(let id), .fork(let id),
      .forgedStatement(let id), .newerVersion(let id), .falseLength(let id):
      return id
    case .ownLogAhead, .notWritten, .withoutRoom, .lost, .unreachable: return nil
    }
  }

  var isTampering: Bool {
    switch self {
    case .damaged, .mailboxFault, .fork, .ownLogAhead, .forgedStatement: return true
    case .gap, .newerVersion, .notWritten, .withoutRoom, .falseLength, .lost, .unreachable:
      return false
    }
  }

  func sentence(of members: [SyncOutcome.Member]) -> String {
    let member = members.first { $0.logID == logID }
    let who = member.map { $0.isOwn ? "you" : SyncReport.name($0) } ?? "a member not known here"
    switch self {
    case .damaged where member?.isOwn == true:
      return "A file of yours in the mailbox was damaged, or changed. It was not believed,"
        + " everything in the vault is as it was, and the file is written again."
    case .damaged:
      return "A file of \(who) in the mailbox is damaged, or was changed. It was not believed, and"
        + " everything in the vault is as it was. Most of that mends itself when its author syncs"
        + " again. If it is told again after that, let all sync once in a new, empty folder."
    case .mailboxFault:
      return "What the mailbox holds for \(who) does not agree with what was signed: it was changed"
        + " there, or belongs elsewhere. It was not believed, and everything in the vault is as it was."
    case .gap:
      return "Some entries of \(who) have not arrived yet. They come with a later sync."
    case .fork:
      return "\(who) signed two histories that contradict each other: entries were replaced or"
        + " their device was copied. Both are kept as proof, and nothing that you had was altered."
    case .ownLogAhead:
      return
        "The mailbox has more of your own entries than this vault: this vault is an older copy."
        + " From now on nothing is added here, so that nobody can take the two for one. Use the newer"
        + " one; if it is gone, “cairn renew” lets this one write again."
    case .forgedStatement:
      return "Among what came from \(who), the mailbox holds a decision about this case that was"
        + " not made with its recovery kit: it was made up, or changed there. Nothing of it was"
        + " taken, and everything in the vault is as it was."
    case .newerVersion:
      return
        "A part of what \(who) sent was made by a newer version of Cairn and was left for later."
    case .notWritten:
      return "A file could not be written to the mailbox. It is tried again at the next sync."
    case .withoutRoom:
      return "There is no room on this disk for a file that others entered, or it takes none of"
        + " that size. It was left in the mailbox, and all else was exchanged. Make room, and sync"
        + " again."
    case .falseLength:
      return "\(who) entered a file and said that it is longer or shorter than it is. It was not"
        + " taken in: the file in the mailbox is as it was signed, and nothing of yours was altered."
    case .lost:
      return
        "A file of an entry cannot be read on this disk any more, so it could not be passed on."
        + " All else was. “cairn check” says which one. If another copy of the case still has it, a"
        + " later sync brings it back; if you still have the original, add it again."
    case .unreachable(.ownDevices):
      return "The folder for your own devices cannot be reached now; the other one was synced."
    case .unreachable(.everyone):
      return "The folder where others meet cannot be reached now; that of your own devices was"
        + " synced."
    }
  }
}
