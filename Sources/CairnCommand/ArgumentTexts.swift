/// Arguments are texts here: one that is not UTF-8 arrives with its odd bytes replaced, and would name another place.
enum ArgumentTexts {
  /// - Throws: a failure when a place or a text was typed that is none. Of files to be added that is said of the one
  ///   that cannot be found by such a name (`FileCheck`).
  static func check(_ arguments: [String]) throws {
    guard arguments.first != "add", let odd = CommandLine.arguments.indices.first(where: isOdd)
    else { return }
    let shown = SafeText.quoted(Columns.cut(CommandLine.arguments[odd], to: 200))
    throw Failure.usage(
      "argumentNotText",
      Sentence(
        "\(shown) has bytes in it that are not text (UTF-8), so that it would name another place.",
        safe: Sentences.unchanged,
        next: "Use a name without them, or go into that folder first and name it “.”."))
  }

  private static func isOdd(_ index: Int) -> Bool {
    guard let bytes = unsafe CommandLine.unsafeArgv[index] else { return false }
    return unsafe String(validatingCString: bytes) == nil
  }
}
