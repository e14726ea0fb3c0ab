import ArgumentParser
import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "What is new, what awaits whom, and what needs attention.",
    discussion: """
      What came since you looked last is new; looking makes it old, but not with --json. Of many \
      cases, those are shown that have something to tell.

      EXAMPLES
        cairn status                all cases on one page
        cairn status Smith          one case
        cairn status --json         for scripts; each trouble has a stable code
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "A case; all, without one.")
  var `case`: String?

  func run() async throws {
    try await global.withVault(terminal: global.terminal) { vault in
      let statuses = try await vault.status(ofCase: self.case, isLookedAt: !global.json)
      let attempts = await vault.earlierAttempts
      let backup = try await vault.lastBackup()
      if global.json {
        return try Output.json(StatusObject(statuses, attempts, lastBackup: backup))
      }
      tell(statuses, attempts, backup)
      await vault.noteAttemptsTold()
    }
  }

  private func tell(
    _ statuses: [CaseStatus], _ attempts: OpeningAttempts, _ backup: LastBackup?
  ) {
    let now = UInt64(Date().timeIntervalSince1970)
    defer { tell(backup, now: now) }
    let told = self.case == nil && statuses.count > 1 ? statuses.filter(\.isTold) : statuses
    for (index, status) in told.enumerated() {
      if index > 0 { Output.line() }
      StatusPage(status: status, now: now).print()
    }
    let rest = statuses.count - told.count
    if rest > 0 {
      if !told.isEmpty { Output.line() }
      Output.line(
        Quantity.count(
          rest, told.isEmpty ? "case" : "other case",
          told.isEmpty ? "cases" : "other cases")
          + ": nothing new, and nothing that waits.")
    }
    tell(attempts)
  }

  private func tell(_ attempts: OpeningAttempts) {
    guard attempts.lastOpening != nil || attempts.untoldFailures > 0 else { return }
    Output.line()
    if let time = attempts.lastOpening {
      Output.line("This vault was opened last on \(Clock.text(time)).")
    }
    guard attempts.untoldFailures > 0 else { return }
    let count = Quantity.count(
      Int(attempts.untoldFailures), "attempt to open it did not succeed",
      "attempts to open it did not succeed")
    let last = attempts.lastFailure.map {
      (attempts.untoldFailures == 1 ? ", on " : ", the last on ") + Clock.text($0)
    }
    Output.paragraph(
      "Since you looked last, \(count)\(last ?? ""). "
        + (attempts.untoldFailures == 1 ? "It opened nothing." : "They opened nothing.")
        + (attempts.lastOpening == nil
          ? ""
          : " If the last opening was not yours either: cairn passphrase --somebody-may-know-it"))
  }

  private func tell(_ backup: LastBackup?, now: UInt64) {
    guard self.case == nil, let backup else { return }
    Output.line()
    Output.paragraph(
      "Last backup: \(SyncReport.age(of: backup.time, now: now)), in \(SafeText.line(backup.path))")
  }
}

extension CaseStatus {
  var isTold: Bool {
    newEntryCount > 0 || !requestsToAnswer.isEmpty || !requestsAsked.isEmpty
      || !openTakedowns.isEmpty || filesAwaited > 0 || !troubles.isEmpty
  }
}

/// The status of one case, for people.
struct StatusPage {
  let status: CaseStatus
  let now: UInt64

  func print() {
    Output.line(
      "\(SafeText.quoted(status.name)): "
        + Quantity.count(status.entryCount, "entry", "entries") + ", "
        + Quantity.count(status.members.count { !$0.isCut }, "member", "members")
        + (status.role == .advocate ? ", shared with you" : ""))
    section(
      "New since you looked last",
      status.members.filter { $0.newEntries > 0 }.map { member in
        Quantity.count(member.newEntries, "entry", "entries") + " of "
          + MemberName.of(member)
      })
    // Whoever was removed can neither answer nor be answered.
    if !status.troubles.contains(where: { $0.code == .removed }) {
      section("Waits for you", status.requestsToAnswer.map(request))
      section("You asked, and nobody has answered yet", status.requestsAsked.map(request))
    }
    section("Takedowns that are not done", status.openTakedowns.map(takedown))
    if status.filesAwaited > 0 {
      section(
        "On their way",
        [Quantity.count(status.filesAwaited, "file has", "files have") + " not arrived here yet."])
    }
    section("Copies", status.members.filter { !$0.isOwn && !$0.isCut }.compactMap(copy))
    section("Needs attention", status.troubles.map { $0.sentence(status, now: now) })
    if !status.isTold { Output.line("  Nothing new, and nothing that waits.") }
  }

  private func section(_ title: String, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    Output.line("  " + title)
    for line in lines {
      for (index, part) in Columns.wrap(line, to: Columns.width - 7).enumerated() {
        Output.line((index == 0 ? "    - " : "      ") + part)
      }
    }
  }

  private func request(_ request: EntryRelations.Request) -> String {
    let words = request.request.content.words.map {
      ": “" + Columns.cut(SafeText.joined($0), to: 60) + "”"
    }
    return "\(ShortID.of(request.request.id)), asked \(age(request.request.clock))\(words ?? "")"
  }

  private func takedown(_ takedown: EntryRelations.Takedown) -> String {
    let place = takedown.recipient.map(SafeText.line) ?? "no place named"
    let about = takedown.about.map { " (entry \(ShortID.of($0)))" } ?? ""
    return "\(place)\(about): \(takedown.step.said), \(age(takedown.last.clock))"
  }

  /// Nil where there is nothing to give a receipt for.
  private func copy(_ member: CaseStatus.Member) -> String? {
    let name = MemberName.of(member, isFirst: true)
    guard let time = member.lastReceipt else {
      return member.entriesWithoutReceipt == 0 ? nil : "\(name): no receipt yet"
    }
    let rest = member.entriesWithoutReceipt
    return "\(name): last receipt \(age(time)), "
      + (rest == 0 ? "covers all of yours" : SyncReport.uncovered(rest))
  }

  private func age(_ time: UInt64) -> String { SyncReport.age(of: time, now: now) }
}

/// Members as they are named to people.
enum MemberName {
  static func of(_ member: CaseStatus.Member?, isFirst: Bool = false) -> String {
    let what =
      switch member?.role {
      case .survivor?: "device"
      case .advocate?: "advocate"
      case nil: "member"
      }
    let article = isFirst ? what.prefix(1).uppercased() + what.dropFirst() : what
    let name = member?.name.map { " " + SafeText.quoted($0) } ?? ""
    return article + name + " " + (member?.logID.base32.prefix(10) ?? "not known here")
  }
}

extension CaseTrouble {
  /// What it means for this copy that it was removed.
  static func removal(of role: Role) -> String {
    (role == .advocate ? "You were removed" : "This device was removed")
      + " from this case. What came here until then stays, and can be read and taken out."
      + " Nothing that was added since comes here, and what is added here counts for nobody else."
      + (role == .advocate
        ? " To take part again, ask the person whose case it is, and make a new card."
        : " “cairn reinstate” with the twelve words undoes it, on another device of yours.")
  }

  /// Entries of somebody that came after the removal.
  private func behindRemoval(_ who: String, _ role: Role) -> String {
    let entries = Quantity.count(count, "entry", "entries") + " of \(who) came after their removal"
    let adopting = role == .survivor ? " “cairn adopt” enters one again as yours." : ""
    let isOne = count == 1
    if code == .setAside {
      return entries + " and \(isOne ? "was" : "were") set aside."
        + " “cairn list --state set-aside” shows \(isOne ? "it" : "them")." + adopting
    }
    return entries + ", but somebody else had seen \(isOne ? "it. It is" : "them. They are") shown,"
      + " marked as disputed." + adopting
  }

  private var erasurePending: String {
    let isOne = count == 1
    return Quantity.count(count, "entry was", "entries were")
      + " erased by another of your devices, and \(isOne ? "is" : "are") destroyed here"
      + " on \(time.map { String(Clock.text($0).prefix(10)) } ?? "a later day"). If that was not you,"
      + " say “cairn keep” for each that “cairn list --state erased” shows, and “cairn remove” that"
      + " device."
  }

  /// What it is and what to do next, in a sentence or two.
  func sentence(_ status: CaseStatus, now: UInt64) -> String {
    let who = MemberName.of(status.members.first { $0.logID == member })
    let capital = who.prefix(1).uppercased() + who.dropFirst()
    let entries = Quantity.count(count, "entry", "entries")
    switch code {
    case .fork:
      return "\(capital) signed two histories that contradict each other. The proof is kept, and"
        + " nothing that you had was altered. Ask them whether their vault was copied; new keys end it"
        + " (“cairn renew” on their side)."
    case .violation:
      return "\(capital) wrote \(entries) that their role does not include."
        + (count == 1
          ? " It was set aside and counts" : " They were set aside and count") + " for nothing."
        + " Ask them which program they use."
    case .removed: return Self.removal(of: status.role)
    case .contested:
      return "\(capital) was removed by another device that was itself removed by it. Neither can"
        + " change the case now. “cairn decide” with the recovery kit says which one stays."
    case .disputed, .setAside: return behindRemoval(who, status.role)
    case .erasurePending: return erasurePending
    case .lockedControl:
      return "\(Quantity.count(count, "administrative entry", "administrative entries")) cannot be"
        + " opened here yet. After “cairn renew” this waits until a device of the survivor's has synced"
        + " with your new keys. Sync again; if it stays so, you may have been removed from the case."
    case .newDevice:
      let id = member?.base32.prefix(10) ?? "ID"
      return "\(capital) was admitted with your twelve words, or took new keys, since you looked"
        + " last. If that was not you, say “cairn remove \(id)”."
    case .behind:
      return
        "Somebody has seen \(Quantity.count(count, "more entry", "more entries")) of \(who) than"
        + " are here. They may be late, or kept back by the mailbox: sync again, or meet over another"
        + " folder."
    case .receiptOld:
      return "\(capital) gave its last receipt"
        + " \(time.map { SyncReport.age(of: $0, now: now) } ?? "long ago"); \(entries) of yours"
        + " \(count == 1 ? "is" : "are") not covered by it. Ask them to sync."
    case .sharingEndsSoon:
      return "What was agreed with \(who) ends on"
        + " \(time.map { String(Clock.text($0).prefix(10)) } ?? "a day soon")."
    case .sharingEnded:
      return "What was agreed with \(who) has ended. New entries are not shared with them; the next"
        + " one that you add removes them from the case."
    case .newerVersion:
      return
        "This case was written to by a newer version of Cairn. It can be read as far as this one"
        + " knows; to add to it, use the newer version."
    }
  }
}

/// The status, as scripts read it. The names are stable.
struct StatusObject: Encodable {
  struct Trouble: Encodable {
    let code: String
    let count: Int
    let member: String?
    let message: String
    let time: String?
  }
  struct Member: Encodable {
    let entriesWithoutReceipt: UInt64
    let id: String
    let lastReceipt: String?
    let name: String?
    let newEntries: Int
    let own: Bool
    let removed: Bool
    let role: String
  }
  struct Takedown: Encodable {
    let about: String?
    let place: String?
    let step: String
    let time: String
  }
  struct Case: Encodable {
    let caseID: String
    let entries: Int
    let filesAwaited: Int
    let members: [Member]
    let name: String
    let newEntries: Int
    let requestsAsked: [String]
    let requestsToAnswer: [String]
    let role: String
    let takedowns: [Takedown]
    let troubles: [Trouble]
  }
  struct Opening: Encodable {
    let failedAttempts: UInt32
    let lastFailedAttempt: String?
    let lastOpened: String?
  }
  struct Backup: Encodable {
    let folder: String
    let time: String
  }
  let cases: [Case]
  let lastBackup: Backup?
  /// Before this one.
  let opening: Opening

  init(
    _ statuses: [CaseStatus], _ attempts: OpeningAttempts, lastBackup backup: LastBackup?
  ) {
    lastBackup = backup.map { Backup(folder: $0.path, time: Clock.iso($0.time)) }
    opening = Opening(
      failedAttempts: attempts.untoldFailures,
      lastFailedAttempt: attempts.lastFailure.map(Clock.iso),
      lastOpened: attempts.lastOpening.map(Clock.iso))
    let now = UInt64(Date().timeIntervalSince1970)
    cases = statuses.map { status in
      Case(
        caseID: status.caseID.fingerprint, entries: status.entryCount,
        filesAwaited: status.filesAwaited,
        members: status.members.map { member in
          Member(
            entriesWithoutReceipt: member.entriesWithoutReceipt, id: member.logID.base32,
            lastReceipt: member.lastReceipt.map(Clock.iso), name: member.name,
            newEntries: member.newEntries,
            own: member.isOwn, removed: member.isCut, role: member.role.name)
        },
        name: status.name, newEntries: status.newEntryCount,
        requestsAsked: status.requestsAsked.map(\.request.id.base32),
        requestsToAnswer: status.requestsToAnswer.map(\.request.id.base32),
        role: status.role.name,
        takedowns: status.openTakedowns.map { takedown in
          Takedown(
            about: takedown.about?.base32, place: takedown.recipient, step: takedown.step.name,
            time: Clock.iso(takedown.last.clock))
        },
        troubles: status.troubles.map { Self.trouble($0, status, now: now) })
    }
  }

  static func trouble(_ trouble: CaseTrouble, _ status: CaseStatus, now: UInt64) -> Trouble {
    Trouble(
      code: trouble.code.rawValue, count: trouble.count, member: trouble.member?.base32,
      message: trouble.sentence(status, now: now), time: trouble.time.map(Clock.iso))
  }
}
