internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// What the entries of a bundle say about each other. Of what is not shown, nothing is known here.
struct ReportRelations {
  let entries: EntryRelations
  private let disputed: Set<EntryID>
  private var numbers: [EntryID: Int] = [:]

  init(_ record: BundleRecord) {
    var known: [EntryRelations.Entry] = []
    let disputedPlaces = Set(record.notes.filter { $0.code == .disputed })
    var disputed: Set<EntryID> = []
    for exhibit in record.exhibits {
      let header = exhibit.entry.header
      let id = exhibit.entry.id
      numbers[id] = exhibit.number
      let isDisputed = disputedPlaces.contains(
        BundleFinding(.disputed, logID: header.logID, sequence: header.sequence))
      if isDisputed { disputed.insert(id) }
      guard let content = exhibit.content, let author = record.state.member(header.logID)?.role
      else { continue }
      known.append(
        .init(
          id: id, logID: header.logID, sequence: header.sequence, kind: header.kind,
          clock: exhibit.entry.context?.clock ?? 0, author: author, content: content,
          isDisputed: isDisputed))
    }
    entries = EntryRelations(known)
    self.disputed = disputed
  }

  /// The number of the exhibit that an entry is, if it is shown.
  func number(_ id: EntryID) -> Int? { numbers[id] }

  /// Whether an exhibit was written beyond a cut or a fork, and is shown because somebody else had seen it.
  func isDisputed(_ id: EntryID) -> Bool { disputed.contains(id) }
}

extension ReportPage {
  mutating func exhibitLink(_ number: Int) {
    html.raw("<a href=\"#exhibit-")
    html.text(String(number))
    html.raw("\">Exhibit ")
    html.text(String(number))
    html.raw("</a>")
  }

  mutating func references(_ ids: [EntryID]) {
    for (index, id) in ids.enumerated() {
      if index > 0 { html.raw(", ") }
      if let number = relations.number(id) {
        exhibitLink(number)
      } else {
        html.raw("an entry that is not shown (<code>")
        html.text(Base32.encode(id.bytes))
        html.raw("</code>)")
      }
    }
  }

  /// That an exhibit was taken back, before anything of it is read.
  mutating func retraction(of exhibit: BundleRecord.Exhibit) {
    guard let retraction = relations.entries.retraction(of: exhibit.entry.id) else { return }
    html.raw("<p class=\"remark\">Taken back: see ")
    references([retraction.id])
    html.raw(". It is shown as it was entered, since a retraction removes nothing.</p>\n")
  }

  /// What later entries of this bundle say about an exhibit.
  mutating func saidLater(about exhibit: BundleRecord.Exhibit) {
    let later = relations.entries.entries(about: exhibit.entry.id)
    guard !later.isEmpty else { return }
    html.raw("<p class=\"label\">Said later about this exhibit</p>\n<ul>\n")
    for entry in later {
      html.raw("<li>")
      references([entry.id])
      html.raw(": ")
      html.raw(ReportNames.kind(entry.kind))
      html.raw(" by ")
      html.text(names.name(entry.logID))
      if let step = entry.content.takedown?.step {
        html.raw(", ")
        html.raw(ReportNames.step(step))
      }
      if relations.entries.retraction(of: entry.id) != nil { html.raw(", taken back") }
      if relations.isDisputed(entry.id) { html.raw(", disputed") }
      html.raw("</li>\n")
    }
    html.raw("</ul>\n")
  }

  /// Where a request stands, or what an answer says.
  mutating func request(_ exhibit: BundleRecord.Exhibit) {
    guard exhibit.entry.header.kind == .request, let content = exhibit.content else { return }
    if let answer = content.request, answer != .asked {
      return row("Answer") { $0.html.raw(answer == .done ? "Done" : "Declined") }
    }
    let known = relations.entries.requests.first { $0.request.id == exhibit.entry.id }
    guard let known else { return }
    row("Request") { page in
      guard let answer = known.answer else {
        return page.html.raw("Not answered in this bundle")
      }
      page.html.raw(known.state == .done ? "Done, see " : "Declined, see ")
      page.references([answer.id])
    }
  }

  /// Where each takedown stands, by the last step that is shown.
  mutating func takedowns() {
    let takedowns = relations.entries.takedowns
    guard !takedowns.isEmpty else { return }
    html.raw(
      """
      <h2>Takedowns</h2>
      <p>What platforms were asked to take down, and the last step in this bundle, by the clocks of \
      the devices that recorded it. Steps that were taken back do not count.</p>
      <div class="wide"><table>
      <thead><tr><th>About</th><th>Platform</th><th>Last step</th><th>Recorded</th>\
      <th>Reference</th></tr></thead>
      <tbody>

      """)
    for takedown in takedowns {
      html.raw("<tr><td>")
      if let about = takedown.about { references([about]) } else { html.raw("not stated") }
      html.raw("</td><td>")
      if let place = takedown.recipient { html.quoted(place) } else { html.raw("not stated") }
      html.raw("</td><td class=\"nw\">")
      html.raw(ReportNames.step(takedown.step))
      html.raw(", ")
      references([takedown.last.id])
      html.raw("</td><td class=\"nw\">")
      html.text(ReportNames.time(takedown.last.clock))
      html.raw("</td><td>")
      if let reference = takedown.reference { html.quoted(reference) }
      html.raw("</td></tr>\n")
    }
    html.raw("</tbody>\n</table></div>\n")
  }
}
