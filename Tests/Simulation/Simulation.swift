import ArgumentParser
import Foundation

/// Runs schedules, each given by its seed alone. Scripts/simulate runs a great many.
@main
struct Simulation: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lets a case go wrong in every way at once, and looks whether it comes out right.")

  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "How many seeds.") var count: UInt64 = 1
  @Option(help: "About how many steps a schedule has.") var length = 16
  @Flag(help: "Tell what happens, step by step.") var show = false
  @Flag(help: "Of what fails, look for fewer steps that fail too.") var shrink = false
  @Option(help: "Spoil something on purpose: the run must fail.") var defect: Defect?
  @Flag(help: "Stop at the first that fails.") var untilFailure = false
  @Option(help: "Begin no schedule any more after so many seconds.") var seconds: Int?

  func run() async throws {
    let campaign = try await Campaign(length: length, defect: defect)
    var failed: [UInt64] = []
    let began = Date()
    var done: UInt64 = 0
    var isOver = false
    for seed in seed..<seed + count where !isOver {
      if let seconds, Date().timeIntervalSince(began) > Double(seconds) { break }
      let outcome = try await campaign.run(seed: seed)
      done += 1
      if show { print(outcome.transcript.joined(separator: "\n")) }
      guard !outcome.failures.isEmpty else { continue }
      failed.append(seed)
      defer { if untilFailure { isOver = true } }
      print("FAILED: seed \(seed), length \(length): \(outcome.failures[0])")
      if shrink {
        print(try await campaign.shortened(seed: seed).joined(separator: "\n"))
      } else if !show {
        print(outcome.transcript.joined(separator: "\n"))
      }
    }
    campaign.tell(done, failed, began)
    try campaign.finish()
    if !failed.isEmpty { throw ExitCode.failure }
  }
}
