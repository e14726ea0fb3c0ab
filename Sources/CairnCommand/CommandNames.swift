import ArgumentParser

/// The commands by name, and what somebody may have meant who typed another one.
enum CommandNames {
  static var all: [String] {
    Cairn.configuration.subcommands.compactMap { $0.configuration.commandName }
  }

  /// How many words the name of the command at the beginning has.
  static func wordCount(_ arguments: [String]) -> Int {
    guard arguments.count > 1 else { return 1 }
    switch arguments[0] {
    case "case": return 2
    case "members": return ["list", "name"].contains(arguments[1]) ? 2 : 1
    default: return 1
    }
  }

  /// - Throws: a failure when the first word, or the one after `help`, is no command.
  static func check(_ arguments: [String]) throws {
    let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
    guard let name = words.first, !name.hasPrefix("-"), name != "help", !all.contains(name) else {
      return
    }
    if let meant = otherWords[name] { throw unknown(name, "cairn \(meant)") }
    let meant = all.map { (name: $0, distance: distance(name, $0)) }.min {
      $0.distance < $1.distance
    }
    let isNear = meant.map { $0.distance <= 2 && $0.distance < name.count } ?? false
    throw unknown(name, isNear ? meant.map { "cairn " + $0.name } : nil)
  }

  /// What other programs call it, or people.
  private static let otherWords = [
    "delete": "erase", "edit": "amend", "find": "search", "ls": "list",
    "print": "show", "rm": "erase", "undo": "retract", "unpack": "open", "view": "show",
  ]

  private static func unknown(_ name: String, _ meant: String?) -> Failure {
    .usage(
      "unknownCommand",
      Sentence(
        "There is no command \(SafeText.quoted(Columns.cut(name, to: 40))).",
        safe: Sentences.unchanged,
        next: (meant.map { "Perhaps you meant “\($0)”. " } ?? "") + "“cairn help” shows all."))
  }

  /// How many characters have to be put in, taken away or exchanged.
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, character) in left.prefix(40).enumerated() {
      var next = [i + 1]
      for (j, other) in right.enumerated() {
        next.append(min(next[j] + 1, row[j + 1] + 1, row[j] + (character == other ? 0 : 1)))
      }
      row = next
    }
    return row[right.count]
  }
}
