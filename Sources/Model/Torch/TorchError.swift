import CTorch
import Files
import Foundation
package import Synchronization

/// A failure of the environment that libtorch reports: no memory on the device, a file that is none.
///
/// Programming errors (shapes, types) are not thrown: they stop the program with libtorch's message.
public struct TorchError: Error, Sendable, CustomStringConvertible {
  /// One line: what failed and why.
  public let description: String

  /// An error with its own words.
  public init(_ description: String) { self.description = description }

  /// This thread's last failure in libtorch.
  static func last(_ context: String) -> TorchError {
    let message = String(cString: ct_error())
    let line = message.split(separator: "\n", omittingEmptySubsequences: true).first ?? "unknown"
    return TorchError("\(context): \(line)")
  }
}

extension Runtime {
  /// What can be done after a failure inside of libtorch, as the command that goes on with a run; `nil`
  /// while nothing runs that could be continued.
  package static let failureNote = Mutex<String?>(nil)

  /// Whether an error of libtorch says that memory ran out, on the CPU or on CUDA.
  static func isOutOfMemory(_ message: String) -> Bool {
    ["out of memory", "not enough memory", "can't allocate memory", "CUDA_ERROR_OUT_OF_MEMORY"]
      .contains { message.localizedCaseInsensitiveContains($0) }
  }
}

/// Stops the program with the last failure of libtorch.
///
/// Memory that ran out is no mistake in the code, and neither may be what stops a run of days on a device:
/// these end with one line and the exit status 1. All else only a mistake in the code can cause.
func torchFailure(_ context: String) -> Never {
  let error = TorchError.last(context)
  let note = Runtime.failureNote.withLock { $0 }
  let isOutOfMemory = Runtime.isOutOfMemory(error.description)
  guard isOutOfMemory || note != nil else { fatalError(error.description) }
  let line =
    isOutOfMemory
    ? "nifty: out of memory (\(error)); try a smaller --batch, or --batch-gpu" : "nifty: \(error)"
  let text = line + (note.map { "; \($0)" } ?? "") + "\n"
  try? writeAll(Array(text.utf8), to: STDERR_FILENO, path: "standard error")
  AtomicFile.discardUnfinished()
  _exit(EXIT_FAILURE)
}
