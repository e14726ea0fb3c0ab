internal import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A folder beside a vault's place, in which it is put together until it is moved there whole. One that a killed
/// program left goes when the next one is made beside it.
struct BuildingPlace: ~Copyable {
  /// Where the vault will be.
  let target: String
  /// Of the vault in the making.
  let files: VaultFiles
  private let parent: String
  /// Shared by all who build there: who has it alone knows that what is left is nobody's.
  private let lock: OpenFile
  private let made: [String]

  private static let prefix = ".cairn-"
  private static let randomByteCount = 8

  /// - Throws: `.vaultExists`, `.placeIsDisk`, `.inUse`, or what the system says.
  init(for path: String, generation: UInt32 = 0) throws(VaultError) {
    let target = try Self.free(path)
    let parent = Folders.parent(of: target)
    let made = try Folders.makeAll(parent)
    let files = VaultFiles(
      folder: parent + "/" + Self.prefix + Hex.encode(Randomness.bytes(Self.randomByteCount)),
      generation: generation)
    let lock: OpenFile
    do throws(VaultError) {
      lock = try Self.begin(files.folder, in: parent)
    } catch {
      Folders.removeMade(made)
      throw error
    }
    self.lock = lock
    self.target = target
    self.parent = parent
    self.files = files
    self.made = made
  }

  private static func begin(
    _ folder: String, in parent: String
  ) throws(VaultError) -> OpenFile {
    var lock = try OpenFile(folder: parent)
    if try lock.lock() { sweep(parent) }
    guard try lock.lock(.shared) else { throw VaultError(.inUse) }
    try Folders.make(folder)
    return lock
  }

  /// A place at which nothing is, or an empty folder, in the spelling to which links in it lead: nothing could be
  /// moved onto a link later.
  static func free(_ path: String) throws(VaultError) -> String {
    let target = VaultFiles.resolved(path)
    guard Folders.exists(target) else { return target }
    guard try Folders.names(in: target).isEmpty else { throw VaultError(.vaultExists) }
    let parent = Folders.parent(of: target)
    guard try Folders.device(of: target) == Folders.device(of: parent) else {
      throw VaultError(.placeIsDisk)
    }
    return target
  }

  /// Moves the whole to its place. Its name is on the medium when this returns.
  func move() throws(VaultError) {
    do throws(VaultError) {
      try Folders.rename(files.folder, to: target)
    } catch {
      throw [EBUSY, EXDEV].contains(error.systemError) ? VaultError(.placeIsDisk) : error
    }
    try Folders.synchronize(parent)
  }

  /// Removes what was built, and the folders that were made for it.
  func giveUp() {
    Folders.removeTree(files.folder)
    Folders.removeMade(made)
  }

  /// Removes what killed programs left beside a vault, unless somebody builds there now: a copy that a restore was
  /// making opens by the passphrase of its backup's day.
  static func sweep(beside vault: String) {
    let parent = Folders.parent(of: VaultFiles.resolved(vault))
    do throws(VaultError) {
      // Whoever begins to build meanwhile must not meet this lock.
      guard try Folders.names(in: parent).contains(where: isOfOurs) else { return }
      var lock = try OpenFile(folder: parent)
      if try lock.lock() { sweep(parent) }
    } catch {
      return
    }
  }

  /// Removes what killed programs of this account left here: folders of such a name, in which nothing but a vault's
  /// files is.
  private static func sweep(_ parent: String) {
    let names: [String]
    do throws(VaultError) { names = try Folders.names(in: parent) } catch { return }
    for name in names where isOfOurs(name) {
      let folder = parent + "/" + name
      guard Folders.isReal(folder), Folders.isOwn(folder) else { continue }
      do throws(VaultError) {
        guard VaultFiles.allNames.isSuperset(of: try Folders.names(in: folder)) else { continue }
      } catch {
        continue
      }
      Folders.removeTree(folder)
    }
  }

  private static func isOfOurs(_ name: String) -> Bool {
    guard name.hasPrefix(prefix) else { return false }
    let digits = name.utf8.dropFirst(prefix.utf8.count)
    return digits.count == 2 * randomByteCount
      && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
