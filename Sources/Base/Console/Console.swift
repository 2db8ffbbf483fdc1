import Files
import Foundation
import Glibc
import Synchronization

/// Lines for people: results on standard output, progress and errors on standard error.
///
/// Standard output can go away: its reader ends, or its disk is full. The verb then ends, quietly in
/// the first case, unless its lines also go to a log. What cannot be written to
/// standard error is dropped: there is nowhere left to say it.
///
/// Safe from any thread: a lock guards the state.
package enum Console {
  private static let state = Mutex(State())

  private struct State {
    var progressShown = false
    var lastProgress = Date.distantPast
    var logElsewhere: String?
    var isOutputLost = false
  }

  /// Lets the verb go on when standard output is gone.
  ///
  /// - Parameter log: The file that has its lines too, for the warning.
  package static func goesOnWithoutOutput(log: String) {
    state.withLock { $0.logElsewhere = log }
  }

  private static let isTerminal = isatty(STDERR_FILENO) == 1

  /// A line of result.
  package static func line(_ text: String) { self.text(text + "\n") }

  /// A result of several lines that ends its own.
  package static func text(_ text: String) {
    clearProgress()
    guard !state.withLock({ $0.isOutputLost }) else { return }
    let code = write(printable(text), to: STDOUT_FILENO)
    if code != 0 { outputFailed(code) }
  }

  /// A warning or an error, as a line on standard error.
  package static func error(_ text: String) {
    clearProgress()
    write(printable(text) + "\n", to: STDERR_FILENO)
  }

  /// The text with control characters written out, as `\x1B`.
  ///
  /// Names in archives, columns of tables and answers of servers come from strangers: their characters must
  /// not move the cursor, change a terminal's title or turn the direction of what stands beside them.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isControl(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code =
          scalar.value < 0x100 ? "\\x\(digits.count < 2 ? "0" : "")\(digits)" : "\\u{\(digits)}"
        result.append(contentsOf: code.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A: false
    case 0..<0x20, 0x7F..<0xA0: true
    // Embeddings, overrides and isolates of direction.
    case 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// The progress of a long stage: rewritten in place on a terminal, a line every ten seconds in a
  /// log.
  package static func progress(_ text: @autoclosure () -> String) {
    let now = Date()
    let interval = isTerminal ? 0.2 : 10.0
    let isDue = state.withLock { state in
      guard now.timeIntervalSince(state.lastProgress) >= interval else { return false }
      state.lastProgress = now
      state.progressShown = isTerminal
      return true
    }
    guard isDue else { return }
    let text = printable(text())
    write(isTerminal ? "\r\u{1B}[K\(text)" : text + "\n", to: STDERR_FILENO)
  }

  /// A bar of twenty cells for a terminal, with a blank behind it; nothing in a log.
  package static func bar(_ share: Double) -> String {
    guard isTerminal else { return "" }
    // A share of nothing is no number.
    let cells = share.isNaN ? 0 : Int((min(max(share, 0), 1) * 20).rounded(.down))
    return String(repeating: "█", count: cells) + String(repeating: "░", count: 20 - cells) + " "
  }

  /// Removes the progress line from a terminal.
  package static func clearProgress() {
    let wasShown = state.withLock { state in
      defer { state.progressShown = false }
      return state.progressShown
    }
    if wasShown { write("\r\u{1B}[K", to: STDERR_FILENO) }
  }

  /// Goes on without standard output, or ends the process.
  private static func outputFailed(_ code: Int32) {
    let (log, isFirst) = state.withLock { state in
      defer { state.isOutputLost = true }
      return (state.logElsewhere, !state.isOutputLost)
    }
    let reason = String(cString: strerror(code))
    if let log {
      if isFirst { error("standard output is gone (\(reason)); going on, its lines are in \(log)") }
      return
    }
    AtomicFile.discardUnfinished()
    if code == EPIPE {
      // As a program ends that never heard of the signal.
      signal(SIGPIPE, SIG_DFL)
      kill(getpid(), SIGPIPE)
    } else {
      error("nifty: cannot write standard output: \(reason)")
    }
    _exit(EXIT_FAILURE)
  }

  /// Writes all of a text; returns 0, or the system's error number.
  @discardableResult
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    do throws(FileError) {
      try writeAll(Array(text.utf8), to: descriptor, path: "/dev/fd/\(descriptor)")
    } catch {
      return error.code
    }
    return 0
  }
}
