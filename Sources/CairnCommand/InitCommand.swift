import ArgumentParser
import Cryptography
import Foundation
import Vault

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a new vault.",
    discussion: """
      On a terminal it offers a passphrase of six random words, which you may take or leave, and \
      shows twelve words to write down: they open the vault when the passphrase is lost.

      --kit writes them to a file instead: a page to print if its name ends in .html, else a text. \
      Both have a check, by which two papers can be compared, and a QR code of the words; neither says \
      what they open.

      In a script, name both files:
        cairn init --no-input --passphrase-file FILE --kit FILE
      """)

  enum Cost: String, ExpressibleByArgument, CaseIterable {
    case standard, light
    var value: KeyCost { self == .light ? .light : .standard }
  }

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Write the twelve words to this new file instead of showing them.", valueName: "file"))
  var kit: String?

  @Option(
    help: ArgumentHelp(
      "How much work a guess at the passphrase costs: light needs 64 MiB of memory instead of 256, "
        + "for weak devices.",
      valueName: "cost"))
  var kdf = Cost.standard

  func run() async throws {
    let terminal = global.terminal
    try requireFreePlace()
    if terminal == nil, global.namedPassphraseFile == nil { throw GlobalOptions.noPassphrase }
    if terminal == nil, kit == nil { throw Self.noPlaceForKit }
    if kit == "-" { throw Self.kitIsNoFile }
    let kitFile = try kit.map { try NewFile(reserving: $0) }
    do {
      let passphrase = try Self.choosePassphrase(global, terminal, cost: kdf.value)
      let words = try RecoveryKit.make()
      try keep(words, kitFile, terminal)
      try Interruption.check()
      let vault = try OpenVault.create(
        at: global.vaultFolder, passphrase: passphrase, kit: words, cost: kdf.value,
        surroundings: GlobalOptions.surroundings)
      try await vault.close()
    } catch {
      // A vault that came about after all keeps its kit.
      if !FileManager.default.fileExists(atPath: global.vaultFolder + "/keys") {
        kitFile?.discard()
      }
      guard let error = error as? VaultError else { throw error }
      throw Failure(error, subject: SafeText.quoted(global.vaultFolder))
    }
    if let kit {
      do {
        try await Self.tryKit(in: kit, on: global.vaultFolder)
      } catch {
        throw Self.kitNotTried(error, kit, vault: global.vaultFolder)
      }
    }
    try report()
  }

  private func requireFreePlace() throws {
    guard FileManager.default.fileExists(atPath: global.vaultFolder) else { return }
    do {
      let names = try FileManager.default.contentsOfDirectory(atPath: global.vaultFolder)
      if names.isEmpty { return }
    } catch {
      // A file, or a folder that cannot be read: in either case there is something.
    }
    throw Failure(VaultError(.vaultExists), subject: SafeText.quoted(global.vaultFolder))
  }

  /// The passphrase of a vault that is to be made.
  static func choosePassphrase(
    _ global: GlobalOptions, _ terminal: Terminal?, cost: KeyCost
  ) throws -> LockedBytes {
    if let file = global.namedPassphraseFile {
      return try Passphrase.chosen(file: file, cost: cost)
    }
    guard let terminal else { throw GlobalOptions.noPassphrase }
    return try Passphrase.normalized(
      try SetUpDialogue(terminal: terminal, cost: cost).choosePassphrase())
  }

  /// Opens the new vault by what stands in the kit's file, and looks into it.
  private static func tryKit(in file: String, on vault: String) async throws {
    let kit = try KitOption.read(file)
    let opened = try OpenVault(
      opening: vault, kit: kit, surroundings: GlobalOptions.surroundings)
    _ = try await opened.entries(ofCase: nil).count
    try await opened.close()
  }

  private func keep(
    _ words: borrowing RecoveryKit, _ file: NewFile?, _ terminal: Terminal?
  ) throws {
    if let file {
      try file.finish(with: try KitPaper.bytes(of: words, for: kit ?? ""))
    } else if let terminal {
      try SetUpDialogue(terminal: terminal).hand(over: words)
    }
  }

  private func report() throws {
    struct Object: Encodable {
      let kit: String?
      let vault: String
    }
    if global.json {
      try Output.json(Object(kit: kit, vault: global.vaultFolder))
    } else {
      Output.line("The vault is ready: \(SafeText.line(global.vaultFolder))")
      if let kit { Output.line("The twelve words are in \(SafeText.line(kit))") }
      let option = global.vault.map { " --vault " + SafeText.argument($0) } ?? ""
      Output.line(
        kit == nil
          ? "The twelve words were tried on it, and open it."
          : "They were tried on it, and open it.")
      Output.paragraph("Put the first thing into it: cairn add\(option)")
    }
    if kit != nil {
      Output.remark(
        "Note: whoever has the twelve words can open the vault. Print them or move them to something"
          + " that you keep elsewhere, and then delete the file: on the same disk, they protect"
          + " nothing.")
    }
  }

  private static func kitNotTried(_ error: any Error, _ kit: String, vault: String) -> Failure {
    let failure = error as? Failure ?? (error as? VaultError).map { Failure($0) }
    return Failure(
      code: failure?.code ?? "kitNotTried", status: failure?.status ?? .other,
      Sentence(
        "The vault was made, but the twelve words in \(SafeText.quoted(kit)) could not be tried on it."
          + " " + (failure?.sentence.what ?? ""),
        safe:
          "The vault is at \(SafeText.quoted(vault)) and opens with its passphrase; the file with"
          + " the words was kept.",
        next: "Try the words before you rely on them: cairn passphrase --kit FILE. If they do not"
          + " open it, make another vault in a new folder before you put anything into this one."))
  }

  private static let kitIsNoFile = Failure.usage(
    "noPlaceForKit",
    Sentence(
      "The twelve words are not written to the standard output, where they would stay on the screen"
        + " or in a log.", safe: "Nothing was made.",
      next: "Name a new file for them with --kit, or leave it out on a terminal to be shown them."))

  private static let noPlaceForKit = Failure.usage(
    "noPlaceForKit",
    Sentence(
      "A new vault comes with twelve words that open it when the passphrase is lost, and there was"
        + " nobody to show them to.", safe: "Nothing was made.",
      next: "Run this on a terminal without --no-input, or name a new file for them with --kit."))
}
