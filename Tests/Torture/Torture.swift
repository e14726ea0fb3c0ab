import ArgumentParser
import Foundation

/// What is done to vaults of the real program, each campaign a command. Scripts/torture runs all of them.
@main
struct Torture: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tries to make a vault lose something, or tell something false.",
    subcommands: [
      Crashes.self, Kills.self, Faults.self, Flips.self, Tamper.self, Memory.self, Plaintext.self,
      Hold.self, HoldWithoutMemory.self,
    ])
}

struct Crashes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Power cuts: every state that the disk could be in, over a recorded history.")

  @Option(help: "How many different states.") var states = 3000
  @Option(help: "Of the history and of the choice of states.") var seed: UInt64 = 1
  @Option(help: "Histories, each with its share of the states.") var histories = 1
  @Option(help: "Of what: two people who meet, or one who changes her locks and keeps a backup.")
  var life = Life.meeting
  @Option(help: "Of these states only the one with this number, as a failure names it; it stays.")
  var only: Int?
  @Flag(help: "Leave the folder with the history.") var keep = false

  func run() async throws {
    let progress = Progress()
    var report = Report()
    var total = CrashCampaign.Figures()
    for number in 0..<histories {
      let seed = seed &+ UInt64(number)
      var history = try History(seed: seed, life: life)
      do {
        try await history.live()
        let share = states * (number + 1) / histories - states * number / histories
        var campaign = CrashCampaign(history: history, seed: seed, only: only)
        total.add(try await campaign.run(states: share, progress: progress))
      } catch {
        total.failures.append("history of seed \(seed): \(error)")
      }
      if !keep, only == nil, total.failures.isEmpty { try history.workshop.remove() }
    }
    report.failures = total.failures
    report.add("crash states, each different", total.states)
    report.add("events in \(histories) recorded histories", total.events)
    report.add("times a vault was opened and checked whole", total.vaultsOpened)
    report.add("times it was equal in every byte to one that had been", total.vaultsKnown)
    report.add("states before the vault was there", total.beforeFirst)
    report.add("files read back and compared", total.filesRead)
    if life == .keeping {
      report.add("passphrases tried", total.passphrasesTried)
      report.add("backups restored and compared", total.backupsRead)
      report.add("states in which the next backup or change of keys was made", total.livedOn)
    } else {
      report.add("states in which both copies went on, met and agreed", total.livedOn)
    }
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
  @Option(help: "The first call.") var from = 1

  func run() async throws {
    var campaign = try await FaultCampaign()
    let chosen = commands.split(separator: ",").map(String.init)
    let wanted = faults.split(separator: ",").map(String.init)
    let progress = Progress()
    for command in FaultCampaign.Command.allCases
    where chosen.isEmpty || chosen.contains(command.rawValue) {
      try await campaign.run(
        command, faults: wanted.isEmpty ? FaultCampaign.faults : wanted, from: from, every: every,
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

struct Flips: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Every bit of a vault’s files counts: none is changed in silence.")

  @Option(help: "“all”, or in large files each so manieth byte.") var stride = "997"
  @Option(help: "The first byte that is changed; any if not given.") var from: Int?
  @Option(help: "Files up to this length are gone through byte by byte.") var whole = 0
  @Option(help: "Of what the vault holds, and of which bits.") var seed: UInt64 = 1

  func run() async throws {
    guard let step = stride == "all" ? 1 : Int(stride), step > 0 else {
      throw ValidationError("--stride is a number, or “all”.")
    }
    var campaign = try await FlipCampaign(seed: seed)
    let figures = try await campaign.run(
      stride: step, from: from, whole: whole, progress: Progress())
    var report = Report()
    report.failures = figures.failures
    report.add("bits flipped, one at a time", figures.flips)
    report.add("refused at opening", figures.refused)
    report.add("told at opening that it is older or copied", figures.toldAtOnce)
    report.add("an error when it was looked at", figures.errorWhenLooking)
    report.add("found by check", figures.foundByCheck)
    report.add("without effect on anything shown", figures.withoutEffect)
    for (file, count) in figures.withoutEffectByFile.sorted(by: { $0.key < $1.key }) {
      report.add("  of these in \(file)", count)
    }
    report.end("Flips, from seed \(seed)")
  }
}

struct Tamper: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Pages, logs, files and folders put back, swapped and removed: the table of SECURITY.md.")

  @Option(help: "A document that has to hold the table as it was seen.") var document: String?

  func run() async throws {
    var tampering = try await Tampering()
    try await tampering.run(progress: Progress())
    var report = Report()
    report.failures = tampering.failures
    report.add("tampered states", tampering.statesTried)
    let written = try document.map { String(decoding: try Tree.read($0), as: UTF8.self) }
    say("| what is done | at once | by `cairn check` | at the next exchange |\n|---|---|---|---|")
    for line in tampering.lines {
      say(line.markdown)
      if let written, !line.isHeld(by: written) {
        report.failures.append("not in the document: \(line.markdown)")
      }
    }
    report.end("Tampering")
  }
}

struct Memory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "SQLite gets no memory: at each request once, and from each request on.")

  @Option(help: "Only each so manieth request.") var every = 1
  @Option(help: "The first request.") var from = 1

  func run() async throws {
    var campaign = try await MemoryCampaign()
    let figures = try await campaign.run(every: every, from: from, progress: Progress())
    var report = Report()
    report.failures = figures.failures
    report.add("requests for memory in one run", figures.requests)
    report.add("runs in which one failed, or all from one on", figures.runs)
    report.add("ended with an error", figures.errors)
    report.add("ended the program", figures.ended)
    report.add("done in spite of it", figures.wentOn)
    report.end("Memory")
  }
}

struct Plaintext: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Known texts are found in no file and no message, and no file is written elsewhere.")

  func run() async throws {
    var campaign = try PlaintextCampaign()
    let figures = try campaign.run()
    var report = Report()
    report.failures = figures.failures
    report.add("commands watched with strace", figures.commands)
    report.add("files searched", figures.filesSearched)
    report.add("bytes searched", figures.bytesSearched)
    report.add("changes to files seen, all in their places", figures.filesOpenedForWriting)
    report.end("No plaintext")
  }
}
