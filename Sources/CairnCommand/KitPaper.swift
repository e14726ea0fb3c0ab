import QRCodes
import Vault

/// The twelve words as a file to print: a text, or a page for a browser. Neither says what they open.
enum KitPaper {
  static let title = "Twelve words to keep"
  static let care = "Keep them on paper, away from this computer, where only you look."

  /// By the name of the file that it is for.
  static func bytes(of kit: borrowing RecoveryKit, for path: String) throws -> [UInt8] {
    let name = path.lowercased()
    let isPage = name.hasSuffix(".html") || name.hasSuffix(".htm")
    return Array((try isPage ? page(of: kit) : text(of: kit)).utf8)
  }

  /// How large such a file is; generously.
  static let sizes: ClosedRange<UInt64> = 100...262_144

  /// Whether a file is one of these, by what stands above the words.
  ///
  /// - Parameter beginning: so many of its first bytes.
  static func isKit(_ beginning: (Int) -> [UInt8]) -> Bool {
    let head = beginning(16)
    if head.starts(with: "# Twelve words. ".utf8) { return true }
    guard head.starts(with: "<!DOCTYPE html>".utf8) else { return false }
    return String(decoding: beginning(pageHead), as: UTF8.self).contains("<title>\(title)</title>")
  }

  /// Up to the end of the page's title.
  private static let pageHead = 400

  static func checkLine(_ check: String) -> String {
    "Check: \(check). Two papers with the same check have the same words."
  }

  static func code(of words: [String]) -> QRCode? {
    QRCode(Array(words.joined(separator: " ").utf8))
  }

  // MARK: - Text

  /// One numbered word a line; all else begins with `#`, and is left out where the file is read again.
  private static func text(of kit: borrowing RecoveryKit) throws -> String {
    let words = kit.words
    var lines = ["# Twelve words. " + care]
    for (index, word) in words.enumerated() {
      lines.append((index < 9 ? " " : "") + "\(index + 1)  " + word)
    }
    lines += ["#", "# " + checkLine(try kit.check()), "#"]
    if let code = code(of: words) {
      lines.append("# The same words, for a camera:")
      lines += halfBlocks(code, margin: QRCode.margin).map { "#   " + $0 }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Two rows of modules a line; dark ones are drawn, as ink on paper is.
  static func halfBlocks(_ code: QRCode, margin: Int) -> [String] {
    let columns = -margin..<code.side + margin
    return stride(from: -margin, to: code.side + margin, by: 2).map { row in
      columns.map { column in
        switch (
          code.isDark(row: row, column: column), code.isDark(row: row + 1, column: column)
        ) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
      }.joined()
    }
  }

  // MARK: - Page

  /// Complete in itself: it loads nothing and runs nothing. The words are the items of its one list.
  ///
  /// The margins of the paper are those of the body, so that a browser has no room to print the name of the
  /// file there. It stays black on white in dark themes, as the square has to.
  private static func page(of kit: borrowing RecoveryKit) throws -> String {
    let words = kit.words
    let items = words.map { "<li>\($0)</li>" }.joined(separator: "\n")
    let square = code(of: words).map { code in
      "<p>The square holds the same words, for a camera.</p>\n\(svg(code))\n"
    }
    return """
      <!DOCTYPE html>
      <html lang="en" dir="ltr">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>
      :root { color-scheme: only light }
      body { font: 14pt/1.4 serif; color: black; background: white; margin: 0 auto; padding: 5vw;
        max-width: 16cm }
      h1 { font-size: 22pt; line-height: 1.2; margin: 0 }
      p { margin: 0.8em 0 0 }
      ol { columns: 7em 2; column-gap: 2.5em; padding-left: 2.5em; font: 16pt/1.5 monospace }
      code { font-size: 16pt; white-space: nowrap }
      svg { display: block; width: 6cm; max-width: 100%; break-inside: avoid }
      @page { margin: 0 }
      @media print { body { font-size: 13pt; padding: 1.5cm 1.5cm 0 } }
      </style>
      </head>
      <body>
      <h1>\(title)</h1>
      <p>\(care) Their order counts.</p>
      <ol>
      \(items)
      </ol>
      <p>\(checkLine("<code>\(try kit.check())</code>"))</p>
      \(square ?? "")</body>
      </html>

      """
  }

  private static func svg(_ code: QRCode) -> String {
    var path = ""
    for row in 0..<code.side {
      var column = 0
      while column < code.side {
        let start = column
        while code.isDark(row: row, column: column) { column += 1 }
        if column > start {
          path += "M\(start) \(row)h\(column - start)v1h-\(column - start)z"
        }
        column += 1
      }
    }
    let (start, side) = (-QRCode.margin, code.side + 2 * QRCode.margin)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="\(start) \(start) \(side) \(side)" \
      shape-rendering="crispEdges" role="img" aria-label="The words as a square">
      <rect x="\(start)" y="\(start)" width="\(side)" height="\(side)" fill="white"/>
      <path d="\(path)" fill="black"/>
      </svg>
      """
  }
}
