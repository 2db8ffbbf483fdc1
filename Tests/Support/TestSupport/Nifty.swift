import Foundation

/// What a run of the program gave.
package struct Outcome: Sendable {
  /// 0 on success.
  package let status: Int32
  /// Standard output.
  package let output: String
  /// Standard error.
  package let errors: String

  /// What a run gave.
  package init(status: Int32, output: String, errors: String) {
    (self.status, self.output, self.errors) = (status, output, errors)
  }
}

/// The program that the package builds, run as a person runs it; in an empty folder if none is named.
package func nifty(
  _ arguments: [String],
  in folder: String? = nil,
  environment: [String: String] = [:],
  program path: String? = nil
) throws -> Outcome {
  let own = try folder == nil ? TemporaryFolder() : nil
  defer { withExtendedLifetime(own) {} }
  let process = Process()
  process.executableURL = URL(filePath: try path ?? program())
  process.arguments = arguments
  process.currentDirectoryURL = (folder ?? own?.path).map { URL(filePath: $0) }
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let outputData = output.fileHandleForReading.readDataToEndOfFile()
  let errorData = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return Outcome(
    status: process.terminationStatus,
    output: String(decoding: outputData, as: UTF8.self),
    errors: String(decoding: errorData, as: UTF8.self)
  )
}

/// The same on a thread of its own, for tests with a server: it needs those of the tests.
package func niftyAside(
  _ arguments: [String],
  in folder: String,
  environment: [String: String] = [:]
) async throws -> Outcome {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(
        with: Result { try nifty(arguments, in: folder, environment: environment) }
      )
    }
  }
}

/// The one that NIFTY_PROGRAM names, else beside the tests, where the build put it.
package func program() throws -> String {
  if let named = ProcessInfo.processInfo.environment["NIFTY_PROGRAM"] { return named }
  let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let beside = URL(filePath: own).deletingLastPathComponent().appending(path: "nifty").path
  if FileManager.default.fileExists(atPath: beside) { return beside }
  return Repository.path(".build/debug/nifty")
}
