import CaseLog
import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

#if os(Linux)
  import Glibc

  /// What stands in the memory of a program while it has a vault open, and afterwards. This process is the one that
  /// looks, and knows the keys for itself: nothing of the search stands in what is searched.
  @Suite struct `The memory of a program` {
    private static let marker = "MARKER-51c9-of-evidence"

    @Test func `holds keys while a vault is open, and none of them once it is closed`() async throws
    {
      let kit = try RecoveryKit.make()
      let fixture = try VaultFixture()
      let vault = try await fixture.create(kit: kit)
      _ = try await vault.add([words(Self.marker)], toCase: nil)
      let sought = try await keys(of: vault)
      try await vault.close()
      let paper = try fixture.folder.file(
        "kit", Array(kit.words.enumerated().map { "\($0 + 1) \($1)\n" }.joined().utf8))

      let holder = try Holder(["hold", fixture.path, paper])
      #expect(try holder.state() == "open")
      let whileOpen = try holder.count(of: sought)
      for (name, count) in whileOpen { #expect(count > 0, "the search does not find \(name)") }
      try holder.goOn()
      #expect(try holder.state() == "closed")
      // The copy of the VFS is gone; the others go with the vault itself.
      let closed = try holder.count(of: sought)
      #expect((closed["the key of pages"] ?? 0) < (whileOpen["the key of pages"] ?? 0))
      try holder.goOn()
      #expect(try holder.state() == "gone")
      // Texts that were looked at stay in ordinary memory until the program ends.
      for (name, count) in try holder.count(of: sought) where name != "the evidence" {
        #expect(count == 0, "\(name) is still there")
      }
      try holder.goOn()
      #expect(await holder.process.ended() == 0)
    }

    /// By name: each key that opens something, and the evidence.
    private func keys(of vault: OpenVault) async throws -> [String: [UInt8]] {
      func bytes(_ key: borrowing SecretKey) -> [UInt8] {
        key.withBytes { bytes in (0..<bytes.byteCount).map { bytes.byte(at: $0) } }
      }
      let keys = await vault.keys
      return [
        "the master key": bytes(keys.master), "the key of pages": bytes(keys.database),
        "the key of the anchor": bytes(keys.anchor), "the key of cases": bytes(keys.cases),
        "the key of duplicates": bytes(keys.duplicates), "the evidence": Array(Self.marker.utf8),
      ]
    }
  }

  /// The program that holds the vault, and a way into its memory.
  private struct Holder {
    let process: ChildProcess
    private let input = Pipe()
    private let output = Pipe()

    private static let program: String = {
      let own = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      let project = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      return [own, project.appending(path: ".build/debug")].map {
        $0.appending(path: "Torture").path
      }
      .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "Torture"
    }()

    init(_ arguments: [String]) throws {
      process = try ChildProcess(
        [Self.program] + arguments, input: input.fileHandleForReading.fileDescriptor,
        output: output.fileHandleForWriting.fileDescriptor)
      try output.fileHandleForWriting.close()
    }

    /// Waits for what it says next.
    func state() throws -> String {
      String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func goOn() throws { try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }

    private static func count(of key: [UInt8], in bytes: [UInt8]) -> Int {
      unsafe bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress, let last = bytes.indices.last else { return 0 }
        var count = 0
        var from = 0
        while from + key.count - 1 <= last,
          let found = unsafe memchr(base + from, Int32(key[0]), last + 2 - key.count - from)
        {
          if unsafe memcmp(found, key, key.count) == 0 { count += 1 }
          from = unsafe UnsafeRawPointer(found) - base + 1
        }
        return count
      }
    }

    /// How often each of these stands in what the program may read and is no file's content.
    func count(of sought: [String: [UInt8]]) throws -> [String: Int] {
      let memory = try OpenFile(reading: "/proc/\(process.id)/mem")
      // Foundation reads a file that says it has no bytes to its first page only.
      let maps = String(
        decoding: try OpenFile(reading: "/proc/\(process.id)/maps").read(at: 0, count: 1 << 20),
        as: UTF8.self)
      var counts = sought.mapValues { _ in 0 }
      for line in maps.split(separator: "\n") {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
        guard ends.count == 2, fields[1].hasPrefix("r"), !line.contains("[v") else { continue }
        // A file that is mapped for reading only has what is on the disk.
        guard fields[4] == "0" || fields[1].contains("w") else { continue }
        let bytes = try memory.read(at: ends[0], count: Int(ends[1] - ends[0]))
        for (name, key) in sought { counts[name, default: 0] += Self.count(of: key, in: bytes) }
      }
      return counts
    }
  }
#endif
