import CaseLog
import Cryptography
import VerifiableLog

extension FuzzTarget {
  static let papers = [
    FuzzTarget("card", maximumByteCount: 1024, treeOffset: 1, checkCard),
    FuzzTarget("invitation", maximumByteCount: 4096, treeOffset: 1, checkInvitation),
    FuzzTarget("statement", maximumByteCount: 4096, treeOffset: 1, checkStatement),
  ]
}

/// A card as it is, or a body that its device signs.
private func checkCard(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let (isRaw, device) = (choices.bool(), FuzzCase.shared.survivor)
  var bytes = choices.remaining
  if !isRaw {
    bytes =
      CBORTree.array([
        .bytes(bytes), .bytes(device.signing.sign(bytes, in: .card).bytes),
        .bytes(device.receipt.sign(bytes, in: .card).bytes),
      ]).encoded
  }
  guard let card = accepted({ try Card(decoding: bytes) }) else { return }
  try hold(card.bytes == bytes && bytes.count <= 4096, "a card is kept as it came")
  try hold(accepted { try Card(verifiedBefore: bytes) } == card, "read back it is the same")
  try hold(accepted { try Card(decoding: bytes + [0]) } == nil, "nothing may follow")
  try hold(accepted { try Card(decoding: bytes.dropLast()) } == nil, "a beginning is no card")
  let wrong = bytes.toggling(bytes.count - 1)
  try hold(accepted { try Card(decoding: wrong) } == nil, "both keys sign it")
  if card.signingKey == device.signing.publicKey, card.receiptKey == device.receipt.publicKey {
    let made = Card.make(
      signing: device.signing, receipt: device.receipt, box: card.boxKey, role: card.role)
    try hold(made == bytes, "there is one encoding of a card")
  }
}

/// What stands inside the seal. The root signs the founding statement in it once more, if the input says so.
private func checkInvitation(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let flags = choices.byte()
  let fuzzed = FuzzCase.shared
  let device = fuzzed.advocate
  var inside = choices.remaining
  if flags & 1 == 1 { inside = withFoundingSigned(inside) }
  guard
    let sealed = accepted({ () throws(CryptographyError) in
      try inside.withBytes { (bytes) throws(CryptographyError) in
        try SealedBox.seal(bytes, to: device.card.boxKey)
      }
    })
  else { return }
  var bytes = device.card.identifier.bytes + sealed
  if flags & 2 == 2 { bytes = inside }
  try hold(
    (Invitation.cardIdentifier(of: bytes) == nil) == (bytes.count <= 32), "whom it is for")
  guard let invitation = accepted({ try Invitation(opening: bytes, with: device.box) }) else {
    return
  }
  try hold(bytes.count <= 64 * 1024, "no longer than the limit")
  guard case .founding(let root, _, _) = invitation.founding.content else {
    throw Broken(promise: "an invitation begins a case")
  }
  try hold(root == invitation.root && invitation.caseID == CaseID(root: root), "of this root")
  guard let again = accepted({ try invitation.seal(to: device.card) }),
    let opened = accepted({ try SealedBox.open(Array(again.dropFirst(32)), with: device.box) })
  else { throw Broken(promise: "what opened can be sealed") }
  try hold(opened == inside, "there is one encoding of an invitation")
}

private func withFoundingSigned(_ inside: [UInt8]) -> [UInt8] {
  guard case .map(var items)? = CBORTree(inside) else { return inside }
  for index in stride(from: 1, to: items.count, by: 2) {
    guard case .nested(.array(let parts)) = items[index], let body = parts.first?.content else {
      continue
    }
    items[index] = .bytes(FuzzCase.shared.statement(body))
  }
  return CBORTree.map(items).encoded
}

/// A body that the root signs, or the body of a succession that the old and the new keys sign; or either as it is.
private func checkStatement(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let flags = choices.byte()
  let (fuzzed, body) = (FuzzCase.shared, choices.remaining)
  if flags & 1 == 0 {
    let bytes = flags & 2 == 0 ? fuzzed.statement(body) : body
    func decoded(_ bytes: [UInt8]) -> RootStatement? {
      accepted {
        try RootStatement(decoding: bytes, caseID: fuzzed.caseID, root: fuzzed.root.publicKey)
      }
    }
    _ = accepted { try RootStatement.claimedRoot(of: bytes) }
    guard let statement = decoded(bytes) else { return }
    try hold(statement.bytes == bytes && bytes.count <= 4096, "kept as it came")
    let readBack = accepted {
      try RootStatement(verifiedBefore: bytes, caseID: fuzzed.caseID, root: fuzzed.root.publicKey)
    }
    try hold(readBack == statement, "read back it is the same")
    try hold(decoded(bytes + [0]) == nil, "nothing may follow")
    try hold(decoded(bytes.toggling(bytes.count - 1)) == nil, "the root signs it")
    if let again = signedAgain(statement.content) {
      try hold(again == bytes, "there is one encoding of a statement")
    }
  } else {
    let (old, new) = (fuzzed.survivor, fuzzed.advocate)
    let signed = CBORTree.array([
      .bytes(body), .bytes(old.signing.sign(body, in: .succession).bytes),
      .bytes(new.signing.sign(body, in: .succession).bytes),
    ]).encoded
    let bytes = flags & 2 == 0 ? signed : body
    guard let succession = accepted({ try Succession(decoding: bytes, caseID: fuzzed.caseID) })
    else { return }
    try hold(succession.oldKey != succession.card.signingKey, "new keys are others")
    let readBack = accepted { try Succession(verifiedBefore: bytes, caseID: fuzzed.caseID) }
    try hold(readBack == succession, "read back it is the same")
    let again = Succession.sign(
      succession.card, in: fuzzed.caseID, with: old.signing, and: new.signing)
    try hold(again == bytes, "there is one encoding of a succession")
  }
}

private func signedAgain(_ content: RootStatement.Content) -> [UInt8]? {
  let root = FuzzCase.shared
  return switch content {
  case .founding(_, let card, let sealed):
    RootStatement.found(root: root.root, card: card, sealedRoot: sealed)
  case .admitDevice(let card): RootStatement.admit(card, root: root.root)
  case .lift(let log, let size):
    RootStatement.lift(.init(logID: log, size: size), root: root.root)
  case .decide(let stays, let cut): RootStatement.decide(stays: stays, cut: cut, root: root.root)
  case .keep(let entry): RootStatement.keep(entry, root: root.root)
  case .unknown: nil
  }
}
