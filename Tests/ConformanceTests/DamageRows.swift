import BundleFixtures
import CaseLog
import Cryptography
import Foundation
import People
import SealedBundle
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// A folder or a bundle of which bytes were changed or cut off, or that leads elsewhere.
@Suite struct `Attacks on bytes and names` {
  static let isExhaustive = ProcessInfo.processInfo.environment["CAIRN_EXHAUSTIVE"] != nil

  /// Some bytes of each file; all of them with `CAIRN_EXHAUSTIVE`. `whatever byte of a bundle is flipped` goes through
  /// those of a bundle.
  @Test func `Row 4: any one byte is flipped`() async throws {
    try await Row(4, "any one byte flipped, anywhere").hold { row in
      let sample = try SampleCase.told()
      let bundle = try sample.bundle()
      var generator = SplitMix64(state: 4)
      var attempts: [BundleAttempt] = []
      for index in stride(from: 0, to: bundle.count, by: 601) {
        var bytes = bundle
        bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        let attempt = BundleAttempt(archive: bytes, trust: sample.trust)
        let outcome = attempt.verdict.outcome
        #expect(outcome == .changed || outcome == .cannotCheck, "byte \(index)")
        attempts.append(attempt)
      }
      row.saw(.refused, at: .library)
      for attempt in [attempts[0], attempts[attempts.count / 2], attempts[attempts.count - 1]] {
        for (level, said) in try await attempt.said(isRefused: true) {
          #expect(said.status == 20 || said.status == 22, "\(level)")
          row.saw(.refused, at: level)
        }
      }
      let independent = try await Verifiers.bundles(attempts)
      #expect(independent.count == attempts.count)
      #expect(independent.allSatisfy { ["changed", "cannot-check"].contains($0.verdict) })
      let meeting = try await Meeting.shared.value
      let flips = meeting.files.sorted { $0.key < $1.key }.flatMap { name, bytes in
        (0..<(Self.isExhaustive ? bytes.count : 2)).map { number in
          FileChange(
            file: name,
            offset: Self.isExhaustive ? number : Int.random(in: 0..<bytes.count, using: &generator),
            mask: 1 << UInt8.random(in: 0..<8, using: &generator))
        }
      }
      try await expectNothingBelieved(flips, in: meeting)
      row.saw(.refused, at: .folder)
      // A file that is needed.
      let range = try meeting.files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
      let middle = try #require(meeting.files[range]).count / 2
      let files = try FileChange(file: range, offset: middle, mask: 1).applied(to: meeting.files)
      try await row.refuses(FolderAttempt(meeting: meeting, files: files, problems: []))
      try await flipInVault()
    }
  }

  /// Of a vault’s own files: whichever it is, it is told. (`Tests/Torture` goes through all of their bytes.)
  private func flipInVault() async throws {
    let person = try await Meeting.shared.value.survivor.duplicate()
    let files = try person.vaultFiles()
    let blob = try #require(files.keys.first { $0.contains("vault/blobs/") })
    for name in ["vault/keys", "vault/keys.bak", "vault/anchor", "vault/vault.db", blob] {
      let path = person.path(name)
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
      var changed = bytes
      // Of the database, its first page.
      changed[min(bytes.count - 1, 1000)] ^= 4
      try overwrite(path, with: changed)
      let checked = try await person.cairn("check", "--json")
      #expect([20, 21].contains(checked.status), "\(name): \(checked.all)")
      try overwrite(path, with: bytes)
    }
    let checked = try await person.cairn("check")
    #expect(checked.status == 0, "\(checked.all)")
  }

