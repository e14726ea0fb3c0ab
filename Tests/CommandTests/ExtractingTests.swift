import Foundation
import People
import Support
import Testing

/// The files of one entry, and what was added to it.
@Suite struct `Extracting an entry` {
  @Test func `files of additions come out too, each in a folder of its own`() async throws {
    let person = try await Person()
    for (number, name) in ["shot.png", "later.png", "wrong.png"].enumerated() {
      _ = try person.folder.file(name, noise(3000, seed: UInt64(number)))
    }
    let added = try await person.cairn("add", "shot.png", "--json").json()
    let id = try #require((added["saved"] as? [[String: Any]])?.first?["id"] as? String)
    // Of the same name as the entry's own.
    try FileManager.default.createDirectory(
      atPath: person.path("more"), withIntermediateDirectories: false)
    _ = try person.folder.file("more/shot.png", noise(5000, seed: 9))
    let addition = try await person.cairn("amend", id, "more/shot.png", "later.png", "--json")
      .savedID()
    let wrong = try await person.cairn("amend", id, "wrong.png", "--json").savedID()
    #expect(try await person.cairn("retract", wrong).status == 0)

    let extracted = try await person.cairn("extract", id, "--output", "out")
    #expect(extracted.status == 0, "\(extracted.all)")
    let folder = "out/addition-\(addition.prefix(10))"
    let files = try FileManager.default.subpathsOfDirectory(atPath: person.path("out")).sorted()
    #expect(
      files == [
        "addition-\(addition.prefix(10))", "addition-\(addition.prefix(10))/later.png",
        "addition-\(addition.prefix(10))/shot.png", "shot.png",
      ])
    #expect(
      try [UInt8](Data(contentsOf: URL(filePath: person.path(folder + "/shot.png"))))
        == noise(5000, seed: 9))
    #expect(extracted.output.contains("Of the addition \(addition.prefix(10)):\n"))
    #expect(extracted.told.contains("The addition \(wrong.prefix(10)) was taken back"))

    let scripted = try await person.cairn("extract", id, "--output", "out", "--json").json()
    let additions = try #require(scripted["additions"] as? [[String: Any]])
    #expect(additions.map { $0["entry"] as? String } == [addition])
    let paths = (additions[0]["written"] as? [[String: Any]])?.compactMap { $0["path"] as? String }
    // What the first run wrote was not touched.
    #expect(paths == [folder + "-2/shot.png", folder + "-2/later.png"])
  }
}
