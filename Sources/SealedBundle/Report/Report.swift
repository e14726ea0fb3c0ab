internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// `data/report.html`: what a bundle says, for people. The one place of this library where sentences live.
///
/// It is a function of the record alone, so a verifier renders it again and compares every byte. It is one
/// file without scripts that loads nothing, and says so to the browser. Pictures are linked and never
/// shown: who opens the report decides what she looks at, and no file of unknown origin is decoded because
/// somebody wanted to read a table. Addresses are text and no links: a visit would tell the other side.
public enum Report {
  /// The report of a record.
  public static func render(_ record: BundleRecord) -> [UInt8] {
    var page = ReportPage(record)
    page.head()
    page.summary()
    page.meaning()
    page.counts()
    page.contents()
    page.takedowns()
    page.exhibits()
    page.people()
    page.checking()
    page.foot()
    return page.html.bytes
  }
}

/// A report under way. Further sections are in the files beside this one.
struct ReportPage {
  let record: BundleRecord
  let names: ReportNames
  let relations: ReportRelations
  /// What is told of an entry, in the order in which it was found.
  let notes: [LogID: [UInt64: [BundleFinding.Code]]]
  var html = HTML()

  init(_ record: BundleRecord) {
    self.record = record
    names = ReportNames(record.state)
    relations = ReportRelations(record)
    var notes: [LogID: [UInt64: [BundleFinding.Code]]] = [:]
    for note in record.notes {
      guard let logID = note.logID, let sequence = note.sequence else { continue }
      notes[logID, default: [:]][sequence, default: []].append(note.code)
    }
    self.notes = notes
  }

