/// The targets that decide from bytes alone. The verifier core among them also runs in a browser.
let pureTargets: Set = ["Cryptography", "VerifiableLog", "CaseLog", "Sync", "SealedBundle"]

enum Purity {
  static let rules: [TextRule] = [
    TextRule(
      name: "a library that reaches the machine",
      pattern:
        #"\bimport\s+(?:\w+\s+)?(?:Foundation\w*|Glibc|Musl|Dispatch|GRDB\w*|CSealedVFS|WASILibc)\b"#,
      instead: "Work on bytes; let the caller do what needs the machine",
      bad: [
        "import Foundation", "internal import Glibc", "import FoundationEssentials",
        "import struct Foundation.Date",
      ],
      good: ["// import Foundation", "import Cryptography", "internal import Synchronization"]),
    TextRule(
      name: "concurrency", pattern: #"\basync\b|\bawait\b|\bTask\b(?=\s*[.{(<])"#,
      instead: "Return a value and let the caller wait",
      bad: ["func f() async {", "await f()", "Task { }"], good: ["let asynchrony = 1 // async"]),
    TextRule(
      name: "a clock",
      pattern:
        #"\bDate\s*[(.]|\b(?:Continuous|Suspending|System)Clock\b|\bclock_gettime\b|\bgettimeofday\b|(?<![\w.])(?<!func )time\("#,
      instead: "Take the time as a parameter",
      bad: ["let now = Date()", "ContinuousClock.now", "time(nil)", "clock_gettime(0, &t)"],
      good: [
        "let claimedTime = Date2(1)", "entry.time(of: 3)", "func time(of n: Int) {", "runtime(1)",
      ]),
    TextRule(
      name: "a file, a socket or the process",
      pattern:
        #"\b(?:fopen|fread|fwrite|socket|getenv|print|debugPrint|readLine|dump)\(|\b(?:FileManager|FileHandle|URLSession|ProcessInfo|CommandLine)\b"#,
      instead: "Take bytes, give bytes",
      bad: ["print(1)", "FileManager.default", "fopen(path, mode)"],
      good: ["fingerprint(of: key)", "let printed = 1"]),
    TextRule(
      name: "what differs between two runs",
      pattern:
        #"\.randomElement\(\)|\.shuffled?\(\)|\bSystemRandomNumberGenerator\b|\bHasher\(\)|\.hashValue\b"#,
      instead: "Take random bytes as a parameter; hash with SHA-256",
      bad: ["SystemRandomNumberGenerator()", "list.shuffled()", "key.hashValue"],
      good: ["func hash(into hasher: inout Hasher) {", "let randomNonce = nonce"]),
    TextRule(
      name: "an existential", pattern: #"\bany\s+(?=[A-Z(~])"#,
      instead: "Use a generic parameter or an enum: Embedded Swift has no existentials",
      bad: ["let e: any Error", "[any Sink]", "any ~Copyable"],
      good: ["// any Error", "let any = 1", "anyOf(x)"]),
    TextRule(
      name: "untyped throws", pattern: #"\brethrows\b|\bthrows\b(?!\s*\()"#,
      instead: "Say which error: throws(DecodingFailure)",
      bad: ["func f() throws -> Int", "() throws", "func f() rethrows {"],
      good: ["func f() throws(E) -> Int", "func f() throws (E) {", "/// throws when empty"]),
  ]

  /// Cryptography is where random bytes are drawn, for those who are not pure.
  static let drawing = TextRule(
    name: "randomness of its own", pattern: #"\brandombytes\w*|\.random\w*\("#,
    instead: "Take random bytes as a parameter",
    bad: ["randombytes_buf(p, 32)", "Int.random(in: 1...6)", "SecretKey.random()"],
    good: ["let randomness = bytes", "f(random: bytes)"])
}

/// Loops over a `Set` or `Dictionary`, whose order differs from one run to the next. Found by name: a
/// constant, variable or parameter that the same file declares as a set or a dictionary, and then
/// iterates in a `for` or by a method that keeps the order. It does not see types that are only
/// inferred from a call, nor names declared in another file. A loop whose result cannot depend on the
/// order says so with the words "any order" in a comment, on its line or the one above.
func orderedIterations(in file: ProjectFile) throws -> [Finding] {
  let declaration =
    #"\b(\w+)\s*(?::\s*(?:inout\s+)?(?:Set<|Dictionary<|\[[\w.<>]+\s*:)|=\s*(?:Set[<(]|Dictionary[<(]|\[:\]|\[[\w.<>]+\s*:\s*[\w.<>\[\]?]+\]\())"#
  let names = Set(try matches(of: declaration, in: file.code).map { $0.groups[1] })
  guard !names.isEmpty else { return [] }
  let name = "(?:self\\.)?(?:" + names.sorted().joined(separator: "|") + ")"
  let part = #"(?:\.(?:keys|values))?"#
  let methods =
    "map|compactMap|flatMap|reduce|forEach|first|joined|enumerated|prefix|dropFirst|lazy"
  let loop = #"\bin\s+\#(name)\#(part)\s*(?:\{|where\b)"#
  let call = #"(?<![\w.])\#(name)\#(part)\.(?:\#(methods))\b"#
  let copy = #"\bArray\(\#(name)\#(part)\)"#
  let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
  return try matches(of: "\(loop)|\(call)|\(copy)", in: file.code).compactMap { match in
    let nearby = lines[max(0, match.line - 2)..<match.line].joined()
    if nearby.contains("any order") || lines[match.line - 1].contains(".sorted") { return nil }
    let what =
      "order of a Set or Dictionary: \(match.groups[0]). Sort it, or say why any order will do"
    return Finding(path: file.path, line: match.line, what: what)
  }
}
