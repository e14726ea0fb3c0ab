import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import Testing
import VerifiableLog

@testable import SealedBundle

@Suite struct ReportTests {
  private func report(_ change: (SampleCase) throws -> Void = { _ in }) throws -> String {
    let sample = try SampleCase.told()
    try change(sample)
    let record = try #require(verify(try sample.bundle()).record)
    return String(decoding: Report.render(record), as: UTF8.self)
  }

  private func html(_ body: (inout HTML) -> Void) -> String {
    var html = HTML()
    body(&html)
    return String(decoding: html.bytes, as: UTF8.self)
  }

  @Test(arguments: [
    ("<b>&'\"", "&lt;b&gt;&amp;&#39;&quot;"),
    ("a\u{202E}b", "a<span class=\"mark\">U+202E</span>b"),
    ("\u{2066}x\u{2069}", "<span class=\"mark\">U+2066</span>x<span class=\"mark\">U+2069</span>"),
    ("a\nb", "a<span class=\"mark\">U+000A</span>b"),
    (
      "\0\u{1B}\u{7F}\u{85}",
      "<span class=\"mark\">U+0000</span><span class=\"mark\">U+001B</span><span class=\"mark\">U+007F</span><span class=\"mark\">U+0085</span>"
    ),
    (
      "\u{FEFF}\u{200B}\u{AD}",
      "<span class=\"mark\">U+FEFF</span><span class=\"mark\">U+200B</span><span class=\"mark\">U+00AD</span>"
    ),
    ("\u{E0041}", "<span class=\"mark\">U+0E0041</span>"),
    (
      "\u{2800}\u{1BCA3}\u{1D159}\u{1D17A}",
      "<span class=\"mark\">U+2800</span><span class=\"mark\">U+01BCA3</span><span class=\"mark\">U+01D159</span><span class=\"mark\">U+01D17A</span>"
    ),
    ("👩‍💻 مهاجم é", "👩‍💻 مهاجم é"),
  ])
  func `what somebody wrote is text and all of it is seen`(pair: (String, String)) {
    #expect(html { $0.text(pair.0) } == pair.1)
  }

