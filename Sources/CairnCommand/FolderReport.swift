import Cryptography
import Vault
import VerifiableLog

/// What is said while folders are added, and at the end. For people each file is told as it is saved;
/// only for scripts all is gathered.
final class FolderReport {
  private struct Object: Encodable {
    struct Saved: Encodable {
      let file: String
      let id: String
      let sameContentAs: [String]
      let size: UInt64
    }
    struct Held: Encodable {
      let file: String
      let sameContentAs: [String]
      let sameTitle: Bool
    }
    struct Skipped: Encodable {
      let code: String
      let file: String
    }
    struct PassedOver: Encodable {
      let file: String
      let reason: String
    }
    var error: ErrorObject?
    var held: [Held] = []
    var passedOver: [PassedOver] = []
    var saved: [Saved] = []
    var sharedWith = 0
    var skipped: [Skipped] = []
    /// How many may be saved, or not.
    var unconfirmed = 0
  }

  let progress: Progress
  private let isJSON: Bool
  private let isMinor: Bool
  private var object = Object()
  private var savedCount = 0
  private var heldCount = 0
  private var unreadable: [(file: String, sentence: Sentence)] = []
  private var passedOver: [(file: String, reason: FolderWalk.Reason)] = []
  private var passedOverCount = 0
  private var failure: Failure?
  /// What is to be said of those that it left without a confirmation.
  private var unconfirmed = ""
  /// How many names of a sort are listed.
  private static let listed = 10

  init(isJSON: Bool, progress: Progress, isMinor: Bool) {
    self.isJSON = isJSON
    self.progress = progress
    self.isMinor = isMinor
  }

  var hasStopped: Bool { failure != nil }

  func stop(_ failure: Failure) { self.failure = self.failure ?? failure }

  func passOver(_ file: String, _ reason: FolderWalk.Reason) {
    if reason == .unreadable {
      return skip(file, VaultError(.fileUnreadable))
    }
    passedOverCount += 1
    if isJSON {
      object.passedOver.append(.init(file: file, reason: reason.rawValue))
    } else if passedOver.count < Self.listed {
      passedOver.append((file, reason))
    }
  }

  private func skip(_ file: String, _ error: VaultError) {
    object.skipped.append(.init(code: error.code.rawValue, file: file))
    unreadable.append((file, Sentences.of(error, subject: "“\(file)”")))
  }

  func take(_ outcome: AddOutcome, of batch: [AddFolders.Item]) {
    savedCount += outcome.saved.count
    heldCount += outcome.held.count
    object.sharedWith = max(object.sharedWith, outcome.sharedWith)
    for saved in outcome.saved { tell(saved, batch[saved.index]) }
    for held in outcome.held { tell(held, batch[held.index]) }
    for (index, error) in outcome.skipped { skip(batch[index].shown, error) }
    if let (index, error) = outcome.failure {
      failure = Failure(error, subject: "“\(batch[index].shown)”")
      unconfirmed = outcome.unconfirmedSentence
      object.unconfirmed = outcome.unconfirmed.count
    }
  }

  private func tell(_ saved: AddOutcome.Saved, _ item: AddFolders.Item) {
    let others = saved.sameContentAs
    if isJSON {
      object.saved.append(
        .init(
          file: item.shown, id: saved.id.base32, sameContentAs: others.map(\.base32),
          size: item.size))
      return
    }
    Output.line("Saved  \(ShortID.of(saved.id))  \(item.shown), \(Quantity.bytes(item.size))")
    if !others.isEmpty {
      Output.line(
        "       the same content as " + ShortID.list(others))
    }
  }

  private func tell(_ held: AddOutcome.Held, _ item: AddFolders.Item) {
    if isJSON {
      object.held.append(
        .init(
          file: item.shown, sameContentAs: held.sameContentAs.map(\.base32),
          sameTitle: held.hasSameTitle))
    } else if !held.hasSameTitle, let other = held.sameContentAs.first {
      // The very same file from an earlier run is only counted.
      Output.line("Passed over  \(item.shown): the same content as \(ShortID.of(other))")
    }
  }

  // MARK: - At the end

  /// The exit code, if not everything could be saved.
  ///
  /// - Parameter caseName: nil where the vault has one case only.
  func finish(inCase caseName: String?) throws -> ExitStatus? {
    let status = failure?.status ?? (unreadable.isEmpty ? nil : ExitStatus.other)
    if isJSON {
      object.error = failure.map(ErrorObject.init)
      try Output.json(object)
      return status
    }
    Output.line(
      Quantity.count(savedCount, "file was saved", "files were saved")
        + (heldCount == 0
          ? "."
          : heldCount == 1
            ? "; 1 was in the case already (--again adds it again)."
            : "; \(heldCount) were in the case already (--again adds them again)."))
    if savedCount > 0 {
      if isMinor { Output.paragraph(MinorText.kept) }
      Output.paragraph(
        AddReport.readers(of: savedCount, sharedWith: object.sharedWith, inCase: caseName))
    }
    tellPassedOver()
    tellUnreadable()
    if let failure {
      Output.remark(failure.sentence.what)
      Output.remark(
        unconfirmed.isEmpty
          ? "What was saved, as told above, is safe; the others were not added."
          : "What was saved, as told above, is safe. \(unconfirmed) Any others were not added.")
      Output.remark(
        failure.status == .interrupted
          ? "Run the same command again: it goes on where it stopped."
          : failure.sentence.next + " Then run the same command again: it goes on where it stopped."
      )
    }
    return status
  }

  private func tellPassedOver() {
    guard passedOverCount > 0 else { return }
    Output.line("Passed over:")
    for (file, reason) in passedOver { Output.line("  \(file): \(reason.said)") }
    if passedOverCount > passedOver.count {
      Output.line("  and \(passedOverCount - passedOver.count) more")
    }
  }

  private func tellUnreadable() {
    guard !unreadable.isEmpty else { return }
    Output.remark(
      Quantity.count(unreadable.count, "file", "files") + " could not be read and"
        + (unreadable.count == 1 ? " was" : " were") + " not added:")
    for (_, sentence) in unreadable.prefix(Self.listed) { Output.remark("  " + sentence.what) }
    if unreadable.count > Self.listed {
      Output.remark("  and \(unreadable.count - Self.listed) more; --json lists all of them.")
    }
  }
}

extension FolderWalk.Reason {
  /// As a list has it.
  var said: String {
    switch self {
    case .hidden: "hidden"
    case .link: "a link to somewhere else"
    case .special: "neither a file nor a folder"
    case .unreadable: "cannot be read"
    case .empty: "empty, with 0 bytes"
    case .ownVault: "this vault itself"
    case .kit: "twelve words that open a vault (named by itself, it is added all the same)"
    }
  }
}
