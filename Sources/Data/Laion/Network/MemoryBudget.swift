import Synchronization

/// Memory that many tasks hold together, counted before it is taken.
///
/// Whoever asks for more than is left waits for its turn. Who would wait for ever, because all that
/// hold something wait as well, goes on beyond the limit: one at a time, and until it is done. So what
/// is larger than the budget is had alone, and what is counted never exceeds the limit by more than
/// one share.
final class MemoryBudget: Sendable {
  /// What may be held together.
  let limit: Int

  private let state = Mutex(State())

  fileprivate struct State {
    var used = 0
    var peak = 0
    var nextShare = 0
    /// What each share holds; none holds nothing.
    var held: [Int: Int] = [:]
    var waiters: [Waiter] = []
    /// The share that went beyond the limit last.
    var exempt: Int?
  }

  fileprivate struct Waiter {
    let share: Int
    let amount: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  init(limit: Int) {
    precondition(limit > 0, "limit is \(limit), must be positive")
    self.limit = limit
  }

  /// What is held now.
  var used: Int { state.withLock { $0.used } }
  /// The most that was ever held at once.
  var peak: Int { state.withLock { $0.peak } }

  /// What one task holds of a budget; to be given back.
  struct Share: Sendable {
    fileprivate let budget: MemoryBudget
    fileprivate let number: Int

    /// Waits until the share holds at least `amount`; throws when the task is cancelled meanwhile.
    func grow(to amount: Int) async throws(CancellationError) {
      try await budget.grow(number, to: amount)
    }

    /// Gives everything back.
    func giveBack() { budget.giveBack(number) }
  }

  /// A share that holds nothing yet.
  func share() -> Share {
    state.withLock { state in
      state.nextShare += 1
      return Share(budget: self, number: state.nextShare)
    }
  }

  private func grow(_ share: Int, to amount: Int) async throws(CancellationError) {
    let isGranted = state.withLock { state in
      let more = amount - state.held[share, default: 0]
      if more <= 0 { return true }
      guard state.waiters.isEmpty, state.used + more <= limit else { return false }
      state.grant(more, to: share)
      return true
    }
    if isGranted { return }
    let isHad = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state in
          let more = amount - state.held[share, default: 0]
          state.waiters.append(Waiter(share: share, amount: more, continuation: continuation))
          return state.serve(limit)
        }
        for waiter in ready { waiter.resume(returning: true) }
        // Cancelled before it could wait, the handler has found nobody.
        if Task.isCancelled { giveUp(share) }
      }
    } onCancel: {
      giveUp(share)
    }
    if !isHad { throw CancellationError() }
  }

  private func giveUp(_ share: Int) {
    let (waiter, ready) = state.withLock { state in
      let place = state.waiters.firstIndex { $0.share == share }
      return (place.map { state.waiters.remove(at: $0).continuation }, state.serve(limit))
    }
    waiter?.resume(returning: false)
    for waiter in ready { waiter.resume(returning: true) }
  }

  private func giveBack(_ share: Int) {
    let ready = state.withLock { state in
      state.used -= state.held.removeValue(forKey: share) ?? 0
      if state.exempt == share { state.exempt = nil }
      return state.serve(limit)
    }
    for waiter in ready { waiter.resume(returning: true) }
  }
}

extension MemoryBudget.State {
  fileprivate mutating func grant(_ amount: Int, to share: Int) {
    held[share, default: 0] += amount
    used += amount
    peak = max(peak, used)
  }

  /// Takes those from the queue who get what they wait for, in its order.
  fileprivate mutating func serve(_ limit: Int) -> [CheckedContinuation<Bool, Never>] {
    var ready: [CheckedContinuation<Bool, Never>] = []
    while let first = waiters.first {
      var place = 0
      if used + first.amount > limit {
        let waiting = waiters.count { held[$0.share] != nil }
        if held.count > waiting { break }
        place = waiters.firstIndex { $0.share == exempt } ?? 0
        exempt = waiters[place].share
      }
      let waiter = waiters.remove(at: place)
      grant(waiter.amount, to: waiter.share)
      ready.append(waiter.continuation)
    }
    return ready
  }
}
