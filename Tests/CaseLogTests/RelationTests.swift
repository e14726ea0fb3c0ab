import Cryptography
import Testing
import VerifiableLog

@testable import CaseLog

/// Entries about entries, as a few words each.
private struct Story {
  let survivor = LogID(SHA256Hash.hash([1]))
  let advocate = LogID(SHA256Hash.hash([2]))
  private(set) var entries: [EntryRelations.Entry] = []

  @discardableResult
  mutating func add(
    _ kind: EntryKind, about: [EntryID] = [], by author: Role = .survivor, at clock: UInt64 = 0,
    isDisputed: Bool = false,
    _ change: (inout EntryContent) -> Void = { _ in }
  ) -> EntryID {
    var content = EntryContent()
    content.about = about
    change(&content)
    let id = EntryID(SHA256Hash.hash([9, UInt8(entries.count >> 8), UInt8(entries.count & 255)]))
    entries.append(
      .init(
        id: id, logID: author == .survivor ? survivor : advocate, sequence: UInt64(entries.count),
        kind: kind, clock: clock, author: author, content: content, isDisputed: isDisputed))
    return id
  }

  mutating func takedown(
    _ step: EntryContent.Takedown.Step, _ about: EntryID, at clock: UInt64,
    recipient: String? = nil, reference: String? = nil, by author: Role = .survivor
  ) -> EntryID {
    add(.takedown, about: [about], by: author, at: clock) {
      $0.takedown = .init(step: step, recipient: recipient, reference: reference)
    }
  }

  /// What the entries come to; the same in every order, or the test fails.
  func relations() -> EntryRelations {
    let relations = EntryRelations(entries)
    #expect(EntryRelations(entries.reversed()).entries == relations.entries)
    return relations
  }
}

@Suite struct RelationTests {
  @Test func `a retraction takes back, and one of a retraction gives back`() {
    var story = Story()
    let evidence = story.add(.evidence)
    let first = story.add(.retract, about: [evidence])
    #expect(story.relations().retraction(of: evidence)?.id == first)
    let second = story.add(.retract, about: [first])
    #expect(story.relations().retraction(of: evidence) == nil)
    #expect(story.relations().retraction(of: first)?.id == second)
    story.add(.retract, about: [second])
    #expect(story.relations().retraction(of: evidence)?.id == first)
    #expect(story.relations().entries(about: evidence).map(\.id) == [first])
  }

  @Test func `nobody takes back what an advocate wrote`() {
    var story = Story()
    let note = story.add(.note, by: .advocate)
    story.add(.retract, about: [note])
    #expect(story.relations().retraction(of: note) == nil)
  }

  @Test func `a long chain of retractions and a mesh of them end`() {
    var story = Story()
    var last = story.add(.evidence)
    let evidence = last
    for _ in 0..<20_001 { last = story.add(.retract, about: [last, last]) }
    #expect(story.relations().retraction(of: evidence) != nil)

    var mesh = Story()
    var all = [mesh.add(.evidence)]
    for _ in 0..<200 { all.append(mesh.add(.retract, about: all)) }
    // The last one takes back all before it.
    #expect(mesh.relations().retraction(of: all[0])?.id == all.last)
    #expect(mesh.relations().retraction(of: all[200]) == nil)
  }

  @Test func `a takedown is where its last step says, and can come back`() {
    var story = Story()
    let evidence = story.add(.evidence)
    _ = story.takedown(.removed, evidence, at: 30, recipient: "a", by: .advocate)
    _ = story.takedown(.reported, evidence, at: 10, recipient: "a", reference: "55-1")
    _ = story.takedown(.refused, evidence, at: 90, recipient: "b")
    var states = story.relations().takedowns
    #expect(states.count == 2)
    #expect(states.first { $0.recipient == "a" }?.step == .removed)
    #expect(states.first { $0.recipient == "a" }?.reference == "55-1")
    let back = story.takedown(.backAgain, evidence, at: 40, recipient: "a")
    states = story.relations().takedowns
    #expect(states.first { $0.recipient == "a" }?.step == .backAgain)
    #expect(states.first { $0.recipient == "a" }?.recordCount == 3)
    story.add(.retract, about: [back])
    #expect(story.relations().takedowns.first { $0.recipient == "a" }?.step == .removed)
  }

  @Test func `of two steps at one second, every copy takes the same`() {
    var story = Story()
    let evidence = story.add(.evidence)
    _ = story.takedown(.removed, evidence, at: 30)
    _ = story.takedown(.backAgain, evidence, at: 30, by: .advocate)
    let expected: EntryContent.Takedown.Step =
      story.survivor > story.advocate ? .removed : .backAgain
    #expect(story.relations().takedowns.map(\.step) == [expected])
  }

  @Test func `what is disputed is shown, and does nothing to others`() {
    var story = Story()
    let evidence = story.add(.evidence)
    let disputed = story.add(.retract, about: [evidence], isDisputed: true)
    _ = story.takedown(.reported, evidence, at: 1)
    story.add(.takedown, about: [evidence], at: 2, isDisputed: true) {
      $0.takedown = .init(step: .removed, recipient: nil, reference: nil)
    }
    let relations = story.relations()
    #expect(relations.retraction(of: evidence) == nil)
    #expect(relations.entries(about: evidence).first?.id == disputed)
    #expect(relations.takedowns.map(\.step) == [.reported])
  }

  @Test func `a request is open until somebody answers it`() {
    var story = Story()
    let evidence = story.add(.evidence)
    let asked = story.add(.request, about: [evidence], by: .advocate)
    let other = story.add(.request, by: .advocate) { $0.request = .asked }
    story.add(.note, about: [asked])
    #expect(story.relations().requests.map(\.state) == [.asked, .asked])
    let declined = story.add(.request, about: [asked], at: 5) { $0.request = .declined }
    story.add(.request, about: [asked], by: .advocate, at: 4) { $0.request = .done }
    let requests = story.relations().requests
    #expect(requests.first { $0.request.id == asked }?.answer?.id == declined)
    #expect(requests.first { $0.request.id == other }?.state == .asked)
    // An answer that is taken back leaves the one before it.
    story.add(.retract, about: [declined])
    #expect(story.relations().requests.first { $0.request.id == asked }?.state == .done)
  }
}
