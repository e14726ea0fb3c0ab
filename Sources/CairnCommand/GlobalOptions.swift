import ArgumentParser
import Cryptography
import Foundation
import Vault

/// Options that every command has.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The vault's folder. Without it: “cairn” in your data folder (~/.local/share).",
      valueName: "folder"))
  var vault: String?

  @Option(
    help: ArgumentHelp(
      """
      A file that holds the passphrase; without it, the file that CAIRN_PASSPHRASE_FILE names, or a \
      question.
      """, valueName: "file"))
  var passphraseFile: String?

  @Flag(help: "Print one JSON object for scripts.")
  var json = false

  @Flag(help: "Never ask anything.")
  var noInput = false

  /// The terminal to ask at; nil where nobody can or wants to answer.
  var terminal: Terminal? { noInput ? nil : Terminal() }

  var vaultFolder: String {
    if let vault { return vault }
    let environment = ProcessInfo.processInfo.environment
    // The specification of these folders: a path that is not absolute is invalid and is ignored.
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data + "/cairn" }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
    return home + "/.local/share/cairn"
  }

  /// The passphrase file that was named in either way.
  var namedPassphraseFile: String? {
    passphraseFile
      ?? ProcessInfo.processInfo.environment["CAIRN_PASSPHRASE_FILE"].flatMap {
        $0.isEmpty ? nil : $0
      }
  }

  static var surroundings: Surroundings {
    Surroundings(now: { ProcessRules.now() }, machine: ProcessRules.machine)
  }
}

// MARK: - Opening

extension GlobalOptions {
  /// Opens the vault, and closes it again whatever happens in between.
  ///
  /// - Parameters:
  ///   - isTelling: whether to say first what is unusual about the vault.
  ///   - isSettling: whether to destroy first what was erased long enough ago.
  func withVault<Result: Sendable>(
    terminal: Terminal?, isTelling: Bool = true, isSettling: Bool = true,
    _ body: (OpenVault) async throws -> Result
  ) async throws -> Result {
    try requireVault()
    let vault: OpenVault
    do { vault = try open(terminal: terminal) } catch { throw Self.opening(error) }
    return try await with(vault, isTelling: isTelling, isSettling: isSettling, body)
  }

  /// As `withVault`, by the twelve words.
  func withVault<Result: Sendable>(
    openedBy kit: borrowing RecoveryKit, _ body: (OpenVault) async throws -> Result
  ) async throws -> Result {
    try requireVault()
    let vault: OpenVault
    do throws(VaultError) {
      vault = try OpenVault(opening: vaultFolder, kit: kit, surroundings: Self.surroundings)
    } catch {
      throw Self.opening(error)
    }
    return try await with(vault, isTelling: true, isSettling: true, body)
  }

  /// What else would be said of a file that somebody named.
  private static func opening(_ error: any Error) -> any Error {
    guard let error = error as? VaultError, [.fileUnreadable, .notAFile].contains(error.code)
    else { return error }
    return Failure(
      code: error.code.rawValue, status: ExitStatus(error.code),
      Sentence(
        "One of the vault's own files cannot be read: its locks (“keys”, “keys.bak”) or its “anchor”"
          + " belong to another account, or something else is in their place.",
        safe: "Nothing was changed, and nothing in the vault is damaged by this.",
        next:
          "Check that the folder and all files in it belong to your account, and that none of them is"
          + " a link. If that cannot be mended, “cairn restore” brings back a backup."))
  }

  private func with<Result: Sendable>(
    _ vault: OpenVault, isTelling: Bool, isSettling: Bool,
    _ body: (OpenVault) async throws -> Result
  ) async throws -> Result {
    let told = isTelling ? await warn(of: vault) : nil
    let result: Result
    do {
      try Interruption.check()
      if isSettling { try await settleErasures(of: vault) }
      result = try await body(vault)
    } catch {
      // What went wrong first is what has to be told.
      do { try await vault.close() } catch {}
      throw afterNote(error, told)
    }
    try await vault.close()
    return result
  }

  /// What it fails for, a full disk or a damaged page, is no reason not to do what was asked for.
  private func settleErasures(of vault: OpenVault) async throws {
    do {
      try await vault.settleErasures()
    } catch {
      if error.code == .cancelled { throw error }
      Output.remark(
        "Note: Erased entries that are to be destroyed on this disk could not be, for now. They"
          + " stay hidden, and it is tried again at the next opening. “cairn check” tells whether"
          + " the vault is sound.")
    }
  }

