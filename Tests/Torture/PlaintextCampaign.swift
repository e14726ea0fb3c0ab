import Foundation
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Known texts go in everywhere; then every file, every line that the program said and every file that it opened is
/// searched for them.
struct PlaintextCampaign {
  struct Figures {
    var commands = 0
    var filesSearched = 0
    var bytesSearched = 0
    var filesOpenedForWriting = 0
    var failures: [String] = []
  }

  private let workshop: Workshop
  private let survivor: Person
  private let advocate: Person
  private var figures = Figures()
  /// What must be found in no file and in no message.
  private let secrets: [String: [UInt8]]
  private var kitWords: [[UInt8]] = []

  private static let marks = [
    "words": "marked-words-4711", "title": "marked-title-4712",
    "address": "https://marked-address-4713.example/p", "account": "marked-account-4714",
    "tag": "markedtag4715", "case": "marked-case-4716", "file name": "marked-file-name-4717.txt",
    "content": "marked-content-4718",
  ]

  private var mailbox: String { workshop.world + "/mailbox" }
  private var temporary: String { workshop.path + "/tmp" }

  init() throws {
    secrets = Self.marks.mapValues { Array($0.utf8) }
    workshop = try Workshop("plaintext")
    survivor = Person(name: "survivor", workshop: workshop)
    advocate = Person(name: "advocate", workshop: workshop)
    try Tree.make(temporary)
    try Tree.make(mailbox)
    try Tree.make(workshop.inputs + "/papers")
  }

  mutating func run() throws -> Figures {
    try live()
    let stored = [survivor.vault, advocate.vault, mailbox, temporary, workshop.path + "/home"]
    for folder in stored where Tree.exists(folder) { try search(folder) }
    try expectNoCore()
    try workshop.remove()
    return figures
  }

  // MARK: - Living, watched

  private mutating func live() throws {
    let papers = workshop.inputs + "/papers"
    let mark = { (name: String) in Self.marks[name] ?? "" }
    let small = try workshop.input(mark("file name"), Array("\(mark("content")) small".utf8))
    let large = try workshop.input(
      "large-" + mark("file name"),
      Array(repeating: Array("\(mark("content")) and so on, line by line. ".utf8), count: 4000)
        .flatMap(\.self))
    try run(survivor, "init", "--kit", papers + "/kit", "--kdf", "light")
    try run(advocate, "init", "--kit", papers + "/kit-2", "--kdf", "light")
    for kit in ["/kit", "/kit-2"] { kitWords += try Self.phrases(of: Tree.read(papers + kit)) }
    let about = [
      "--title", mark("title"), "--url", mark("address"), "--account", mark("account"), "--json",
    ]
    try run(survivor, ["add", "--text", mark("words")] + about)
    let added = try run(survivor, ["add", small] + about)
    try run(survivor, ["add", large] + about)
    let id = try added.savedIDs()[0]
    try run(survivor, "tag", id, mark("tag"))
    try run(survivor, "amend", id, "--text", mark("words"))
    try run(survivor, "case", "new", mark("case"))
    let words = try run(advocate, "card", "--output", papers + "/card", "--json").field("words")
    let shared = try run(
      survivor, "share", "default", "--with", papers + "/card", "--output", papers + "/invitation",
      "--words", words, "--yes", "--json")
    try run(
      advocate, "join", papers + "/invitation", "--words", try shared.field("words"), "--case",
      mark("case"))
    try run(survivor, "sync", "default", "--mailbox", mailbox)
    try run(advocate, "sync", mark("case"), "--mailbox", mailbox)
    try run(advocate, "note", "--case", mark("case"), "--text", mark("words"))
    try run(advocate, "sync", mark("case"))
    try run(survivor, "sync", "default")
    try run(survivor, "retract", id, "--text", mark("words"))
    try run(survivor, "erase", id, "--yes")
    try run(survivor, "check")
    try run(survivor, mayShow: true, "list")
    try run(survivor, mayShow: true, "search", mark("words"))
    try run(survivor, mayShow: true, "extract", "--all", "--output", papers + "/out")
    try run(
      survivor, mayShow: true, "export", "default", "--seal-passphrase-file",
      workshop.inputs + "/passphrase", "--output", papers + "/case.age")
    // And one that fails.
    try run(survivor, mayFail: true, "show", "zzzzzz")
  }

