import Foundation

/// Threads whose start can fail.
///
/// Foundation's `Thread` ignores such a failure: a wait for the thread's work would never end.
package enum WorkerThread {
  /// Starts a thread.
  ///
  /// - Parameter body: The thread's work.
  /// - Returns: 0, or the system's error number: EAGAIN where a limit on threads or memory is reached.
  package static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    let code = pthread_create(&thread, nil, run, work.toOpaque())
    if code == 0 {
      pthread_detach(thread)
    } else {
      work.release()
    }
    return code
  }

  /// Starts an indispensable thread, or ends the process with one line.
  package static func startOrExit(_ body: @escaping @Sendable () -> Void) {
    let code = start(body)
    if code == 0 { return }
    try? FileHandle.standardError.write(contentsOf: Data("nifty: \(failure(code))\n".utf8))
    exit(EXIT_FAILURE)
  }

  /// Why a thread did not start, and what to do, in one line.
  package static func failure(_ code: Int32) -> String {
    "cannot start a thread: \(String(cString: strerror(code))); raise the limit on processes "
      + "(ulimit -u) or on memory (ulimit -v)"
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    guard let pointer = $0 else { return nil }
    Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
    return nil
  }
}
