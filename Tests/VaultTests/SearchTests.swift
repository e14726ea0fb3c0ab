import CaseLog
import Foundation
import Support
import Testing

@testable import Vault

extension OpenVault {
  /// The words of what is found, in order.
  func found(
    _ typed: String, _ change: (inout EntryQuery) -> Void = { _ in }
  ) throws -> [String] {
    var query = EntryQuery(.allCases)
    query.text = try SearchWords(typed: typed)
    change(&query)
    return try entries(matching: query).entries.map { $0.content?.words ?? "-" }
  }
}

@Suite struct SearchTests {
  private struct Kept {
    let fixture: VaultFixture
    let vault: OpenVault
  }

  private func vault(_ texts: [String]) async throws -> Kept {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let outcome = try await vault.add(texts.map(words), toCase: nil)
    #expect(outcome.failure == nil)
    return Kept(fixture: fixture, vault: vault)
  }

  static let scripts: [(text: String, typed: String)] = [
    ("He wrote THREATS at night", "threats"),
    ("Café à la crème", "cafe creme"),
    ("cafe\u{301} decomposed", "café decomposed"),
    ("Straße", "straße"),
    ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
    ("Он угрожал мне ещё раз", "еще угрожал"),
    ("Με απειλούσε κάθε μέρα", "καθε"),
    ("هَدَّدَنِي أمس", "هددني امس"),
    ("می‌خواهم بروم", "میخواهم"),
    ("הוּא אִיֵּם עליי", "אים"),
    ("मुझे हिन्दी में धमकी दी", "हिन्दी"),
    ("彼は私を脅迫した", "脅迫"),
    ("他昨晚威胁我", "威胁"),
    ("カタカナのテスト", "テスト"),
    ("ｶﾞﾗｽ", "ガラス"),
    ("그가 나를 협박했다", "협박"),
    ("เขาขู่ฉันเมื่อคืน", "เมื่อคืน"),
    ("I know where you live 🔪", "🔪"),
    ("he will k\u{200b}ill me", "kill"),
    ("see https://example.org/a_b?c=1", "example.org/a_b"),
    ("@some_handle wrote", "@some_handle"),
    ("İstanbul", "istanbul"),
  ]

  @Test func `a text is found in its own script`() async throws {
    let kept = try await vault(Self.scripts.map(\.text))
    for (text, typed) in Self.scripts {
      #expect(try await kept.vault.found(typed) == [text], "\(text)")
    }
  }

  @Test func `all words have to be there, a phrase as it stands, a beginning with a star`()
    async throws
  {
    let kept = try await vault(["one two three", "three two one", "two words", "wording"])
    #expect(try await kept.vault.found("three one") == ["one two three", "three two one"])
    #expect(try await kept.vault.found("\"two three\"") == ["one two three"])
    #expect(try await kept.vault.found("“two three”") == ["one two three"])
    #expect(try await kept.vault.found("\"two wor\"*") == ["two words"])
    #expect(try await kept.vault.found("wor*") == ["two words", "wording"])
    #expect(try await kept.vault.found("wor") == [])
    #expect(try await kept.vault.found("one -three") == ["one two three", "three two one"])
    #expect(try await kept.vault.found("one four") == [])
  }

  @Test func `a run of characters without spaces is found only where it stands so`() async throws {
    let kept = try await vault(["迫脅", "脅迫"])
    #expect(try await kept.vault.found("脅迫") == ["脅迫"])
    #expect(try await kept.vault.found("脅") == ["迫脅", "脅迫"])
  }

  static let hostile = [
    "\"", "\"\"", "*", "* *", "(", ")", "a OR", "AND", "NOT a", "NEAR(a b", "a AND OR b", "^a",
    "tokens:a", "{a b}: c", "a + b", "-", "--", "'; DROP TABLE search; --", "\\", "\u{0}",
    "a\u{0}b",
    "\"a", "a\"b\"c", "“a\"", "%", "_", "a*b*c", "**a", "🏳️‍🌈", "\u{202e}a", "\u{e000}",
    "search", "rank", "\u{fffd}",
  ]

  @Test func `whatever is typed is searched for and is never a mistake`() async throws {
    let kept = try await vault(["one"])
    for typed in Self.hostile { #expect(try await kept.vault.found(typed) == [], "\(typed)") }
  }

  @Test func `what is longer than anybody types is refused`() throws {
    #expect(throws: VaultError(.searchTooLong)) {
      try SearchWords(typed: String(repeating: "a", count: 5000))
    }
    #expect(throws: VaultError(.searchTooLong)) {
      try SearchWords(typed: Array(repeating: "a", count: 65).joined(separator: " "))
    }
    #expect(try SearchWords(typed: "!? …").isEmpty)
  }

  @Test func `all that an entry says is searched, and no phrase reaches over its parts`()
    async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("Screenshot_from-phone.png", noise(100, seed: 1))
    var content = EntryContent()
    content.words = "alpha"
    content.title = "bravo"
    content.url = "https://charlie.example/delta"
    content.account = "@echo"
    content.place = "Foxtrot"
    content.tags = ["golf club"]
    _ = try await vault.add([NewEntry(source: .file(path: file), content: content)], toCase: nil)
    for typed in [
      "alpha", "bravo", "charlie.example", "delta", "@echo", "foxtrot", "\"golf club\"",
      "screenshot",
      "phone.png", "alpha foxtrot",
    ] {
      #expect(try await vault.found(typed) == ["alpha"], "\(typed)")
    }
    #expect(try await vault.found("\"alpha bravo\"") == [])
  }

  @Test func `an excerpt shows the place`() throws {
    var content = EntryContent()
    content.words =
      String(repeating: "before ", count: 20) + "Café Noir, after " + "and on ".repeated(20)
    let excerpt = try #require(try SearchWords(typed: "\"cafe noir\"").excerpt(of: content))
    #expect(excerpt.match == "Café Noir")
    #expect(excerpt.before.hasSuffix("before "))
    #expect(excerpt.before.count == 40)
    #expect(excerpt.after.hasPrefix(", after and on"))
    #expect(excerpt.isCut == (true, true))
    content.words = "彼は私を脅迫した"
    #expect(try SearchWords(typed: "脅迫").excerpt(of: content)?.match == "脅迫")
    #expect(try SearchWords(typed: "missing").excerpt(of: content) == nil)
  }

  @Test func `what is taken out of the view leaves nothing to be found`() async throws {
    let kept = try await vault(["secretword one", "two"])
    let leaf = try await kept.vault.leafWithWords("secretword one")
    #expect(try await kept.vault.everythingIndexed().contains("secretword"))
    try await kept.vault.write { db in
      try ViewTable.remove(db, leaf: leaf)
      try ViewTable.compact(db)
    }
    #expect(try await kept.vault.found("secretword") == [])
    let left = try await kept.vault.everythingIndexed()
    #expect(!left.contains("secretword"))
    #expect(left.contains("two"))
    let listed = try await kept.vault.entries(ofCase: nil)
    #expect(listed.map(\.standing) == [.open, .locked])
  }
}

extension String {
  fileprivate func repeated(_ count: Int) -> String { String(repeating: self, count: count) }
}
