import People
import Testing

extension Person {
  /// Nothing stored, nothing half-stored.
  func expectNothingKept(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let count = try await entries().count
    #expect(count == 0, sourceLocation: sourceLocation)
    #expect(try temporaryFiles() == [], sourceLocation: sourceLocation)
    #expect(try blobFiles() == [], sourceLocation: sourceLocation)
  }
}
