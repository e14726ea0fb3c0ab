import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

/// What a vault shows of an entry, without what only other members' receipts say of its time.
struct ShownEntry: Hashable, CustomStringConvertible {
  let caseName: String
  let standing: EntrySummary.Standing
  let kind: EntryKind?
  let isRetracted: Bool
  let content: EntryContent?
  let presentAttachments: [UInt64]

  func with(presentAttachments: [UInt64]) -> ShownEntry {
    ShownEntry(
      caseName: caseName, standing: standing, kind: kind, isRetracted: isRetracted,
      content: content, presentAttachments: presentAttachments)
  }

  var description: String {
    "\(standing) \(kind.map { "\($0)" } ?? "-") \(content?.words ?? "") \(content?.attachments.count ?? 0) files"
      + " \(presentAttachments) \(isRetracted ? "retracted" : "")"
  }
}

/// What a vault shows of itself.
struct Shown: Hashable {
  var cases: [String] = []
  var entries: [String: ShownEntry] = [:]

  init() {}

  /// - Parameter isComplete: whether no file is awaited, so that none need be asked for.
  init(_ vault: OpenVault, isComplete: Bool = false) async throws {
    cases = try await vault.cases().map(\.name).sorted()
    for name in cases {
      for entry in try await vault.entries(ofCase: name) {
        var present = entry.content?.attachments.map(\.number).sorted() ?? []
        if !isComplete, !present.isEmpty {
          present = try await vault.entry(entry.id.base32).presentAttachments.sorted()
        }
        entries[entry.id.base32] = ShownEntry(
          caseName: entry.caseName, standing: entry.standing, kind: entry.kind,
          isRetracted: entry.isRetracted, content: entry.content,
          presentAttachments: present)
      }
    }
  }

  /// Whether it is an entry whose files come after it, some of which have come: so with what others send.
  private func isArriving(_ id: String, _ allowed: [Shown]) -> Bool {
    guard let entry = entries[id] else { return false }
    return allowed.contains { state in
      guard let whole = state.entries[id] else { return false }
      return whole.with(presentAttachments: entry.presentAttachments) == entry
        && Set(entry.presentAttachments).isSubset(of: whole.presentAttachments)
    }
  }

  /// Where this is neither of two others, entry by entry; empty if it is one or a mixture of whole entries.
  func departures(from allowed: [Shown], isWhole: Bool) -> [String] {
    var found: [String] = []
    for name in Set(cases).union(allowed.flatMap(\.cases))
    where !allowed.contains(where: { $0.cases.contains(name) == cases.contains(name) }) {
      found.append("case \(name) \(cases.contains(name) ? "is there" : "is missing")")
    }
    let ids = Set(entries.keys).union(allowed.flatMap(\.entries.keys))
    for id in ids.sorted()
    where !allowed.contains(where: { $0.entries[id] == entries[id] })
      && (isWhole || !isArriving(id, allowed))
    {
      let expected = allowed.map { $0.entries[id]?.description ?? "none" }
      found.append(
        "entry \(id.prefix(10)): \(entries[id]?.description ?? "none"), not one of \(expected)")
    }
    return found
  }
}

/// Vaults, opened by the library as the program would open them.
enum Vaults {
  /// As `ProcessRules.machine` of the program: anchors are bound to it.
  static let machine: [UInt8] = {
    if let id = FileManager.default.contents(atPath: "/etc/machine-id"), !id.isEmpty {
      return [UInt8](id.prefix(64))
    }
    return Array(ProcessInfo.processInfo.hostName.utf8)
  }()

  static let surroundings = Surroundings(
    now: { UInt64(max(0, Date().timeIntervalSince1970)) }, machine: machine)

  /// The words of a kit as the program wrote them.
  static func kit(_ file: String) throws -> RecoveryKit {
    try kit(text: Tree.read(file))
  }

  static func kit(text: [UInt8]) throws -> RecoveryKit {
    // A number and its word, among whatever else stands on the page.
    let tokens = String(decoding: text, as: UTF8.self).split { " \n\t.|".contains($0) }
    var numbered: [Int: Substring] = [:]
    for (number, word) in zip(tokens, tokens.dropFirst()) {
      guard let number = Int(number), (1...12).contains(number), numbered[number] == nil,
        word.allSatisfy({ ("a"..."z").contains($0) || $0 == "-" })
      else { continue }
      numbered[number] = word
    }
    let words = (1...12).compactMap { numbered[$0] }
    return try Array(words.joined(separator: " ").utf8).withBytes { (bytes) throws(KitWordsError) in
      try RecoveryKit(words: bytes)
    }
  }

  /// Through the kit, which costs microseconds where the passphrase costs a tenth of a second.
  static func open(_ path: String, kit: borrowing RecoveryKit) throws -> OpenVault {
    try OpenVault(opening: path, kit: kit, surroundings: surroundings)
  }
}
