package import CaseLog
package import Cryptography
package import VerifiableLog

/// The exporter's signature over a bundle: a note by the key of her log, whose three lines no checkpoint
/// could be, since the first is not a log's origin.
package enum BundleSignature {
  private static let firstLine = "cairn-bundle/v1"

  /// What is signed: the case, and the hash of the manifest that lists all proof and the other manifest.
  static func text(_ caseID: CaseID, tagManifest: [UInt8]) -> [UInt8] {
    let hash = SHA256Hash.hash(tagManifest)
    return Array("\(firstLine)\n\(caseID.fingerprint)\n\(Base64.encode(hash.bytes))\n".utf8)
  }

  /// The signed note. `key` must be that of the exporter's log.
  package static func sign(
    _ caseID: CaseID, tagManifest: [UInt8], log: LogIdentity, key: borrowing SigningKey
  ) -> [UInt8] {
    let text = text(caseID, tagManifest: tagManifest)
    let signature = unsafe key.sign(text.span.bytes)
    let line = NoteSignature(
      keyName: log.noteKey.name, keyID: log.noteKey.id, signature: signature.bytes)
    return SignedNote(text: text, signatures: [line]).bytes
  }

  /// Whether `note` is exactly the note that the owner of `log` signs for this bundle. A second signature
  /// would be bytes that nothing vouches for.
  static func isValid(
    _ note: [UInt8], _ caseID: CaseID, tagManifest: [UInt8], log: LogIdentity
  ) -> Bool {
    do {
      let note = try SignedNote(parsing: note)
      guard note.signatures.count == 1, note.text == text(caseID, tagManifest: tagManifest) else {
        return false
      }
      try note.verify(by: log.noteKey)
      return true
    } catch {
      return false
    }
  }
}
