public import SealedBundle

extension VerdictText {
  /// What a finding means, in one sentence.
  public static func sentence(_ code: BundleFinding.Code) -> String {
    switch code.weight {
    case .blocks: blocking(code)
    case .breaks: breaking(code)
    case .note: remark(code)
    }
  }

  private static func blocking(_ code: BundleFinding.Code) -> String {
    switch code {
    case .unreadable: "The file could not be read to its end. Copy it again and retry."
    case .notABundle: "This is not a sealed bundle, or it was cut off on its way."
    case .newerVersion: "It was made by a newer version. A newer cairn-verify can check it."
    default: "It is larger than what this program is prepared for."
    }
  }

  private static func breaking(_ code: BundleFinding.Code) -> String {
    switch code {
    case .encryptionDamaged: "The encrypted file was altered or cut off."
    case .archiveDamaged: "The archive is not as it was written, or carries something hidden."
    case .manifestMalformed: "A list of files is not in its one form."
    case .fileMissing: "A file that is listed is missing."
    case .fileUnlisted: "A file is there that no list names."
    case .fileDiffers: "A file is not the one that was put in."
    case .fileUnexpected: "A file is there that has no place in a bundle."
    case .proofMalformed: "A part of the proof cannot be read."
    case .statementInvalid: "The statement that founds the case is not valid."
    case .caseDiffers: "This is another case than the one with the fingerprint that you gave."
    case .checkpointInvalid: "The signed head of a log is not valid."
    case .leavesDiffer: "The entries of a log are not those that its head was signed for."
    case .entryInvalid: "An entry is not the one that its log holds at that place."
    case .controlMissing: "An administrative entry was left out."
    case .membersDiffer: "The logs are not those of the members of the case."
    case .exporterUnknown: "Whoever exported the bundle is not a member of the case."
    case .signatureInvalid:
      "The exporter’s signature does not match: something was changed after the export."
    case .receiptInvalid: "A receipt is not valid."
    case .exhibitDiffers: "A file of an exhibit is not the one that its entry names."
    case .exhibitUnnamed: "A file is called an exhibit, but no entry names it."
    case .exhibitForbidden: "A file is included whose entry says that it must not be."
    default: "The readable report is not what the proof says."
    }
  }

  private static func remark(_ code: BundleFinding.Code) -> String {
    switch code {
    case .fingerprintNotGiven:
      "You gave no fingerprint (--fingerprint). Compare the one of this case with the statement of the person"
        + " whose case it is."
    case .noTrustedReceipt:
      "No receipt by a key that you gave (--witness) covers this. The advocate’s organisation can tell you the key."
    case .receiptBySurvivor:
      "The key that you gave (--witness) is that of another device of the survivor’s own: she"
        + " vouches for herself. The advocate’s organisation can tell you theirs."
    case .timeByOtherKey:
      "The report gives an earlier time for this, by a receipt of a key that you did not give. Only the"
        + " time above is by yours."
    case .violation:
      "An entry breaks the rules of the case. It was set aside and counts for nothing."
    case .disputed:
      "An entry was written after its author was removed, and somebody else had seen it; or its author signed"
        + " two histories. It is marked as disputed."
    case .setAside:
      "An entry was written after its author was removed, and nobody else’s word is there for it. It counts"
        + " for nothing."
    case .erased: "An entry is included that was erased since. It is not shown."
    case .unknownKind: "An entry is of a kind that a newer version made."
    case .unknownParts: "An entry has parts that this version cannot read."
    case .embeddedReceiptInvalid:
      "A receipt inside an entry could not be verified and was not used."
    case .clockBeforeReceipt:
      "The device’s clock was behind: it shows an earlier time than a receipt that was there before."
    case .clockAfterReceipt:
      "The device’s clock shows a later time than a receipt for the entry. One of the two was wrong."
    case .claimedAfterReceipt: "The time stated for an event is later than a receipt for its entry."
    default: "A receipt is dated after the export. One of the two clocks was wrong."
    }
  }
}
