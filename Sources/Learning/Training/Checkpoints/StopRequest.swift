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
    state.withLock { $0.isRequested = true }
    if let exit { abandon(exit) }
  }

  /// Ends the process if it is in the middle of something long that can be done again, else does
  /// nothing.
  ///
  /// - Parameter leave: Ends the process.
  package func abandon(_ leave: () -> Void) {
    guard let prepare = state.withLock({ $0.prepare }) else { return }
    prepare()
    leave()
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
    let isRequested = state.withLock { state in
      state.prepare = prepare
      return state.isRequested
    }
    defer { state.withLock { $0.prepare = nil } }
    // A request that came just before found nothing to cut short.
    if isRequested { request() }
    return try body()
  }
}
