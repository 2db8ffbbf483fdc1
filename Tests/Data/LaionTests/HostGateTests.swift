import Synchronization
import Testing

@testable import Laion

@Suite("Slots at hosts", .timeLimit(.minutes(2)))
struct HostGateTests {
  /// Who is in a slot, and who has been.
  private final class Log: Sendable {
    struct State {
      var now: [String: Int] = [:]
      var most: [String: Int] = [:]
      var mostInAll = 0
      var order: [Int] = []
    }

    let state = Mutex(State())

    func begin(_ host: String, _ order: Int) {
      state.withLock { state in
        state.now[host, default: 0] += 1
        state.most[host] = max(state.most[host] ?? 0, state.now[host] ?? 0)
        state.mostInAll = max(state.mostInAll, state.now.values.reduce(0, +))
        state.order.append(order)
      }
    }

    func end(_ host: String) { state.withLock { $0.now[host, default: 0] -= 1 } }

    var order: [Int] { state.withLock { $0.order } }
  }

  @Test(arguments: [(1, 1), (4, 2), (2, 4), (6, 3), (100, 1)])
  func `requests in flight stay within both limits, in all and per host, and all are served`(
    limit: Int,
    perHost: Int
  ) async {
    let gate = HostGate(limit: limit, limitPerHost: perHost)
    let log = Log()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<90 {
        group.addTask {
          let host = "host\(number % 3)"
          await gate.withSlot(at: host, order: number) { _ in
            log.begin(host, number)
            try? await Task.sleep(for: .milliseconds(number % 4))
            log.end(host)
          }
        }
      }
    }
    let (most, inAll) = log.state.withLock { ($0.most, $0.mostInAll) }
    #expect(most.values.allSatisfy { $0 <= perHost } && most.count == 3)
    #expect(inAll <= min(limit, 3 * perHost))
    #expect(log.order.sorted() == Array(0..<90))
  }

  /// Fills the only slot, lets requests queue up behind it, and returns the order in which they had theirs.
  private func order(of requests: [(host: String, order: Int)], _ gate: HostGate) async -> [Int] {
    let log = Log()
    await withTaskGroup(of: Void.self) { group in
      let (isHeld, hold) = AsyncStream.makeStream(of: Void.self)
      let (mayGo, go) = AsyncStream.makeStream(of: Void.self)
      group.addTask {
        await gate.withSlot(at: "a") { _ in
          hold.finish()
          for await _ in mayGo {}
        }
      }
      for await _ in isHeld {}
      for (number, request) in requests.enumerated() {
        group.addTask {
          await gate.withSlot(at: request.host, order: request.order) { _ in
            log.begin(request.host, request.order)
          }
        }
        while await gate.waitingCount <= number { try? await Task.sleep(for: .milliseconds(1)) }
      }
      go.finish()
    }
    return log.order
  }

  @Test func `the lowest row waiting at a host goes first`() async {
    let requests = [5, 3, 9, 1, 7].map { (host: "a", order: $0) }
    let found = await order(of: requests, HostGate(limit: 8, limitPerHost: 1))
    #expect(found == [1, 3, 5, 7, 9])
  }

  @Test func `the lowest row waiting for a slot goes first, whatever its host`()
    async
  {
    let requests = [(host: "b", order: 4), ("c", 2), ("d", 6), ("e", 1)]
    let found = await order(of: requests, HostGate(limit: 1, limitPerHost: 1))
    #expect(found == [1, 2, 4, 6])
  }

  @Test func `a request knows whether it is alone at its host`() async {
    let gate = HostGate(limit: 8, limitPerHost: 8)
    let outer = await gate.withSlot(at: "a") { isShared in
      let other = await gate.withSlot(at: "b") { $0 }
      let same = await gate.withSlot(at: "a") { $0 }
      return [isShared, other, same]
    }
    #expect(outer == [false, false, true])
    #expect(await gate.withSlot(at: "a") { $0 } == false)
  }

  @Test func `requests to one host begin so many a second, and other hosts do not wait for it`()
    async
  {
    let gate = HostGate(limit: 16, limitPerHost: 16, ratePerHost: 10)
    let log = Log()
    let start = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<6 {
        group.addTask { await gate.withSlot(at: "a") { _ in log.begin("a", number) } }
      }
    }
    // The first at once, five more a tenth of a second apart.
    #expect(start.duration(to: .now) >= .milliseconds(500))
    let slow = HostGate(limit: 16, limitPerHost: 16, ratePerHost: 0.001)
    for host in ["a", "b", "c"] { await slow.withSlot(at: host) { _ in } }
  }

  @Test func `a cancelled request does not wait for its rate limit`() async {
    let gate = HostGate(limit: 1, limitPerHost: 1, ratePerHost: 0.001)
    await gate.withSlot(at: "a") { _ in }
    let waiting = Task { await gate.withSlot(at: "a") { _ in Task.isCancelled } }
    waiting.cancel()
    #expect(await waiting.value)
  }
}