  @discardableResult
  private mutating func run(
    _ person: Person, mayShow: Bool = false, mayFail: Bool = false, _ arguments: String...
  ) throws -> Run {
    try run(person, arguments, mayShow: mayShow, mayFail: mayFail)
  }

  @discardableResult
  private mutating func run(
    _ person: Person, _ arguments: [String], mayShow: Bool = false, mayFail: Bool = false
  ) throws -> Run {
    let calls = workshop.path + "/calls"
    var trial = Person.Trial()
    trial.through = [
      "strace", "-f", "-y", "-s", "0", "-e", "trace=%file,prctl,prlimit64,setrlimit", "-o", calls,
    ]
    let run = try person.cairn(arguments, trial)
    figures.commands += 1
    guard mayFail || run.status == 0 else {
      throw Unexpected("\(arguments): \(run.status) \(run.text) \(run.errors)")
    }
    let what = arguments.prefix(2).joined(separator: " ")
    try look(at: calls, person, what)
    for (name, mark) in [("its output", run.output), ("its errors", Array(run.errors.utf8))] {
      let isShown = mayShow && name == "its output"
      let never = [Array(Workshop.passphrase.utf8)] + kitWords
      // What a command was just given by its user it may repeat to her: the names of files and of cases.
      let texts =
        isShown ? [] : ["words", "address", "account", "content"].compactMap { secrets[$0] }
      for text in never + texts where Self.contains(mark, text) {
        figures.failures.append("\(what): \(name) holds “\(String(decoding: text, as: UTF8.self))”")
      }
    }
    return run
  }

  // MARK: - The calls of one command

