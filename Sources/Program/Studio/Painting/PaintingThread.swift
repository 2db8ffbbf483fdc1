import Dispatch
import Synchronization
import Threads

/// The one thread that owns a model: requests wait for it in a fair, bounded queue.
///
/// Tensors stay on the thread; only requests and finished pictures cross it.
package final class PaintingThread<Request: Sendable, Picture: Sendable>: Sendable {
  /// The queue is full; a retry may succeed after some seconds.
  package struct Full: Error {
    /// The estimated seconds until the queue has room, at least 1.
    package let retryAfter: Int
    /// Whether the client's own queue limit was reached, not the limit of all clients.
    package let isClientsShare: Bool
  }

  private struct Job {
    let request: Request
    let continuation: CheckedContinuation<Picture, any Error>
  }

  private struct State {
    var queue: FairQueue<Job>
    var nextID: UInt64 = 0
    var isClosed = false
    /// The moving average of the seconds per picture.
    var secondsOfPicture = 0.05
    var painted = 0
  }

  private let state: Mutex<State>
  private let wake = DispatchSemaphore(value: 0)

  /// A thread that is not started yet.
  ///
  /// - Parameters:
  ///   - capacity: The most waiting requests.
  ///   - capacityOfClient: The most waiting requests of one client.
  package init(capacity: Int = 256, capacityOfClient: Int = 64) {
    state = Mutex(
      State(queue: FairQueue(capacity: capacity, capacityOfClient: capacityOfClient))
    )
  }

  /// Starts the thread and opens the model on it, to paint one picture at a time.
  ///
  /// - Parameter make: Opens the model; returns its public description and the function that paints one picture.
  /// - Returns: The public description.
  /// - Throws: The error of `make`.
  package func open<About: Sendable>(
    _ make: @escaping @Sendable () throws -> (About, (Request) throws -> Picture)
  ) async throws -> About {
    try await open(
      inBatchesOf: 1,
      joining: { _, _ in false },
      make: {
        let (about, paint) = try make()
        return (about, { requests in requests.map { request in Result { try paint(request) } } })
      }
    )
  }

  /// Starts the thread and opens the model on it.
  ///
  /// - Parameters:
  ///   - most: The most requests that are painted together.
  ///   - fits: Whether a request can be painted together with the first of its batch.
  ///   - make: Opens the model; returns its public description and the function that paints a batch, a result for
  ///     each request.
  /// - Returns: The public description.
  /// - Throws: The error of `make`.
  package func open<About: Sendable>(
    inBatchesOf most: Int,
    joining fits: @escaping @Sendable (Request, Request) -> Bool,
    make:
      @escaping @Sendable () throws -> (About, ([Request]) -> [Result<Picture, any Error>])
  ) async throws -> About {
    try await withCheckedThrowingContinuation { opened in
      WorkerThread.startOrExit {
        do {
          let (about, paint) = try make()
          opened.resume(returning: about)
          self.work(paint, most: most, fits)
        } catch {
          opened.resume(throwing: error)
        }
      }
    }
  }

  /// Ends the thread after its current picture; pending requests get a `CancellationError`.
  package func close() {
    state.withLock { $0.isClosed = true }
    wake.signal()
  }

  /// The numbers of waiting requests and of pictures painted so far.
  package var counts: (waiting: Int, painted: Int) {
    state.withLock { ($0.queue.count, $0.painted) }
  }

  /// Paints one picture when it is the client's turn.
  ///
  /// A cancelled task leaves the queue at once.
  ///
  /// - Parameters:
  ///   - request: The request.
  ///   - client: The client that sends it; clients take turns.
  /// - Returns: The picture.
  /// - Throws: `Full` if the queue has no room; `CancellationError`; the error of painting.
  package func picture(_ request: Request, for client: String) async throws -> Picture {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        add(Job(request: request, continuation: continuation), id: id, of: client)
      }
    } onCancel: {
      let job = state.withLock { $0.queue.remove(id) }
      job?.continuation.resume(throwing: CancellationError())
    }
  }

  private func add(_ job: Job, id: UInt64, of client: String) {
    let refusal: (any Error)? = state.withLock { state in
      // Cancelled before it was queued: the cancellation handler may have run already.
      if Task.isCancelled || state.isClosed { return CancellationError() }
      if state.queue.add(job, id: id, of: client) { return nil }
      let isFull = state.queue.count >= state.queue.capacity
      let waiting = isFull ? state.queue.count : state.queue.capacityOfClient
      let seconds = (Double(waiting) * state.secondsOfPicture / 2).rounded(.up)
      return Full(retryAfter: Int(min(max(seconds, 1), 60)), isClientsShare: !isFull)
    }
    if let refusal {
      job.continuation.resume(throwing: refusal)
    } else {
      wake.signal()
    }
  }

  private func work(
    _ paint: ([Request]) -> [Result<Picture, any Error>],
    most: Int,
    _ fits: @Sendable (Request, Request) -> Bool
  ) {
    let clock = ContinuousClock()
    while true {
      wake.wait()
      let (jobs, isClosed) = state.withLock {
        (Self.batch(of: &$0.queue, most: most, fits), $0.isClosed)
      }
      if isClosed {
        for job in jobs { job.continuation.resume(throwing: CancellationError()) }
        drain()
        return
      }
      // Cancelled meanwhile, or painted together with an earlier one.
      if jobs.isEmpty { continue }
      let start = clock.now
      let results = paint(jobs.map(\.request))
      precondition(
        results.count == jobs.count,
        "\(results.count) results of \(jobs.count) requests"
      )
      let seconds = (clock.now - start) / .seconds(1) / Double(jobs.count)
      state.withLock {
        $0.secondsOfPicture += (seconds - $0.secondsOfPicture) / 8
        $0.painted += jobs.count
      }
      for (job, result) in zip(jobs, results) { job.continuation.resume(with: result) }
    }
  }

  /// Removes the next request and those behind it, in turn, that fit to it.
  private static func batch(
    of queue: inout FairQueue<Job>,
    most: Int,
    _ fits: @Sendable (Request, Request) -> Bool
  ) -> [Job] {
    guard let first = queue.next() else { return [] }
    var jobs = [first]
    while jobs.count < most, let job = queue.next(if: { fits(first.request, $0.request) }) {
      jobs.append(job)
    }
    return jobs
  }

  private func drain() {
    while let job = state.withLock({ $0.queue.next() }) {
      job.continuation.resume(throwing: CancellationError())
    }
  }
}
