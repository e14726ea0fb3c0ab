internal import Cryptography
internal import Foundation

/// One file of `Protocol/Vectors`: what a reader must make of some bytes.
public struct ProtocolVector: CustomStringConvertible, @unchecked Sendable {
  public let name: String
  public let fields: [String: Any]
  public var description: String { name }
  /// `ok`, or the kind of failure.
  public var expected: String { fields["expect"] as? String ?? "" }

  /// A vector lacks what its kind has, or has it in another form.
  public struct Unusable: Error {
    public let vector: String
    public let field: String

    public init(vector: String, field: String) {
      self.vector = vector
      self.field = field
    }
  }

  /// The vectors of one kind, by name.
  public static func all(_ kind: String) throws -> [ProtocolVector] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Protocol/Vectors/\(kind)")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    return try files.filter { $0.pathExtension == "json" }.map { file in
      let name = file.deletingPathExtension().lastPathComponent
      let read = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
      guard let fields = read as? [String: Any] else { throw Unusable(vector: name, field: "") }
      return ProtocolVector(name: name, fields: fields)
    }.sorted { $0.name < $1.name }
  }

  /// A field of a type.
  public func field<Value>(_ field: String, _ type: Value.Type = Value.self) throws -> Value {
    guard let value = fields[field] as? Value else { throw Unusable(vector: name, field: field) }
    return value
  }

  /// The bytes of a field in hexadecimal digits.
  public func bytes(_ field: String) throws -> [UInt8] {
    try Hex.decode(try self.field(field, String.self))
  }

  /// The bytes of each item of an array.
  public func list(_ field: String) throws -> [[UInt8]] {
    try self.field(field, [String].self).map { try Hex.decode($0) }
  }
}
