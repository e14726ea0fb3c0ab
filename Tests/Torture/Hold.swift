import ArgumentParser
import Foundation
import Vault

/// Opens a vault, closes it and lets go of it, and waits for a line after each, so that somebody can look into the
/// memory of this process meanwhile.
struct Hold: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Holds a vault open, and closes it, as it is told.", shouldDisplay: false)

  @Argument var vault: String
  @Argument var kit: String

  func run() async throws {
    try await holdOpen()
    pause("gone")
  }

  private func holdOpen() async throws {
    let vault = try Vaults.open(vault, kit: try Vaults.kit(kit))
    _ = try await vault.entries(ofCase: nil).count
    pause("open")
    try await vault.close()
    pause("closed")
  }

  private func pause(_ state: String) {
    say(state)
    _ = readLine()
  }
}
