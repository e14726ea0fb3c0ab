import Support
import Sync
import Testing

/// Vectors of `Protocol/Vectors` for streams of frames (`Protocol/Sync.md`).
@Suite struct FrameVectorTests {
  /// However the bytes arrive, and what is taken apart is written in the same bytes again.
  @Test(arguments: try ProtocolVector.all("frame"), [1 << 20, 7])
  func frame(_ vector: ProtocolVector, step: Int) throws {
    let input = try vector.bytes("input")
    var reader = FrameReader()
    var again: [UInt8] = []
    var found = "ok"
    do throws(FrameError) {
      for start in stride(from: 0, to: input.count, by: step) {
        reader.feed(Array(input[start..<min(start + step, input.count)]))
        while let frame = try reader.next() { again += frame.bytes }
      }
      try reader.finish()
      #expect(again == input)
    } catch {
      found = error == .newerVersion ? "newer-version" : "malformed"
    }
    #expect(found == vector.expected)
  }
}
