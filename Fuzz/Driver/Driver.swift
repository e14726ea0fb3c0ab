import Cryptography
import Foundation

// What libFuzzer calls, as C. The target is named by CAIRN_FUZZ_TARGET; `Scripts/fuzz` sets it.

private let target: FuzzTarget = {
  let environment = ProcessInfo.processInfo.environment
  let name = environment["CAIRN_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
    exit(name.isEmpty ? 0 : 2)
  }
  if let folder = environment["CAIRN_FUZZ_SEEDS"] {
    Seeds.write(target.name, to: folder)
    exit(0)
  }
  if environment["CAIRN_FUZZ_LONGEST"] != nil {
    print(target.maximumByteCount)
    exit(0)
  }
  return target
}()

@c(LLVMFuzzerInitialize)
public func initialize(
  _ count: UnsafeMutablePointer<CInt>?,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
  _ = target
  return 0
}

@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  do {
    try target.check(Array(bytes.prefix(target.maximumByteCount)))
  } catch {
    print("BROKEN: \(error.promise)")
    fflush(nil)
    abort()
  }
  return 0
}

@_extern(c, "LLVMFuzzerMutate")
private func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ room: Int) -> Int

/// Two times in three, where an input is CBOR, it is mutated as a tree, so that lengths stay right.
@c(LLVMFuzzerCustomMutator)
public func customMutator(
  _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ room: Int, _ seed: UInt32
) -> Int {
  if seed % 3 != 0, let offset = target.treeOffset, count > offset {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    if let tree = CBORTree(Array(input[offset...])) {
      var mutator = TreeMutator(seed: seed, mutate: mutated)
      let output = input[..<offset] + mutator.mutate(tree).encoded
      if output.count <= room {
        for (index, byte) in output.enumerated() { unsafe bytes[index] = byte }
        return output.count
      }
    }
  }
  return unsafe mutate(bytes, count, room)
}

/// A byte string as libFuzzer alters it.
private func mutated(_ bytes: [UInt8]) -> [UInt8] {
  var room = bytes + [UInt8](repeating: 0, count: 64)
  let capacity = room.count
  let count = unsafe room.withUnsafeMutableBufferPointer { buffer in
    guard let start = buffer.baseAddress else { return 0 }
    return unsafe mutate(start, bytes.count, capacity)
  }
  return Array(room.prefix(count))
}
