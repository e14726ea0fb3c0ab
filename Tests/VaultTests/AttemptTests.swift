import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

/// What is remembered of attempts to open a vault, and how long the next one waits.
@Suite struct AttemptTests {
  private func fails(_ fixture: VaultFixture, _ passphrase: String = "wrong") -> Bool {
    do {
      _ = try fixture.open(passphrase)
      return false
    } catch {
      return (error as? VaultError)?.code == .wrongPassphrase
    }
  }

  @Test func `attempts are counted until the vault opens, and told until somebody was told`()
    async throws
  {
    let fixture = try VaultFixture()
    try await fixture.create().close()
    let made = fixture.clock.now
    fixture.clock.advance(100)
    #expect(fails(fixture) && fails(fixture))
    var known = OpeningAttempts(ofVaultAt: fixture.path)
    #expect(known.failures == 2 && known.untoldFailures == 2)
    #expect(known.lastFailure == made + 100 && known.lastOpening == made)
    fixture.clock.advance(100)
    var vault = try fixture.open()
    #expect(await vault.earlierAttempts == known)
    try await vault.close()
    known = OpeningAttempts(ofVaultAt: fixture.path)
    #expect(known.failures == 0 && known.untoldFailures == 2)
    #expect(known.lastOpening == made + 200)
    vault = try fixture.open()
    #expect(await vault.earlierAttempts.untoldFailures == 2)
    await vault.noteAttemptsTold()
    try await vault.close()
    #expect(OpeningAttempts(ofVaultAt: fixture.path).untoldFailures == 0)
  }

  @Test func `the wait grows from the fourth attempt on, to half a minute`() {
    var attempts = OpeningAttempts()
    var waits: [UInt64] = []
    for _ in 0..<11 {
      waits.append(attempts.wait(at: 1000))
      attempts = attempts.after(failure: 1000)
    }
    #expect(waits == [0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30])
    #expect(attempts.waitUntil == 1030)
    #expect(attempts.wait(at: 1029) == 1)
    #expect(attempts.wait(at: 1030) == 0)
    #expect(attempts.after(success: 1001).wait(at: 1001) == 0)
  }

  @Test func `a clock that was put back or stands at the end of time locks nobody out`() {
    var attempts = OpeningAttempts()
    for _ in 0..<9 { attempts = attempts.after(failure: 1_000_000) }
    #expect(attempts.wait(at: 999_999) == 0)
    #expect(attempts.wait(at: 0) == 0)
    for _ in 0..<9 { attempts = attempts.after(failure: .max) }
    #expect(attempts.wait(at: .max) == 0)
  }

  @Test func `a missing, damaged or obstructed record counts as none and keeps nobody out`()
    async throws
  {
    let fixture = try VaultFixture()
    try await fixture.create().close()
    let path = fixture.path + "/attempts"
    let whole = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let damaged: [[UInt8]] = [
      [], [1], Array(whole.dropLast()), whole + [0], [0] + Array(whole.dropFirst()),
    ]
    for bytes in damaged {
      try Data(bytes).write(to: URL(filePath: path))
      #expect(OpeningAttempts(ofVaultAt: fixture.path) == OpeningAttempts())
      try await fixture.open().close()
      #expect(OpeningAttempts(ofVaultAt: fixture.path).lastOpening == fixture.clock.now)
    }
    try FileManager.default.removeItem(atPath: path)
    let elsewhere = try fixture.folder.file("elsewhere", [7])
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: elsewhere)
    #expect(fails(fixture))
    try await fixture.open().close()
    #expect(try Data(contentsOf: URL(filePath: elsewhere)) == Data([7]))
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(fails(fixture))
    let vault = try fixture.open()
    #expect(await vault.earlierAttempts == OpeningAttempts())
    try await vault.close()
  }
}
