import Foundation
import Synchronization
import TestSupport
import Testing
import Web

@testable import Laion

@Suite("Robots cache")
struct RobotsCacheTests {
  @Test func `cached robots.txt rules take little memory`() async {
    // In a process of its own, whose memory nobody else takes.
    await #expect(processExitsWith: .success) {
      let cache = RobotsCache()
      func ask(_ sites: Range<Int>) async throws {
        for site in sites {
          let url = try #require(WebURL("http://host-number-\(site).example/a.jpg"))
          _ = await cache.rules(for: url) { _ in .success(.allowingAll) }
        }
      }
      try await ask(0..<2000)
      let before = ProcessMemory.resident
      try await ask(2000..<32_000)
      // A host's name, its answer and room in the table.
      #expect((ProcessMemory.resident - before) / 30_000 < 400)
    }
  }

  @Test func `robots.txt is fetched once for all waiting rows, and again after a failure`()
    async throws
  {
    let cache = RobotsCache()
    let url = try #require(WebURL("http://a.example/x.jpg"))
    let (asked, begun) = (Counter(), Counter())
    let none = RobotsCache.Answer.failure(.resolverFailed)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask {
          begun.value.withLock { $0 += 1 }
          let answer = await cache.rules(for: url) { _ in
            asked.value.withLock { $0 += 1 }
            // Until every row is about to wait.
            while begun.value.withLock({ $0 }) < 20 { try? await Task.sleep(for: .milliseconds(1)) }
            try? await Task.sleep(for: .milliseconds(50))
            return none
          }
          #expect(answer == none)
        }
      }
    }
    // One that came after the failure requests it again; each for itself would be twenty.
    #expect((1..<10).contains(asked.value.withLock { $0 }))
    let answer = await cache.rules(for: url) { _ in .success(.allowingAll) }
    #expect(answer == .success(.allowingAll))
    let kept = await cache.rules(for: url) { _ in none }
    #expect(kept == .success(.allowingAll))
  }
}

private final class Counter: Sendable {
  let value = Mutex(0)
}
