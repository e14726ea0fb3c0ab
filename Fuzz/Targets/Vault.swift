import CaseLog
import Cryptography
import VerifiableLog

@testable import Vault

extension FuzzTarget {
  static let vault = [
    FuzzTarget("keys-file", maximumByteCount: 4096, checkKeysFile),
    FuzzTarget("anchor", maximumByteCount: 1024, treeOffset: 1, checkAnchor),
    FuzzTarget("page", maximumByteCount: 4056, checkPage),
    FuzzTarget("csv", maximumByteCount: 2048, checkCSV),
    FuzzTarget("spans", maximumByteCount: 2048, checkSpans),
  ]
}

// MARK: - Locks, anchor, attempts

/// All but the digest, which is made right.
private func checkKeysFile(_ input: [UInt8]) throws(Broken) {
  var bytes = Array(input.prefix(4064))
  _ = KeysFile(damaged: bytes).map { [$0.generation, UInt32(truncatingIfNeeded: $0.change)] }
  bytes += [UInt8](repeating: 0, count: 4064 - bytes.count)
  bytes += Domain.keysFile.hash(bytes).bytes
  guard let file = accepted({ try KeysFile(decoding: bytes) }) else { return }
  try hold(file.bytes == bytes && file.vaultID.count == 16, "kept as it came")
  try hold((65_536...2_097_152).contains(file.cost.memoryKiB), "at a cost within the limits")
  try hold((1...20).contains(file.cost.passes), "at a cost within the limits")
  let place = Int(input.last ?? 0) * 16
  try hold(
    accepted { try KeysFile(decoding: bytes.toggling(place)) } == nil, "what was altered shows")
  try hold(accepted { try KeysFile(decoding: bytes.dropLast()) } == nil, "nor a beginning")
  try hold(KeysFile(damaged: bytes)?.bytes == bytes, "undamaged, a damaged file is the same")
  _ = accepted { () throws(VaultError) in
    try file.unlock(kit: FuzzCase.shared.survivor.box).withBytes { $0.byteCount }
  }
}

/// What stands inside the seal; or attempts, which have none.
private func checkAnchor(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let isAttempts = choices.bool()
  let inside = choices.remaining
  if isAttempts {
    let attempts = OpeningAttempts(decoding: inside)
    try hold(OpeningAttempts(decoding: attempts.bytes) == attempts, "attempts are read as written")
    try hold(attempts.wait(at: attempts.lastFailure ?? 0) <= 30, "nobody waits for long")
    _ = attempts.after(failure: .max).wait(at: .max)
    return
  }
  let key = FuzzCase.secretKey([70])
  let nonce = Nonce24.zero
  let bytes =
    nonce.bytes
    + AEAD.seal(inside, key: key, nonce: nonce, associatedData: Domain.anchor.bytes)
  guard let anchor = accepted({ try Anchor(opening: bytes, key: key) }) else { return }
  try hold(anchor.vaultID.count == 16 && anchor.logs.count <= 16_384, "within the limits")
  guard let again = accepted({ try Anchor(opening: anchor.seal(key: key), key: key) }) else {
    throw Broken(promise: "an anchor is read as written")
  }
  try hold(Set(again.logs) == Set(anchor.logs), "with the same logs")
}

// MARK: - Pages

