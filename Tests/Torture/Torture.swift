import ArgumentParser
import Foundation

/// What is done to vaults of the real program, each campaign a command. Scripts/torture runs all of them.
@main
struct Torture: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tries to make a vault lose something, or tell something false.",
    subcommands: [Crashes.self, Kills.self, Faults.self])
}

struct Crashes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Power cuts: every state that the disk could be in, over a recorded history.")

  @Option(help: "How many different states.") var states = 3000
  @Option(help: "Of the history and of the choice of states.") var seed: UInt64 = 1
  @Option(help: "Histories, each with its share of the states.") var histories = 1
  @Flag(help: "Leave the folder with the history.") var keep = false

  func run() async throws {
    let progress = Progress()
    var report = Report()
    var total = CrashCampaign.Figures()
    for number in 0..<histories {
      let seed = seed &+ UInt64(number)
      var history = try History(seed: seed)
      do {
        try await history.live()
        let share = states * (number + 1) / histories - states * number / histories
        var campaign = CrashCampaign(history: history, seed: seed)
        total.add(try await campaign.run(states: share, progress: progress))
      } catch {
        total.failures.append("history of seed \(seed): \(error)")
      }
      if !keep, total.failures.isEmpty { try history.workshop.remove() }
    }
    report.failures = total.failures
    report.add("crash states, each different", total.states)
    report.add("events in \(histories) recorded histories", total.events)
    report.add("times a vault was opened and checked whole", total.vaultsOpened)
    report.add("states before the vault was there", total.beforeFirst)
    report.add("files read back and compared", total.filesRead)
    report.add("states in which both copies went on, met and agreed", total.livedOn)
    report.end("Power cuts, from seed \(seed)")
  }
}

struct Kills: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Kills the program at any moment; what it said was saved is there.")

  @Option(help: "How many.") var count = 100
  @Option(help: "Of the moments and of what is added.") var seed: UInt64 = 1

  func run() async throws {
    var campaign = KillCampaign(seed: seed)
    let figures = try await campaign.run(kills: count, progress: Progress())
    var report = Report()
    report.failures = figures.failures
    report.add("kills", figures.kills)
    report.add("runs that ended before", figures.tooLate)
    report.add("entries acknowledged, and looked for after each further kill", figures.acknowledged)
    report.add("vaults", figures.vaults)
    report.end("Kills, from seed \(seed)")
  }
}

struct Faults: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Each call to the system fails once, or from then on: no space, no disk, half a write.")

  @Option(help: "Which commands, with commas; all if not given.") var commands = ""
  @Option(help: "Which faults, with commas; all if not given.") var faults = ""
  @Option(help: "Only each so manieth call.") var every = 1

  func run() async throws {
    var campaign = try await FaultCampaign()
    let chosen = commands.split(separator: ",").map(String.init)
    let wanted = faults.split(separator: ",").map(String.init)
    let progress = Progress()
    for command in FaultCampaign.Command.allCases
    where chosen.isEmpty || chosen.contains(command.rawValue) {
      try await campaign.run(
        command, faults: wanted.isEmpty ? FaultCampaign.faults : wanted, every: every,
        progress: progress)
    }
    let figures = try campaign.finish()
    var report = Report()
    report.failures = figures.failures
    report.add("runs of the program with a fault", figures.runs)
    report.add("calls of all commands together", figures.calls)
    report.add("told as a failure", figures.failed)
    report.add("killed", figures.killed)
    report.add("done in spite of the fault", figures.succeeded)
    report.add("done, though its user could not be told", figures.doneAllTheSame)
    report.add("harmless files that no entry names", figures.strays)
    report.end("Faults of single calls")
  }
}