  @Test func `lines are kept where they may be, whatever ends them`() {
    #expect(
      html { $0.lines("a\nb\r\nc\rd\r") }
        == "a\nb\nc<span class=\"mark\">U+000D</span>d<span class=\"mark\">U+000D</span>")
    #expect(
      html { $0.text("a\r\nb") }
        == "a<span class=\"mark\">U+000D</span><span class=\"mark\">U+000A</span>b")
  }

  @Test func `numbers are set apart and nouns agree`() {
    #expect(html { $0.number(1_234_567) } == "1,234,567")
    #expect(html { $0.number(999) } == "999")
    #expect(html { $0.count(1, "entry", "entries") } == "1 entry")
    #expect(html { $0.count(0, "entry", "entries") } == "0 entries")
  }

  @Test func `nothing runs, loads or leads outside`() throws {
    let report = try report()
    for word in [
      "<script", "<img", "<iframe", "<link", "<object", "<form", "http-equiv=\"refresh",
      "javascript:", "@import", "url(", "src=", " on",
    ] {
      let found = report.contains(word)
      #expect(!found || (word == " on" && !report.contains(/<[^>]* on\w+=/)), "\(word)")
    }
    // Every link leads within the page or to a file beside it.
    for link in report.matches(of: /href="([^"]*)"/) {
      #expect(link.1.hasPrefix("#") || link.1.hasPrefix("exhibits/"), "\(link.1)")
    }
    #expect(report.contains("default-src 'none'"))
  }

  @Test func `the policy allows exactly the style of the page`() throws {
    let report = try report()
    let style = try #require(report.firstMatch(of: /(?s)<style>(.*)<\/style>/)).1
    let hash = Base64.encode(SHA256Hash.hash(Array(style.utf8)).bytes)
    #expect(report.contains("style-src 'sha256-\(hash)'"))
  }

  @Test func `every anchor that is linked to is there once`() throws {
    let report = try report()
    for link in report.matches(of: /href="#([^"]*)"/) {
      #expect(report.components(separatedBy: "id=\"\(link.1)\"").count == 2, "\(link.1)")
    }
  }

  @Test func `it tells each thing with its source`() throws {
    let report = try report()
    for text in [
      "This record shows 4 entries", "hold 1 further entry, which is not shown here",
      "2026-05-27 21:14:00 +02:00 <span class=\"by\">as stated by the writer",
      "2026-05-28 20:31:40 UTC <span class=\"by\">by the device’s own clock",
      "<dt>Existed before</dt><dd>2026-05-28 21:26:40 UTC <span class=\"by\">receipt by Advocate",
      "<a rel=\"noreferrer\" href=\"exhibits/1-0.png\">1-0</a>", "only its hash is kept",
      "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;<span class=\"mark\">U+0007</span>",
      "Takedown record by Advocate", "<a href=\"#exhibit-1\">Exhibit 1</a>",
      "13 of 15 parts shown (all but the keys under which its files are stored)",
      "What this shows, and what it does not", "as the exporter says",
      "whether an entry that is not shown adds to one that is, or takes it back",
      "Title, as the writer put it</p>\n<p class=\"title\" dir=\"auto\">Photograph posted",
    ] { #expect(report.contains(text), "\(text)") }
    #expect(!report.contains("This is for me."))
  }

  @Test func `what was said later is told at the exhibit, and removes nothing of it`() throws {
    let report = try report { sample in
      let start = SampleCase.start
      var content = EntryContent()
      content.about = [sample.survivor.entryID(2)]
      try sample.survivor.append(.retract, content.parts, clock: start + 101_000)
      content.about = [sample.survivor.entryID(2)]
      content.takedown = .init(step: .backAgain, recipient: "social.example", reference: nil)
      try sample.survivor.append(.takedown, content.parts, clock: start + 102_000)
      content.takedown = nil
      content.words = "Could you add the full URL?"
      content.request = .asked
      try sample.advocate.append(.request, content.parts, clock: start + 103_000)
      var other = EntryContent()
      other.words = "Is there <b>more</b>?"
      try sample.advocate.append(.request, other.parts, clock: start + 103_500)
      var answer = EntryContent()
      answer.about = [sample.advocate.entryID(Int(sample.advocate.size) - 2)]
      answer.request = .declined
      try sample.survivor.append(.request, answer.parts, clock: start + 104_000)
    }
    for text in [
      "Photograph posted without consent</bdi> (taken back)",
      "<p class=\"remark\">Taken back: see <a href=\"#exhibit-4\">Exhibit 4</a>. It is shown as it was",
      "The picture was taken in 2023",
      "<li><a href=\"#exhibit-3\">Exhibit 3</a>: Addition by Survivor’s device</li>",
      ": Takedown record by Advocate, Reported</li>",
      ": Takedown record by Survivor’s device, Back again</li>",
      "<bdi>social.example</bdi></td><td class=\"nw\">Back again, <a href=",
      "<td><bdi>Ticket 55-1</bdi></td>", "<dt>Request</dt><dd>Declined, see <a href=",
      "<dt>Request</dt><dd>Not answered in this bundle</dd>",
      "<dt>Answer</dt><dd>Declined</dd>", "Is there &lt;b&gt;more&lt;/b&gt;?",
    ] { #expect(report.contains(text), "\(text)") }
    #expect(report.components(separatedBy: "<h2>Takedowns</h2>").count == 2)
    #expect(report.components(separatedBy: "Back again, <a").count == 2)
  }

  @Test func `hostile names of files, media types and programs stay text`() throws {
    let sample = try SampleCase()
    var evidence = EntryContent()
    var file = sample.attachment(0, Array("x".utf8), "text/html\"><script>", name: "x")
    file.name = Array("../../\u{202E}gpj.exe\"><img src=x onerror=1>".utf8)
    evidence.attachments = [file]
    try sample.survivor.append(.evidence, evidence.parts, clock: SampleCase.start)
    var contents = sample.contents
    contents.program = "<script>1</script>"
    let verdict = verify(try sample.bundle(contents))
    let record = try #require(verdict.record)
    #expect(record.exhibits[0].files[0].path?.text == "data/exhibits/1-0")
    let report = String(decoding: Report.render(record), as: UTF8.self)
    #expect(!report.contains("<script") && !report.contains("<img"))
  }
}
