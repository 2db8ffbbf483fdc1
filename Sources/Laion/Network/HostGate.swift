import NIOCore

/// Bounds the requests in flight, in all and to one host.
actor HostGate {
  private typealias Waiter = CheckedContinuation<Void, Never>

  private let limit: Int
  private let limitPerHost: Int
  private var active = 0
  private var activePerHost: [String: Int] = [:]
  // Those who have a place at their host and wait for one in all.
  private var ready = CircularBuffer<Waiter>()
  private var waitingForHost: [String: CircularBuffer<Waiter>] = [:]

  init(limit: Int, limitPerHost: Int) {
    precondition(limit > 0 && limitPerHost > 0, "limits are \(limit) and \(limitPerHost)")
    self.limit = limit
    self.limitPerHost = limitPerHost
  }

  /// Runs `body` when there is a place, in the order of arrival per host.
  ///
  /// Waiting is not cut short by cancellation: whoever holds a place is cancelled too and soon
  /// gives it up.
  nonisolated func withPlace<Result: Sendable>(
    at host: String,
    _ body: () async -> Result
  ) async -> Result {
    await enter(host)
    let result = await body()
    await leave(host)
    return result
  }

  private func enter(_ host: String) async {
    if activePerHost[host, default: 0] >= limitPerHost {
      // Whoever leaves hands over its place at the host.
      await withCheckedContinuation { waitingForHost[host, default: .init()].append($0) }
      return
    }
    activePerHost[host, default: 0] += 1
    if active < limit {
      active += 1
    } else {
      await withCheckedContinuation { ready.append($0) }
    }
  }

  private func leave(_ host: String) {
    active -= 1
    if let next = waitingForHost[host]?.popFirst() {
      if waitingForHost[host]?.isEmpty == true { waitingForHost[host] = nil }
      ready.append(next)
    } else {
      activePerHost[host, default: 1] -= 1
      if activePerHost[host] == 0 { activePerHost[host] = nil }
    }
    while active < limit, let next = ready.popFirst() {
      active += 1
      next.resume()
    }
  }
}
