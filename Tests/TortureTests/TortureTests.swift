import Foundation
import People
import Testing

/// The short form of what Scripts/torture does for hours; `Tests/Torture` says what each campaign is. Rows 28 and 38 of
/// `Tests/ConformanceTests` run the rest.
@Suite struct TortureTests {
  private func expectSound(
    _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [String: Int] {
    let campaign = try await Campaign.run(arguments)
    #expect(campaign.status == 0, "\(campaign.said)", sourceLocation: sourceLocation)
    return campaign.figures
  }

  private static let project = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `a vault that cannot be made leaves nothing`() async throws {
    let figures = try await expectSound(
      ["faults", "--commands", "init", "--faults", "enospc:0,eio:0", "--every", "499"])
    #expect((figures["told as a failure"] ?? 0) > 5)
  }

  @Test func `whatever cuts a change of keys or a backup, one whole state is there`() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let figures = try await expectSound(
      ["crashes", "--life", "keeping", "--states", "12", "--seed", "\(seed)"])
    #expect((figures["backups restored and compared"] ?? 0) > 2)
    #expect((figures["passphrases tried"] ?? 0) > 5)
  }

  @Test func `a change of locks that fails leaves the old one or the new one`() async throws {
    let figures = try await expectSound(
      ["faults", "--commands", "passphrase,renew", "--faults", "eio,kill", "--every", "11"])
    #expect((figures["told as a failure"] ?? 0) > 3)
  }

  /// Each time the program goes on, tells of an error, or ends.
  @Test func `without memory nothing is lost that was saved`() async throws {
    let first = Int.random(in: 1...1300)
    let figures = try await expectSound(["memory", "--every", "1301", "--from", "\(first)"])
    #expect((figures["runs in which one failed, or all from one on"] ?? 0) > 5)
  }

  @Test func `a changed bit is found, or changes nothing that is shown`() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let figures = try await expectSound(["flips", "--stride", "5003", "--seed", "\(seed)"])
    #expect((figures["bits flipped, one at a time"] ?? 0) > 50)
  }

  @Test func `what is tampered with is noticed as SECURITY says`() async throws {
    let document = Self.project.appending(path: "SECURITY.md").path
    let figures = try await expectSound(["tamper", "--document", document])
    #expect((figures["tampered states"] ?? 0) > 100)
  }
}
