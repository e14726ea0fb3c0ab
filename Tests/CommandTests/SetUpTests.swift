import Foundation
import People
import Support
import Testing

@Suite struct `Setting up` {
  @Test func `a script makes a vault and a kit that only their owner can read`() async throws {
    let person = try await Person(hasVault: false)
    let made = try await person.cairn(
      "init", "--no-input", "--kit", "kit", "--kdf", "light", "--json")
    #expect(made.status == 0, "\(made.all)")
    #expect(try made.json()["kit"] as? String == "kit")
    #expect(made.told.contains("whoever has the twelve words can open the vault"))
    let kit = try String(contentsOfFile: person.path("kit"), encoding: .utf8)
    let lines = kit.split(separator: "\n")
    #expect(lines[0].hasPrefix("# Twelve words.") && lines[12].hasPrefix("12  "))
    #expect(lines.dropFirst(13).allSatisfy { $0.hasPrefix("#") })
    #expect(made.all.lowercased().contains("vault") && !kit.lowercased().contains("vault"))
    for name in ["kit", "vault/keys", "vault/vault.db"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: person.path(name))
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    #expect(try await person.entries().count == 0)
  }

  @Test func `a place that is taken is left as it is`() async throws {
    let person = try await Person()
    let before = try person.folder.allFiles()
    let again = try await person.cairn("init", "--kit", "kit2", "--kdf", "light", "--json")
    #expect(again.status == 1)
    #expect(try again.errorCode() == "vaultExists")
    #expect(try person.folder.allFiles() == before)
  }

  @Test func `a kit never replaces a file, and no vault is made without its kit`() async throws {
    let person = try await Person(hasVault: false)
    _ = try person.folder.file("kit", [1])
    for kit in ["kit", "no/such/folder/kit"] {
      let refused = try await person.cairn("init", "--kit", kit, "--kdf", "light")
      #expect(refused.status == 1)
      #expect(refused.told.contains("“\(kit)”"), "\(refused.all)")
    }
    let standardOutput = try await person.cairn("init", "--kit", "-", "--kdf", "light")
    #expect(standardOutput.status == 64, "\(standardOutput.all)")
    let nowhere = try await person.cairn("init", "--no-input", "--kdf", "light", "--json")
    #expect(nowhere.status == 64)
    #expect(try nowhere.errorCode() == "noPlaceForKit")
    #expect(try Data(contentsOf: URL(filePath: person.path("kit"))) == Data([1]))
    #expect(!FileManager.default.fileExists(atPath: person.vault))
  }

  @Test func `a vault that cannot be made leaves no kit behind`() async throws {
    let person = try await Person(hasVault: false)
    _ = try person.folder.file("a-file", [1])
    let refused = try await person.run([
      "init", "--vault", "a-file/vault", "--kit", "kit", "--kdf", "light", "--passphrase-file",
      person.passphraseFile,
    ])
    #expect(refused.status == 1, "\(refused.all)")
    #expect(!FileManager.default.fileExists(atPath: person.path("kit")))
  }

  @Test func `a passphrase that is missing, empty or too long is refused`() async throws {
    let person = try await Person(hasVault: false)
    let none = try await person.run([
      "init", "--vault", person.vault, "--kit", "kit", "--kdf", "light", "--json",
    ])
    #expect(none.status == 64)
    #expect(try none.errorCode() == "noPassphrase")
    for bytes in [[], Array("\n".utf8), [UInt8](repeating: 0x61, count: 2000)] {
      let file = try person.folder.file("bad", bytes)
      let refused = try await person.cairn(
        "init", "--kit", "kit", "--kdf", "light", "--json", passphraseFile: file)
      #expect(refused.status == 64)
      #expect(try refused.errorCode() == "passphraseFile")
    }
    let missing = try await person.cairn(
      "init", "--kit", "kit", "--kdf", "light", passphraseFile: "missing")
    #expect(missing.status == 64)
    #expect(missing.told.contains("“missing” cannot be read"))
    #expect(!FileManager.default.fileExists(atPath: person.vault))
    #expect(!FileManager.default.fileExists(atPath: person.path("kit")))
  }

  @Test func `a passphrase is the same however its accents and line end are written`() async throws
  {
    let person = try await Person(hasVault: false)
    let composed = try person.folder.file("composed", Array("caf\u{e9} au lait\n".utf8))
    let others = [
      try person.folder.file("decomposed", Array("cafe\u{301} au lait".utf8)),
      try person.folder.file("windows", Array("caf\u{e9} au lait\r\n".utf8)),
    ]
    let made = try await person.cairn(
      "init", "--kit", "kit", "--kdf", "light", passphraseFile: composed)
    #expect(made.status == 0, "\(made.all)")
    for other in others {
      #expect(try await person.cairn("list", passphraseFile: other).status == 0)
    }
    // One line end is dropped, and nothing else.
    let more = try person.folder.file("more", Array("caf\u{e9} au lait\n\n".utf8))
    #expect(try await person.cairn("list", passphraseFile: more).status == 12)
  }

