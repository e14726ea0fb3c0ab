import ArgumentParser
import BundleCheck
import Cryptography
import Foundation
import SealedBundle
import Vault

struct OpenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Check a sealed bundle, and take its files out of it.",
    discussion: """
      It needs no vault. The files are written only if nothing in the bundle was changed. Read \
      data/report.html first. Out there they are no longer encrypted.

      Ends as “cairn verify” does for the same bundle: with 0 if it is intact, 21 if all holds and \
      there are remarks, 20 if something was changed, 22 if it cannot be checked.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var unseal: UnsealOptions

  @Argument(help: "The sealed bundle.")
  var bundle: String

  @Option(help: ArgumentHelp("A new folder for the files.", valueName: "folder"))
  var output: String

  func run() async throws {
    let trust = try unseal.trust()
    let size = try BundleFile.size(of: bundle)
    let place = try NewFolder(output)
    do {
      let opened = try unseal.withKey(for: bundle, terminal: global.terminal) { key in
        try open(key, trust, into: place, size: size)
      }
      try tell(opened, trust, place)
    } catch {
      place.discard()
      throw error
    }
  }

  private func open(
    _ key: borrowing BundleKey, _ trust: BundleTrust, into place: NewFolder, size: UInt64
  ) throws -> BundleOpening {
    // Read once to check it and once to take the files out.
    let progress = Progress("Opening", total: size * 2, isQuiet: global.json)
    defer { progress.finish() }
    let opened: BundleOpening
    do throws(BundleOpenError) {
      opened = try BundleCheck.open(
        path: bundle, key: key, trust: trust, into: place.temporary,
        watch: { progress.goesOn($0) })
    } catch {
      try Interruption.check()
      throw Failure(bundle: error)
    }
    try Interruption.check()
    switch opened.failure {
    case .full?: throw Failure(VaultError(.diskFull))
    case .unwritable?: throw Failure(VaultError(.inputOutput))
    case nil: return opened
    }
  }

  private func tell(_ opened: BundleOpening, _ trust: BundleTrust, _ place: NewFolder) throws {
    let status = ExitStatus(opened.verdict)
    guard opened.fileCount > 0 else {
      place.discard()
      if global.json {
        Output.line(VerdictJSON.line(opened.verdict))
      } else {
        Output.verdict(opened.verdict, trust: trust)
        Output.line()
        Output.line("Nothing was written.")
      }
      throw AlreadyTold(status: status)
    }
    try place.keep()
    try describe(opened, trust)
    if status != .done { throw AlreadyTold(status: status) }
  }

  private func describe(_ opened: BundleOpening, _ trust: BundleTrust) throws {
    if global.json {
      struct Object: Encodable {
        let files: Int
        let output: String
        let size: UInt64
        let verdict: String
      }
      try Output.json(
        Object(
          files: opened.fileCount, output: output, size: opened.byteCount,
          verdict: opened.verdict.outcome.rawValue))
      return
    }
    Output.verdict(opened.verdict, trust: trust)
    Output.line()
    let count = Quantity.count(opened.fileCount, "file", "files")
    Output.paragraph("\(count), \(Quantity.bytes(opened.byteCount)), in \(SafeText.line(output)).")
    Output.paragraph(
      "Begin with \(SafeText.line(output))/data/report.html. Out here nothing is encrypted: delete it"
        + " when you no longer need it.")
  }
}

/// A folder that is filled under another name beside its place, so that it is there whole or not at
/// all.
struct NewFolder {
  private let path: String
  let temporary: String

  init(_ path: String) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Failure(VaultError(.outputExists), subject: SafeText.quoted(path))
    }
    self.path = path
    temporary = parent + "." + Hex.encode(Randomness.bytes(8))
    do {
      try FileManager.default.createDirectory(
        atPath: temporary, withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure.cannotWrite(to: path)
    }
  }

  func keep() throws {
    do {
      try FileManager.default.moveItem(atPath: temporary, toPath: path)
    } catch {
      throw Failure.cannotWrite(to: path)
    }
  }

  /// Removes what is not kept; what was removed already is not there.
  func discard() {
    do { try FileManager.default.removeItem(atPath: temporary) } catch {}
  }
}
