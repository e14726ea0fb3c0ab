internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// What this device is about to append to its log.
struct EntryDraft: Sendable {
  let kind: EntryKind
  /// What follows header and context.
  let parts: [Part]
  /// The epochs for which the entry's key is sealed; slots that need the entry's id come later.
  var epochs: [LoadedEpoch] = []
}

/// An entry of this device, sealed for its place and laid out for its rows. Making it takes no database, so
/// that one core can make entries while another stores those before.
struct OwnEntry {
  let kind: EntryKind
  let place: EntryPlace
  let context: EntryContext
  /// The newest receipt in the context.
  let notBefore: Receipt?
  let sealed: SealedEntry
  let id: EntryID
  /// As the tree takes it.
  let leafHash: Bytes32
  let slots: [Slot]
  /// The parts as the view keeps them.
  let partList: [UInt8]
  /// Nil for a control entry, which is not listed.
  let listed: ListedEntry?

  typealias Receipt = (time: UInt64, witness: LogID)

  /// Seals a draft under `key`, which must be random and used for this entry only.
  ///
  /// - Parameter notBefore: the newest receipt in the context.
  /// - Throws: `.entryTooLarge`.
  init(
    sealing draft: EntryDraft, context: EntryContext, at place: EntryPlace, notBefore: Receipt?,
    key: borrowing SecretKey
  ) throws(VaultError) {
    do {
      sealed = try SealedEntry(
        sealing: draft.parts, kind: draft.kind, context: context, at: place, key: key)
      let isControl = draft.kind.entryClass == .control
      listed =
        isControl
        ? nil
        : ListedEntry(
          kind: draft.kind, clock: context.clock, notBefore: notBefore?.time,
          content: try EntryContent(parts: draft.parts))
    } catch {
      throw VaultError(.entryTooLarge)
    }
    kind = draft.kind
    self.place = place
    self.context = context
    self.notBefore = notBefore
    id = EntryID(log: place.logID, leaf: sealed.leaf)
    leafHash = sealed.leaf.hash
    var slots: [Slot] = []
    for epoch in draft.epochs {
      slots.append(epoch.key.slot(for: key, leaf: sealed.leaf, logID: place.logID))
    }
    self.slots = slots
    partList = PartList.encode(draft.parts)
  }
}
