import CaseLog
import Cryptography
import Foundation
import Vault

/// What the library says of a vault that somebody laid a hand on.
struct Verdict {
  /// What opening it says; nil if it opens as if nothing were.
  var opening: String?
  /// What looking at all entries and all files says; nil if they are as they were.
  var looking: String?
  /// Something is shown that is not what was kept, without an error.
  var showsOther: String?
  /// What `check` finds that is damage or may come of one, or the error it ends with.
  var check: [String] = []
  /// What the next exchange says.
  var exchange: String?

  /// Nobody would ever know.
  var isSilentlyWrong: Bool {
    showsOther != nil && opening == nil && looking == nil && check.isEmpty && exchange == nil
  }
  var isUnnoticed: Bool {
    opening == nil && looking == nil && check.isEmpty && exchange == nil
  }
}

/// A vault as it should be, to hold others against.
struct Baseline {
  let kit: [UInt8]
  let shown: Shown
  let found: [String]
  let files: [String: [Bytes32]]

  /// A word that some entries have, so that the search is looked at too.
  static let word = "tamarind"

  init(_ vault: OpenVault, kit: [UInt8]) async throws {
    self.kit = kit
    shown = try await Shown(vault)
    found = try await Self.search(vault)
    files = try await Self.read(vault, shown)
  }

  static func search(_ vault: OpenVault) async throws -> [String] {
    var query = EntryQuery(.allCases)
    query.text = try SearchWords(typed: word)
    return try await vault.entries(matching: query).entries.map(\.id.base32).sorted()
  }

  static func read(_ vault: OpenVault, _ shown: Shown) async throws -> [String: [Bytes32]] {
    var digests: [String: [Bytes32]] = [:]
    let out = FileManager.default.temporaryDirectory.path + "/cairn-read-\(UUID().uuidString)"
    defer { do { try Tree.remove(out) } catch {} }
    for (id, entry) in shown.entries.sorted(by: { $0.key < $1.key })
    where entry.standing == .open && entry.content?.attachments.isEmpty == false {
      let extraction = try await vault.extract(id, to: out + "/" + id)
      guard extraction.missing.isEmpty else { throw VaultError(.contentMissing) }
      digests[id] = try extraction.written.map { SHA256Hash.hash(try Tree.read($0.path)) }
    }
    return digests
  }

  /// Opens a vault, looks at everything, checks it, and lets it meet others.
  ///
  /// - Parameters:
  ///   - mailbox: where, if it is to meet others.
  ///   - endsWhenNoticed: what is said first is enough.
  func verdict(
    of path: String, mailbox: String? = nil, readsFiles: Bool = true, endsWhenNoticed: Bool = false
  ) async throws -> Verdict {
    var verdict = Verdict()
    let vault: OpenVault
    do {
      vault = try Vaults.open(path, kit: try Vaults.kit(text: kit))
    } catch let error as VaultError {
      verdict.opening = error.code.rawValue
      return verdict
    }
    let standing = await vault.standing
    if standing != .sound { verdict.opening = "\(standing)" }
    if !endsWhenNoticed || verdict.isUnnoticed {
      try await look(vault, readsFiles: readsFiles, &verdict)
    }
    if !endsWhenNoticed || verdict.isUnnoticed { await check(vault, &verdict) }
    if let mailbox, standing == .sound {
      do {
        let outcome = try await vault.sync(caseNamed: nil, mailbox: mailbox)
        if outcome.problems.contains(.ownLogAhead) { verdict.exchange = "ownLogAhead" }
      } catch {
        verdict.exchange = error.code.rawValue
      }
    }
    do { try await vault.close() } catch {
      verdict.looking = verdict.looking ?? error.code.rawValue
    }
    return verdict
  }

  private func look(
    _ vault: OpenVault, readsFiles: Bool, _ verdict: inout Verdict
  ) async throws {
    do {
      let now = try await Shown(vault)
      let found = try await Self.search(vault)
      if now != shown {
        verdict.showsOther = now.departures(from: [shown], isWhole: true).first ?? "another list"
      } else if found != self.found {
        verdict.showsOther = "the search finds \(found.count), not \(self.found.count)"
      } else if readsFiles, try await Self.read(vault, now) != files {
        verdict.showsOther = "a file has other bytes"
      }
    } catch let error as VaultError {
      verdict.looking = error.code.rawValue
    }
  }

  private func check(_ vault: OpenVault, _ verdict: inout Verdict) async {
    do {
      let findings = try await vault.check().findings
      verdict.check = Set(findings.filter(Self.tells).map(Self.name)).sorted()
    } catch {
      verdict.check = [error.code.rawValue]
    }
  }

  private static func tells(_ finding: CheckOutcome.Finding) -> Bool {
    switch finding {
    case .contentUnlisted, .locks: return true
    default: return finding.isDamage
    }
  }

  private static func name(_ finding: CheckOutcome.Finding) -> String {
    let text = "\(finding)"
    return String(text.prefix { $0 != "(" })
  }
}
