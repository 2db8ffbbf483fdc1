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
    let a1 = queue.add("a1", id: 1, of: "a")
    #expect(a1)
    let a2 = queue.add("a2", id: 2, of: "a")
    #expect(a2)
    let a3 = queue.add("a3", id: 3, of: "a")
    #expect(!a3, "the client's share")
    let b1 = queue.add("b1", id: 4, of: "b")
    #expect(b1)
    let c1 = queue.add("c1", id: 5, of: "c")
    #expect(!c1, "the whole queue")
    #expect(queue.count == 3)
  }

  @Test func `a removed picture is not served, and frees its memory`() {
    var queue = queue(capacity: 3, ofClient: 3)
    for (id, name) in ["a1", "a2", "b1"].enumerated() {
      _ = queue.add(name, id: UInt64(id), of: String(name.prefix(1)))
    }
    let taken1 = queue.remove(2)
    #expect(taken1 == "b1")
    let taken2 = queue.remove(2)
    #expect(taken2 == nil)
    let c1 = queue.add("c1", id: 9, of: "c")
    #expect(c1)
    let taken3 = queue.next()
    #expect(taken3 == "a1")
    let taken4 = queue.next()
    #expect(taken4 == "c1")
    let taken5 = queue.next()
    #expect(taken5 == "a2")
    let taken6 = queue.next()
    #expect(taken6 == nil)
  }

  @Test func `a bounded cache evicts the least recently used value`() {
    var recent = RecentValues<String, Int>(capacity: 2)
    recent["a"] = 1
    recent["b"] = 2
    let asked = recent["a"]
    recent["c"] = 3
    let (a, b, c) = (recent["a"], recent["b"], recent["c"])
    #expect(asked == 1 && a == 1 && b == nil && c == 3)
    #expect(recent.count == 2)
  }
}
