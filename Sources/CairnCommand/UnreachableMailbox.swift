import Foundation
import Vault

/// A folder that cannot be reached, by its name: of a stick that is not there somebody has to know which.
struct UnreachableMailbox {
  /// How the case is called.
  let caseName: String
  let folders: [String]
  /// Whether it was named just now.
  let isTyped: Bool
  let isForOwnDevices: Bool

  /// - Parameters:
  ///   - typed: the folder that was named just now.
  ///   - audience: whose folder was to be used; nil for both that are remembered.
  init(
    ofCase name: String, mailbox: String?, ownMailbox: String?, typed: String? = nil,
    audience: MailboxAudience?
  ) {
    caseName = name
    isTyped = typed != nil
    isForOwnDevices = audience == .ownDevices || mailbox == nil && ownMailbox != nil
    let remembered = [
      audience == .everyone ? nil : ownMailbox, audience == .ownDevices ? nil : mailbox,
    ].compactMap(\.self)
    folders = typed.map { [$0] } ?? remembered
  }

  /// What a sync that failed is told as; any other reason stays as it is.
  func failure(_ error: VaultError) -> Failure {
    guard error.code == .mailboxUnreachable, !folders.isEmpty else { return Failure(error) }
    return Failure(code: error.code.rawValue, status: ExitStatus(error.code), sentence)
  }

  private var sentence: Sentence {
    // One that is there, and still could not be used, is no less to be named.
    let names = folders.map(SafeText.quoted)
    let command =
      "cairn sync \(SafeText.argument(caseName))\(isForOwnDevices ? " --own-devices" : "") --mailbox FOLDER"
    let next =
      isTyped
      ? "Connect its disk, or check the folder's name."
      : "Connect \(names.count == 1 ? "it" : "one of them"), or name a new one: \(command)"
    return Sentence(
      names.count == 1
        ? "The folder \(names[0]) cannot be reached."
        : "Neither of the folders \(names.joined(separator: " and ")) can be reached.",
      safe: "Everything in the vault is safe.", next: next)
  }
}