  @Test func `Row 36: files are cut, and names lead elsewhere`() async throws {
    try await Row(36, "a file cut at any byte; names with “..”, links, absolute paths").hold {
      row in
      let sample = try SampleCase.told()
      let bundle = try sample.bundle()
      for length in stride(from: 0, to: bundle.count, by: Self.isExhaustive ? 1 : 97) {
        let outcome = verify(Array(bundle[..<length]), sample.trust).outcome
        #expect(outcome == .cannotCheck || outcome == .changed, "\(length)")
      }
      for length in [20, bundle.count / 2, bundle.count - 50] {
        let cut = BundleAttempt(archive: Array(bundle[..<length]), trust: sample.trust)
        try await row.refuses(cut, as: cut.verdict.findings.first?.code ?? .notABundle)
      }
      let names = ["bad-parent", "bad-absolute", "bad-dot", "bad-folder", "bad-character"]
      let vectors = try ProtocolVector.all("archive").filter { names.contains($0.name) }
      #expect(vectors.count == names.count)
      try await row.refuses(
        vectors.map { BundleAttempt(archive: try $0.bytes("input"), trust: BundleTrust()) },
        as: .archiveDamaged)
      let meeting = try await Meeting.shared.value
      try await cutInFolder(row, meeting)
      try await readLinks(meeting)
      try await writeLinks(meeting)
      try await extractNames(meeting)
    }
  }

  private func cutInFolder(_ row: Row, _ meeting: Meeting) async throws {
    let cuts = meeting.files.sorted { $0.key < $1.key }.flatMap { name, bytes in
      let lengths =
        Self.isExhaustive
        ? Array(0..<bytes.count) : [0, bytes.count / 2 + 1, bytes.count - 1]
      return lengths.map { FileChange(file: name, length: $0) }
    }
    try await expectNothingBelieved(cuts, in: meeting)
    let range = try meeting.files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
    var files = meeting.files
    files[range]?.removeLast(30)
    try await row.refuses(FolderAttempt(meeting: meeting, files: files))
    // One that comes bit by bit, as through a slow cloud: what counts is what was signed, never less than before.
    let bytes = try #require(meeting.files[range])
    let folder = try TemporaryFolder(meeting.files)
    let reader = try await meeting.newcomer()
    try await reader.opened { vault in
      let ends = meeting.ends(of: meeting.survivorLog)
      var size: UInt64 = 0
      for step in 0...12 {
        try folder.write([range: Array(bytes.prefix(bytes.count * step / 12))])
        _ = try await vault.meet(folder.path)
        let now = try await vault.sizes()[meeting.survivorLog] ?? 0
        #expect(now >= size && ends.contains(now))
        #expect(step < 12 || now == ends.max())
        size = now
      }
      #expect(try await vault.texts() == Meeting.texts)
    }
  }

  /// A link in the place of a file or folder leads nowhere, even where it leads to the right bytes.
  private func readLinks(_ meeting: Meeting) async throws {
    let range = try meeting.files.name("r-\(meeting.survivorLog.base32)", of: meeting.survivorLog)
    let folder = String(range.prefix { $0 != "/" })
    for linked in [range, folder] {
      let mailbox = try TemporaryFolder(meeting.files)
      let elsewhere = try TemporaryFolder()
      let place = mailbox.path + "/" + linked
      try FileManager.default.moveItem(atPath: place, toPath: elsewhere.path + "/there")
      try FileManager.default.createSymbolicLink(
        atPath: place, withDestinationPath: elsewhere.path + "/there")
      let careful = try await meeting.newcomer()
      try await careful.opened { vault in
        let outcome = try await vault.meet(mailbox.path)
        #expect(outcome.problems.contains(.damaged(meeting.survivorLog)), "\(outcome.problems)")
        #expect(try await vault.texts().isStrictSubset(of: Meeting.texts))
      }
      let synced = try await careful.cairn("sync", "--mailbox", mailbox.path, "--json")
      #expect(synced.status == 20, "\(synced.all)")
      let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
      // A folder behind a link is one that is not there.
      #expect(said.status == (linked == range ? 20 : 21), "\(said.object)")
      #expect(said.codes.contains(linked == range ? "file-damaged" : "incomplete"))
      #expect(try said.size(of: meeting.survivorLog) == 0)
    }
  }

