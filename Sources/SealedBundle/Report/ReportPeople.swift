internal import CaseLog
internal import Cryptography
internal import VerifiableLog

extension ReportPage {
  /// Members and their keys, to be compared with what is known from elsewhere.
  mutating func people() {
    html.raw(
      """
      <h2>Members and their keys</h2>
      <p>The case knows keys and roles, not names. Whose a key is must be known from outside. A receipt \
      is worth as much as the clock and the word of whoever holds its key; until the key is \
      confirmed, it is only what this bundle says of itself.</p>

      """)
    for member in record.state.members {
      html.raw("<article>\n<header><h3>")
      html.text(names.name(member.logID))
      html.raw("</h3><span class=\"kind\">")
      html.raw(member.role == .survivor ? "Role: survivor" : "Role: advocate")
      html.raw("</span></header>\n<dl>\n")
      row("Log") { $0.html.code(Base32.encode(member.logID.bytes)) }
      row("Signing key") { $0.html.code(member.card.signingKey.raw.hex) }
      row("Receipt key") { page in
        page.html.code(member.logID.cosigner(member.card.receiptKey).verifierKey)
      }
      row("Receipts given") { page in
        page.html.number(UInt64(page.record.receipts.count { $0.giver == member.logID }))
      }
      if member.cut != nil {
        row("Removed") { $0.html.raw("from the case; its receipts bound no time here") }
      }
      html.raw("</dl>\n</article>\n")
    }
  }

  mutating func checking() {
    html.raw(
      """
      <h2 id="checking">How to check</h2>
      <p>Begin with the file that was handed over, not with this page. The program \
      <code>cairn-verify</code> checks everything at once and renders this page again to compare \
      it. Tell it what you know from elsewhere:</p>
      <dl>
      <dt>Fingerprint</dt><dd>as it stands in the statement of the person whose case this is</dd>
      <dt>Witness</dt><dd>the receipt key, as the advocate’s organisation gives it to you</dd>
      </dl>
      <p>It answers <strong>intact</strong>, <strong>consistent</strong> (all holds, but nobody outside \
      vouches for author and time), <strong>changed</strong> (and what), or \
      <strong>cannot check</strong> (and why). Without that program, the file \
      <code>proof/README.txt</code> in the bundle tells how to check with age, unzip and sha256sum, or on \
      Windows with age and what is there.</p>

      """)
  }
}
