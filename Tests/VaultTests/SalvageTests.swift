import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct `Salvage of a damaged vault` {
  /// Nothing that comes out may be something else than what went in.
  private func expectTrue(
    _ salvaged: Salvaged, of vault: FilledVault, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let all = Set(vault.words.values)
    for entry in salvaged.entries {
      let words = try #require(entry.content?.words, sourceLocation: sourceLocation)
      #expect(all.contains(words), sourceLocation: sourceLocation)
      if let id = entry.id { #expect(vault.words[id] == words, sourceLocation: sourceLocation) }
    }
    for file in salvaged.files where file.state == .whole {
      #expect(file.givesHash, sourceLocation: sourceLocation)
      #expect(
        SHA256Hash.hash(try salvaged.bytes(of: file)) == file.attachment.sha256,
        sourceLocation: sourceLocation)
    }
  }

  @Test func `of a whole vault everything comes out`() async throws {
    let vault = try await FilledVault()
    let before = try vault.fixture.folder.allFiles()
    let salvaged = try vault.salvage(vault.path)
    #expect(salvaged.outcome.isIncomplete == false, "\(salvaged.outcome)")
    #expect(salvaged.outcome.entriesOfView == 0)
    #expect(salvaged.entries.map(\.number) == Array(1...40))
    #expect(
      Dictionary(uniqueKeysWithValues: salvaged.entries.map { ($0.id, $0.content?.words) })
        == Dictionary(uniqueKeysWithValues: vault.words.map { ($0, $1) }))
    #expect(salvaged.entries.allSatisfy { $0.caseName == "default" && $0.kind == .evidence })
    #expect(salvaged.outcome.files.whole == 8)
    #expect(salvaged.outcome.unopened == [])
    try expectTrue(salvaged, of: vault)
    #expect(try vault.fixture.folder.allFiles() == before)
  }

  @Test func `with any one page of the database lost, no entry is`() async throws {
    let vault = try await FilledVault()
    let copy = try vault.copy()
    let count = try vault.pageCount()
    #expect(count > 60)
    for page in 0..<count {
      let range = page * 4096..<(page + 1) * 4096
      var kept: [UInt8] = []
      try change(copy + "/vault.db") { bytes in
        kept = Array(bytes[range])
        bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: 4096))
      }
      let salvaged = try vault.salvage(copy)
      #expect(salvaged.outcome.database.pagesLost == 1)
      #expect(Set(salvaged.words) == Set(vault.words.values), "page \(page + 1)")
      // A page of the table of small files may hold the beginnings of all five.
      #expect(salvaged.outcome.files.whole >= 3, "page \(page + 1)")
      try expectTrue(salvaged, of: vault)
      try change(copy + "/vault.db") { $0.replaceSubrange(range, with: kept) }
    }
  }

  @Test(arguments: 1...6)
  func `whatever pages are damaged, what stands on others comes out`(seed: UInt64) async throws {
    let vault = try await FilledVault()
    let pages = try SalvagedPages(
      files: VaultFiles(folder: vault.path), key: vault.keys.database, vaultID: vault.vaultID)
    var places: [(page: UInt32, number: Int64)] = []
    for number in 1...UInt32(pages.count) {
      let page = try #require(pages.page(number))
      let lost = SalvagedRows(pages).forEach(on: page, number) { place, row in
        if case .entry(let rowid, _) = row { places.append((place.page, rowid)) }
      }
      #expect(lost == 0)
    }
    let copy = try vault.copy()
    let count = try vault.pageCount()
    let chosen = Set(noise(count / 3, seed: seed).map { UInt32($0) * UInt32(count) / 256 + 1 })
    try change(copy + "/vault.db") { bytes in
      for (index, page) in chosen.sorted().enumerated() {
        let start = Int(page - 1) * 4096
        switch index % 3 {
        case 0: bytes[start + Int(seed) * 100] ^= 1
        case 1: bytes.replaceSubrange(start..<start + 4096, with: noise(4096, seed: UInt64(page)))
        default:
          // A page of elsewhere in the same file.
          bytes.replaceSubrange(start..<start + 4096, with: Array(bytes[4096..<8192]))
        }
      }
    }
    let salvaged = try vault.salvage(copy)
    #expect(salvaged.outcome.database.pagesLost >= chosen.count - 1)
    try expectTrue(salvaged, of: vault)
    // Short entries stand on their page as a whole.
    let short = places.filter { !chosen.contains($0.page) }.count - 10
    #expect(salvaged.entries.count >= short)
  }

  @Test func `a file that was cut gives what stands before the cut`() async throws {
    let vault = try await FilledVault()
    let size = try vault.pageCount() * 4096
    var last = Int.max
    for part in [100, 75, 50, 25, 10, 2, 0] {
      let copy = try vault.copy()
      try change(copy + "/vault.db") { $0 = Array($0.prefix(size * part / 100 + (part % 2) * 7)) }
      let salvaged = try vault.salvage(copy)
      #expect(salvaged.entries.count <= last)
      last = salvaged.entries.count
      try expectTrue(salvaged, of: vault)
    }
    #expect(last == 0)
  }

  @Test func `of a damaged file the other spans come out in their places`() async throws {
    let vault = try await FilledVault()
    let copy = try vault.copy()
    let name = try #require(try BlobStore(folder: copy + "/blobs").storedPaths().first)
    try change(name) { bytes in
      bytes[65_552 + 100] ^= 1
      bytes[3 * 65_552] ^= 1
    }
    let salvaged = try vault.salvage(copy)
    #expect(salvaged.outcome.files.damaged == 1)
    let file = try #require(
      salvaged.files.first { $0.path?.contains("INCOMPLETE") == true })
    #expect(file.state == .damaged(missing: [65_536..<131_072, 196_608..<262_144]))
    let original = noise(
      Int(file.attachment.size), seed: file.attachment.size - FilledVault.largeSize + 1)
    #expect(SHA256Hash.hash(original) == file.attachment.sha256)
    let bytes = try salvaged.bytes(of: file)
    #expect(bytes.count == original.count)
    #expect(bytes[..<65_536] == original[..<65_536])
    #expect(bytes[65_536..<131_072].allSatisfy { $0 == 0 })
    #expect(bytes[131_072..<196_608] == original[131_072..<196_608])
    #expect(bytes[262_144...] == original[262_144...])

    try change(name) { $0 = Array($0.prefix(100_000)) }
    let cut = try vault.salvage(copy)
    let part = try #require(cut.files.first { $0.path?.contains("INC") == true })
    #expect(part.state == .lost || part.state == .damaged(missing: [65_536..<part.attachment.size]))
    try FileManager.default.removeItem(atPath: name)
    #expect(try vault.salvage(copy).outcome.files.lost == 1)
    try FileManager.default.removeItem(atPath: copy + "/blobs")
    let none = try vault.salvage(copy)
    #expect(none.outcome.files.lost == 2)
    #expect(none.outcome.files.whole == 6)
    #expect(none.entries.count == 40)
  }

  @Test func `all words come before the first file`() async throws {
    let vault = try await FilledVault()
    let locks = SalvagedLocks(
      files: VaultFiles(folder: vault.path), keys: vault.keys, vaultID: vault.vaultID,
      state: .first)
    let salvage = try Salvage(locks)
    let folder = try TemporaryFolder()
    var words: [String] = []
    // As a disk that is full: the first file ends it.
    #expect(throws: VaultError(.diskFull)) {
      try salvage.run(
        to: folder.path,
        onEntry: { (entry) throws(VaultError) in
          if let said = entry.content?.words { words.append(said) }
        }, onFile: { (_) throws(VaultError) in throw VaultError(.diskFull) })
    }
    #expect(Set(words) == Set(vault.words.values))
  }

  @Test func `what is read is told, the log too`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    for index in 0..<5 { _ = try await vault.add([words("entry \(index)")], toCase: nil) }
    let copy = fixture.folder.path + "/copy"
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
    let locks = await SalvagedLocks(
      files: VaultFiles(folder: copy), keys: vault.keys, vaultID: vault.vaultID, state: .first)
    let log = try Data(contentsOf: URL(filePath: copy + "/vault.db-wal")).count
    #expect(log > 50_000)
    let salvage = try Salvage(locks)
    var told = 0
    var toldOfLog = 0
    try salvage.run(
      to: fixture.folder.path,
      onBytes: { (bytes) throws(VaultError) in
        told += bytes
        if bytes == 4160 { toldOfLog += bytes }
      }, onEntry: { (_) throws(VaultError) in }, onFile: { (_) throws(VaultError) in })
    #expect(toldOfLog == log - 72)
    #expect(told >= Int(salvage.size()))
    try await vault.close()
  }

  /// The same key twice, on two pages that both count as newest.
  @Test func `a row that another one contradicts is marked as doubtful`() async throws {
    let vault = try await FilledVault()
    let pages = try SalvagedPages(
      files: VaultFiles(folder: vault.path), key: vault.keys.database, vaultID: vault.vaultID)
    var entries: [UInt32: Int] = [:]
    var leaves: Set<UInt32> = []
    for number in 1...UInt32(pages.count) {
      _ = SalvagedRows(pages).forEach(on: try #require(pages.page(number)), number) { place, row in
        switch row {
        case .entry: entries[number, default: 0] += 1
        case .leaf: leaves.insert(number)
        default: break
        }
      }
    }
    let page = try #require(entries.max { $0.value < $1.value }?.key)
    var changed = try #require(pages.page(page)).bytes
    let said = Array("in a few words".utf8)
    let place = try #require(
      changed.indices.first { changed[$0...].starts(with: said) })
    changed[place + 5] = UInt8(ascii: "t")
    let copy = try vault.copy()
    let last = UInt32(try vault.pageCount()) + 1
    let nonce = Nonce24.random()
    let sealed = AEAD.seal(
      changed, key: vault.keys.database, nonce: nonce,
      associatedData: vault.vaultID + [1, 0, 0, UInt8(last >> 8), UInt8(last & 0xff)])
    try change(copy + "/vault.db") { bytes in
      // What was sealed is lost, so that the view is what there is.
      for leaf in leaves {
        bytes.replaceSubrange(Int(leaf - 1) * 4096..<Int(leaf) * 4096, with: noise(4096, seed: 1))
      }
      bytes += sealed.prefix(changed.count) + nonce.bytes + sealed.dropFirst(changed.count)
    }
    let salvaged = try vault.salvage(copy)
    #expect(salvaged.entries.count { $0.isDoubtful } == 1)
    #expect(salvaged.outcome.entriesDoubtful == 1)
    #expect(salvaged.outcome.isIncomplete)
    try change(copy + "/vault.db") { $0.removeLast(4096) }
    #expect(try vault.salvage(copy).outcome.entriesDoubtful == 0)
  }

  /// The padding of a large file is longer than a span.
  @Test func `what was added to hide a size does not come out`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let bytes = [UInt8](repeating: 7, count: 8_400_000)
    let file = try fixture.folder.file("film.mp4", bytes)
    _ = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    let locks = await SalvagedLocks(
      files: vault.files, keys: vault.keys, vaultID: vault.vaultID, state: .first)
    try await vault.close()
    let salvaged = try Salvaged(Salvage(locks))
    #expect(salvaged.outcome.files.whole == 1)
    let written = try #require(salvaged.files.first)
    #expect(written.givesHash)
    #expect(try salvaged.bytes(of: written) == bytes)
  }

  @Test func `without a database nothing comes out, and that is said`() async throws {
    let vault = try await FilledVault()
    let copy = try vault.copy()
    for name in ["vault.db", "anchor"] {
      try FileManager.default.removeItem(atPath: copy + "/" + name)
    }
    let salvaged = try vault.salvage(copy)
    #expect(salvaged.outcome.database.isMissing)
    #expect(salvaged.outcome.isIncomplete)
    #expect(salvaged.entries.isEmpty)
    #expect(salvaged.outcome.files.nameless == 2)
  }

  // MARK: - The log beside the database

  @Test func `a log that was cut or damaged gives what it still holds`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    var sizes: [Int] = []
    let log = fixture.path + "/vault.db-wal"
    for index in 0..<8 {
      _ = try await vault.add([words("entry \(index)")], toCase: nil)
      sizes.append(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? 0)
    }
    // As a machine that lost its power leaves it.
    let copy = fixture.folder.path + "/copy"
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
    let (keys, vaultID) = await (vault.keys, vault.vaultID)
    try await vault.close()
    func salvage() throws -> Salvaged {
      try Salvaged(
        Salvage(
          SalvagedLocks(
            files: VaultFiles(folder: copy), keys: keys, vaultID: vaultID, state: .first)))
    }
    let whole = [UInt8](try Data(contentsOf: URL(filePath: copy + "/vault.db-wal")))
    #expect(whole.count == sizes.last)
    #expect(try salvage().words.count == 8)
    for (count, size) in sizes.enumerated() {
      for more in [0, 30, 4160 + 64] where size + more <= whole.count {
        try Data(whole.prefix(size + more)).write(to: URL(filePath: copy + "/vault.db-wal"))
        let salvaged = try salvage()
        #expect(
          Array(salvaged.words.sorted().prefix(count + 1)) == (0...count).map { "entry \($0)" })
        #expect(salvaged.words.count <= count + 2)
      }
    }
    // A frame in the middle: SQLite would stop there.
    for frame in stride(from: 1, to: (whole.count - 72) / 4160, by: 5) {
      var bytes = whole
      bytes[72 + frame * 4160 + 2000] ^= 1
      try Data(bytes).write(to: URL(filePath: copy + "/vault.db-wal"))
      let salvaged = try salvage()
      #expect(salvaged.words.contains("entry 7"), "frame \(frame + 1)")
      #expect(salvaged.words.count >= 7)
    }
    // Its header tells which frames are current; without it the first frame does.
    var bytes = whole
    for index in 0..<72 { bytes[index] = 0 }
    try Data(bytes).write(to: URL(filePath: copy + "/vault.db-wal"))
    #expect(try salvage().words.count == 8)
    try FileManager.default.removeItem(atPath: copy + "/vault.db")
    #expect(try salvage().outcome.database.isMissing)
  }

  // MARK: - Erased entries

  @Test func `what was erased stays away`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("shot.png", noise(200_000, seed: 3))
    let saved = try await vault.add(
      [
        NewEntry(source: .file(path: file), content: EntryContent()), words("gone"), words("stays"),
      ],
      toCase: nil
    ).saved
    _ = try await vault.erase(saved[0..<2].map(\.id.base32))
    let locks = await SalvagedLocks(
      files: vault.files, keys: vault.keys, vaultID: vault.vaultID, state: .first)
    try await vault.close()
    let salvaged = try Salvaged(Salvage(locks))
    #expect(salvaged.words == ["stays"])
    #expect(salvaged.outcome.erased == 2)
    #expect(!salvaged.outcome.isIncomplete)
  }

  @Test func `an older copy of a page does not bring back what the newest says is gone`() throws {
    let id = EntryID(.zero)
    func place(_ isOld: Bool) -> RowPlace {
      RowPlace(page: 5, copy: .file, cell: 0, isOld: isOld)
    }
    var listed = SalvageIndex()
    listed.note(place(true), .entry(7, caseRef: 1))
    #expect(listed.erasure(of: 7) == .none)
    listed.note(place(false), .listing(7, isOpen: false))
    #expect(listed.erasure(of: 7) == .here)

    var leaf = SalvageIndex()
    leaf.note(place(true), .entry(7, caseRef: 1))
    leaf.note(place(false), .leaf(7, log: 1, id: id, hasCiphertext: false))
    leaf.note(place(true), .leaf(7, log: 1, id: id, hasCiphertext: true))
    #expect(leaf.erasure(of: 7) == .here)

    var elsewhere = SalvageIndex()
    elsewhere.note(place(false), .leaf(7, log: 1, id: id, hasCiphertext: true))
    elsewhere.note(place(false), .entry(7, caseRef: 1))
    #expect(elsewhere.erasure(of: 7) == .none)
    elsewhere.note(place(false), .erasure(id, isDestroyed: false))
    #expect(elsewhere.erasure(of: 7) == .elsewhere)
    elsewhere.note(place(true), .erasure(id, isDestroyed: true))
    #expect(elsewhere.erasure(of: 7) == .here)
  }

  // MARK: - Locks

  @Test func `any lock that is whole opens, by passphrase or kit`() async throws {
    let fixture = try VaultFixture()
    let kit = try RecoveryKit.make()
    let vault = try OpenVault.create(
      at: fixture.path, passphrase: try locked(VaultFixture.passphrase), kit: kit, cost: .least,
      surroundings: fixture.surroundings)
    _ = try await vault.add([words("one")], toCase: nil)
    try await vault.close()
    let keys = fixture.path + "/keys"
    let passphrase = try locked(VaultFixture.passphrase)
    func expectOne(_ state: SalvageOutcome.Locks) throws {
      let opened = try Salvaged(Salvage(of: fixture.path, passphrase: passphrase))
      let byKit = try Salvaged(Salvage(of: fixture.path, kit: kit))
      for salvaged in [opened, byKit] {
        #expect(salvaged.words == ["one"])
        #expect(salvaged.outcome.locks == state)
      }
    }
    try expectOne(.first)
    #expect(throws: VaultError(.wrongPassphrase)) {
      try Salvage(of: fixture.path, passphrase: try locked("another"))
    }
    #expect(throws: VaultError(.kitMismatch)) {
      try Salvage(of: fixture.path, kit: try RecoveryKit.make())
    }
    try change(keys) { $0[3000] ^= 1 }
    try expectOne(.second)
    try change(keys + ".bak") { $0[3500] ^= 1 }
    try expectOne(.damaged)
    for name in [keys, keys + ".bak"] { try FileManager.default.removeItem(atPath: name) }
    #expect(throws: VaultError(.keysMissing)) {
      try Salvage(of: fixture.path, passphrase: passphrase)
    }
  }
}