  @Test func `bytes that are no text are a passphrase as they are`() async throws {
    let person = try await Person(hasVault: false)
    let odd = try person.folder.file("odd", [0xff, 0xfe, 0x41, 0x80])
    let made = try await person.cairn("init", "--kit", "kit", "--kdf", "light", passphraseFile: odd)
    #expect(made.status == 0)
    #expect(try await person.cairn("list", passphraseFile: odd).status == 0)
    let other = try person.folder.file("other", [0xff, 0xfd, 0x41, 0x80])
    #expect(try await person.cairn("list", passphraseFile: other).status == 12)
  }

  @Test func `without options, vault and passphrase come from the environment`() async throws {
    var person = try await Person(hasVault: false)
    person.environment["CAIRN_PASSPHRASE_FILE"] = person.passphraseFile
    #expect(try await person.run(["init", "--kit", "kit", "--kdf", "light"]).status == 0)
    #expect(FileManager.default.fileExists(atPath: person.path("data/cairn/keys")))
    #expect(try await person.run(["--json", "list"]).json()["entries"] is [Any])
    person.environment["XDG_DATA_HOME"] = nil
    let missing = try await person.run(["list"])
    #expect(missing.status == 10)
    // A long path is broken into lines.
    let told = missing.all.filter { !$0.isWhitespace }
    #expect(told.contains(person.path(".local/share/cairn")))
  }
}

@Suite struct `Help and exit codes` {
  @Test(arguments: [[], ["help"], ["--help"]])
  func `the overview tells every command and exit code`(arguments: [String]) async throws {
    let person = try await Person(hasVault: false)
    let help = try await person.run(arguments)
    #expect(help.status == 0)
    for command in [
      "init", "add", "list", "show", "extract", "case", "card", "share", "join", "sync", "members",
      "remove", "export", "open", "verify", "passphrase", "check", "version",
    ] {
      #expect(help.output.contains("cairn \(command)"), "\(command)")
    }
    for code in [0, 1, 10, 11, 12, 13, 20, 21, 22, 64, 69, 130] {
      #expect(help.output.contains(" \(code)  "), "\(code)")
    }
    #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test(arguments: [
    ["no-such-command"], ["show"], ["list", "--no-such-option"], ["init", "--kdf", "none"],
    ["case", "new"], ["extract", "abcd"], ["add", "-", "-"], ["add", "--no-input"],
    ["add", "--hash-only", "--no-input"], ["list", "--no-input"],
  ])
  func `a command that cannot be understood ends with 64`(arguments: [String]) async throws {
    let person = try await Person()
    let vault = ["--vault", person.vault]
    let refused = try await person.run(arguments + (arguments.count > 1 ? vault : []))
    #expect(refused.status == 64, "\(refused.all)")
    #expect(refused.output == "")
    #expect(!refused.errors.isEmpty && !refused.errors.contains("Error:"))
    let scripted = try await person.run(arguments + ["--json"] + (arguments.count > 1 ? vault : []))
    #expect(scripted.status == 64)
    #expect(try scripted.errorCode() != nil)
  }

  @Test func `a command that is nearly one is guessed`() async throws {
    let person = try await Person(hasVault: false)
    let near = try await person.run(["exprt", "default"])
    #expect(near.status == 64)
    #expect(near.told.contains("Perhaps you meant “cairn export”."), "\(near.all)")
    let far = try await person.run(["help", "something"])
    #expect(far.status == 64)
    #expect(far.told.contains("There is no command “something”."), "\(far.all)")
    #expect(!far.told.contains("Perhaps"))
    let option = try await person.run(["add", "--txt", "x"])
    #expect(option.told.contains("Did you mean '--text'?"))
    #expect(option.told.contains("“cairn add --help” shows what it understands."))
  }

  @Test func `the version names program and format`() async throws {
    let person = try await Person(hasVault: false)
    #expect(try await person.run(["version"]).output == "cairn 0.1.0, format 1\n")
    #expect(try await person.run(["--version"]).output == "cairn 0.1.0, format 1\n")
    let json = try await person.run(["version", "--json"]).json()
    #expect(json["version"] as? String == "0.1.0")
    #expect(json["format"] as? Int == 1)
  }

  @Test func `options of all commands may stand before the command`() async throws {
    let person = try await Person()
    let common = ["--json", "--vault", person.vault, "--passphrase-file=\(person.passphraseFile)"]
    for command in [["list"], ["case", "list"], ["add", "--text", "One."]] {
      let done = try await person.run(common + command)
      #expect(done.status == 0, "\(done.all)")
      _ = try done.json()
    }
  }
}
