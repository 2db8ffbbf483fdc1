import NIOCore

/// Slots for requests: a limit in all, a limit per host, and a rate limit per host.
actor HostGate {
  private struct Waiter {
    /// The row that waits: lower ones go first.
    let order: Int
    let continuation: CheckedContinuation<Void, Never>
  }

  private let limit: Int
  private let limitPerHost: Int
  // The least time between the starts of two requests to a host.
  private let interval: Duration
  private var active = 0
  private var activePerHost: [String: Int] = [:]
  // Requests with a slot at their host that wait for a global slot; in row order, like those below.
  private var waitingForAny = CircularBuffer<Waiter>()
  private var waitingForHost: [String: CircularBuffer<Waiter>] = [:]
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
        Self.insert(Waiter(order: order, continuation: continuation), into: &waitingForAny)
      }
    }
  }

  /// Inserts behind all of the same order or a lower one; that is nearly always the end.
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
      Self.insert(next, into: &waitingForAny)
    } else {
      activePerHost[host, default: 1] -= 1
      if activePerHost[host] == 0 { activePerHost[host] = nil }
    }
    while active < limit, let next = waitingForAny.popFirst() {
      active += 1
      next.continuation.resume()
    }
  }
}
