import Foundation

/// Lines for people: results on standard output, progress and errors on standard error.
///
/// Safe from any thread: a lock guards the state of the progress line.
package enum Console {
  private static let state = Locked(State())

  private struct State {
    var progressShown = false
    var lastProgress = Date.distantPast
  }

  private static let isTerminal = isatty(STDERR_FILENO) == 1

  /// A line of result.
  package static func line(_ text: String) {
    clearProgress()
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }

  /// A line of trouble.
  package static func error(_ text: String) {
    clearProgress()
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// What a long stage is doing now: rewritten in place on a terminal, a line every ten seconds in a
  /// log.
  package static func progress(_ text: @autoclosure () -> String) {
    let now = Date()
    let interval = isTerminal ? 0.2 : 10.0
    let isDue = state.with { state in
      guard now.timeIntervalSince(state.lastProgress) >= interval else { return false }
      state.lastProgress = now
      state.progressShown = isTerminal
      return true
    }
    guard isDue else { return }
    let shown = isTerminal ? "\r\u{1B}[K\(text())" : text() + "\n"
    FileHandle.standardError.write(Data(shown.utf8))
  }

  /// A bar of twenty cells for a terminal, with a blank behind it; nothing in a log.
  package static func bar(_ share: Double) -> String {
    guard isTerminal else { return "" }
    let filled = Int((share * 20).rounded(.down))
    let cells = min(max(filled, 0), 20)
    return String(repeating: "█", count: cells) + String(repeating: "░", count: 20 - cells) + " "
  }

  /// Removes the progress line from a terminal.
  package static func clearProgress() {
    let wasShown = state.with { state in
      defer { state.progressShown = false }
      return state.progressShown
    }
    if wasShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}

/// A value that only one thread touches at a time.
package final class Locked<Value>: @unchecked Sendable {
  // Sendable: `lock` guards `value`.
  private let lock = NSLock()
  private var value: Value

  package init(_ value: Value) { self.value = value }

  package func with<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
