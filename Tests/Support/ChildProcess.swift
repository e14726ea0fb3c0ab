import CChildProcess
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A program that runs beside a test, with no open file but the three that it is given.
///
/// In place of Foundation's `Process`: on Linux that one looks through its own open files and reads
/// names in that folder past their end, which with more than a thousand of them ended the tests.
public struct ChildProcess: Sendable {
  /// The system’s number for it.
  public let id: Int32

  /// - Parameters:
  ///   - command: the program, looked for in the path if it has no slash, and its arguments.
  ///   - environment: the test's own if nil.
  ///   - input: an open file; nothing to read if nil. So for `output` and `errors`: thrown away if nil.
  public init(
    _ command: [String], in folder: String? = nil, environment: [String: String]? = nil,
    input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil
  ) throws {
    let variables = environment ?? ProcessInfo.processInfo.environment
    var texts: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) }
    unsafe texts.append(nil)
    for (name, value) in variables { unsafe texts.append(strdup("\(name)=\(value)")) }
    unsafe texts.append(nil)
    defer { while let text = unsafe texts.popLast() { unsafe free(text) } }
    var started: pid_t = 0
    let error = unsafe texts.withUnsafeBufferPointer { texts in
      unsafe cairn_start_child(
        &started, texts.baseAddress!, texts.baseAddress! + command.count + 1, folder,
        [input ?? -1, output ?? -1, errors ?? -1])
    }
    guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
    id = started
  }

  /// Waits for the end; to be called once, as `ended` is.
  ///
  /// - Returns: the exit status, or -1 if a signal ended it.
  public func wait() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    return status & 0x7f == 0 ? status >> 8 & 0xff : -1
  }

  /// As `wait`, without holding up other tests.
  public func ended() async -> Int32 {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: wait()) }
    }
  }

  public func send(_ signal: Int32) { kill(id, signal) }

  /// Runs a program to its end.
  ///
  /// - Returns: what it wrote to its output, and to its errors too if asked for.
  public static func run(
    _ command: [String], in folder: String? = nil, withErrors: Bool = false
  ) throws -> (status: Int32, output: String) {
    let pipe = Pipe()
    let writing = pipe.fileHandleForWriting
    let child = try ChildProcess(
      command, in: folder, output: writing.fileDescriptor,
      errors: withErrors ? writing.fileDescriptor : nil)
    try writing.close()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    return (child.wait(), String(decoding: output, as: UTF8.self))
  }
}
