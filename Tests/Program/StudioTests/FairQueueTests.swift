import Testing

@testable import Studio

@Suite("Fair queues")
struct FairQueueTests {
  private func queue(capacity: Int = 10, ofClient: Int = 5) -> FairQueue<String> {
    FairQueue(capacity: capacity, capacityOfClient: ofClient)
  }

  @Test func `clients take turns, each in its own order`() {
    var queue = queue()
    for (id, name) in ["a1", "a2", "a3", "b1", "c1", "c2"].enumerated() {
      let added = queue.add(name, id: UInt64(id), of: String(name.prefix(1)))
      #expect(added)
    }
    var served: [String] = []
    while let next = queue.next() { served.append(next) }
    #expect(served == ["a1", "b1", "c1", "a2", "c2", "a3"])
    #expect(queue.count == 0)
  }

  @Test func `a full queue and a client's full share refuse`() {
    var queue = queue(capacity: 3, ofClient: 2)
    #expect(queue.add("a1", id: 1, of: "a"))
    #expect(queue.add("a2", id: 2, of: "a"))
    #expect(!queue.add("a3", id: 3, of: "a"), "the client's share")
    #expect(queue.add("b1", id: 4, of: "b"))
    #expect(!queue.add("c1", id: 5, of: "c"), "the whole queue")
    #expect(queue.count == 3)
  }

  @Test func `what is removed is not served, and makes room`() {
    var queue = queue(capacity: 3, ofClient: 3)
    for (id, name) in ["a1", "a2", "b1"].enumerated() {
      _ = queue.add(name, id: UInt64(id), of: String(name.prefix(1)))
    }
    #expect(queue.remove(2) == "b1")
    #expect(queue.remove(2) == nil)
    #expect(queue.add("c1", id: 9, of: "c"))
    #expect(queue.next() == "a1")
    #expect(queue.next() == "c1")
    #expect(queue.next() == "a2")
    #expect(queue.next() == nil)
  }

  @Test func `a bounded cache forgets what was not asked for longest`() {
    var recent = RecentValues<String, Int>(capacity: 2)
    recent["a"] = 1
    recent["b"] = 2
    #expect(recent["a"] == 1)
    recent["c"] = 3
    #expect(recent["b"] == nil)
    #expect(recent["a"] == 1 && recent["c"] == 3 && recent.count == 2)
  }
}
