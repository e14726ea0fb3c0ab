import Cryptography
import SealedBundle
import Support

extension ProtocolVector {
  /// Files of a bundle by name; nil for one that is taken out.
  package var files: [String: [UInt8]?] {
    get throws {
      try field("files", [String: Any].self).mapValues { value in
        if let text = value as? String { return Array(text.utf8) }
        guard let hex = (value as? [String: String])?["hex"] else { return nil }
        return try Hex.decode(hex)
      }
    }
  }

  /// The bundle that the vector is about: its files over those of the vector “base”.
  package func bundle() throws -> [UInt8] {
    guard let base = try ProtocolVector.all("bundle").first(where: { $0.name == "base" }) else {
      throw Unusable(vector: "base", field: "")
    }
    var writer = ZipWriter(MemorySink())
    let files = try files.merging(base.files) { own, _ in own }
    for (name, content) in files.sorted(by: { $0.key < $1.key }) {
      guard let content else { continue }
      guard let path = BundlePath(Array(name.utf8)) else {
        throw Unusable(vector: self.name, field: "files")
      }
      try writer.add(path, content)
    }
    return try writer.finish().bytes
  }
}
