import HeapModule

/// Slots for requests: a limit in all, a limit per host, and a rate limit per host.
actor HostGate {
  /// A request that waits for a slot.
  ///
  /// The lowest order goes first; of equal ones the one that came first.
  private struct Waiter: Comparable {
    /// The row that waits.
    let order: Int
    /// How many came before.
    let arrival: Int
    let continuation: CheckedContinuation<Void, Never>

    static func < (a: Waiter, b: Waiter) -> Bool { (a.order, a.arrival) < (b.order, b.arrival) }
    static func == (a: Waiter, b: Waiter) -> Bool { (a.order, a.arrival) == (b.order, b.arrival) }
  }

  private let limit: Int
  private let limitPerHost: Int
  // The least time between the starts of two requests to a host.
  private let interval: Duration
  private var active = 0
  private var activePerHost: [String: Int] = [:]
  // Requests with a slot at their host that wait for a global slot.
  private var waitingForAny = Heap<Waiter>()
  private var waitingForHost: [String: Heap<Waiter>] = [:]
  private var arrivals = 0
  private var starts: [String: ContinuousClock.Instant] = [:]

  /// Requests that wait for a slot.
  var waitingCount: Int { waitingForHost.values.reduce(waitingForAny.count) { $0 + $1.count } }

  init(limit: Int, limitPerHost: Int, ratePerHost: Double? = nil) {
    precondition(limit > 0 && limitPerHost > 0, "limits are \(limit) and \(limitPerHost)")
    self.limit = limit
    self.limitPerHost = limitPerHost
    interval = ratePerHost.map { .seconds(1 / $0) } ?? .zero
  }

  /// Runs `body` in a slot, and passes it whether other requests to the host are in flight or waiting.
  ///
  /// The waiting request with the lowest order goes first: pairs are numbered in row order, so the row that
  /// blocks all others is requested next.
  ///
  /// Cancellation does not cut the wait short: the requests that hold slots are cancelled too, and soon
  /// leave them.
  nonisolated func withSlot<Result: Sendable>(
    at host: String,
    order: Int = 0,
    _ body: (_ isShared: Bool) async -> Result
  ) async -> Result {
    if interval > .zero { try? await Task.sleep(until: nextStart(at: host), clock: .continuous) }
    await enter(host, order)
    let result = await body(isShared(host))
    await leave(host)
    return result
  }

  /// The moment from which the caller may send a request to the host; the next caller's is later.
  private func nextStart(at host: String) -> ContinuousClock.Instant {
    let now = ContinuousClock.now
    if starts.count > 10_000 { starts = starts.filter { $0.value > now } }
    let start = max(now, starts[host] ?? now)
    starts[host] = start + interval
    return start
  }

  private func enter(_ host: String, _ order: Int) async {
    if activePerHost[host, default: 0] >= limitPerHost {
      // The request that leaves hands over its slot at the host.
      await withCheckedContinuation { continuation in
        waitingForHost[host, default: .init()].insert(waiter(order, continuation))
      }
      return
    }
    activePerHost[host, default: 0] += 1
    if active < limit {
      active += 1
    } else {
      await withCheckedContinuation { continuation in
        waitingForAny.insert(waiter(order, continuation))
      }
    }
  }

  private func waiter(_ order: Int, _ continuation: CheckedContinuation<Void, Never>) -> Waiter {
    arrivals += 1
    return Waiter(order: order, arrival: arrivals, continuation: continuation)
  }

  private func isShared(_ host: String) -> Bool { activePerHost[host, default: 0] > 1 }

  private func leave(_ host: String) {
    active -= 1
    if let next = waitingForHost[host]?.popMin() {
      if waitingForHost[host]?.isEmpty == true { waitingForHost[host] = nil }
      waitingForAny.insert(next)
    } else {
      activePerHost[host, default: 1] -= 1
      if activePerHost[host] == 0 { activePerHost[host] = nil }
    }
    while active < limit, let next = waitingForAny.popMin() {
      active += 1
      next.continuation.resume()
    }
  }
}
