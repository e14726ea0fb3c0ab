import Support

/// Who meets in a mailbox.
enum Meeting: Int, CaseIterable {
  case everyone, ownDevices
}

/// What a mailbox holds of one device's subfolder, now and before.
struct Subfolder {
  typealias Content = [String: [UInt8]]
  var current: Content = [:]
  private(set) var past: [Content] = []

  mutating func replace(by content: Content) {
    guard content != current else { return }
    if past.count == 6 { past.removeFirst() }
    past.append(current)
    current = content
  }

  /// What a mailbox that forgets, holds back, or garbles makes of it.
  func seen(through weather: Weather.Pull, _ random: inout SplitMix64) -> Content? {
    switch weather {
    case .nothing: return nil
    case .whole: return current
    case .older: return past.isEmpty ? current : past[random.below(past.count)]
    case .some:
      return current.sorted { $0.key < $1.key }.reduce(into: [:]) { content, file in
        if random.chance(2, in: 3) { content[file.key] = file.value }
      }
    case .cut, .garbled:
      guard let name = current.keys.sorted().element(random.next()) else { return current }
      var content = current
      content[name] = Self.damaged(current[name] ?? [], isCut: weather == .cut, &random)
      return content
    }
  }

  static func damaged(_ bytes: [UInt8], isCut: Bool, _ random: inout SplitMix64) -> [UInt8] {
    guard !bytes.isEmpty else { return bytes }
    if isCut { return Array(bytes.prefix(random.below(bytes.count))) }
    var bytes = bytes
    bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
    return bytes
  }
}

extension Array {
  /// The element that a random number names; nil if there is none.
  func element(_ random: UInt64) -> Element? {
    isEmpty ? nil : self[Int(random % UInt64(count))]
  }
}

/// What may happen between a device's folder and the mailbox.
enum Weather {
  enum Pull: String, CaseIterable {
    case whole, nothing, older, some, cut, garbled

    static func drawn(_ random: inout SplitMix64) -> Pull {
      switch random.below(20) {
      case 0..<12: .whole
      case 12..<15: .nothing
      case 15..<17: .older
      case 17: .some
      case 18: .cut
      default: .garbled
      }
    }
  }

  enum Push: String {
    case whole, nothing, some, cut

    static func drawn(_ random: inout SplitMix64) -> Push {
      switch random.below(20) {
      case 0..<14: .whole
      case 14..<17: .nothing
      case 17..<19: .some
      default: .cut
      }
    }
  }
}

/// A mailbox that every device sees in its own way.
struct Cloud {
  /// By name.
  var subfolders: [String: Subfolder] = [:]

  /// Takes what a device has put down in one of its own subfolders, or what comes through of it. A file that
  /// is gone there is gone here, if it was seen there before.
  mutating func take(
    _ content: Subfolder.Content, as name: String, seenBefore: Set<String>,
    through weather: Weather.Push,
    _ random: inout SplitMix64
  ) {
    guard weather != .nothing else { return }
    var next = subfolders[name]?.current ?? [:]
    for file in seenBefore where content[file] == nil { next[file] = nil }  // In any order.
    for file in content.keys.sorted() {
      if weather == .some, random.chance(1, in: 2) { continue }
      next[file] = content[file]
    }
    if weather == .cut, let file = content.keys.sorted().element(random.next()) {
      next[file] = Subfolder.damaged(next[file] ?? [], isCut: true, &random)
    }
    subfolders[name, default: Subfolder()].replace(by: next)
  }
}

/// A folder on a device that is kept in step with a mailbox.
struct View {
  let path: String
  /// How often something in it was changed.
  private(set) var changes = 0
  /// What lies there.
  private(set) var subfolders: [String: Subfolder.Content] = [:]

  init(_ path: String) throws {
    self.path = path
    try clear()
  }

  mutating func clear() throws {
    try Files.removeTree(path)
    try Files.makeFolder(path)
    subfolders = [:]
  }

  /// Makes a subfolder what it should be.
  mutating func put(_ content: Subfolder.Content, as name: String) throws {
    let held = subfolders[name] ?? [:]
    guard held != content else { return }
    changes += 1
    let folder = path + "/" + name
    try Files.makeFolder(folder)
    for file in held.keys where content[file] == nil { try Files.remove(folder + "/" + file) }
    for (file, bytes) in content where held[file] != bytes {  // In any order.
      try Files.write(bytes, to: folder + "/" + file)
    }
    subfolders[name] = content
  }

  /// Looks again at what a device wrote; temporary files are nobody else's business.
  mutating func look(at name: String) throws -> Subfolder.Content {
    var content: Subfolder.Content = [:]
    for file in try Files.names(in: path + "/" + name) where !file.hasPrefix(".") {
      content[file] = try Files.read(path + "/" + name + "/" + file)
    }
    if subfolders[name] ?? [:] != content { changes += 1 }
    if content.isEmpty { subfolders[name] = nil } else { subfolders[name] = content }
    return content
  }

  /// After files were changed by others.
  mutating func lookAgain() throws {
    for name in Set(subfolders.keys).union(try Files.names(in: path)).sorted() {
      _ = try look(at: name)
    }
  }
}