  mutating func head() {
    let policy = SHA256Hash.hash(ReportStyle.css.ascii)
    html.raw(
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-
      """)
    html.text(Base64.encode(policy.bytes))
    html.raw(
      """
      '; base-uri 'none'; form-action 'none'">
      <meta name="referrer" content="no-referrer">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Evidence record</title>
      <style>
      """)
    html.raw(ReportStyle.css)
    html.raw("</style>\n</head>\n<body>\n<main>\n")
  }

  /// What this is, in a few lines.
  mutating func summary() {
    let shown = UInt64(record.exhibits.count)
    html.raw("<p class=\"label\">Sealed evidence bundle</p>\n<h1>Evidence record</h1>\n")
    html.raw("<p class=\"lead\">")
    html.raw("This record shows ")
    html.count(shown, "entry", "entries")
    html.raw(" from one case. ")
    if record.notShownCount == 0 {
      html.raw("The logs of the case, as they were signed, hold no others.")
    } else {
      html.raw("The logs of the case, as they were signed, hold ")
      html.count(record.notShownCount, "further entry, which is", "further entries, which are")
      html.raw(" not shown here.")
    }
    html.raw("</p>\n<dl class=\"print\">\n")
    row("Case fingerprint") { $0.fingerprint() }
    row("Exported by") { page in
      page.html.text(page.names.name(page.record.exporter.logID))
    }
    row("Exported on") { page in
      page.html.text(ReportNames.time(page.record.exportedAt))
      page.html.raw(" <span class=\"by\">by the exporting device’s own clock</span>")
    }
    row("Chosen by the exporter") { page in
      switch page.record.scope {
      case .wholeCase: page.html.raw("Everything that this device can open")
      case .chosenEntries: page.html.raw("Certain entries")
      }
      page.html.raw(" <span class=\"by\">as the exporter says</span>")
    }
    html.raw("</dl>\n")
    html.raw(
      """
      <div class="box"><p>This page is for reading. It proves nothing by itself: a page can be \
      copied and altered. The bundle that it came in can be checked with free tools by anybody; \
      see <a href="#checking">How to check</a>.</p></div>

      """)
  }

  private mutating func fingerprint() {
    let characters = Array(record.caseID.fingerprint.utf8)
    html.raw("<code>")
    for start in stride(from: 0, to: characters.count, by: 4) {
      html.raw("<span>")
      html.text(bytes: Array(characters[start..<min(start + 4, characters.count)]))
      html.raw("</span>")
    }
    html.raw("</code>")
  }

  /// What may be concluded and what may not.
  mutating func meaning() {
    html.raw(
      """
      <h2>What this shows, and what it does not</h2>
      <div class="two">
      <div>
      <h4>A bundle that checks as intact shows</h4>
      <ul>
      <li>that the evidence shown here existed, in exactly this form, by the time that the check names, by \
      the word of a receipt key that whoever checks knew from elsewhere;</li>
      <li>that neither its words nor its files have changed since;</li>
      <li>which key entered it;</li>
      <li>how many entries of each log, up to the head that was signed, are not shown. None of them can \
      be left out unnoticed.</li>
      </ul>
      </div>
      <div>
      <h4>It does not show</h4>
      <ul>
      <li>that what an entry says is true, or that a file is genuine;</li>
      <li>when something happened. “When it happened” is what the person who wrote the entry says;</li>
      <li>that a device’s clock was right;</li>
      <li>that a time under “Existed before” or “Written after” is right, where nobody outside of this \
      bundle vouches for the key of its receipt;</li>
      <li>which person holds a key. That is known from outside: from a statement that names the \
      fingerprint, or from the advocate’s organisation;</li>
      <li>whether an entry that is not shown adds to one that is, or takes it back;</li>
      <li>that nothing else happened which nobody recorded, or was recorded after the head was signed.</li>
      </ul>
      </div>
      </div>

      """)
  }

  /// The exact numbers, log by log.
  mutating func counts() {
    html.raw(
      """
      <h2>What is included</h2>
      <div class="wide"><table>
      <thead><tr><th>Written by</th><th class="n">Entries</th><th class="n">Shown here</th>\
      <th class="n">Not shown</th><th>Shown entries follow one another</th>\
      <th class="n">Administrative</th></tr></thead>
      <tbody>

      """)
    for log in record.logs {
      html.raw("<tr><td class=\"nw\">")
      html.text(names.name(log.identity.id))
      html.raw("</td><td class=\"n\">")
      html.number(log.entryCount)
      html.raw("</td><td class=\"n\">")
      html.number(log.shownCount)
      html.raw("</td><td class=\"n\">")
      html.number(log.entryCount - log.shownCount)
      html.raw("</td><td>")
      html.raw(
        log.shownCount == 0 ? "–" : log.isContiguous ? "yes" : "no, others lie between them")
      html.raw("</td><td class=\"n\">")
      html.number(log.controlCount)
      html.raw("</td></tr>\n")
    }
    html.raw(
      """
      </tbody>
      </table></div>
      <p class="foot">Administrative entries record who takes part and who was given access. They hold \
      keys and no words. All of them that count are in this bundle.</p>

      """)
    if !record.state.violations.isEmpty {
      html.raw("<p class=\"remark\">")
      html.count(UInt64(record.state.violations.count), "entry was", "entries were")
      html.raw(
        " set aside because they break the rules of the case. They count for nothing here.</p>\n")
    }
  }

  mutating func foot() {
    html.raw("<footer>Made by ")
    html.quoted(record.program)
    html.raw(
      " (as the exporter says). Report format 1. Times are in UTC unless they say otherwise.</footer>\n"
    )
    html.raw("</main>\n</body>\n</html>\n")
  }

  // MARK: Parts of sections

  /// One row of a list of terms.
  mutating func row(_ term: StaticString, _ body: (inout ReportPage) -> Void) {
    html.raw("<dt>")
    html.raw(term)
    html.raw("</dt><dd>")
    body(&self)
    html.raw("</dd>\n")
  }

  /// A row with what somebody wrote, if they did.
  mutating func row(_ term: StaticString, quoting text: String?) {
    guard let text else { return }
    row(term) { $0.html.quoted(text) }
  }
}
