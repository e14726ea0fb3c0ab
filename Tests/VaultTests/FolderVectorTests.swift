import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing

@testable import Vault

/// Vectors of `Protocol/Vectors` for folders (`Protocol/Sync.md`): a vault that is recovered from one takes what the
/// vector says, and tells what is wrong.
@Suite struct FolderVectorTests {
  @Test(arguments: try ProtocolVector.all("folder"))
  func folder(_ vector: ProtocolVector) async throws {
    let mailbox = try TemporaryFolder()
    for (name, hex) in try vector.field("files", [String: String].self) {
      let url = URL(filePath: "\(mailbox.path)/\(name)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(Hex.decode(hex)).write(to: url)
    }
    let seed = try vector.bytes("kit")
    let kit = try RecoveryKit.typed(seed.withBytes { KitWords.encode($0) })
    let fixture = try VaultFixture(machine: "reader")
    let found = try OpenVault.findCase(in: mailbox.path, kit: kit)
    let vault = try OpenVault.create(
      at: fixture.path, passphrase: try locked(VaultFixture.passphrase), kit: kit, cost: .least,
      recovering: found, named: "default", surroundings: fixture.surroundings)
    let outcome = try await vault.sync(caseNamed: nil, mailbox: mailbox.path)
    // Of a log that is cut off from its beginning nobody learns who else there is: that stands in its entries.
    let sizes = try vector.field("sizes", [Int].self).sorted()
    #expect(try await vault.sizesOfOthers() == (sizes.contains(0) ? [0] : sizes))
    if let readable = vector.fields["readable"] as? Int {
      #expect(try await vault.count("entry WHERE parts IS NOT NULL") == readable)
      let attachments = try vector.field("attachments", Int.self)
      #expect(try await vault.count("blob WHERE is_present") == attachments)
    }
    let told = Set(outcome.problems.map(Self.code))
    #expect(told == (vector.expected == "ok" ? [] : [vector.expected]))
    try await vault.close()
  }

  /// As the page has it; what of a range does not verify is damage of its file there.
  private static func code(_ problem: SyncOutcome.Problem) -> String {
    switch problem {
    case .damaged, .mailboxFault, .forgedStatement: "file-damaged"
    case .gap: "gap"
    case .fork: "fork"
    default: "\(problem)"
    }
  }
}

extension OpenVault {
  fileprivate func count(_ rows: String) throws -> Int? {
    try read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM \(rows)") }
  }

  fileprivate func sizesOfOthers() throws -> [Int] {
    let sizes = try read { db in
      try Int.fetchAll(
        db,
        sql: """
          SELECT size FROM log g JOIN vault_case c ON c.id = g.case_ref WHERE g.log_id <> c.log_id
          """)
    }
    return sizes.sorted()
  }
}