  private mutating func look(at file: String, _ person: Person, _ what: String) throws {
    let allowed = [
      person.vault, workshop.world + "/" + person.name, mailbox, workshop.inputs + "/papers",
      "/dev/null", "/dev/tty",
    ]
    var isUndumpable = false
    var hasNoCore = false
    for line in String(decoding: try Tree.read(file), as: UTF8.self).split(separator: "\n") {
      if line.contains("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)"), line.hasSuffix("= 0") {
        isUndumpable = true
      }
      if line.contains("RLIMIT_CORE, {rlim_cur=0, rlim_max=0}"), line.contains("= 0") {
        hasNoCore = true
      }
      guard let paths = Self.written(by: line) else { continue }
      figures.filesOpenedForWriting += 1
      for path in paths where !allowed.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) {
        // The vault is built in a hidden folder beside its place, and folders above it are made.
        if workshop.world.hasPrefix(path) { continue }
        figures.failures.append("\(what): it writes to \(path)")
      }
    }
    if !isUndumpable || !hasNoCore {
      figures.failures.append("\(what): core dumps are not off")
    }
  }

  /// The paths that a call makes, changes or removes; nil for one that only looks, or that failed.
  private static func written(by line: Substring) -> [String]? {
    guard let open = line.firstIndex(of: "("),
      let result = line.range(of: ") = ", options: .backwards)
    else { return nil }
    let answer = line[result.upperBound...]
    guard !answer.hasPrefix("-1"), !answer.hasPrefix("?") else { return nil }
    let call = line[..<open].split(separator: " ").last ?? ""
    let rest = line[open..<result.lowerBound]
    switch call {
    case "open", "openat", "openat2", "creat":
      guard rest.contains("O_WRONLY") || rest.contains("O_RDWR") || rest.contains("O_CREAT")
      else { return nil }
      // With -y the answer names the file that was opened.
      return answer.split(separator: "<", maxSplits: 1).dropFirst().first.map {
        [String($0.prefix { $0 != ">" })]
      }
    case "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat",
      "link",
      "linkat", "symlink", "symlinkat", "truncate", "chmod", "fchmodat", "mknod", "mknodat":
      return absolute(rest)
    default: return nil
    }
  }

  /// The quoted paths of a call, each below the folder that stands before it if it is not absolute.
  private static func absolute(_ text: Substring) -> [String] {
    var paths: [String] = []
    var folder = ""
    for part in text.dropFirst().split(separator: ",") {
      let part = part.trimmingCharacters(in: .whitespaces)
      if part.hasPrefix("\"") {
        let name = part.dropFirst().prefix { $0 != "\"" }
        paths.append(name.hasPrefix("/") ? String(name) : folder + "/" + name)
      } else if let start = part.firstIndex(of: "<") {
        folder = String(part[part.index(after: start)...].prefix { $0 != ">" })
      }
    }
    return paths
  }

  // MARK: - The files

  private mutating func search(_ folder: String) throws {
    for name in try Tree.names(below: folder) {
      try expectNothing(in: Array(name.utf8), "the name \(name)")
      guard !name.hasSuffix("/") else { continue }
      let bytes = try Tree.read(folder + "/" + name)
      figures.filesSearched += 1
      figures.bytesSearched += bytes.count
      try expectNothing(in: bytes, name)
    }
  }

  private mutating func expectNothing(in bytes: [UInt8], _ place: String) throws {
    for (what, mark) in secrets.merging(
      ["passphrase": Array(Workshop.passphrase.utf8)], uniquingKeysWith: { first, _ in first })
    {
      for form in Self.forms(of: mark) where Self.contains(bytes, form) {
        figures.failures.append("\(what) is found in \(place)")
      }
    }
    for words in kitWords where Self.contains(bytes, words) {
      figures.failures.append("words of a kit are found in \(place)")
    }
    if Self.contains(bytes, Array("SQLite format".utf8)) {
      figures.failures.append("SQLite’s header is found in \(place)")
    }
  }

  /// As it is, in two bytes a letter, in hexadecimal, and in base 64 at each of its three offsets.
  private static func forms(of mark: [UInt8]) -> [[UInt8]] {
    let wide: [UInt8] = mark.flatMap { byte -> [UInt8] in [byte, 0] }
    let hexadecimal: [UInt8] = mark.flatMap { byte -> [UInt8] in
      Array(String(format: "%02x", Int(byte)).utf8)
    }
    var forms: [[UInt8]] = [mark, wide, hexadecimal]
    for offset in 0..<3 {
      let coded = Data([UInt8](repeating: 0, count: offset) + mark).base64EncodedString()
      forms.append(Array(coded.dropFirst(4).dropLast(4).utf8))
    }
    return forms
  }

  static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard !part.isEmpty, part.count <= bytes.count else { return false }
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe part.withUnsafeBytes { part in
        var start = 0
        while start + part.count <= bytes.count {
          let left = bytes.count - part.count + 1 - start
          guard let hit = unsafe memchr(bytes.baseAddress! + start, Int32(part[0]), left) else {
            return false
          }
          if unsafe memcmp(hit, part.baseAddress!, part.count) == 0 { return true }
          start = unsafe UnsafeRawPointer(hit) - bytes.baseAddress! + 1
        }
        return false
      }
    }
  }

  /// Three words of a kit that follow each other.
  private static func phrases(of kit: [UInt8]) throws -> [[UInt8]] {
    let words = try Vaults.kit(text: kit).words
    return (0..<10).map { Array(words[$0..<($0 + 3)].joined(separator: " ").utf8) }
  }

  /// Nothing is left of a program that is made to crash while it holds a vault.
  private mutating func expectNoCore() throws {
    var trial = Person.Trial()
    // It waits for what never comes, with the vault open.
    trial.through = [
      "bash", "-c", "ulimit -c unlimited; (sleep 3; kill -ABRT $$) & exec \"$@\" < <(sleep 5)",
      "bash",
    ]
    let run = try survivor.cairn(["add", "-"], trial)
    guard run.status != 0 else { throw Unexpected("it was not made to crash") }
    for name in try Tree.names(below: workshop.path)
    where name.split(separator: "/").last?.hasPrefix("core") == true {
      figures.failures.append("a core dump is left: \(name)")
    }
  }
}
