import Cryptography
import Foundation
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Small files that somebody handed over: cards and invitations.
enum SmallFile {
  /// The content of a file; nil if it is larger than `limit`, which nothing of ours is.
  static func read(_ path: String, limit: Int) throws -> [UInt8]? {
    guard try FileCheck(path: path).size <= UInt64(limit) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(VaultError(.fileUnreadable), subject: SafeText.quoted(path))
    }
    return [UInt8](data)
  }

  /// The content of a file with a secret, byte by byte into locked memory; nil if it is larger than
  /// `limit`.
  static func readSecret(_ path: String, limit: Int) throws -> LockedBytes? {
    let size = try FileCheck(path: path).size
    guard size <= UInt64(limit) else { return nil }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Failure(VaultError(.fileUnreadable), subject: SafeText.quoted(path))
    }
    defer { close(descriptor) }
    var secret = try LockedBytes(capacity: Int(size))
    var byte: UInt8 = 0
    defer { byte = 0 }
    while secret.count < secret.capacity, unsafe Glibc.read(descriptor, &byte, 1) == 1 {
      try secret.append(byte)
    }
    return secret
  }
}

/// Six words that two people compare by voice.
enum SixWords {
  /// The words as given, or as typed when asked; six of them, in small letters.
  ///
  /// - Parameter explanation: whose words they are, and how to get them.
  static func get(
    _ given: String?, explanation: String, terminal: Terminal?
  ) throws -> [String] {
    if let given { return try split(given) ?? { throw wrongCount }() }
    guard let terminal else {
      throw Failure.usage(
        "noWords",
        Sentence(
          explanation, safe: Sentences.unchanged,
          next: "Run this on a terminal without --no-input, or pass them with --words."))
    }
    terminal.explain(explanation)
    while let typed = try terminal.ask("The six words: ") {
      if let words = split(typed) { return words }
      terminal.say("Six words are needed, with a space between them.")
    }
    throw VaultError(.cancelled)
  }

  static func shown(_ words: [String]) -> String { words.joined(separator: " ") }

  private static func split(_ text: String) -> [String]? {
    let words = text.lowercased().split { $0.isWhitespace || $0 == "," }.map(String.init)
    return words.count == 6 ? words : nil
  }

  private static var wrongCount: Failure {
    .usage(
      "wordCount",
      Sentence(
        "Six words are needed after --words.", safe: Sentences.unchanged,
        next: "Put them in quotation marks, with a space between them."))
  }
}
