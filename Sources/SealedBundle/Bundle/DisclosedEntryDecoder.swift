internal import CaseLog
internal import VerifiableLog

/// Opens the disclosed entries of one log against its leaves.
struct DisclosedEntryDecoder {
  let caseID: CaseID
  let log: VerifiedLog
  let index: Int
  /// Content entries and notes, by sequence.
  private(set) var opened: [OpenedEntry] = []
  /// Control entries, by sequence, also those that break a rule.
  private(set) var control: [MemberLog.ControlEntry] = []

  init(caseID: CaseID, log: VerifiedLog, index: Int) {
    self.caseID = caseID
    self.log = log
    self.index = index
  }

  mutating func read(_ bytes: [UInt8]) throws(BundleFinding) {
    let path = BundleLayout.entries(index)
    for entry in try ProofLog.decodeEntries(bytes, path) {
      let invalid = BundleFinding(
        .entryInvalid, path: path, logID: log.id, sequence: entry.sequence)
      guard let leaf = log.leaf(entry.sequence), entry.parts.first?.part != nil,
        PartDisclosure.commit(entry.parts) == leaf.commitment
      else { throw invalid }
      let isControl = leaf.classByte == EntryClass.control.rawValue
      // Of the others parts may be withheld; here what is withheld might be that somebody lost a right.
      guard !isControl || entry.parts.allSatisfy({ $0.part != nil }) else {
        throw BundleFinding(.controlMissing, path: path, logID: log.id, sequence: entry.sequence)
      }
      let place = EntryPlace(caseID: caseID, logID: log.id, sequence: entry.sequence)
      do throws(CaseLogError) {
        let entry = try OpenedEntry(leaf: leaf, parts: entry.parts, at: place)
        if isControl { add(control: entry) } else { opened.append(entry) }
      } catch {
        // The parts are what the leaf commits to, so the entry itself breaks the rule: for a control entry
        // that is a violation to be shown; anything else has no business in a bundle.
        guard isControl else { throw invalid }
        add(leaf, .failure(error))
      }
    }
  }

  private mutating func add(control entry: OpenedEntry) {
    do throws(CaseLogError) {
      add(entry.leaf, .success(try Control(of: entry)), entry.context?.frontier ?? [])
    } catch {
      add(entry.leaf, .failure(error))
    }
  }

  private mutating func add(
    _ leaf: LeafData, _ control: Result<Control, CaseLogError>,
    _ acknowledged: [LogPosition] = []
  ) {
    self.control.append(
      MemberLog.ControlEntry(
        sequence: leaf.sequence, id: EntryID(log: log.id, leaf: leaf), control: control,
        acknowledged: acknowledged))
  }
}
