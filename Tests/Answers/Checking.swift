import BundleCheck
import CaseLog
import Cryptography
import SealedBundle
import Vault
import VerifiableLog

extension Question {
  func verdict() throws -> Answer {
    let trust = try BundleTrust(fingerprint: fingerprint, witnesses: witnesses ?? [])
    do throws(BundleOpenError) {
      let verdict = try BundleCheck.verify(path: try required(path), key: .none, trust: trust)
      return Answer(
        verdict: VerdictJSON.line(verdict), state: verdict.record?.state.stateHash.hex)
    } catch {
      return Answer(verdict: VerdictJSON.line(error))
    }
  }

  /// A path that is not there cannot be read, as any other.
  private func required(_ path: String?) throws(BundleOpenError) -> String {
    guard let path else { throw .unreadable }
    return path
  }

  /// The vault is a new one at the least cost, so that thousands can be made; what it takes from the folder is the
  /// same at any.
  func recovered() async throws -> Answer {
    let kit = try Array(try given(words).utf8).withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
    let folder = try given(path)
    do throws(VaultError) {
      let found = try OpenVault.findCase(in: folder, kit: kit)
      let vault = try OpenVault.create(
        at: try vaultPath(), passphrase: try passphrase(), kit: kit, cost: .least,
        recovering: found, named: "default",
        surroundings: Surroundings(now: { 1_900_000_000 }, machine: Array("a machine".utf8)))
      let outcome = try await vault.sync(caseNamed: nil, mailbox: folder)
      let standing = try await vault.recoveryStanding(ofCase: nil)
      let members = try await vault.members(ofCase: nil).members.filter { !$0.isOwn }
      try await vault.close()
      return Answer(
        found: "ok",
        logs: Dictionary(
          uniqueKeysWithValues: members.map { ($0.logID.base32, $0.entriesWritten) }),
        opened: standing.entries, files: standing.filesPresent,
        problems: outcome.problems.map { "\($0)".prefix { $0 != "(" } }.map(String.init))
    } catch {
      return Answer(found: error.code.rawValue)
    }
  }

  private func vaultPath() throws(VaultError) -> String {
    guard let scratch else { throw VaultError(.inputOutput) }
    return scratch + "/vault"
  }

  private func passphrase() throws(VaultError) -> LockedBytes {
    do {
      return try Array("of a vault that nobody keeps".utf8).withBytes {
        (bytes) throws(CryptographyError) in try LockedBytes(copying: bytes)
      }
    } catch { throw VaultError(.inputOutput) }
  }
}
