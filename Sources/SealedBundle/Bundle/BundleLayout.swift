/// Where things lie in a bundle.
package enum BundleLayout {
  package static let declaration = BundlePath(literal: "bagit.txt")
  package static let information = BundlePath(literal: "bag-info.txt")
  package static let manifest = BundlePath(literal: "manifest-sha256.txt")
  package static let tagManifest = BundlePath(literal: "tagmanifest-sha256.txt")
  package static let report = BundlePath(literal: "data/report.html")
  package static let readme = BundlePath(literal: "proof/README.txt")
  package static let caseFile = BundlePath(literal: "proof/case.cbor")
  package static let signature = BundlePath(literal: "proof/signature.note")

  /// The checkpoint of log `index`, with the receipts on it.
  package static func checkpoint(_ index: Int) -> BundlePath { made("proof/logs/\(index).note") }
  /// The leaves of log `index`.
  package static func leaves(_ index: Int) -> BundlePath { made("proof/logs/\(index).leaves") }
  /// The disclosed entries of log `index`.
  package static func entries(_ index: Int) -> BundlePath { made("proof/logs/\(index).cbor") }
  /// The receipt of this number.
  package static func receipt(_ number: Int) -> BundlePath { made("proof/receipts/\(number).note") }

  /// File `file` of exhibit `exhibit`. Both numbers are as the report shows them; the extension comes from
  /// the media type, never from a name that somebody chose.
  package static func exhibit(_ exhibit: Int, file: UInt64, mediaType: String) -> BundlePath {
    made("data/exhibits/\(exhibit)-\(file)" + fileExtension(mediaType))
  }

  /// Whether a path belongs to the payload, which the first manifest lists; the second lists the rest.
  package static func isPayload(_ path: BundlePath) -> Bool { path.hasPrefix("data/") }

  private static func made(_ text: String) -> BundlePath {
    guard let path = BundlePath(Array(text.utf8)) else {
      preconditionFailure("digits and constants are a path")
    }
    return path
  }

  /// What opens by a double click without running anything. Web pages, SVG and office files are not on the
  /// list: they are left without an extension, so that looking at them is a decision.
  private static func fileExtension(_ mediaType: String) -> String {
    let type = Array(mediaType.utf8)
    for (known, fileExtension) in fileExtensions where known.ascii == type {
      return String(decoding: fileExtension.ascii, as: UTF8.self)
    }
    return ""
  }

  private static let fileExtensions: [(StaticString, StaticString)] = [
    ("image/jpeg", ".jpg"), ("image/png", ".png"), ("image/gif", ".gif"), ("image/webp", ".webp"),
    ("image/heic", ".heic"), ("image/avif", ".avif"), ("image/tiff", ".tif"),
    ("image/bmp", ".bmp"), ("application/pdf", ".pdf"), ("text/plain", ".txt"),
    ("message/rfc822", ".eml"), ("application/zip", ".zip"), ("video/mp4", ".mp4"),
    ("video/quicktime", ".mov"), ("video/webm", ".webm"), ("audio/mpeg", ".mp3"),
    ("audio/mp4", ".m4a"), ("audio/ogg", ".ogg"), ("audio/wav", ".wav"),
  ]
}
