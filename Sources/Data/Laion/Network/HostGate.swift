import NIOCore

/// Bounds the requests in flight, in all and to one host, and how fast a host is asked.
actor HostGate {
  private struct Waiter {
    /// The row that waits: those before it go first.
    let order: Int
    let continuation: CheckedContinuation<Void, Never>
  }

  private let limit: Int
  private let limitPerHost: Int
  // The least time between two requests to a host.
  private let interval: Duration
  private var active = 0
  private var activePerHost: [String: Int] = [:]
  // Those who have a place at their host and wait for one in all; like those below, in row order.
  private var ready = CircularBuffer<Waiter>()
  private var waitingForHost: [String: CircularBuffer<Waiter>] = [:]
  private var nextStart: [String: ContinuousClock.Instant] = [:]

  init(limit: Int, limitPerHost: Int, ratePerHost: Double? = nil) {
    precondition(limit > 0 && limitPerHost > 0, "limits are \(limit) and \(limitPerHost)")
    self.limit = limit
    self.limitPerHost = limitPerHost
    interval = ratePerHost.map { .seconds(1 / $0) } ?? .zero
  }

  /// Runs `body` when there is a place, and tells it whether anybody else wants something of the host.
  ///
  /// Of those who wait the lowest order goes first: pairs are numbered in row order, so the row that
  /// holds back all others is the one to be asked for.
  ///
  /// Waiting for a place is not cut short by cancellation: whoever holds a place is cancelled too
  /// and soon gives it up.
  nonisolated func withPlace<Result: Sendable>(
    at host: String,
    order: Int = 0,
    _ body: (_ isShared: Bool) async -> Result
  ) async -> Result {
    if interval > .zero { try? await Task.sleep(until: turn(at: host), clock: .continuous) }
    await enter(host, order)
    let result = await body(isShared(host))
    await leave(host)
    return result
  }

  /// The moment at which the caller may ask the host.
  private func turn(at host: String) -> ContinuousClock.Instant {
    let now = ContinuousClock.now
    if nextStart.count > 10_000 { nextStart = nextStart.filter { $0.value > now } }
    let turn = max(now, nextStart[host] ?? now)
    nextStart[host] = turn + interval
    return turn
  }

  private func enter(_ host: String, _ order: Int) async {
    if activePerHost[host, default: 0] >= limitPerHost {
      // Whoever leaves hands over its place at the host.
      await withCheckedContinuation { continuation in
        let waiter = Waiter(order: order, continuation: continuation)
        Self.insert(waiter, into: &waitingForHost[host, default: .init()])
      }
      return
    }
    activePerHost[host, default: 0] += 1
    if active < limit {
      active += 1
    } else {
      await withCheckedContinuation { continuation in
        Self.insert(Waiter(order: order, continuation: continuation), into: &ready)
      }
    }
  }

  /// Behind all of the same order or a lower one; that is nearly always the end.
  private static func insert(_ waiter: Waiter, into queue: inout CircularBuffer<Waiter>) {
    var index = queue.endIndex
    while index > queue.startIndex {
      let before = queue.index(before: index)
      if queue[before].order <= waiter.order { break }
      index = before
    }
    queue.insert(waiter, at: index)
  }

  private func isShared(_ host: String) -> Bool { activePerHost[host, default: 0] > 1 }

  private func leave(_ host: String) {
    active -= 1
    if let next = waitingForHost[host]?.popFirst() {
      if waitingForHost[host]?.isEmpty == true { waitingForHost[host] = nil }
      Self.insert(next, into: &ready)
    } else {
      activePerHost[host, default: 1] -= 1
      if activePerHost[host] == 0 { activePerHost[host] = nil }
    }
    while active < limit, let next = ready.popFirst() {
      active += 1
      next.continuation.resume()
    }
  }
}
