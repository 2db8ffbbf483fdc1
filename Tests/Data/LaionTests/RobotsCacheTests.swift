import Foundation
import Synchronization
import Testing

@testable import Laion

@Suite("Robots cache")
struct RobotsCacheTests {
  @Test func `sites that were asked take little memory`() async {
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
      let before = residentBytes()
      try await ask(2000..<32_000)
      // A host's name, its answer and room in the table.
      #expect((residentBytes() - before) / 30_000 < 400)
    }
  }

  @Test func `a site is asked once for all who wait, and again after no answer`() async throws {
    let cache = RobotsCache()
    let url = try #require(WebURL("http://a.example/x.jpg"))
    let asked = Counter()
    let none = RobotsCache.Answer.failure(.resolverFailed)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask {
          let answer = await cache.rules(for: url) { _ in
            asked.value.withLock { $0 += 1 }
            try? await Task.sleep(for: .milliseconds(50))
            return none
          }
          #expect(answer == none)
        }
      }
    }
    let before = asked.value.withLock { $0 }
    #expect((1...20).contains(before))
    let answer = await cache.rules(for: url) { _ in .success(.allowingAll) }
    #expect(answer == .success(.allowingAll))
    let kept = await cache.rules(for: url) { _ in none }
    #expect(kept == .success(.allowingAll))
  }
}

private func residentBytes() -> Int {
  let fields = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(
    separator: " "
  )
  return (fields.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0) * 4096
}

private final class Counter: Sendable {
  let value = Mutex(0)
}
