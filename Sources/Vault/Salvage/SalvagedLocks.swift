internal import Cryptography

/// The keys of a damaged vault, from whichever copy of its locks still has one that opens.
struct SalvagedLocks: ~Copyable {
  let files: VaultFiles
  let keys: VaultKeys
  let vaultID: [UInt8]
  let state: SalvageOutcome.Locks

  static func open(
    _ files: VaultFiles, by unlock: (KeysFile) throws(VaultError) -> SecretKey
  ) throws(VaultError) -> SalvagedLocks {
    guard Folders.exists(files.folder) else { throw VaultError(.noVault) }
    var refusal = VaultError(.keysMissing)
    for candidate in candidates(files) {
      do throws(VaultError) {
        let master = try unlock(candidate.file)
        let keys = VaultKeys(master: master)
        return SalvagedLocks(
          files: named(by: candidate.file, files, keys), keys: keys,
          vaultID: candidate.file.vaultID, state: candidate.state)
      } catch {
        switch error.code {
        // One may ask for more memory than there is; the other may not.
        case .wrongPassphrase, .kitMismatch, .inputOutput: break
        default: throw error
        }
        // Whole ones come first: of a damaged file it is not known whose fault it is.
        if refusal.code == .keysMissing || refusal.code == .inputOutput { refusal = error }
      }
    }
    if refusal.code == .keysMissing { try files.checkIsVault() }
    throw refusal
  }

  /// The database of the locks' generation, or the other one if only that has pages that open.
  private static func named(
    by keysFile: KeysFile, _ files: VaultFiles, _ keys: VaultKeys
  ) -> VaultFiles {
    let named = files.of(generation: keysFile.generation)
    func opens(_ files: VaultFiles) -> Bool {
      do {
        return try SealedPages(key: keys.database, vaultID: keysFile.vaultID)
          .hasAny(in: files.database)
      } catch {
        return false
      }
    }
    return !opens(named) && opens(named.other) ? named.other : named
  }

  /// Whole files first; then what is left of damaged ones, of which a lock may still be whole.
  private static func candidates(
    _ files: VaultFiles
  ) -> [(file: KeysFile, state: SalvageOutcome.Locks)] {
    var whole: [(KeysFile, SalvageOutcome.Locks)] = []
    var damaged: [(KeysFile, SalvageOutcome.Locks)] = []
    for (path, state) in [(files.keys, SalvageOutcome.Locks.first), (files.secondKeys, .second)] {
      let bytes: [UInt8]
      do throws(VaultError) {
        bytes = try Folders.read(path, max: 1 << 16)
      } catch {
        continue
      }
      do throws(VaultError) {
        whole.append((try KeysFile(decoding: bytes), state))
      } catch {
        if let file = KeysFile(damaged: bytes) { damaged.append((file, .damaged)) }
      }
    }
    return whole + damaged
  }
}
