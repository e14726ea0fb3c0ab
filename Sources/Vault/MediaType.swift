/// Names the type of a file by its first bytes, as IANA names it. A hint for whoever opens it later, not a
/// check: nothing is decoded here.
enum MediaType {
  static let unknown = "application/octet-stream"

  static func of(firstBytes bytes: ArraySlice<UInt8>) -> String {
    let start = Array(bytes.prefix(16))
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      start.dropFirst(offset).starts(with: text.utf8)
    }
    if start.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return "image/png" }
    if start.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
    if begins("GIF87a") || begins("GIF89a") { return "image/gif" }
    if begins("RIFF"), begins("WEBP", at: 8) { return "image/webp" }
    if begins("ftypheic", at: 4) || begins("ftypmif1", at: 4) { return "image/heic" }
    if begins("ftypavif", at: 4) { return "image/avif" }
    if begins("ftypqt", at: 4) { return "video/quicktime" }
    if begins("ftyp", at: 4) { return "video/mp4" }
    if start.starts(with: [0x1a, 0x45, 0xdf, 0xa3]) { return "video/webm" }
    if begins("%PDF-") { return "application/pdf" }
    if begins("OggS") { return "audio/ogg" }
    if begins("ID3") || start.starts(with: [0xff, 0xfb]) { return "audio/mpeg" }
    if start.starts(with: [0x50, 0x4b, 0x03, 0x04]) { return "application/zip" }
    return isText(bytes) ? "text/plain" : unknown
  }

  private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
    // The first bytes may end within a character, so up to three are left out.
    for cut in 0...3 where bytes.count > cut {
      if String(validating: bytes.dropLast(cut), as: UTF8.self) != nil {
        return !bytes.contains { $0 < 0x09 || (0x0e..<0x20).contains($0) }
      }
    }
    return false
  }
}
