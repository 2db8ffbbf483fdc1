import Foundation
import Synchronization
package import Torch

/// Runs a body as each rank of a group, on a thread of its own, and gives the results in order.
///
/// The group does not know the difference to processes. All threads begin at once: tasks would wait for a thread of
/// the pool, which other tests hold, while the ranks that have begun wait for them until their time is up.
package func inRanks<Result: Sendable>(
  _ count: Int,
  timeout: Duration = .seconds(20),
  _ body: @escaping @Sendable (ProcessGroup) throws -> Result
) async throws -> [Result] {
  let port = try Rendezvous.freePort()
  return try await withCheckedThrowingContinuation { continuation in
    let meeting = Meeting<Result>(count) { continuation.resume(with: $0) }
    for rank in 0..<count {
      Thread.detachNewThread {
        let rendezvous = Rendezvous(rank: rank, count: count, host: "127.0.0.1", port: port)
        meeting.end(
          rank,
          Swift.Result { try body(ProcessGroup(rendezvous, timeout: timeout)) }
        )
      }
    }
  }
}

/// Waits for the results of all ranks.
private final class Meeting<Value: Sendable>: Sendable {
  private struct State: Sendable {
    var values: [Int: Value] = [:]
    var failures: [any Error] = []
  }

  private let count: Int
  private let state = Mutex(State())
  private let finish: @Sendable (Result<[Value], any Error>) -> Void

  /// - Parameters:
  ///   - count: The number of ranks.
  ///   - finish: Takes the results in order once all ranks ended, or the first failure.
  init(_ count: Int, finish: @escaping @Sendable (Result<[Value], any Error>) -> Void) {
    (self.count, self.finish) = (count, finish)
  }

  func end(_ rank: Int, _ outcome: Result<Value, any Error>) {
    let ended = state.withLock { state -> State? in
      switch outcome {
      case .success(let value): state.values[rank] = value
      case .failure(let error): state.failures.append(error)
      }
      return state.values.count + state.failures.count == count ? state : nil
    }
    guard let ended else { return }
    if let failure = ended.failures.first { return finish(.failure(failure)) }
    finish(.success((0..<count).compactMap { ended.values[$0] }))
  }
}