private func checkPage(_ input: [UInt8]) throws(Broken) {
  let page = input + [UInt8](repeating: 0, count: max(0, 4056 - input.count))
  let isFirst = page[4055] & 1 == 1
  guard let (cells, broken) = SQLitePage.cells(of: page, isFirst: isFirst) else { return }
  try hold(cells.count + broken <= 2028, "no more cells than a page has room for")
  for cell in cells.prefix(64) {
    try hold(
      cell.payloadByteCount <= SQLitePage.maximumPayload
        && cell.local.count <= cell.payloadByteCount, "within the limits")
    try hold(
      (cell.overflow == nil) == (cell.local.count == cell.payloadByteCount), "or it goes on")
    guard let columns = SQLitePage.columns(of: cell.local) else { continue }
    try hold(columns.count <= 32, "no more columns than a row has")
    _ = SalvagedRow.Shape(columns, isTable: cell.rowid != nil)
    _ = SQLitePage.firstValues(of: cell.local, min(3, columns.count))
    guard let values = SQLitePage.values(of: Array(cell.local)) else { continue }
    try hold(values.count == columns.count, "a value for each column")
    for (value, column) in zip(values, columns) {
      try hold(isOf(value, column), "and of its kind")
    }
    let first = SQLitePage.firstValues(of: cell.local, values.count)
    try hold(first == values, "from the beginning they are the same")
  }
}

private func isOf(_ value: SQLitePage.Value, _ column: SQLitePage.ColumnType) -> Bool {
  switch (value, column) {
  case (.null, .null), (.integer, .integer), (.real, .real): true
  case (.text(let bytes), .text(let count)), (.blob(let bytes), .blob(let count)):
    bytes.count == count
  default: false
  }
}

// MARK: - Tables as text

private func checkCSV(_ input: [UInt8]) throws(Broken) {
  guard let rows = accepted({ try CSV.rows(of: input) }) else { return }
  try hold(rows.allSatisfy { $0.cells.count <= 256 }, "no more cells than the limit")
  let lines = rows.map(\.line)
  try hold(zip(lines, lines.dropFirst()).allSatisfy { $0 < $1 }, "each in a line of its own")
  for row in rows where row.problem == nil {
    // A quotation mark first, or the line that names a separator, would be read as what it is not.
    let written = CSV.line(row.cells.map { "x" + $0 })
    let again = accepted { try CSV.rows(of: written) }
    try hold(
      again?.map(\.cells) == [row.cells.map { "x" + $0 }], "a row is read as it was written")
    for cell in row.cells {
      try hold(CSV.unguarded(CSV.guarded(cell)) == cell, "what was guarded is what it was")
    }
  }
}

// MARK: - Attachments in the vault

/// The plaintext of a sealed attachment, with whatever padding it has, as one of `size` bytes.
private func checkSpans(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let flags = choices.byte()
  let size = flags & 1 == 0 ? UInt64(choices.byte()) : choices.uint64() >> 23
  var inside = choices.remaining
  if flags & 2 == 0 {
    let length = Int(min(Padme.paddedLength(size + 8), 4096))
    inside = Array(inside.prefix(length))
    inside += [UInt8](repeating: 0, count: length - inside.count)
    if flags & 4 == 0, length >= 8 {
      for index in 0..<8 {
        inside[length - 8 + index] = UInt8(truncatingIfNeeded: size >> UInt64(8 * (7 - index)))
      }
    }
  }
  let key = FuzzCase.secretKey([80])
  let cipher = SpanCipher(key: key.derive(.blobSpans))
  var sealed = inside.withBytes { cipher.seal($0, index: 0, isLast: true) }
  if flags & 8 == 8 { sealed[Int(flags) % sealed.count] ^= 1 }
  var pieces: [UInt8] = []
  var isWhole = false
  do throws(VaultError) {
    let reader = try BlobReader(inline: sealed, path: "", key: key, size: size)
    _ = accepted { () throws(VaultError) in
      try reader.read(at: UInt64(choices.byte()), count: Int(flags))
    }
    try reader.forEachPiece { (bytes) throws(VaultError) in pieces += bytes.copied() }
    isWhole = true
  } catch {
    isWhole = false
  }
  try hold(inside.starts(with: pieces), "nothing but what was sealed")
  guard isWhole else { return }
  try hold(flags & 8 == 0 && UInt64(pieces.count) == size, "all of it, or it is told")
  try hold(inside[Int(size)...].dropLast(8).allSatisfy { $0 == 0 }, "with nothing behind it")
  let length = inside.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  try hold(length == size, "but its length")
}
