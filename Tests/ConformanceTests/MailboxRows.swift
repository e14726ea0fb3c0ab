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

/// A folder that forgets, withholds, or was damaged.
@Suite struct `Attacks by whoever holds the folder` {
  @Test func `Row 2: the mailbox serves an older tree`() async throws {
    try await Row(2, "the mailbox serves an older tree (its own receipt waits for a relay)").hold {
      row in
      let meeting = try await Meeting.copy()
      let device = try await meeting.newcomer()
      let mailbox = try TemporaryFolder(meeting.files)
      let log = try await device.opened { vault in
        try await vault.meet(mailbox.path)
        _ = try await vault.add([words("later")], toCase: "theirs")
        try await vault.meet(mailbox.path)
        return try await vault.ownLog()
      }
      // Another member's log grows, too. She is not there when the folder forgets it.
      try await meeting.advocate.opened { vault in
        try await vault.meet(mailbox.path)
        _ = try await vault.add([words("hers, later")], toCase: "theirs")
        try await vault.meet(mailbox.path)
      }
      let (sizes, state) = try await device.opened { vault in
        try await vault.meet(mailbox.path)
        return (try await vault.sizes(), try await vault.state())
      }
      let own = try mailbox.allFiles().filter { $0.key.contains("-\(log.base32)/") }
      let all = Meeting.texts.union(["later", "hers, later"])
      let reader = try await meeting.newcomer(1)
      for isProgram in [false, true] {
        try mailbox.replaceAll(with: meeting.files)
        // The older tree is whole in itself, and shows nobody who knows no more that it is older.
        let older = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
        #expect(older.status == 0 && (older.object["logs"] as? [Any])?.count == 2)
        if isProgram {
          let synced = try await device.cairn("sync", "--json")
          #expect(synced.status == 0, "\(synced.all)")
          #expect((try synced.json()["problems"] as? [Any])?.isEmpty == true, "\(synced.all)")
        } else {
          try await device.opened { vault in
            let met = try await vault.meet(mailbox.path)
            #expect(met.problems == [])
          }
        }
        try await device.opened { vault in
          let now = try await vault.sizes()
          #expect(now == sizes, "nothing that was known is forgotten")
          #expect(try await vault.state() == state)
          #expect(try await vault.texts() == all)
          #expect(try await vault.check().findings == [])
        }
        // Pushed again: its own files as they were, and what it holds of the log of her who is away.
        let now = try mailbox.allFiles()
        for (name, bytes) in own where !name.hasSuffix("/head") {
          #expect(now[name] == bytes, "\(name)")
        }
        let newer = try await Verifiers.folder(mailbox.path, kit: meeting.survivor.path("kit"))
        #expect(newer.status == 0 && newer.object["state"] as? String == state.hex)
        for known in sizes where known.value > 0 {
          #expect(try newer.size(of: known.key) == Int(known.value))
        }
        row.saw(.mended, at: isProgram ? .program : .library, .folder)
      }
      try await reader.opened { vault in
        let met = try await vault.meet(mailbox.path)
        #expect(met.problems == [])
        #expect(try await vault.texts() == all)
      }
      row.passes(.independent, because: "an older folder is whole in itself")
      row.passes(.verifier, because: "no bundle lies in one")
    }
  }

  @Test func `Row 30: the mailbox withholds a log`() async throws {
    try await Row(30, "the mailbox withholds a log").hold { row in
      let meeting = try await Meeting.shared.value
      let device = try await meeting.newcomer()
      let whole = try TemporaryFolder(meeting.files)
      let log = try await device.opened { vault in
        try await vault.meet(whole.path)
        _ = try await vault.add([words("withheld")], toCase: "theirs")
        try await vault.meet(whole.path)
        return try await vault.ownLog()
      }
      let part = try whole.allFiles().filter { !$0.key.contains("-\(log.base32)/") }
      let folder = try TemporaryFolder(part)
      let reader = try await meeting.newcomer(1)
      try await reader.opened { vault in
        let met = try await vault.meet(folder.path)
        #expect(met.problems == [])
        #expect(try await vault.texts() == Meeting.texts)
        _ = try await vault.add([words("of mine")], toCase: "theirs")
      }
      // Whoever waits for a receipt sees that there is none.
      let synced = try await device.cairn("sync", "--mailbox", folder.path)
      #expect(synced.status == 0, "\(synced.all)")
      #expect(synced.told.contains("no receipt yet"), "\(synced.all)")
      // Of one who had a receipt before: how old it is, and what it does not cover.
      let owner = try await meeting.survivor.duplicate()
      try await owner.opened { _ = try await $0.add([words("not received")], toCase: nil) }
      let older = try await owner.cairn("sync", "--mailbox", folder.path)
      #expect(older.status == 0, "\(older.all)")
      #expect(older.told.contains("last receipt"), "\(older.all)")
      #expect(older.told.contains("does not cover your last record yet"), "\(older.all)")
      row.saw(.told, at: .program)
      // And by another way it comes.
      try await reader.opened { vault in
        let outcome = try await vault.meet(whole.path)
        #expect(outcome.problems == [])
        #expect(try await vault.texts().isSuperset(of: Meeting.texts.union(["withheld"])))
      }
      row.saw(.mended, at: .library, .folder)
      row.passes(.independent, because: "what is not there is not known")
      row.passes(.verifier, because: "no bundle lies in one")
    }
  }
}

extension TemporaryFolder {
  /// Whatever was there is gone.
  fileprivate func replaceAll(with files: Files) throws {
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try write(files)
  }
}
