import Vault
import VerifiableLog

/// Prints what a query finds, page by page: only one page at a time is in memory.
struct FoundEntries {
  private let query: EntryQuery
  private let vault: OpenVault
  /// How many are read at a time where all are printed.
  private static let pageLength = 500

  init(_ query: EntryQuery, in vault: OpenVault) {
    self.query = query
    self.vault = vault
  }

  struct Result {
    var count = 0
    /// Passed over, because nothing of them can be told but that they are there.
    var lockedCount = 0
    var first: EntrySummary?
    /// Where the next page begins, if there is one.
    var next: String?

    func tellHowToGoOn() {
      guard let next else { return }
      Output.line("There are more. To go on, repeat the command with:")
      Output.line("  --after " + next)
    }
  }

  /// - Parameter pageLength: nil for all.
  func printText(_ listing: EntryListing, pageLength: Int?) async throws -> Result {
    var result = Result()
    try await forEachPage(of: pageLength) { page in
      let shown = page.entries.filter { !listing.passesOverLocked || $0.standing != .locked }
      let erased = shown.filter { $0.standing == .erased }
      listing.print(
        shown, privateOnes: try await vault.privateEntries(among: shown.map(\.id)),
        erasures: try await vault.erasures(among: erased.map(\.id)))
      result.count += shown.count
      result.lockedCount += page.entries.count - shown.count
      result.first = result.first ?? page.entries.first
      result.next = page.next
    }
    return result
  }

  /// `{"entries":[…],"next":…}`, the entries written as they are read. Nothing is printed before the first page
  /// could be read.
  func printJSON() async throws {
    var isFirst = true
    try await forEachPage(of: query.limit) { page in
      let ids = page.entries.map(\.id)
      let readers = try await vault.readers(of: ids)
      let privateOnes = try await vault.privateEntries(among: ids)
      let objects = page.entries.map {
        FoundObject(
          $0, readers: readers[$0.id], isPrivate: privateOnes[$0.id] != nil, words: query.text)
      }
      let list = try Output.jsonText(objects).drop { $0 != "{" }.dropLast(2)
      Output.text(isFirst ? "{\n  \"entries\" : [\n  " : objects.isEmpty ? "" : ",\n  ")
      Output.text(String(list))
      isFirst = false
      guard page.isLast else { return }
      Output.line("\n  ]" + (page.next.map { ",\n  \"next\" : \"\($0)\"" } ?? "") + "\n}")
    }
  }

  private func page(of query: EntryQuery) async throws -> Vault.EntryPage {
    do throws(VaultError) {
      return try await vault.entries(matching: query)
    } catch {
      // Here it is a word of the command that is wrong.
      guard error.code == .unknownMember else { throw error }
      throw Failure.usage(error.code.rawValue, Self.noSuchMember)
    }
  }

  private static let noSuchMember = Sentence(
    "No member has an id that begins like this.", safe: Sentences.unchanged,
    next: "“cairn members” shows them. “me”, “survivor” and “advocate” will do as well.")

  private struct Page {
    let entries: [EntrySummary]
    let isLast: Bool
    /// Behind the last one.
    let next: String?
  }

  private func forEachPage(of limit: Int?, _ body: (Page) async throws -> Void) async throws {
    var query = query
    query.limit = limit ?? Self.pageLength
    while true {
      try Interruption.check()
      let page = try await page(of: query)
      let isLast = limit != nil || page.next == nil
      try await body(Page(entries: page.entries, isLast: isLast, next: isLast ? page.next : nil))
      if isLast { return }
      query.after = page.next
    }
  }
}
