import Cryptography
import Foundation
import SealedBundle

/// One file of `Protocol/Vectors`.
package struct ProtocolVector: CustomStringConvertible, @unchecked Sendable {
  package let name: String
  package let fields: [String: Any]
  package var description: String { name }
  package var expected: String { fields["expect"] as? String ?? "" }

  package static func all(_ kind: String) throws -> [ProtocolVector] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Protocol/Vectors/\(kind)")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    return try files.filter { $0.pathExtension == "json" }.map { file in
      let read = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
      return ProtocolVector(
        name: file.deletingPathExtension().lastPathComponent,
        fields: try present(read as? [String: Any]))
    }.sorted { $0.name < $1.name }
  }

  package func bytes(_ field: String) throws -> [UInt8] {
    try Self.bytes(hex: try present(fields[field] as? String))
  }

  private static func bytes(hex: String) throws -> [UInt8] {
    try Array(hex.utf8).withBytes { (bytes) throws(TextCodingError) in try Hex.decode(bytes) }
  }

  /// Files of a bundle by name; nil for one that is taken out.
  package var files: [String: [UInt8]?] {
    get throws {
      try present(fields["files"] as? [String: Any]).mapValues { value in
        if let text = value as? String { return Array(text.utf8) }
        guard let hex = (value as? [String: String])?["hex"] else { return nil }
        return try Self.bytes(hex: hex)
      }
    }
  }

  /// The bundle that the vector is about: its files over those of the vector “base”.
  package func bundle() throws -> [UInt8] {
    let base = try present(try ProtocolVector.all("bundle").first { $0.name == "base" })
    var writer = ZipWriter(MemorySink())
    let files = try files.merging(base.files) { own, _ in own }
    for (name, content) in files.sorted(by: { $0.key < $1.key }) {
      guard let content else { continue }
      try writer.add(try present(BundlePath(Array(name.utf8))), content)
    }
    return try writer.finish().bytes
  }
}

/// What every vector of a kind has.
private func present<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw CocoaError(.fileReadCorruptFile) }
  return value
}
