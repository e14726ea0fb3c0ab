import Testing

@testable import Mailboxes
@testable import Sync

@Suite struct `A folder as a mailbox` {
  @Test func `two copies become one by one exchange each way`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    world.append(3, to: 0)
    try world.exchange(0, folder.mailbox)
    world.append(2, to: 1)
    let second = try world.exchange(1, folder.mailbox)
    #expect(second.findings == [])
    #expect(second.logs.map(\.entriesReceived).reduce(0, +) == 4)
    let first = try world.exchange(0, folder.mailbox)
    #expect(first.findings == [])
    #expect(world.digests.count == 1)
  }
}
