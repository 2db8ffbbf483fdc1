import Console
import Foundation

/// A verb that failed when the demo ran it.
struct StageFailure: Error, CustomStringConvertible {
  let command: String
  /// The exit status, or the number of a signal.
  let status: Int32
  let isSignal: Bool

  var description: String {
    let advice = "end other programs, or see what dmesg says"
    let ending = isSignal ? ended(by: status, advice: advice) : "ended with status \(status)"
    return "the demo stopped: `\(command)` \(ending)"
  }
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
    let failure: StageFailure? = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { process in
        let isSignal = process.terminationReason == .uncaughtSignal
        let status = process.terminationStatus
        continuation.resume(
          returning: status == 0 && !isSignal
            ? nil : StageFailure(command: text, status: status, isSignal: isSignal)
        )
      }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    if let failure { throw failure }
  }

  private func quoted(_ argument: String) -> String {
    let plain = argument.allSatisfy {
      $0.isLetter || $0.isNumber || "-_./=:,@+%".contains($0)
    }
    return plain && !argument.isEmpty
      ? argument : "'" + argument.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
