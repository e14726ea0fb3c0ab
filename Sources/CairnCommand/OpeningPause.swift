import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// The wait after several attempts that opened nothing. It makes trying by hand slow; what makes guessing by
/// machine dear is the work that each attempt costs.
enum OpeningPause {
  /// Returns when the next attempt is due, which mostly is at once.
  ///
  /// - Throws: `.cancelled` on Ctrl-C.
  static func wait(forVaultAt path: String, isQuiet: Bool) throws(VaultError) {
    let seconds = OpeningAttempts(ofVaultAt: path).wait(at: ProcessRules.now())
    guard seconds > 0 else { return }
    if !isQuiet {
      Output.remark(
        "After several attempts that did not open the vault, there is a pause of"
          + " \(Quantity.count(Int(clamping: seconds), "second", "seconds")). However many there are,"
          + " nothing is locked or erased.")
    }
    let end = ContinuousClock.now + .seconds(Int64(clamping: seconds))
    while ContinuousClock.now < end {
      try Interruption.check()
      usleep(50_000)
    }
  }
}
