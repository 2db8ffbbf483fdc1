import Synchronization

/// A memory budget: tasks reserve memory before they allocate it.
///
/// A reservation that exceeds the rest waits in a queue. If all holders wait, which would be a deadlock,
/// one of them exceeds the limit until it releases its memory. So a reservation larger than the budget is
/// held alone, and the sum never exceeds the limit by more than one reservation.
final class MemoryBudget: Sendable {
  /// The limit in bytes or other units.
  let limit: Int

  private let state = Mutex(State())

  fileprivate struct State {
    var used = 0
    var peak = 0
    var nextNumber = 0
    /// Amounts by the number of their reservation; one of nothing is left out.
    var held: [Int: Int] = [:]
    var waiters: [Waiter] = []
    /// The reservation that went beyond the limit last.
    var exempt: Int?
  }

  fileprivate struct Waiter {
    let number: Int
    let amount: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  init(limit: Int) {
    precondition(limit > 0, "limit is \(limit), must be positive")
    self.limit = limit
  }

  /// The sum of all reservations.
  var used: Int { state.withLock { $0.used } }
  /// The peak of the sum.
  var peak: Int { state.withLock { $0.peak } }

  /// The reservation of one task, until it releases it.
  struct Reservation: Sendable {
    fileprivate let budget: MemoryBudget
    fileprivate let number: Int

    /// Waits until it holds at least `amount`; throws if the task is cancelled.
    func grow(to amount: Int) async throws(CancellationError) {
      try await budget.grow(number, to: amount)
    }

    /// Releases all of it.
    func release() { budget.release(number) }
  }

  /// An empty reservation.
  func reservation() -> Reservation {
    state.withLock { state in
      state.nextNumber += 1
      return Reservation(budget: self, number: state.nextNumber)
    }
  }

  private func grow(_ number: Int, to amount: Int) async throws(CancellationError) {
    let isGranted = state.withLock { state in
      let more = amount - state.held[number, default: 0]
      if more <= 0 { return true }
      guard state.waiters.isEmpty, state.used + more <= limit else { return false }
      state.grant(more, to: number)
      return true
    }
    if isGranted { return }
    let isHeld = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state in
          let more = amount - state.held[number, default: 0]
          state.waiters.append(Waiter(number: number, amount: more, continuation: continuation))
          return state.serve(limit)
        }
        for waiter in ready { waiter.resume(returning: true) }
        // Cancelled before it could wait, the handler has found nobody.
        if Task.isCancelled { giveUp(number) }
      }
    } onCancel: {
      giveUp(number)
    }
    if !isHeld { throw CancellationError() }
  }

  private func giveUp(_ number: Int) {
    let (waiter, ready) = state.withLock { state in
      let index = state.waiters.firstIndex { $0.number == number }
      return (index.map { state.waiters.remove(at: $0).continuation }, state.serve(limit))
    }
    waiter?.resume(returning: false)
    for waiter in ready { waiter.resume(returning: true) }
  }

  private func release(_ number: Int) {
    let ready = state.withLock { state in
      state.used -= state.held.removeValue(forKey: number) ?? 0
      if state.exempt == number { state.exempt = nil }
      return state.serve(limit)
    }
    for waiter in ready { waiter.resume(returning: true) }
  }
}

extension MemoryBudget.State {
  fileprivate mutating func grant(_ amount: Int, to number: Int) {
    held[number, default: 0] += amount
    used += amount
    peak = max(peak, used)
  }

  /// Grants reservations in queue order.
  ///
  /// - Returns: The tasks to resume.
  fileprivate mutating func serve(_ limit: Int) -> [CheckedContinuation<Bool, Never>] {
    var ready: [CheckedContinuation<Bool, Never>] = []
    while let first = waiters.first {
      var index = 0
      if used + first.amount > limit {
        let waiting = waiters.count { held[$0.number] != nil }
        if held.count > waiting { break }
        index = waiters.firstIndex { $0.number == exempt } ?? 0
        exempt = waiters[index].number
      }
      let waiter = waiters.remove(at: index)
      grant(waiter.amount, to: waiter.number)
      ready.append(waiter.continuation)
    }
    return ready
  }
}
