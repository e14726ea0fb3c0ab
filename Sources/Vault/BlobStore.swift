internal import Cryptography
internal import VerifiableLog

/// What sealing an attachment gave. Its key belongs into the entry that names it.
struct NewBlob: ~Copyable {
  let root: BlobRoot
  let key: SecretKey
  /// Of the original bytes.
  let size: UInt64
  let sha256: Bytes32
  let sealedSize: UInt64
  /// The sealed bytes of a small one, which belongs into the database.
  let inline: [UInt8]?
  /// A large one, under a temporary name, and perhaps not on the medium yet.
  let file: UnnamedFile?
}

/// The sealed files of attachments. Formats: `Protocol/VaultFiles.md`.
struct BlobStore: Sendable {
  static let inlineLimit: UInt64 = 65_536

  let folder: String
  var temporaryFolder: String { folder + "/tmp" }

  func path(of root: BlobRoot) -> String {
    let name = Base32.encode(root.bytes)
    return folder + "/" + name.prefix(2) + "/" + name.dropFirst(2)
  }

  /// Where an attachment is gathered that comes from elsewhere piece by piece, perhaps over days.
  func partialPath(of root: BlobRoot, size: UInt64) -> String {
    folder + "/partial/" + root.base32 + "-" + String(size)
  }

  /// What was gathered of an attachment, of whatever length somebody says that it has.
  func partialPaths(of root: BlobRoot) throws(VaultError) -> [String] {
    let partial = folder + "/partial"
    guard Folders.isReal(partial) else { return [] }
    return try Folders.names(in: partial).filter { $0.hasPrefix(root.base32 + "-") }
      .map { partial + "/" + $0 }
  }

  /// A name for a file under construction, which nobody has.
  func temporaryPath() -> String { temporaryFolder + "/" + Hex.encode(Randomness.bytes(8)) }

  func makeFolders() throws(VaultError) {
    try Folders.make(folder)
    try Folders.make(temporaryFolder)
    try Folders.make(folder + "/partial")
  }

  /// Whether its disk has room for so many bytes more, and some for what else the vault has to write.
  func hasRoom(for byteCount: UInt64) -> Bool {
    guard let room = Folders.room(in: folder) else { return true }
    let reserve = min(Self.reserve, room.all / 16)
    return room.free >= reserve && room.free - reserve >= byteCount
  }

  /// Enough for entries of years, and for the log of a change.
  private static let reserve: UInt64 = 64 << 20

  /// Gives a gathered attachment its place: a large one is renamed, a small one is returned for the database.
  func adopt(_ root: BlobRoot, sealedSize: UInt64) throws(VaultError) -> [UInt8]? {
    let partial = partialPath(of: root, size: sealedSize)
    if sealedSize <= Self.largestInlineSealed {
      return try Folders.read(partial, max: Int(Self.largestInlineSealed))
    }
    try OpenFile(reading: partial, followingLinks: false).synchronize()
    let path = path(of: root)
    try Folders.make(Folders.parent(of: path))
    try Folders.rename(partial, to: path)
    try synchronizeFolders(of: [root])
    return nil
  }

  /// Sealed bytes of an attachment of 64 KiB.
  private static var largestInlineSealed: UInt64 {
    let plaintext = Padme.paddedLength(inlineLimit + 8)
    return plaintext + SpanCipher.spanCount(plaintextByteCount: plaintext)
      * UInt64(AEAD.tagByteCount)
  }

  /// Removes what an interrupted run left unfinished; nothing names such a file. Whatever else somebody put
  /// there stays, and so does all of a folder to which a link leads from there.
  func sweep() throws(VaultError) {
    try makeFolders()
    guard Folders.isReal(temporaryFolder) else { return }
    let folder = try OpenFile(realFolder: temporaryFolder)
    for name in try Folders.names(in: folder) where Self.isTemporary(name) {
      try Folders.removeFile(name, in: folder)
    }
  }

  private static func isTemporary(_ name: String) -> Bool {
    name.utf8.count == 16
      && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Whether these are the two parts of a sealed file's name.
  static func isStored(_ folder: String, _ file: String) -> Bool {
    guard folder.utf8.count == 2 else { return false }
    do {
      return try Base32.decode(folder + file).count == 32
    } catch {
      return false
    }
  }

  /// Whether all folders in it are its own, and none a link to somewhere else.
  func hasOwnFoldersOnly() throws(VaultError) -> Bool {
    guard Folders.exists(folder) else { return true }
    guard Folders.isReal(folder) else { return false }
    for name in try Folders.names(in: folder)
    where name.utf8.count == 2 || name == "tmp" || name == "partial" {
      guard Folders.isReal(folder + "/" + name) else { return false }
    }
    return true
  }

  /// Removes sealed files, but those at these paths.
  ///
  /// - Returns: how many.
  func removeStored(except named: Set<String>) throws(VaultError) -> Int {
    var count = 0
    for name in try Folders.names(in: folder) where name.utf8.count == 2 {
      let path = folder + "/" + name
      guard Folders.isReal(path) else { continue }
      let inside = try OpenFile(realFolder: path)
      let unnamed = try Folders.names(in: inside).filter {
        Self.isStored(name, $0) && !named.contains(path + "/" + $0)
      }
      for file in unnamed { try Folders.removeFile(file, in: inside) }
      if !unnamed.isEmpty { try inside.synchronizeFolder() }
      count += unnamed.count
    }
    return count
  }

  /// Waits until a large blob is on the medium and gives it its name. The caller syncs the folders with
  /// `synchronizeFolders` before anything refers to it.
  func commit(_ blob: borrowing NewBlob) throws(VaultError) {
    guard let file = blob.file else { return }
    try file.waitUntilSynchronized()
    let path = path(of: blob.root)
    try Folders.make(Folders.parent(of: path))
    try Folders.rename(file.path, to: path)
  }

  func synchronizeFolders(of roots: [BlobRoot]) throws(VaultError) {
    for name in Set(roots.map { Folders.parent(of: path(of: $0)) }).sorted() {
      try Folders.synchronize(name)
    }
    try Folders.synchronize(folder)
  }

  func discard(_ blob: borrowing NewBlob) {
    if let file = blob.file { Folders.remove(file.path) }
  }
}
