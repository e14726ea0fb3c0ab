import CaseLog
import Cryptography
import Foundation
import Measuring
import Vault

/// What a vault does in a second, for `Scripts/bench`: `StorageBenchmark PART NUMBER`, where PART is
///
/// - `entries`: adds NUMBER small entries at once, each sealed, found by its words, signed and durable
/// - `unindexed`: the same with entries that say a time and no word, so that there is nothing to index
/// - `unlock`: opens a vault of NUMBER entries, beside the derivation of its key alone
/// - `memory`: adds a file of NUMBER GiB, and the peak of memory after the key was derived
/// - `check`: reads NUMBER GiB of attachments against what was signed
///
/// Prints one JSON object. Everything happens in a folder of its own under TMPDIR, which is removed.
@main
struct Benchmark {
  static func main() async throws {
    let (part, number) = Measured.asked(
      of: "StorageBenchmark", parts: ["entries", "unindexed", "unlock", "memory", "check"])
    let figures = try await Measured.inFolder("storage") { folder in
      let vault = try MeasuredVault(in: folder)
      return switch part {
      case "entries": try await vault.add(MeasuredVault.small(number))
      case "unindexed": try await vault.add(MeasuredVault.wordless(number))
      case "unlock": try await vault.unlock(entries: number)
      case "memory": try await vault.memory(gibibytes: number)
      default: try await vault.check(gibibytes: number)
      }
    }
    try Measured.tell(figures)
  }
}

struct MeasuredVault {
  private let folder: String
  private let vault: OpenVault
  private var path: String { folder + "/vault" }

  init(in folder: String) throws {
    self.folder = folder
    vault = try OpenVault.create(
      at: folder + "/vault", passphrase: try Measured.passphrase("right"),
      kit: try RecoveryKit.make(),
      cost: .light, surroundings: Measured.surroundings)
  }

  // MARK: - Entries

  /// About sixty bytes each, as somebody notes down one call or message after another.
  static func small(_ count: Int) -> [NewEntry] {
    let words = ["called", "again", "from", "another", "number", "and", "said", "nothing", "night"]
    return (0..<count).map { number in
      var content = EntryContent()
      content.words =
        (0..<8).map { words[(number >> $0) % words.count] }
        .joined(separator: " ") + " \(number)"
      return NewEntry(source: nil, content: content)
    }
  }

  static func wordless(_ count: Int) -> [NewEntry] {
    (0..<count).map { number in
      var content = EntryContent()
      let (day, hour, minute) = (
        10 + number / 25_000, 10 + number / 2500 % 10, 10 + number / 50 % 50
      )
      content.seen = ClaimedTime(typed: "2024-05-\(day)T\(hour):\(minute):\(10 + number % 50)Z")
      return NewEntry(source: nil, content: content)
    }
  }

  func add(_ new: [NewEntry]) async throws -> [String: Double] {
    let start = ContinuousClock.now
    let outcome = try await vault.add(new, toCase: nil)
    let taken = Measured.seconds(ContinuousClock.now - start)
    if let failure = outcome.failure { throw failure.error }
    guard outcome.saved.count == new.count else { throw VaultError(.inputOutput) }
    return ["seconds": taken]
  }

  // MARK: - Unlocking

  /// Milliseconds. A wrong passphrase costs the derivation and nothing else.
  func unlock(entries count: Int) async throws -> [String: Double] {
    _ = try await vault.add(Self.small(count), toCase: nil)
    try await vault.close()
    var (wrong, right): ([Double], [Double]) = ([], [])
    for _ in 0..<9 {
      let start = ContinuousClock.now
      do {
        _ = try OpenVault(
          opening: path, passphrase: try Measured.passphrase("wrong"),
          surroundings: Measured.surroundings)
      } catch let error as VaultError where error.code == .wrongPassphrase {}
      let middle = ContinuousClock.now
      let open = try OpenVault(
        opening: path, passphrase: try Measured.passphrase("right"),
        surroundings: Measured.surroundings)
      let end = ContinuousClock.now
      try await open.close()
      wrong.append(Measured.seconds(middle - start) * 1000)
      right.append(Measured.seconds(end - middle) * 1000)
    }
    let (key, all) = (wrong.sorted()[4], right.sorted()[4])
    return ["keyMilliseconds": key, "openMilliseconds": all - key]
  }

  // MARK: - Attachments

  /// A file whose bytes repeat every 16 MiB; nothing here looks for that.
  private func file(gibibytes: Int) throws -> String {
    let file = folder + "/large"
    _ = FileManager.default.createFile(atPath: file, contents: nil)
    let handle = try FileHandle(forWritingTo: URL(filePath: file))
    let piece = Data((0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) })
    for _ in 0..<(gibibytes * 64) { try handle.write(contentsOf: piece) }
    try handle.synchronize()
    try handle.close()
    return file
  }

  func memory(gibibytes: Int) async throws -> [String: Double] {
    let file = try self.file(gibibytes: gibibytes)
    // Linux: the peak begins anew here.
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    let start = ContinuousClock.now
    let new = NewEntry(source: .file(path: file), content: EntryContent())
    if let failure = try await vault.add([new], toCase: nil).failure { throw failure.error }
    let taken = Measured.seconds(ContinuousClock.now - start)
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?
      .split(separator: " ").compactMap { Double($0) }.first
    return [
      "peakMebibytes": (peak ?? .nan) / 1024, "gibibytesPerSecond": Double(gibibytes) / taken,
    ]
  }

  func check(gibibytes: Int) async throws -> [String: Double] {
    let file = try self.file(gibibytes: 1)
    for _ in 0..<gibibytes {
      _ = try await vault.add(
        [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    }
    let start = ContinuousClock.now
    let outcome = try await vault.check()
    let taken = Measured.seconds(ContinuousClock.now - start)
    guard outcome.findings.isEmpty else { throw VaultError(.contentDamaged) }
    return ["gibibytesPerSecond": Double(outcome.fileBytes) / 1_073_741_824 / taken]
  }
}
