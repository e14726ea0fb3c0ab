/// What this copy has of a leaf, as the listing keeps it; numbers are added and never change. That an author's
/// role does not include an entry is not in here: it follows from the case each time.
enum ListingState: Int64 {
  /// Not shared with this member, or not arrived.
  case locked = 0
  case open = 1
  /// Opened, and breaks a rule.
  case broken = 2
}
