package import CaseLog
import Cryptography
package import SealedBundle
import VerifiableLog

package func verify(_ archive: [UInt8], _ trust: BundleTrust = BundleTrust()) -> BundleVerdict {
  BundleVerifier.verify(MemorySource(archive), trust: trust)
}

/// A bundle taken apart, to be put together again as somebody would who wants to deceive: with every list
/// and checksum right, and signed again if a key is at hand.
package struct Forgery {
  package var files: [(path: BundlePath, bytes: [UInt8])] = []
  package let caseID: CaseID

  package init(_ archive: [UInt8], of sample: SampleCase) throws {
    try self.init(archive, caseID: sample.caseID)
  }

  package init(_ archive: [UInt8], caseID: CaseID) throws {
    var zip = try ZipReader(MemorySource(archive))
    for member in zip.members {
      files.append((member.path, try zip.read(member, limit: 1 << 24)))
    }
    self.caseID = caseID
  }

  package subscript(_ name: String) -> [UInt8]? {
    get { files.first { $0.path.text == name }?.bytes }
    set {
      let index = files.firstIndex { $0.path.text == name }
      switch (index, newValue) {
      case (let index?, let bytes?): files[index].bytes = bytes
      case (let index?, nil): files.remove(at: index)
      case (nil, let bytes?): files.append((Forgery.path(name), bytes))
      case (nil, nil): break
      }
    }
  }

  /// A path that a test spells out.
  private static func path(_ text: String) -> BundlePath {
    guard let path = BundlePath([UInt8](text.utf8)) else { preconditionFailure("no path: \(text)") }
    return path
  }

  /// Makes both manifests and the information file anew.
  package mutating func relist() {
    let payload = files.filter { BundleLayout.isPayload($0.path) }
    self["manifest-sha256.txt"] =
      Manifest(payload.map { Manifest.Line(path: $0.path, hash: SHA256Hash.hash($0.bytes)) }).bytes
    self["bag-info.txt"] = BagFiles.information(
      payloadByteCount: UInt64(payload.map(\.bytes.count).reduce(0, +)),
      payloadFileCount: payload.count)
    let tags = files.filter {
      !BundleLayout.isPayload($0.path) && $0.path != BundleLayout.tagManifest
        && $0.path != BundleLayout.signature
    }
    self["tagmanifest-sha256.txt"] =
      Manifest(tags.map { Manifest.Line(path: $0.path, hash: SHA256Hash.hash($0.bytes)) }).bytes
  }

  package mutating func sign(as device: SampleDevice) {
    self["proof/signature.note"] = BundleSignature.sign(
      caseID, tagManifest: self["tagmanifest-sha256.txt"] ?? [], log: device.identity,
      key: device.signing)
  }

  package func archive() throws -> [UInt8] {
    var writer = ZipWriter(MemorySink())
    for file in files { try writer.add(file.path, file.bytes) }
    return try writer.finish().bytes
  }
}
