import Synchronization

/// A request to end a run soon and gracefully, usually by a signal.
package final class StopRequest: Sendable {
  private struct State: Sendable {
    var isRequested = false
    var prepare: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let exit: (@Sendable () -> Void)?

  /// No request yet.
  ///
  /// - Parameter exit: Ends the process; called from the requesting thread during long, repeatable work.
  ///   Without it the run finishes that work first.
  package init(exit: (@Sendable () -> Void)? = nil) { self.exit = exit }

  /// Whether the run is to end after its current step.
  package var isRequested: Bool { state.withLock { $0.isRequested } }

  /// Asks the run to end.
  package func request() {
    state.withLock { $0.isRequested = true }
    if let exit { exitIfInterruptible(exit) }
  }

  /// Ends the process during long, repeatable work, else does nothing.
  ///
  /// - Parameter leave: Ends the process.
  package func exitIfInterruptible(_ leave: () -> Void) {
    guard let prepare = state.withLock({ $0.prepare }) else { return }
    prepare()
    leave()
  }

  /// Runs long work that a continued run can repeat.
  ///
  /// - Parameters:
  ///   - prepare: Waits for what must be finished before the process may end.
  ///   - body: The work, which may be cut short.
  /// - Returns: The result of `body`.
  func leavingAtOnce<Result>(
    after prepare: @escaping @Sendable () -> Void,
    _ body: () throws -> Result
  ) rethrows -> Result {
    let isRequested = state.withLock { state in
      state.prepare = prepare
      return state.isRequested
    }
    defer { state.withLock { $0.prepare = nil } }
    // An earlier request had nothing to cut short.
    if isRequested { request() }
    return try body()
  }
}
