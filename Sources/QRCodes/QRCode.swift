internal import CQRencode

/// A QR code (ISO/IEC 18004): a square of dark and light modules that a camera reads.
public struct QRCode: Hashable, Sendable {
  /// Modules along one side.
  public let side: Int
  private let dark: [Bool]

  /// The smallest code of these bytes at error correction level M, which makes up for about 15 % of damage: a
  /// folded or stained paper. Nil for more than 2,331 bytes.
  ///
  /// libqrencode works in ordinary memory and does not erase it: for what is to stand on paper anyway.
  public init?(_ bytes: [UInt8]) {
    let made = unsafe QRcode_encodeData(Int32(clamping: bytes.count), bytes, 0, QR_ECLEVEL_M)
    guard let code = unsafe made, let modules = unsafe code.pointee.data else { return nil }
    defer { unsafe QRcode_free(code) }
    let side = unsafe Int(code.pointee.width)
    self.side = side
    // The lowest bit of a module is its colour; the others say which part of the code it belongs to.
    dark = (0..<side * side).map { unsafe modules[$0] & 1 == 1 }
  }

  /// False outside of the code, where there is nothing but its margin.
  public func isDark(row: Int, column: Int) -> Bool {
    guard (0..<side).contains(row), (0..<side).contains(column) else { return false }
    return dark[row * side + column]
  }

  /// Light modules that have to be around a code for cameras to find it.
  public static let margin = 4
}
