public import Sync
public import VerifiableLog

/// A place where copies of a case meet and that nobody need trust.
///
/// It sees leaves, ciphertext, public keys and notes. It can be slow, forget and withhold; what it alters is
/// noticed, and what it serves is verified before it counts.
public protocol Mailbox {
  /// Takes in what others left, then leaves what they lack.
  ///
  /// What the replica accepted stays, however the exchange ends; after an interruption the next one takes
  /// up where this one was. `isCancelled` is asked between files and between pieces of large ones.
  func exchange<R: Replica>(
    with replica: inout R, progress: @escaping (ExchangeProgress) -> Void,
    isCancelled: @escaping () -> Bool
  ) throws(ExchangeError<R.Failure>) -> ExchangeReport
}

extension Mailbox {
  /// An exchange that reports no progress and is never cancelled.
  public func exchange<R: Replica>(
    with replica: inout R
  ) throws(ExchangeError<R.Failure>) -> ExchangeReport {
    try exchange(with: &replica, progress: { _ in }, isCancelled: { false })
  }
}

/// Why an exchange ended early. It names no file and no path.
public enum MailboxError: Error, Hashable, Sendable {
  /// The mailbox is not there, or may not be read.
  case unreachable
  /// It may be read but not written. What could be read has been taken in.
  case notWritable
  /// No space is left in it.
  case full
  /// It belongs to another case: nothing was written.
  case otherCase
  /// The caller cancelled.
  case cancelled
  /// Reading or writing failed, with the system's number.
  case inputOutput(Int32)
}

/// Why an exchange ended early: because of the mailbox, or of the replica.
public enum ExchangeError<ReplicaFailure: Error>: Error {
  /// The mailbox failed.
  case mailbox(MailboxError)
  /// The replica failed.
  case replica(ReplicaFailure)
}

extension ExchangeError {
  /// Runs what the replica does.
  static func replica<Value>(
    _ body: () throws(ReplicaFailure) -> Value
  ) throws(ExchangeError) -> Value {
    do { return try body() } catch { throw .replica(error) }
  }

  /// Runs what the mailbox does.
  static func mailbox<Value: ~Copyable>(
    _ body: () throws(MailboxError) -> Value
  ) throws(ExchangeError) -> Value {
    do { return try body() } catch { throw .mailbox(error) }
  }
}

/// How far an exchange is.
public struct ExchangeProgress: Hashable, Sendable {
  /// What it is doing.
  public enum Step: Hashable, Sendable {
    case reading
    case writing
  }

  /// What it is doing.
  public var step: Step
  /// Bytes read from the mailbox so far.
  public var bytesRead: UInt64
  /// Bytes written to the mailbox so far.
  public var bytesWritten: UInt64
}

/// What an exchange did and met.
public struct ExchangeReport: Hashable, Sendable {
  /// What happened to one log.
  public struct Log: Hashable, Sendable {
    /// The log.
    public let id: LogID
    /// The size here before.
    public let sizeBefore: UInt64
    /// The size here after.
    public internal(set) var sizeAfter: UInt64
    /// Entries written to the mailbox.
    public internal(set) var entriesSent: UInt64
    /// Entries taken in.
    public var entriesReceived: UInt64 { sizeAfter - sizeBefore }
  }

  /// The logs of all members, by log id.
  public internal(set) var logs: [Log] = []
  /// Blobs written whole.
  public internal(set) var blobsSent = 0
  /// Blobs completed here.
  public internal(set) var blobsReceived = 0
  /// Bytes read from the mailbox.
  public internal(set) var bytesRead: UInt64 = 0
  /// Bytes written to the mailbox.
  public internal(set) var bytesWritten: UInt64 = 0
  /// What was damaged, did not verify, or is missing.
  public internal(set) var findings: [Finding] = []
  /// How far each other device says that it has each log.
  public internal(set) var standings: [Standing] = []

  /// How many entries of a log a device has yet to say that it has. A device that is behind, or says
  /// nothing, is slow or away: that is no attack.
  public func behind(_ device: LogID, on log: LogID) -> UInt64 {
    let here = logs.first { $0.id == log }?.sizeAfter ?? 0
    let there = standings.first { $0.device == device && $0.logID == log }?.size ?? 0
    return here - min(here, there)
  }

  /// Whether the mailbox has our own log longer than it is here, or with another history. This copy is then an
  /// old one, or not the only one; it wrote nothing, and must take new keys before it signs again.
  public internal(set) var isOwnLogAhead = false
}
