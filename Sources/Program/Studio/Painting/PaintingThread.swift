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

  /// Starts the thread and opens the model on it.
  ///
  /// - Parameter make: Opens the model; returns its public description and the function that paints one picture.
  /// - Returns: The public description.
  /// - Throws: The error of `make`.
  package func open<About: Sendable>(
    _ make: @escaping @Sendable () throws -> (About, (Request) throws -> Picture)
  ) async throws -> About {
    try await withCheckedThrowingContinuation { opened in
      WorkerThread.startOrExit {
        do {
          let (about, paint) = try make()
          opened.resume(returning: about)
          self.work(paint)
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

  private func work(_ paint: (Request) throws -> Picture) {
    let clock = ContinuousClock()
    while true {
      wake.wait()
      let (job, isClosed) = state.withLock { ($0.queue.next(), $0.isClosed) }
      if isClosed {
        job?.continuation.resume(throwing: CancellationError())
        drain()
        return
      }
      // Cancelled meanwhile.
      guard let job else { continue }
      let start = clock.now
      let result = Result { try paint(job.request) }
      let seconds = (clock.now - start) / .seconds(1)
      state.withLock {
        $0.secondsOfPicture += (seconds - $0.secondsOfPicture) / 8
        $0.painted += 1
      }
      job.continuation.resume(with: result)
    }
  }

  private func drain() {
    while let job = state.withLock({ $0.queue.next() }) {
      job.continuation.resume(throwing: CancellationError())
    }
  }
}