@Suite struct `Pages read without SQLite` {
  @Test func `bytes of any kind are read or refused, and nothing else happens`() {
    var read = 0
    for seed in 1..<4000 {
      var page = noise(4056, seed: UInt64(seed))
      page[0] = [2, 10, 13][seed % 3]
      if seed % 2 == 0 {
        // Few cells, so that some are within bounds.
        page[3] = 0
        page[4] &= 0x1f
        for index in 8..<72 where index % 2 == 0 { page[index] &= 0x0f }
      }
      guard let cells = SQLitePage.cells(of: page, isFirst: seed % 7 == 0)?.cells else { continue }
      for cell in cells {
        read += 1
        _ = SQLitePage.columns(of: cell.local)
        _ = SQLitePage.values(of: Array(cell.local))
        _ = SQLitePage.firstValues(of: cell.local, 3)
        #expect(cell.payloadByteCount <= SQLitePage.maximumPayload)
      }
    }
    #expect(read > 100)
  }

  @Test func `values come out as the format describes them`() {
    // Header of 8 bytes: null, one byte, two bytes, 0, 1, text of 2, blob of 1.
    let record: [UInt8] = [8, 0, 1, 2, 8, 9, 17, 14, 0xff, 0x01, 0x00, 0x68, 0x69, 0x07]
    #expect(
      SQLitePage.values(of: record) == [
        .null, .integer(-1), .integer(256), .integer(0), .integer(1), .text(Array("hi".utf8)),
        .blob([7]),
      ])
    #expect(SQLitePage.values(of: record + [0]) == nil)
    #expect(SQLitePage.values(of: record.dropLast()) == nil)
    #expect(SQLitePage.values(of: [2, 10]) == nil)
    #expect(SQLitePage.firstValues(of: record[...9], 2) == [.null, .integer(-1)])
  }

  @Test func `a payload is as long as its bounds and no longer`() {
    #expect(SQLitePage.localByteCount(of: 4021, isTable: true) == 4021)
    #expect(SQLitePage.localByteCount(of: 4022, isTable: true) == 484)
    #expect(SQLitePage.localByteCount(of: 5000, isTable: true) == 484 + (5000 - 484) % 4052)
    #expect(SQLitePage.localByteCount(of: 1 << 20, isTable: true) < 4021)
    #expect(SQLitePage.localByteCount(of: 991, isTable: false) == 991)
    #expect(SQLitePage.localByteCount(of: 992, isTable: false) == 484)
  }
}