  /// What the note said already is not said again; scripts, which read one object, are told all of it.
  private func afterNote(_ error: any Error, _ told: VaultError.Code?) -> any Error {
    let failure = error as? Failure ?? (error as? VaultError).map { Failure($0) }
    guard let told, let failure, failure.code == told.rawValue, !json else { return error }
    return Failure(
      code: failure.code, status: failure.status,
      Sentence("So this was not done.", safe: Sentences.unchanged, next: ""))
  }

  /// Says that there is no vault before it asks for its passphrase.
  private func requireVault() throws {
    var isFolder: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: vaultFolder, isDirectory: &isFolder)
    if !exists { throw failure(.noVault) }
    if !isFolder.boolValue { throw failure(.notAVault) }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: vaultFolder)
    } catch {
      throw Failure(VaultError(.fileUnreadable), subject: "the vault's folder")
    }
    if names.isEmpty { throw failure(.noVault) }
    if Set(names).isDisjoint(with: ["keys", "keys.bak", "vault.db", "vault-2.db"]) {
      throw failure(.notAVault)
    }
  }

  private func failure(_ code: VaultError.Code) -> Failure {
    Failure(VaultError(code), subject: SafeText.quoted(vaultFolder))
  }

  private func open(terminal: Terminal?) throws -> OpenVault {
    if let file = namedPassphraseFile {
      let passphrase = try Passphrase.normalized(try Passphrase.read(file: file))
      do throws(VaultError) {
        return try open(passphrase)
      } catch {
        // A script with the right passphrase never waits.
        if error.code == .wrongPassphrase {
          try OpeningPause.wait(forVaultAt: vaultFolder, isQuiet: json)
        }
        throw error
      }
    }
    guard let terminal else { throw Self.noPassphrase }
    for attempt in 1... {
      guard let typed = try terminal.askSecret("Passphrase (nothing shows as you type): ") else {
        break
      }
      do {
        return try open(try Passphrase.normalized(typed))
      } catch let error as VaultError where error.code == .wrongPassphrase {
        // Whoever types the right one never waits. Who goes on typing meanwhile types another passphrase.
        try terminal.silently { () throws(VaultError) in
          try OpeningPause.wait(forVaultAt: vaultFolder, isQuiet: false)
        }
        guard attempt < 3 else { throw error }
        terminal.explain(
          "That passphrase does not open this vault. Please try again; Caps Lock or another keyboard"
            + " layout is the usual reason.")
      }
    }
    throw Self.noPassphrase
  }

  private func open(_ passphrase: borrowing LockedBytes) throws(VaultError) -> OpenVault {
    try OpenVault(
      opening: vaultFolder, passphrase: passphrase, surroundings: Self.surroundings)
  }

  /// Says what is unusual; what it was, if it keeps the vault from being written to.
  private func warn(of vault: OpenVault) async -> VaultError.Code? {
    if let sentence = LocksSentences.of(await vault.locks) { Output.remark("Note: " + sentence) }
    let code: VaultError.Code
    switch await vault.standing {
    case .sound: return nil
    case .copied: code = .copied
    case .rolledBack: code = .rolledBack
    }
    Output.remark("Note: " + Sentences.of(VaultError(code)).text)
    return code
  }

  static var noPassphrase: Failure {
    .usage(
      "noPassphrase",
      Sentence(
        "The vault needs its passphrase, and there was nobody to ask.",
        safe: Sentences.unchanged,
        next: "Run this on a terminal without --no-input, or name a file with --passphrase-file."))
  }
}

/// What is said of the two files with the locks where an opening found something unusual.
enum LocksSentences {
  static func of(_ condition: LocksCondition) -> String? {
    switch condition {
    case .whole: return nil
    case .madeAgain: return madeAgain
    case .oneLeft:
      return
        "One of the two files with this vault's locks (“keys” and “keys.bak”) is missing or damaged, and"
        + " could not be made again: look at what is in its place. The vault opens by the other. Make a"
        + " backup now: cairn backup"
    case .differed:
      return
        "The two files with this vault's locks (“keys” and “keys.bak”) were of different times, as if an"
        + " older one had been put back. The newer one that opened is used. If that was not you: cairn"
        + " passphrase --somebody-may-know-it"
    }
  }

  static let madeAgain =
    "One of the two files with this vault's locks (“keys” and “keys.bak”) was missing or damaged, and was"
    + " made again from the other. Nothing is lost. Should it happen again, the disk may be failing: make a"
    + " backup, with “cairn backup”."
}
