import Foundation
import Support

/// Runs schedules one after another in the same folders.
final class Campaign {
  struct Outcome {
    let transcript: [String]
    let failures: [String]
  }

  private let length: Int
  private let defect: Defect?
  private let folder: String
  private var casts: [UInt64: Cast] = [:]
  private var figures: [String: Int] = [:]

  init(length: Int, defect: Defect?) async throws {
    self.length = length
    self.defect = defect
    let memory = "/dev/shm"
    let place =
      FileManager.default.isWritableFile(atPath: memory)
      ? memory : FileManager.default.temporaryDirectory.path
    folder = "\(place)/cairn-simulation-\(ProcessInfo.processInfo.processIdentifier)"
    try Files.makeFolder(folder)
    try await Cast.warmUp(in: folder)
  }

  func finish() throws { try Files.removeTree(folder) }

  func run(seed: UInt64) async throws -> Outcome {
    try await run(Schedule(seed: seed, length: length))
  }

  private func run(_ schedule: Schedule) async throws -> Outcome {
    let variant = schedule.seed % Cast.variants
    let cast: Cast
    if let known = casts[variant] {
      cast = known
    } else {
      cast = try await Cast(variant, in: folder + "/\(variant)")
      casts[variant] = cast
    }
    let world = try await World(schedule, cast)
    do {
      for step in schedule.steps {
        try await world.perform(step)
        if !world.failures.isEmpty { break }
      }
      if world.failures.isEmpty { try await world.settle() }
      if world.failures.isEmpty { try await world.judge(defect) }
    } catch is Defect.NothingToSpoil {
      world.say("nothing to spoil")
    } catch {
      world.fail("error \(error)")
    }
    try await world.close()
    count(world)
    return Outcome(transcript: world.transcript, failures: world.failures)
  }

  /// A transcript of fewer steps that fail too; the shortest that leaving out step after step comes to.
  func shortened(seed: UInt64) async throws -> [String] {
    var schedule = Schedule(seed: seed, length: length)
    var outcome = try await run(schedule)
    var size = max(1, schedule.steps.count / 2)
    while true {
      var isShorter = false
      var start = 0
      while start < schedule.steps.count {
        var fewer = schedule
        fewer.steps.removeSubrange(start..<min(start + size, fewer.steps.count))
        let tried = try await run(fewer)
        if tried.failures.isEmpty {
          start += size
        } else {
          (schedule, outcome, isShorter) = (fewer, tried, true)
        }
      }
      if size == 1, !isShorter { break }
      size = max(1, size / 2)
    }
    return outcome.transcript
  }

  // MARK: - Figures

  private func count(_ world: World) {
    func add(_ name: String, _ number: Int) { figures[name, default: 0] += number }
    add("steps", world.schedule.steps.count)
    add("crashes within a step", world.crashes)
    add("entries saved", world.facts.entries.count)
    add("schedules with a fork", world.facts.forked.isEmpty ? 0 : 1)
    add("schedules that end with two histories of one log, in one state", world.isParted ? 1 : 0)
    add("thieves", world.devices.count { $0.owner == .thief })
    for line in world.transcript {
      for word in [
        "removes ", "root cuts", "erased ", "takes new keys", "is as it was", "forged ",
        "cannot hand over",
      ]
      where line.contains(word) {
        add("times “\(word.trimmingCharacters(in: .whitespaces))” was told", 1)
      }
    }
  }

  func tell(_ done: UInt64, _ failed: [UInt64], _ began: Date) {
    func line(_ number: Int, _ what: String) {
      print(String(repeating: " ", count: max(1, 12 - "\(number)".count)) + "\(number)  \(what)")
    }
    line(Int(done), "schedules")
    line(failed.count, "failed")
    for (name, number) in figures.sorted(by: { $0.key < $1.key }) { line(number, name) }
    let seconds = Date().timeIntervalSince(began)
    print("\(Int(Double(done) / max(seconds, 0.001) * 10))/10 schedules a second")
  }
}
