internal import CaseLog
internal import Cryptography
internal import VerifiableLog

extension ReportPage {
  /// The table of contents.
  mutating func contents() {
    html.raw("<h2>List of exhibits</h2>\n")
    guard !record.exhibits.isEmpty else {
      html.raw("<p>No entries are shown in this bundle.</p>\n")
      return
    }
    html.raw(
      """
      <div class="wide"><table>
      <thead><tr><th>No.</th><th>When it happened, as stated</th><th>What</th>\
      <th>Written by</th><th class="n">Files</th></tr></thead>
      <tbody>

      """)
    for exhibit in record.exhibits {
      html.raw("<tr><td class=\"nw\"><a href=\"#exhibit-")
      html.text(String(exhibit.number))
      html.raw("\">")
      html.text(String(exhibit.number))
      html.raw("</a></td><td>")
      if let seen = exhibit.content?.seen { html.text(seen.text) } else { html.raw("not stated") }
      html.raw("</td><td>")
      html.raw(ReportNames.kind(exhibit.entry.header.kind))
      if let title = exhibit.content?.title {
        html.raw(": ")
        html.quoted(title)
      }
      if relations.entries.retraction(of: exhibit.entry.id) != nil { html.raw(" (taken back)") }
      if relations.isDisputed(exhibit.entry.id) { html.raw(" (disputed)") }
      html.raw("</td><td class=\"nw\">")
      html.text(names.name(exhibit.entry.header.logID))
      html.raw("</td><td class=\"n\">")
      html.number(UInt64(exhibit.files.count))
      html.raw("</td></tr>\n")
    }
    html.raw("</tbody>\n</table></div>\n")
  }

  mutating func exhibits() {
    guard !record.exhibits.isEmpty else { return }
    html.raw("<h2>Exhibits</h2>\n")
    for exhibit in record.exhibits { self.exhibit(exhibit) }
  }

  private mutating func exhibit(_ exhibit: BundleRecord.Exhibit) {
    html.raw("<article id=\"exhibit-")
    html.text(String(exhibit.number))
    html.raw("\">\n<header><h3>Exhibit ")
    html.text(String(exhibit.number))
    html.raw("</h3><span class=\"kind\">")
    html.raw(ReportNames.kind(exhibit.entry.header.kind))
    html.raw(" by ")
    html.text(names.name(exhibit.entry.header.logID))
    html.raw("</span></header>\n")
    if let title = exhibit.content?.title {
      html.raw("<p class=\"label\">Title, as the writer put it</p>\n")
      html.raw("<p class=\"title\" dir=\"auto\">")
      html.text(title)
      html.raw("</p>\n")
    }
    retraction(of: exhibit)
    html.raw("<dl>\n")
    times(exhibit)
    request(exhibit)
    if let content = exhibit.content { particulars(content) }
    html.raw("</dl>\n")
    if let words = exhibit.content?.words {
      html.raw(
        "<p class=\"label\">In the writer’s own words</p>\n<div class=\"words\" dir=\"auto\">")
      html.lines(words)
      html.raw("</div>\n")
    }
    files(exhibit)
    saidLater(about: exhibit)
    remarks(exhibit)
    provenance(exhibit)
    html.raw("</article>\n")
  }

  /// The entry's place, its name, and how much of it is shown.
  private mutating func provenance(_ exhibit: BundleRecord.Exhibit) {
    html.raw("<p class=\"foot\">Entry no. ")
    html.number(exhibit.entry.header.sequence)
    html.raw(" of its log, ")
    html.number(UInt64(exhibit.entry.parts.count - exhibit.withheldPartCount))
    html.raw(" of ")
    html.count(UInt64(exhibit.entry.parts.count), "part", "parts")
    html.raw(" shown")
    if exhibit.withheldPartCount > 0 && !exhibit.isPartial {
      html.raw(" (all but the keys under which its files are stored)")
    }
    html.raw("<br>")
    html.code(Base32.encode(exhibit.entry.id.bytes))
    html.raw("</p>\n")
  }

  /// The four times, apart and each with its source.
  private mutating func times(_ exhibit: BundleRecord.Exhibit) {
    row("When it happened") { page in
      guard let seen = exhibit.content?.seen else { return page.html.raw("not stated") }
      page.html.text(seen.text)
      page.html.raw(" <span class=\"by\">as stated by the writer</span>")
    }
    if let clock = exhibit.entry.context?.clock {
      row("Entered") { page in
        page.html.text(ReportNames.time(clock))
        page.html.raw(" <span class=\"by\">by the device’s own clock</span>")
      }
    }
    if let after = exhibit.bracket.after { row("Written after") { $0.receipt(after) } }
    row("Existed before") { page in
      guard let before = exhibit.bracket.before else {
        return page.html.raw("no receipt covers this entry")
      }
      page.receipt(before)
    }
  }

