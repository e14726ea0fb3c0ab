/// Why a primitive refused its input. The cases carry nothing, so that no secret and no evidence
/// can leave through an error.
public enum CryptographyError: Error, Hashable, Sendable {
  /// A tag did not match: wrong key, wrong nonce, wrong associated data, or altered bytes. One case
  /// for all four, since telling them apart would be an oracle.
  case authenticationFailed
  /// Not the canonical encoding of a usable point: off the curve, of small or mixed order.
  case invalidPublicKey
  /// Not 64 bytes, or not a valid signature of this message by this key.
  case invalidSignature
  /// An input of fixed or bounded length had another length.
  case invalidLength
  /// Cost parameters outside what this library agrees to compute.
  case parametersRefused
  /// Memory for a derivation, or locked memory, was not to be had.
  case outOfMemory
}
