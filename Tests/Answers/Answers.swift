// What the Swift implementation makes of the written formats, for programs that compare it with others: a question a
// line on standard input, an answer a line on standard output, both JSON. One process answers any number of them.
//
//     Answers        what may be asked is listed in `Question`

import Foundation

@main
struct Answers {
  static func main() async throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    while let line = readLine() {
      let question = try JSONDecoder().decode(Question.self, from: Data(line.utf8))
      let answer = try await question.answer()
      FileHandle.standardOutput.write(try encoder.encode(answer) + [UInt8(ascii: "\n")])
    }
  }
}

/// One question; which fields are needed depends on what is asked.
struct Question: Decodable {
  enum Kind: String, Decodable {
    /// The verdict on the bundle at `path`, decrypted, with `fingerprint` and `witnesses`, if they are known.
    case bundle
    /// What a vault takes from the folder at `path` when the kit's `words` recover a case from it, in `scratch`.
    case folder
    /// Whether `witnesses[0]`, a key as notes write it, signed `note`, a checkpoint: its log's own key, or one for receipts.
    case note
    /// A checkpoint of `size` and `root` in the case `caseID`, signed with `seeds[0]`, with a receipt of `time` by `seeds[1]`.
    case sign
    /// Of the tree over `hashes`: the root at `size`, and the proofs of `index` and of `smaller` in it.
    case prove
    /// Whether `proof` shows the leaf `hashes[0]` at `index` of `size` leaves with `root`.
    case inclusion
    /// Whether `proof` shows `smaller` leaves with `hashes[0]` as the beginning of `size` leaves with `root`.
    case consistency
  }

  let ask: Kind
  var path: String?
  var scratch: String?
  var words: String?
  var fingerprint: String?
  var witnesses: [String]?
  var note: String?
  var caseID: String?
  var seeds: [String]?
  var time: UInt64?
  var size: UInt64?
  var smaller: UInt64?
  var index: UInt64?
  var root: String?
  var hashes: [String]?
  var proof: [String]?

  func answer() async throws -> Answer {
    switch ask {
    case .bundle: try verdict()
    case .folder: try await recovered()
    case .note: try checkedNote()
    case .sign: try signed()
    case .prove: try proven()
    case .inclusion: try checkedInclusion()
    case .consistency: try checkedConsistency()
    }
  }

  /// A field that this question cannot do without.
  func given<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Incomplete(ask: ask.rawValue) }
    return value
  }

  private struct Incomplete: Error { let ask: String }
}

/// One answer; those fields that the question has use for.
struct Answer: Encodable {
  /// `ok`, or what is wrong.
  var found: String?
  /// The line that `cairn-verify --json` prints.
  var verdict: String?
  var state: String?
  var logs: [String: Int]?
  var opened: Int?
  var files: Int?
  var problems: [String]?
  var note: String?
  var keys: [String]?
  var root: String?
  var inclusion: [String]?
  var consistency: [String]?
  var prefix: [String]?
}