  private mutating func receipt(_ receipt: BundleReceipt) {
    html.text(ReportNames.time(receipt.time))
    html.raw(" <span class=\"by\">receipt by ")
    html.text(names.name(receipt.giver))
    html.raw("</span>")
  }

  private mutating func particulars(_ content: EntryContent) {
    if let url = content.url {
      row("Address") { page in
        page.html.raw("<code>")
        page.html.quoted(url)
        page.html.raw("</code>")
      }
    }
    row("Platform or site", quoting: content.place)
    row("Account", quoting: content.account)
    if let takedown = content.takedown {
      row("Takedown") { page in
        page.html.raw(ReportNames.step(takedown.step))
        if let recipient = takedown.recipient {
          page.html.raw(": ")
          page.html.quoted(recipient)
        }
      }
      row("Reference", quoting: takedown.reference)
    }
    if !content.about.isEmpty { row("About") { $0.references(content.about) } }
    if !content.tags.isEmpty {
      row("Labels") { page in
        for tag in content.tags {
          page.html.raw("<span class=\"tag\">")
          page.html.quoted(tag)
          page.html.raw("</span>")
        }
      }
    }
  }

  private mutating func files(_ exhibit: BundleRecord.Exhibit) {
    guard !exhibit.files.isEmpty else { return }
    html.raw(
      """
      <table class="files">
      <thead><tr><th>File</th><th>Name on the device, and SHA-256 of its content</th>\
      <th>Type</th><th class="n">Bytes</th></tr></thead>
      <tbody>

      """)
    for file in exhibit.files {
      html.raw("<tr><td class=\"nw\">")
      link(file, exhibit.number)
      html.raw("</td><td>")
      if let name = file.attachment.name {
        html.quoted(String(decoding: name, as: UTF8.self))
      }
      if file.path == nil {
        html.raw(
          file.attachment.isWithoutContent
            ? " <span class=\"by\">only its hash is kept</span>"
            : " <span class=\"by\">not in this bundle</span>")
      }
      html.raw("<br>")
      html.code(file.attachment.sha256.hex)
      html.raw("</td><td class=\"nw\">")
      html.quoted(file.attachment.mediaType)
      html.raw("</td><td class=\"n\">")
      html.number(file.attachment.size)
      html.raw("</td></tr>\n")
    }
    html.raw("</tbody>\n</table>\n")
  }

  private mutating func link(_ file: BundleRecord.File, _ exhibit: Int) {
    let label = "\(exhibit)-\(file.attachment.number)"
    guard let path = file.path else { return html.text(label) }
    html.raw("<a rel=\"noreferrer\" href=\"")
    // The report lies in data/, beside exhibits/.
    html.text(bytes: Array(path.ascii.dropFirst(5)))
    html.raw("\">")
    html.text(label)
    html.raw("</a>")
  }

  /// What a careful reader should know about this exhibit.
  private mutating func remarks(_ exhibit: BundleRecord.Exhibit) {
    let header = exhibit.entry.header
    if exhibit.content?.showsMinor == true {
      remark("Shows, or may show, somebody under 18. No picture is kept or passed on.")
    }
    if exhibit.isPartial {
      remark(
        "Some parts of this entry are not shown. That they were not altered is checked all the same."
      )
    }
    for code in notes[header.logID]?[header.sequence] ?? [] {
      switch code {
      case .disputed:
        remark(
          "Disputed: its author was removed from the case as of an earlier entry, and somebody else had seen this one; or its author signed two histories of its log."
        )
      case .unknownKind, .unknownParts:
        remark(
          "Parts of this entry were made by a newer version or cannot be read. They are not shown here."
        )
      case .clockBeforeReceipt:
        remark(
          "The device’s clock shows an earlier time than a receipt that was there before the entry. The clock was wrong."
        )
      case .clockAfterReceipt:
        remark(
          "The device’s clock shows a later time than a receipt for the entry. One of the two clocks was wrong."
        )
      case .claimedAfterReceipt:
        remark("The time stated for the event is later than a receipt for the entry.")
      case .embeddedReceiptInvalid:
        remark("A receipt inside this entry could not be verified and is not used.")
      default: break
      }
    }
  }

  private mutating func remark(_ sentence: StaticString) {
    html.raw("<p class=\"remark\">")
    html.raw(sentence)
    html.raw("</p>\n")
  }
}
