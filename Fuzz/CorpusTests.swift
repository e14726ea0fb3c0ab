import Foundation
import Testing

/// What fuzzing kept (`Scripts/fuzz`), gone through once more without it: each input of `Corpus`, and each that once
/// broke a promise, in `Corpus/TARGET/broken-…`.
@Suite struct FuzzCorpusTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func `no decoder breaks its promise to an input that was kept`(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let inputs = try Self.inputs(of: name)
    #expect(!inputs.isEmpty)
    for (file, bytes) in inputs {
      #expect(throws: Never.self, "\(name)/\(file)") {
        try target.check(Array(bytes.prefix(target.maximumByteCount)))
      }
    }
  }

  @Test func `each folder of the corpus is a target's`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
    #expect(Set(names) == Set(FuzzTarget.all.map(\.name)))
  }

  private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Corpus")

  private static func inputs(of target: String) throws -> [(String, [UInt8])] {
    let folder = corpus.appending(path: target)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { file in
      (file, [UInt8](try Data(contentsOf: folder.appending(path: file))))
    }
  }
}
