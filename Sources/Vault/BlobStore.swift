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
  /// The temporary file of a large one, synced, without its name yet.
  let temporary: String?
}

/// The sealed files of attachments. Formats: `Protocol/VaultFiles.md`.
struct BlobStore: Sendable {
  static let inlineLimit: UInt64 = 65_536

  let folder: String
  private var temporaryFolder: String { folder + "/tmp" }

  func path(of root: BlobRoot) -> String {
    let name = Base32.encode(root.bytes)
    return folder + "/" + name.prefix(2) + "/" + name.dropFirst(2)
  }

  /// Where an attachment is gathered that comes from elsewhere piece by piece, perhaps over days.
  func partialPath(of root: BlobRoot, size: UInt64) -> String {
    folder + "/partial/" + root.base32 + "-" + String(size)
  }

  /// A name for a file under construction, which nobody has.
  func temporaryPath() -> String { temporaryFolder + "/" + Hex.encode(Randomness.bytes(8)) }

  func makeFolders() throws(VaultError) {
    try Folders.make(folder)
    try Folders.make(temporaryFolder)
    try Folders.make(folder + "/partial")
  }

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

  /// Seals what `read` gives until it gives nothing, in bounded memory.
  ///
  /// On return a large blob is on the medium under a temporary name; `commit` gives it its own.
  func seal(
    _ read: (inout [UInt8], Int) throws(VaultError) -> Int,
    onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> NewBlob {
    let key = SecretKey.random()
    var writer = BlobWriter(
      cipher: SpanCipher(key: key.derive(.blobSpans)), temporaryFolder: temporaryFolder)
    var hash = SHA256Hash()
    var size: UInt64 = 0
    let chunk = 16 * SpanCipher.plaintextByteCount
    var buffer = [UInt8](repeating: 0, count: chunk)
    do throws(VaultError) {
      while true {
        let count = try read(&buffer, chunk)
        size += UInt64(count)
        guard size <= 1 << 40 else { throw VaultError(.fileTooLarge) }
        try buffer.withBytes { (bytes) throws(VaultError) in
          hash.update(bytes.extracting(0..<count))
          try writer.append(bytes.extracting(0..<count))
        }
        try onBytes(count)
        if count < chunk { break }
      }
      return try writer.finish(size: size, sha256: hash.finalize(), key: key)
    } catch {
      writer.discard()
      throw error
    }
  }

  /// Gives a large blob its name. The caller syncs the folders with `synchronizeFolders` before anything
  /// refers to it.
  func commit(_ blob: borrowing NewBlob) throws(VaultError) {
    guard let temporary = blob.temporary else { return }
    let path = path(of: blob.root)
    try Folders.make(Folders.parent(of: path))
    try Folders.rename(temporary, to: path)
  }

  func synchronizeFolders(of roots: [BlobRoot]) throws(VaultError) {
    for name in Set(roots.map { Folders.parent(of: path(of: $0)) }).sorted() {
      try Folders.synchronize(name)
    }
    try Folders.synchronize(folder)
  }

  func discard(_ blob: borrowing NewBlob) {
    if let temporary = blob.temporary { Folders.remove(temporary) }
  }
}

/// Seals a stream span by span. A span is held back until more bytes or the end show whether it is the last.
private struct BlobWriter: ~Copyable {
  private let cipher: SpanCipher
  private let temporaryFolder: String
  private var tree = BlobTree()
  private var pending: [UInt8] = []
  private var index: UInt64 = 0
  private var sealed: [UInt8] = []
  private var sealedSize: UInt64 = 0
  private var file: OpenFile?
  private var path: String?

  init(cipher: consuming SpanCipher, temporaryFolder: String) {
    self.cipher = cipher
    self.temporaryFolder = temporaryFolder
    pending.reserveCapacity(17 * SpanCipher.plaintextByteCount)
  }

  mutating func append(_ bytes: RawSpan) throws(VaultError) {
    unsafe bytes.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    try sealPending(isLast: false)
  }

  mutating func finish(
    size: UInt64, sha256: Bytes32, key: borrowing SecretKey
  ) throws(VaultError) -> NewBlob {
    var zeros = Padme.paddedLength(size + 8) - (size + 8)
    while zeros > 0 {
      let count = min(zeros, UInt64(16 * SpanCipher.plaintextByteCount))
      pending += [UInt8](repeating: 0, count: Int(count))
      zeros -= count
      try sealPending(isLast: false)
    }
    for shift in stride(from: 56, through: 0, by: -8) {
      pending.append(UInt8(truncatingIfNeeded: size >> UInt64(shift)))
    }
    try sealPending(isLast: true)
    let isInline = size <= BlobStore.inlineLimit
    if !isInline {
      try flush()
      try file?.synchronize()
    }
    return NewBlob(
      root: tree.root, key: key.copy(), size: size, sha256: sha256, sealedSize: sealedSize,
      inline: isInline ? sealed : nil, temporary: path)
  }

  mutating func discard() {
    if let path { Folders.remove(path) }
  }

  private mutating func sealPending(isLast: Bool) throws(VaultError) {
    let span = SpanCipher.plaintextByteCount
    var start = 0
    while pending.count - start > span || (isLast && start < pending.count) {
      let end = min(start + span, pending.count)
      let isLastSpan = isLast && end == pending.count
      let bytes = pending.withBytes {
        cipher.seal($0.extracting(start..<end), index: index, isLast: isLastSpan)
      }
      bytes.withBytes { tree.append($0) }
      sealed += bytes
      sealedSize += UInt64(bytes.count)
      index += 1
      start = end
    }
    pending.removeFirst(start)
    if sealedSize > BlobStore.inlineLimit * 4 || path != nil { try flush() }
  }

  private mutating func flush() throws(VaultError) {
    if path == nil {
      let name = temporaryFolder + "/" + Hex.encode(Randomness.bytes(8))
      file = try OpenFile(creating: name)
      path = name
    }
    try file?.write(sealed)
    sealed.removeAll(keepingCapacity: true)
  }
}
