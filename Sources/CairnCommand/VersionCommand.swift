import ArgumentParser

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Say which version this is.")

  static let text = "cairn \(Cairn.version), format \(Cairn.formatVersion)"

  @OptionGroup var global: GlobalOptions

  func run() throws {
    struct Object: Encodable {
      let format: Int
      let version: String
    }
    if global.json {
      try Output.json(Object(format: Cairn.formatVersion, version: Cairn.version))
    } else {
      Output.line(Self.text)
    }
  }
}
