import Support

/// Something that somebody does.
enum Deed: String, CaseIterable {
  case add, addPrivately, addFile, amend, retract
  case admit, recover, share
  case remove, decide, reinstate
  case erase, keep, keepByRoot, adopt
  case meet, meetOwn
  case renew, backUp, restoreHere, restoreElsewhere
  case steal, takeAway, violate
  case passTime, jumpClock, export

  /// How often it happens.
  var weight: Int {
    switch self {
    case .meet: 34
    case .meetOwn: 10
    case .add: 14
    case .addPrivately, .amend, .retract, .share: 3
    case .addFile, .erase, .backUp: 3
    case .remove, .passTime, .restoreHere, .violate, .admit, .recover, .jumpClock: 2
    case .decide, .keep, .steal, .restoreElsewhere, .renew: 2
    case .reinstate, .keepByRoot, .adopt, .takeAway, .export: 1
    }
  }

  /// Whether it is followed by nothing that a crash could cut it off from.
  var mayCrash: Bool {
    switch self {
    case .decide, .reinstate, .keepByRoot, .backUp, .restoreHere, .restoreElsewhere, .steal,
      .takeAway, .passTime, .jumpClock, .export:
      false
    default: true
    }
  }
}

/// One line of a schedule. What its numbers stand for depends on what there is to choose from then, so that
/// it means something too when others are left out.
struct Step: CustomStringConvertible {
  let number: Int
  let deed: Deed
  /// Which device.
  let device: UInt64
  let choice: UInt64
  let other: UInt64
  let weather: UInt64
  /// Before which change of a file the machine stops; 0: it does not.
  let crash: Int

  var description: String { "\(number) \(deed)\(crash > 0 ? " crash before \(crash)" : "")" }
}

/// What a seed stands for: the opening of the case, and what happens then.
struct Schedule {
  let seed: UInt64
  var steps: [Step]

  init(seed: UInt64, length: Int) {
    self.seed = seed
    var random = SplitMix64(seed, 1)
    var deeds = Self.opening(&random)
    let all = Deed.allCases.flatMap { Array(repeating: $0, count: $0.weight) }
    let count = max(4, length / 2 + random.below(length))
    for _ in 0..<count { deeds.append((all[random.below(all.count)], random.next(), false)) }
    steps = deeds.enumerated().map { index, deed in
      let crashes = deed.deed.mayCrash && !deed.isOpening && random.chance(1, in: 7)
      return Step(
        number: index, deed: deed.deed, device: deed.device, choice: random.next(),
        other: random.next(), weather: deed.isOpening ? 0 : random.next() | 1,
        crash: crashes ? 1 + random.below(random.chance(1, in: 2) ? 12 : 60) : 0)
    }
  }

  private typealias Line = (deed: Deed, device: UInt64, isOpening: Bool)

  /// Who is in the case when it begins to go wrong, and what they know of each other.
  private static func opening(_ random: inout SplitMix64) -> [Line] {
    let first: [Line]
    switch random.below(4) {
    case 0: first = [(.admit, 0, true)]
    case 1: first = [(.recover, 1, true), (.admit, 0, true)]
    case 2: first = [(.admit, 0, true), (.admit, 0, true), (.recover, 1, true)]
    default: first = [(.recover, 1, true)]
    }
    var lines: [Line] = [(.add, 0, true), (.meet, 0, true), (.meetOwn, 0, true)]
    for line in first {
      lines.append(line)
      if random.chance(2, in: 3) {
        lines += [(.meet, 0, true), (.meet, 1, true), (.meet, 2, true)]
      }
    }
    return lines
  }
}
