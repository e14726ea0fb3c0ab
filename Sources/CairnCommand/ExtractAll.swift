import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

/// Everything that this member can open, as plain files: so that nobody is bound to this program.
struct ExtractAll {
  let global: GlobalOptions
  /// Nil for all cases.
  let caseName: String?
  let output: String

  func run() async throws {
    try requireEmpty()
    let result = ExtractAllResult()
    let status = try await global.withVault(terminal: global.terminal) { vault in
      guard !vault.contains(output) else {
        throw Failure(VaultError(.outputInVault), subject: SafeText.quoted(output))
      }
      let cases = try await cases(of: vault)
      do {
        for summary in cases { try await extract(summary, from: vault, result) }
      } catch let error as VaultError {
        result.failure = Failure(error, subject: SafeText.quoted(output))
      }
      return try report(result)
    }
    if let status { throw AlreadyTold(status: status) }
  }

  /// Never beside or over something else.
  private func requireEmpty() throws {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: output, isDirectory: &isFolder) else {
      return
    }
    if isFolder.boolValue, try FileManager.default.contentsOfDirectory(atPath: output).isEmpty {
      return
    }
    throw Failure(VaultError(.outputExists), subject: SafeText.quoted(output))
  }

  private func cases(of vault: OpenVault) async throws -> [CaseSummary] {
    let all = try await vault.cases()
    guard let caseName else { return all }
    let found = all.filter { summary in
      summary.name == caseName
        || caseName.count >= 4 && summary.caseID.fingerprint.hasPrefix(caseName.lowercased())
    }
    if let exact = found.first(where: { $0.name == caseName }) { return [exact] }
    guard found.count <= 1 else { throw VaultError(.ambiguousCase) }
    guard let summary = found.first else { throw VaultError(.unknownCase) }
    return [summary]
  }

  private func extract(
    _ summary: CaseSummary, from vault: OpenVault, _ result: ExtractAllResult
  ) async throws {
    let folder = freeFolder(for: summary.name)
    let tables = try CaseTables(in: folder)
    result.tables.append(tables)
    let name = summary.caseID.fingerprint
    let total = try await vault.extractableSize(ofCase: name)
    let progress = Progress("Writing", total: total, isQuiet: global.json)
    defer { progress.finish() }
    try await vault.extractAll(
      ofCase: name, to: folder,
      onBytes: { (bytes) throws(VaultError) in try progress.advance(bytes) },
      onEntry: { (entry) throws(VaultError) in
        try tables.add(entry)
        try progress.advance(0)
      })
    try tables.finish()
  }

  /// Named like the case, as far as file systems allow; two that would be the same are numbered.
  private func freeFolder(for name: String) -> String {
    var safe = String(
      name.map { $0.isLetter || $0.isNumber || " -_".contains($0) ? $0 : "_" }.prefix(60))
    if safe.allSatisfy(\.isWhitespace) { safe = "case" }
    var path = output + "/" + safe
    var number = 2
    while FileManager.default.fileExists(atPath: path) {
      path = output + "/\(safe)-\(number)"
      number += 1
    }
    return path
  }
}

/// What was written, case by case.
final class ExtractAllResult {
  var tables: [CaseTables] = []
  var failure: Failure?

  var cases: [CaseTables.Counts] { tables.map(\.counts) }
}

extension ExtractAll {
  private struct Object: Encodable {
    let cases: [CaseTables.Counts]
    let error: ErrorObject?
  }

  /// The exit code, if not everything could be written.
  private func report(_ result: ExtractAllResult) throws -> ExitStatus? {
    let cases = result.cases
    let status: ExitStatus?
    if let failure = result.failure {
      status = failure.status
    } else if cases.contains(where: { !$0.damaged.isEmpty }) {
      status = ExitStatus(.contentDamaged)
    } else if cases.contains(where: { !$0.tooLarge.isEmpty }) {
      status = ExitStatus(.diskFull)
    } else {
      status = cases.contains { !$0.missing.isEmpty } ? ExitStatus(.contentMissing) : nil
    }
    if global.json {
      try Output.json(Object(cases: cases, error: result.failure.map(ErrorObject.init)))
      return status
    }
    for counts in cases { tell(counts) }
    if !cases.isEmpty {
      Output.line("Out here nothing is encrypted: delete it when you no longer need it.")
    }
    if let failure = result.failure {
      Output.remark(failure.sentence.what)
      Output.remark(
        cases.isEmpty
          ? "Nothing was written."
          : "What is in \(SafeText.quoted(output)) so far is whole; the vault is unchanged.")
      Output.remark(
        (failure.code == VaultError.Code.diskFull.rawValue
          ? "Make some room there, or choose another disk. " : "")
          + "To have everything, delete that folder and run the command again.")
    }
    return status
  }

  private func tell(_ counts: CaseTables.Counts) {
    var line = "Wrote  \(SafeText.line(counts.folder)): "
    line += Quantity.count(counts.entries, "entry", "entries") + ", "
    line += Quantity.count(counts.files, "file", "files") + ", " + Quantity.bytes(counts.bytes)
    Output.paragraph(line)
    if counts.hashOnly > 0 {
      Output.paragraph(
        "Of \(Quantity.count(counts.hashOnly, "file", "files")) only size, type and SHA-256 are kept.",
        indent: 7)
    }
    list(counts.tooLarge, "larger than the disk that this was written to can hold; use another one")
    list(counts.missing, "not arrived here yet; sync, and then repeat this")
    list(
      counts.damaged,
      "damaged on this disk or lost, and not written; another member's copy or a backup may have it"
    )
  }

  private func list(_ names: [String], _ what: String) {
    guard !names.isEmpty else { return }
    Output.remark(Quantity.count(names.count, "file", "files") + " \(what):")
    for name in names.prefix(10) { Output.remark("  " + name) }
    if names.count > 10 { Output.remark("  and \(names.count - 10) more") }
  }
}
