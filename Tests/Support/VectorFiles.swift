internal import Foundation

extension SharedVectors {
  /// Why a test over published vectors did not run, for the log.
  public static let absence = "the published vectors (../shared/vectors) are not on this machine"

  /// The JSON of a vector file, decoded.
  public static func decode<T: Decodable>(_ type: T.Type, from path: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: url(path)))
  }

  /// All cases of a Wycheproof file, each with its group; none where the vectors are absent, so
  /// that a parameterised test can name them and be skipped.
  public static func wycheproof<Group, Case>(
    _ path: String, _ group: Group.Type, _ test: Case.Type
  ) throws -> [WycheproofCase<Group, Case>] {
    guard arePresent else { return [] }
    let file = try decode(WycheproofFile<Group, Case>.self, from: "wycheproof/" + path)
    return file.testGroups.flatMap { group in
      group.tests.map { WycheproofCase(group: group.fields, test: $0) }
    }
  }
}

/// One case of a Wycheproof file with the fields of its group.
public struct WycheproofCase<
  Group: Decodable & Sendable, Case: Decodable & Sendable
>: Sendable {
  public let group: Group
  public let test: Case
}

private struct WycheproofFile<Group: Decodable & Sendable, Case: Decodable & Sendable>: Decodable {
  let testGroups: [TestGroup]

  struct TestGroup: Decodable {
    let fields: Group
    let tests: [Case]

    private enum Key: CodingKey { case tests }

    init(from decoder: any Decoder) throws {
      fields = try Group(from: decoder)
      tests = try decoder.container(keyedBy: Key.self).decode([Case].self, forKey: .tests)
    }
  }
}

/// The bytes of hexadecimal digits, independent of the code under test. Traps on anything else: the
/// texts are ours.
public func hex(_ digits: String) -> [UInt8] {
  let values = digits.map { digit in
    guard let value = digit.hexDigitValue else { preconditionFailure("not a hexadecimal digit") }
    return UInt8(value)
  }
  precondition(values.count.isMultiple(of: 2), "two digits a byte")
  return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}
