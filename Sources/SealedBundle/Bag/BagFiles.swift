/// The two files by which a folder is known as a bag (RFC 8493). Both are determined by what else is in
/// the bundle, so a reader compares them whole.
package enum BagFiles {
  /// `bagit.txt`.
  package static var declaration: [UInt8] {
    Array("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".utf8)
  }

  /// `bag-info.txt`: how much payload there is, for whoever carries the bag.
  package static func information(payloadByteCount: UInt64, payloadFileCount: Int) -> [UInt8] {
    Array("Payload-Oxum: \(payloadByteCount).\(payloadFileCount)\n".utf8)
  }
}
