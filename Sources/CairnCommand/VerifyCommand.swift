import ArgumentParser
import BundleCheck
import SealedBundle
import Vault

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check a sealed bundle: what was changed, and by whose word.",
    discussion: """
      It needs no vault. What a bundle says of itself is worth little: give what you know from \
      elsewhere, the fingerprint of the case as it stands in a statement, and the receipt key as \
      the advocate's organisation gives it to you.

      Ends with 0 if it is intact, 21 if all holds and there are remarks, 20 if something was \
      changed, 22 if it cannot be checked.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var unseal: UnsealOptions

  @Argument(help: "The sealed bundle.")
  var bundle: String

  func run() async throws {
    let trust = try unseal.trust()
    let size = try BundleFile.size(of: bundle)
    let progress = Progress("Checking", total: size, isQuiet: global.json)
    defer { progress.finish() }
    let verdict = try unseal.withKey(for: bundle, terminal: global.terminal) { key in
      do throws(BundleOpenError) {
        return try BundleCheck.verify(
          path: bundle, key: key, trust: trust, watch: { progress.goesOn($0) })
      } catch {
        try Interruption.check()
        throw Failure(bundle: error)
      }
    }
    progress.finish()
    try Interruption.check()
    if global.json {
      Output.line(VerdictJSON.line(verdict))
    } else {
      Output.verdict(verdict, trust: trust)
    }
    let status = ExitStatus(verdict)
    if status != .done { throw AlreadyTold(status: status) }
  }
}

extension ExitStatus {
  /// The same numbers as `cairn-verify`.
  init(_ verdict: BundleVerdict) {
    self = ExitStatus(rawValue: BundleExitCode(verdict).rawValue) ?? .cannotCheck
  }
}

extension Output {
  /// A verdict in the words of `cairn-verify`, broken for this width.
  static func verdict(_ verdict: BundleVerdict, trust: BundleTrust) {
    var prose: [String] = []
    func end() {
      if !prose.isEmpty { paragraph(prose.joined(separator: " ")) }
      prose = []
    }
    for text in VerdictText.lines(verdict, trust: trust) {
      if text.hasPrefix("  - ") {
        end()
        point(String(text.dropFirst(4)))
      } else if text.isEmpty || text.contains("  ") {
        // Blank lines, and those that spaces align.
        end()
        line(text)
      } else {
        prose.append(text)
      }
    }
    end()
  }

  private static func point(_ text: String) {
    for (index, part) in Columns.wrap(text, to: Columns.width - 5).enumerated() {
      line((index == 0 ? "  - " : "    ") + part)
    }
  }
}
