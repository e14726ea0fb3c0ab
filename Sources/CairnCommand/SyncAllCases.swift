import CaseLog
import Vault

/// One exchange after the other, for all cases of which a folder is remembered.
struct SyncAllCases {
  let global: GlobalOptions
  /// Nil for both folders of a case.
  let audience: MailboxAudience?

  private enum Result {
    case exchanged(SyncReport)
    case failed(CaseSummary, Failure)
  }

  func run() async throws {
    let (results, unnamed) = try await global.withVault(terminal: global.terminal) { vault in
      try await vault.requireSound()
      let cases = try await vault.cases()
      let named = cases.filter(hasFolder)
      return (try await exchange(named, in: vault), cases.filter { !hasFolder($0) })
    }
    if global.json {
      try Output.json(
        Object(cases: results.map(Element.init), withoutMailbox: unnamed.map(\.name)))
    } else {
      tellFailures(results)
      tell(without: unnamed)
    }
    let status = Self.worst(results.map(Self.status))
    if status != .done { throw AlreadyTold(status: status) }
  }

  private func hasFolder(_ summary: CaseSummary) -> Bool {
    summary.ownMailbox != nil || summary.mailbox != nil && audience != .ownDevices
  }

  // MARK: - Exchanging

  /// Each case is told as soon as it is done: forty of them take a while.
  private func exchange(_ cases: [CaseSummary], in vault: OpenVault) async throws -> [Result] {
    var results: [Result] = []
    var stop: Failure?
    for summary in cases {
      do throws(VaultError) {
        if let stop {
          results.append(.failed(summary, stop))
          continue
        }
        try Interruption.check()
        let report = SyncReport(
          outcome: try await exchange(summary, in: vault), now: ProcessRules.now())
        results.append(.exchanged(report))
        if !global.json { report.printBlock() }
      } catch {
        let failure = UnreachableMailbox(
          ofCase: summary.name, mailbox: summary.mailbox, ownMailbox: summary.ownMailbox,
          audience: audience
        ).failure(error)
        if Self.endsAll.contains(error.code) { stop = failure }
        results.append(.failed(summary, failure))
        if !global.json { Output.paragraph("\(SafeText.quoted(summary.name)): not synced") }
      }
    }
    return results
  }

  private func exchange(
    _ summary: CaseSummary, in vault: OpenVault
  ) async throws(VaultError) -> SyncOutcome {
    let progress = Progress("Exchanging", total: nil, isQuiet: global.json)
    defer { progress.finish() }
    return try await vault.sync(
      caseNamed: summary.caseID.fingerprint, mailbox: nil, audience: audience,
      progress: { progress.show($0.bytes) }, isCancelled: { Interruption.isRequested })
  }

  /// What the next case would meet as well.
  private static let endsAll: Set<VaultError.Code> = [
    .cancelled, .copied, .rolledBack, .databaseDamaged, .diskFull,
  ]

  // MARK: - Telling

  /// Reasons that several have in common are said once.
  private func tellFailures(_ results: [Result]) {
    var told: [(sentence: Sentence, cases: [String])] = []
    for case .failed(let summary, let failure) in results {
      let name = SafeText.quoted(summary.name)
      if let index = told.firstIndex(where: { $0.sentence == failure.sentence }) {
        told[index].cases.append(name)
      } else {
        told.append((failure.sentence, [name]))
      }
    }
    for (sentence, cases) in told {
      Output.remark("Not synced: " + cases.joined(separator: ", ") + ". " + sentence.text)
    }
  }

  private func tell(without cases: [CaseSummary]) {
    guard !cases.isEmpty else { return }
    let folder = audience == .ownDevices ? "folder for your own devices" : "mailbox"
    let names = cases.map { SafeText.quoted($0.name) }.joined(separator: ", ")
    Output.paragraph("Without a \(folder), and passed over: \(names).")
  }

  private struct FailedObject: Encodable {
    let `case`: String
    let caseID: String
    let error: ErrorObject
  }

  private struct Element: Encodable {
    let result: Result

    func encode(to encoder: any Encoder) throws {
      switch result {
      case .exchanged(let report): try report.object.encode(to: encoder)
      case .failed(let summary, let failure):
        try FailedObject(
          case: summary.name, caseID: summary.caseID.fingerprint, error: ErrorObject(failure)
        ).encode(to: encoder)
      }
    }
  }

  private struct Object: Encodable {
    let cases: [Element]
    let withoutMailbox: [String]
  }

  // MARK: - The exit code

  private static func status(of result: Result) -> ExitStatus {
    switch result {
    case .exchanged(let report): return report.status
    case .failed(_, let failure): return failure.status
    }
  }

  /// Tampering first: whoever can take a folder away shall not hide it.
  private static let worstFirst: [ExitStatus] = [
    .interrupted, .tampered, .mailboxUnreachable, .cannotCheck, .notAllowed, .usage,
  ]

  private static func worst(_ statuses: [ExitStatus]) -> ExitStatus {
    worstFirst.first(where: statuses.contains) ?? statuses.first { $0 != .done } ?? .done
  }
}
