import Files
import Torch

/// A trace of the first steps of a session: phases and operators.
struct Profile {
  /// Steps that are traced: both regularisers run in them.
  private static let steps = 17

  private var trace = ChromeTrace()
  private var stepsLeft = Self.steps
  private var firstImage = 0

  /// Starts to trace operators.
  mutating func begin(at imagesSeen: Int) throws {
    firstImage = imagesSeen
    try OperatorTrace.begin()
  }

  /// Adds the phases of a step.
  ///
  /// - Returns: Whether it was the last traced step.
  mutating func add(_ spans: [PhaseClock.Span]) -> Bool {
    trace.add(spans)
    stepsLeft -= 1
    return stepsLeft == 0
  }

  /// Ends the trace and writes it.
  ///
  /// - Returns: The file's path.
  mutating func finish(in folder: RunFolder) throws -> String {
    trace.add(try OperatorTrace.end())
    let path = folder.file(RunFolder.numbered("profile", imagesSeen: firstImage, ".json"))
    try AtomicFile.write(trace.json, to: path)
    return path
  }
}
