import Foundation
package import Torch

/// Runs a body as each rank of a group, on a thread of its own, and gives the results in order.
///
/// The group does not know the difference to processes.
package func inRanks<Result: Sendable>(
  _ count: Int,
  timeout: Duration = .seconds(20),
  _ body: @escaping @Sendable (ProcessGroup) throws -> Result
) async throws -> [Result] {
  let port = try Rendezvous.freePort()
  return try await withThrowingTaskGroup(of: (Int, Result).self) { tasks in
    for rank in 0..<count {
      tasks.addTask {
        let rendezvous = Rendezvous(rank: rank, count: count, host: "127.0.0.1", port: port)
        return try await withCheckedThrowingContinuation { continuation in
          Thread.detachNewThread {
            continuation.resume(
              with: Swift.Result {
                (rank, try body(ProcessGroup(rendezvous, timeout: timeout)))
              }
            )
          }
        }
      }
    }
    var results: [Int: Result] = [:]
    for try await (rank, result) in tasks { results[rank] = result }
    return (0..<count).compactMap { results[$0] }
  }
}
