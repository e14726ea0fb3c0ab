import Cryptography
import Vault

extension GlobalOptions {
  /// Asks for a passphrase, once more where it was a wrong one, and gives it to `body`. For what opens a
  /// vault's files in another way than as a vault.
  func withPassphrase<Result>(
    _ terminal: Terminal?, _ body: (borrowing LockedBytes) async throws -> Result
  ) async throws -> Result {
    if let file = namedPassphraseFile {
      return try await body(try Passphrase.normalized(try Passphrase.read(file: file)))
    }
    guard let terminal else { throw Self.noPassphrase }
    for attempt in 1... {
      guard let typed = try terminal.askSecret("Passphrase (nothing shows as you type): ") else {
        break
      }
      do {
        return try await body(try Passphrase.normalized(typed))
      } catch let error as VaultError where error.code == .wrongPassphrase && attempt < 3 {
        terminal.explain(
          "That passphrase does not open this. Please try again; Caps Lock or another keyboard layout"
            + " is the usual reason.")
      }
    }
    throw Self.noPassphrase
  }
}
