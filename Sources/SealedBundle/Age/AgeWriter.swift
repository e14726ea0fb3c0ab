public import Cryptography

/// Why an age file was not begun.
public enum AgeWriteError: Error, Hashable, Sendable {
  /// The sink failed.
  case sink(SinkError)
  /// Nobody could open the file.
  case noRecipients
  /// A recipient's key is no usable key.
  case badRecipient
  /// There is not enough memory for the passphrase's key derivation.
  case outOfMemory
}

/// Encrypts what is written to it as an age file.
///
/// Only `finish()` marks the end: a file without it does not open.
public struct AgeWriter<Sink: ByteSink & ~Copyable>: ByteSink, ~Copyable {
  private var sink: Sink
  private let payload: AgePayload
  private let fileKey: AgeFileKey
  private var index: UInt64 = 0
  private var chunk: [UInt8] = []

  /// Begins a file for the holders of these keys.
  public init(_ sink: consuming Sink, recipients: [AgeRecipient]) throws(AgeWriteError) {
    guard !recipients.isEmpty else { throw .noRecipients }
    let key = AgeFileKey(random: ())
    var stanzas: [AgeStanza] = []
    for recipient in recipients {
      guard let stanza = AgeStanza.wrapping(key, for: recipient) else { throw .badRecipient }
      stanzas.append(stanza)
    }
    try self.init(sink, key, stanzas)
  }

  /// Begins a file for whoever knows the passphrase.
  public init(_ sink: consuming Sink, passphrase: borrowing LockedBytes) throws(AgeWriteError) {
    try self.init(sink, passphrase: passphrase, workFactor: AgeStanza.writtenWorkFactor)
  }

  /// As above at another cost: for tests, which would else take a second each.
  package init(
    _ sink: consuming Sink, passphrase: borrowing LockedBytes, workFactor: Int
  ) throws(AgeWriteError) {
    let key = AgeFileKey(random: ())
    let stanza: AgeStanza
    do {
      stanza = try passphrase.withBytes { (bytes) throws(CryptographyError) in
        try AgeStanza.wrapping(key, for: bytes, workFactor: workFactor)
      }
    } catch { throw .outOfMemory }
    try self.init(sink, key, [stanza])
  }

  private init(_ sink: consuming Sink, _ key: borrowing AgeFileKey, _ stanzas: [AgeStanza])
    throws(AgeWriteError)
  {
    let nonce = Randomness.bytes(AgePayload.nonceByteCount)
    do { try sink.write(AgeHeader.bytes(stanzas, key) + nonce) } catch { throw .sink(error) }
    payload = AgePayload(key, nonce: nonce)
    fileKey = key.copy()
    self.sink = sink
  }

  /// Opens this one file, whoever it is for: to read it back before it is called done.
  public func identityForReadingBack() -> AgeIdentity { AgeIdentity(fileKey: fileKey.copy()) }

  public mutating func write(_ bytes: RawSpan) throws(SinkError) {
    var offset = 0
    while offset < bytes.byteCount {
      // A full chunk waits for more: only then is it known not to be the last.
      if chunk.count == AgePayload.chunkByteCount { try flush(isLast: false) }
      let count = min(AgePayload.chunkByteCount - chunk.count, bytes.byteCount - offset)
      chunk.append(bytes.extracting(offset..<(offset + count)))
      offset += count
    }
  }

  /// Writes the last chunk and gives the sink back.
  public consuming func finish() throws(SinkError) -> Sink {
    try flush(isLast: true)
    return sink
  }

  private mutating func flush(isLast: Bool) throws(SinkError) {
    try unsafe sink.write(payload.seal(chunk.span.bytes, index: index, isLast: isLast))
    index += 1
    chunk.removeAll(keepingCapacity: true)
  }
}
