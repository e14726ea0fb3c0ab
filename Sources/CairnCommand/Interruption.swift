import Synchronization
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Ctrl-C and its kin: the first one asks for a stop at the next safe point, the second ends the
/// process at once, which the order of every write allows.
enum Interruption {
  private static let requests = Atomic<Int>(0)

  static var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }

  static func check() throws(VaultError) {
    if isRequested { throw VaultError(.cancelled) }
  }

  static func watch() {
    // Made here, so that the handler finds it ready: it may do almost nothing.
    _ = isRequested
    TerminalState.prepare()
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in Interruption.request() }
    action.sa_flags = SA_RESTART
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { _ = unsafe sigaction(signal, &action, nil) }
  }

  private static func request() {
    let (_, count) = requests.add(1, ordering: .relaxed)
    guard count > 1 else { return }
    TerminalState.putBack()
    _exit(ExitStatus.interrupted.rawValue)
  }
}
