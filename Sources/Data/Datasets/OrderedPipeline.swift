import Foundation
import Threads

/// Runs numbered jobs on a fixed number of threads and hands out their results in order.
///
/// Threads run ahead of the consumer by at most `capacity` jobs, which bounds memory; the consumer
/// waits only for the result it needs. A job's result must not depend on when it runs, so that results are
/// the same for any number of threads.
final class OrderedPipeline<Job: Sendable, Output: Sendable>: Sendable {
  private let state: State

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - threads: Number of threads, at least 1.
  ///   - capacity: The maximum number of claimed jobs whose results are not taken yet, at least 1.
  ///   - claim: Makes job 0, 1, 2, … in this order, one call at a time; `nil` after the last.
  ///   - work: Runs a job, on any thread.
  init(
    threads: Int,
    capacity: Int,
    claim: @escaping (Int) -> Job?,
    work: @escaping @Sendable (Job) -> Output
  ) {
    precondition(threads >= 1 && capacity >= 1, "\(threads) threads, capacity \(capacity)")
    let state = State(capacity: capacity, claim: claim)
    self.state = state
    let work: @Sendable () -> Void = {
      while let (number, job) = state.next() { state.put(work(job), number: number) }
    }
    WorkerThread.startOrExit(work)
    // With fewer threads the results are the same, only later.
    for _ in 1..<max(min(threads, capacity), 1) where WorkerThread.start(work) != 0 { break }
  }

  deinit { stop() }

  /// Waits for the next result in order; `nil` after the last, or after `stop`.
  func next() -> Output? { state.take() }

  /// Ends the threads after their current jobs; no job is claimed after this returns.
  func stop() { state.stop() }

  private final class State: @unchecked Sendable {
    // Sendable: everything below, and calls of `claim`, are guarded by `changed`.
    private let changed = NSCondition()
    private let capacity: Int
    private let claim: (Int) -> Job?
    private var results: [Int: Output] = [:]
    private var claimed = 0
    private var taken = 0
    private var isExhausted = false
    private var isStopped = false

    init(capacity: Int, claim: @escaping (Int) -> Job?) {
      self.capacity = capacity
      self.claim = claim
    }

    /// Waits until there is room for a result, then claims the next job; `nil` after the last.
    func next() -> (number: Int, job: Job)? {
      changed.lock()
      defer { changed.unlock() }
      while !isStopped && !isExhausted && claimed - taken >= capacity { changed.wait() }
      if isStopped || isExhausted { return nil }
      guard let job = claim(claimed) else {
        isExhausted = true
        changed.broadcast()
        return nil
      }
      claimed += 1
      return (claimed - 1, job)
    }

    func put(_ output: Output, number: Int) {
      changed.lock()
      defer { changed.unlock() }
      results[number] = output
      changed.broadcast()
    }

    func take() -> Output? {
      changed.lock()
      defer { changed.unlock() }
      while true {
        if isStopped { return nil }
        if let output = results.removeValue(forKey: taken) {
          taken += 1
          changed.broadcast()
          return output
        }
        if isExhausted && taken == claimed { return nil }
        changed.wait()
      }
    }

    func stop() {
      changed.lock()
      defer { changed.unlock() }
      isStopped = true
      results = [:]
      changed.broadcast()
    }
  }
}