  /// Nor does anything that is written follow one.
  private func writeLinks(_ meeting: Meeting) async throws {
    let device = try await meeting.newcomer()
    let mailbox = try TemporaryFolder(meeting.files)
    let log = try await device.opened { vault in
      _ = try await vault.meet(mailbox.path)
      return try await vault.ownLog()
    }
    let head = try #require(
      try mailbox.allFiles().keys.first { $0.hasSuffix("-\(log.base32)/head") })
    for linked in [head, String(head.prefix { $0 != "/" })] {
      let elsewhere = try TemporaryFolder()
      let place = mailbox.path + "/" + linked
      try FileManager.default.moveItem(atPath: place, toPath: elsewhere.path + "/there")
      let before = try elsewhere.allFiles()
      #expect(!before.isEmpty)
      try FileManager.default.createSymbolicLink(
        atPath: place, withDestinationPath: elsewhere.path + "/there")
      try await device.opened { vault in
        _ = try await vault.add([words("more")], toCase: "theirs")
        do { _ = try await vault.meet(mailbox.path) } catch let error as VaultError {
          #expect([.inputOutput, .mailboxUnreachable, .mailboxDamaged].contains(error.code))
        }
      }
      let synced = try await device.cairn("sync")
      #expect(synced.status != 0 || linked == head, "\(synced.all)")
      #expect(try elsewhere.allFiles() == before, "nothing is written where a link leads")
      try FileManager.default.removeItem(atPath: place)
    }
    // Without the links it is as it should be.
    #expect(try await device.cairn("sync").status == 0)
    let said = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
    #expect(said.status == 0, "\(said.object)")
    #expect(try said.size(of: log) == 2)
  }

  /// What an attachment is called decides nothing of where it is written.
  private func extractNames(_ meeting: Meeting) async throws {
    let person = try await meeting.survivor.duplicate()
    let names = ["../../escaped", "/tmp/escaped", "..", ".", "a/../../b", ".hidden"]
    for name in names {
      let file = try FileHandle(
        forReadingFrom: URL(filePath: try person.folder.file("source", Array(name.utf8))))
      var entry = words("named \(name)")
      entry.sources = [.descriptor(file.fileDescriptor, name: name)]
      try await person.opened { vault in
        let outcome = try await vault.add([entry], toCase: nil)
        #expect(outcome.saved.count == 1)
      }
    }
    let around = try person.folder.allFiles().keys.filter { !$0.hasPrefix("vault/") }
    let listed = try await person.entries().filter {
      ($0["words"] as? String)?.hasPrefix("named ") == true
    }
    #expect(listed.count == names.count)
    for entry in listed {
      let id = try #require(entry["id"] as? String)
      let written = try await person.cairn("extract", id, "--output", "inner/out")
      #expect(written.status == 0, "\(written.all)")
    }
    let all = try person.folder.allFiles().filter { !$0.key.hasPrefix("vault/") }
    let new = all.filter { !around.contains($0.key) }
    #expect(new.count == names.count, "\(new.keys)")
    for name in new.keys {
      #expect(name.hasPrefix("inner/out/") && name.split(separator: "/").count == 3, "\(name)")
    }
    #expect(Set(new.values) == Set(names.map { Array($0.utf8) }))
  }
}

// MARK: - Changes of one file

/// One change of one file of a folder: bits of a byte flipped, or all cut off from a byte on.
private struct FileChange: Encodable, CustomStringConvertible {
  let file: String
  var offset: Int?
  var mask: UInt8?
  var length: Int?

  var description: String {
    "\(file), " + (length.map { "cut at \($0)" } ?? "byte \(offset ?? 0) ^ \(mask ?? 0)")
  }

  func applied(to files: Files) throws -> Files {
    var files = files
    var bytes = try #require(files[file])
    if let length { bytes = Array(bytes.prefix(length)) }
    if let offset, let mask { bytes[offset] ^= mask }
    files[file] = bytes
    return files
  }
}

