import Synchronization

/// A wish from outside that a run ends soon and whole: a signal, usually.
package final class StopRequest: Sendable {
  private struct State: Sendable {
    var isRequested = false
    var prepare: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let exit: (@Sendable () -> Void)?

  /// Nothing was asked for yet.
  ///
  /// - Parameter exit: Ends the process; called from the thread of a request that comes in the middle of
  ///   something long that can be done again. Without it the run ends that first.
  package init(exit: (@Sendable () -> Void)? = nil) { self.exit = exit }

  /// Whether the run shall end after its present step.
  package var isRequested: Bool { state.withLock { $0.isRequested } }

  /// Asks the run to end.
  package func request() {
    let prepare = state.withLock { state in
      state.isRequested = true
      return state.prepare
    }
    guard let prepare, let exit else { return }
    prepare()
    exit()
  }

  /// Runs what takes long and can be done again by a continued run.
  ///
  /// - Parameters:
  ///   - prepare: What has to be waited for before the process may end.
  ///   - body: What can be cut short.
  /// - Returns: What `body` gives.
  func leavingAtOnce<Result>(
    after prepare: @escaping @Sendable () -> Void,
    _ body: () throws -> Result
  ) rethrows -> Result {
    state.withLock { $0.prepare = prepare }
    defer { state.withLock { $0.prepare = nil } }
    return try body()
  }
}
