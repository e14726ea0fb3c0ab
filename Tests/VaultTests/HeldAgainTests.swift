import CaseLog
import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

/// A folder that is added again loses nothing that the case does not hold any more.
@Suite struct HeldAgainTests {
  private var skipping: AddOptions {
    var options = AddOptions()
    options.skipsHeld = true
    return options
  }

  @Test func `a file of which only the hash was kept is kept when it is added again`() async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let path = try fixture.folder.file("a.bin", noise(5000, seed: 1))
    func entry(hashOnly: Bool) -> NewEntry {
      NewEntry(source: .file(path: path), isWithoutContent: hashOnly, content: EntryContent())
    }
    _ = try await vault.add([entry(hashOnly: true)], toCase: nil)
    let hashAgain = try await vault.add([entry(hashOnly: true)], toCase: nil, options: skipping)
    #expect(hashAgain.held.count == 1)
    let again = try await vault.add([entry(hashOnly: false)], toCase: nil, options: skipping)
    #expect(again.held.isEmpty)
    #expect(try await vault.entry(again.saved[0].id.base32).presentAttachments == [0])
    let third = try await vault.add([entry(hashOnly: false)], toCase: nil, options: skipping)
    #expect(third.held.map(\.sameContentAs) == [[again.saved[0].id]])
  }

  @Test func `a file that was erased is kept when it is added again`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let path = try fixture.folder.file("a.bin", noise(5000, seed: 1))
    let entry = NewEntry(source: .file(path: path), content: EntryContent())
    let first = try await vault.add([entry], toCase: nil).saved[0].id
    _ = try await vault.erase([first.base32])
    let again = try await vault.add([entry], toCase: nil, options: skipping)
    #expect(again.saved.count == 1)
    #expect(try await vault.entry(again.saved[0].id.base32).presentAttachments == [0])
  }
}
