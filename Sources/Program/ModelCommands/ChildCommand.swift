import Console
import Foundation

/// A verb that failed when the demo ran it.
struct StageFailure: Error, CustomStringConvertible {
  let command: String
  let status: Int32

  var description: String { "the demo stopped: `\(command)` ended with status \(status)" }
}

/// Runs this program's own verbs, as a person would by hand.
struct ChildCommand {
  let arguments: [String]

  /// The command as it would be typed.
  var text: String { (["nifty"] + arguments.map(quoted)).joined(separator: " ") }

  /// Runs the command to its end; its output goes where ours goes.
  func run() async throws {
    Console.line("\n$ \(text)")
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "nifty")
    process.arguments = arguments
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    if status != 0 { throw StageFailure(command: text, status: status) }
  }

  private func quoted(_ argument: String) -> String {
    let plain = argument.allSatisfy {
      $0.isLetter || $0.isNumber || "-_./=:,@+%".contains($0)
    }
    return plain && !argument.isEmpty
      ? argument : "'" + argument.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