extension Meeting {
  /// Where ranges of a log end in its folder.
  fileprivate func ends(of log: LogID) -> Set<UInt64> {
    let ranges = files.keys.filter { $0.contains("/r-\(log.base32)-") }
    return Set([0] + ranges.compactMap { UInt64($0.suffix(10)) })
  }
}

/// Each change is given to somebody who has nothing yet, and to `verify.py`: neither comes to hold anything else than what
/// was signed, and nobody is blamed. Either it shows that something was wrong or is missing, or all is as it would be without
/// the change. Afterwards the folder as it was gives the rest.
private func expectNothingBelieved(_ changes: [FileChange], in meeting: Meeting) async throws {
  let kit = meeting.survivor.path("kit")
  let honest = try TemporaryFolder(meeting.files)
  let alone = try await Verifiers.folder(honest.path, kit: kit).object["state"] as? String
  // Each of these readers is the same further device, and a member.
  let whole = try await meeting.newcomer().opened { vault in
    _ = try await vault.meet(honest.path)
    return try await vault.state()
  }
  let independent = try await Verifiers.folders(changes, of: meeting.files, kit: kit)
  #expect(independent.count == changes.count && alone != nil)
  for (change, said) in zip(changes, independent) {
    let folder = try TemporaryFolder(try change.applied(to: meeting.files))
    let reader = try await meeting.newcomer()
    try await reader.opened { vault in
      let met = try await vault.meet(folder.path)
      #expect(met.violations == 0, "\(change)")
      #expect(met.problems.allSatisfy { $0.code != "fork" }, "\(change): \(met.problems)")
      let texts = try await vault.texts()
      #expect(texts.isSubset(of: Meeting.texts), "\(change): \(texts)")
      let sizes = try await vault.sizes()
      for log in [meeting.survivorLog, meeting.advocateLog] {
        #expect(meeting.ends(of: log).contains(sizes[log] ?? 0), "\(change)")
      }
      let state = try await vault.state()
      #expect(
        !met.problems.isEmpty || texts != Meeting.texts || met.filesAwaited > 0 || state == whole,
        "\(change)")
      // A folder of its own: all these readers are one device.
      let rest = try TemporaryFolder(meeting.files)
      _ = try await vault.meet(rest.path)
      #expect(try await vault.texts() == Meeting.texts, "\(change)")
      #expect(try await vault.state() == whole, "\(change)")
      #expect(try await vault.check().findings == [], "\(change)")
    }
    #expect(!said.codes.contains("fork"), "\(change): \(said.object)")
    #expect(
      !said.codes.isEmpty || said.object["state"] as? String == alone, "\(change): \(said.object)")
  }
}

extension Verifiers {
  /// What `verify.py` makes of a folder with each of these changes, in one process.
  fileprivate static func folders(
    _ changes: [FileChange], of files: Files, kit: String
  ) async throws -> [Said] {
    let folder = try TemporaryFolder(files)
    let script = """
      import json, sys
      from pathlib import Path
      from types import SimpleNamespace
      import verify
      root, kit = sys.argv[1:3]
      for change in json.load(open(sys.argv[3])):
          path = Path(root, change["file"])
          whole = path.read_bytes()
          data = bytearray(whole[:change.get("length", len(whole))])
          if "offset" in change:
              data[change["offset"]] ^= change["mask"]
          path.write_bytes(data)
          verify.check_folder(SimpleNamespace(file=root, fingerprint=None, kit=kit, json=True))
          path.write_bytes(whole)
      """
    let place = try TemporaryFolder()
    let asked = try place.file("changes", [UInt8](try JSONEncoder().encode(changes)))
    let finished = try await python(["-c", script, folder.path, kit, asked], in: place.path)
    #expect(finished.status == 0, "\(finished.errors)")
    return try finished.output.split(separator: "\n").map { try Said(line: String($0)) }
  }
}
