import Foundation

/// What a program printed and how it ended.
package struct ProcessResult: Sendable {
  /// 0 on success.
  package let status: Int32
  /// Standard output and standard error, interleaved.
  package let output: String
}

/// Runs a program to its end; `nil` when there is no such program.
package func runProgram(
  _ path: String,
  _ arguments: [String],
  environment: [String: String] = [:]
) throws -> ProcessResult? {
  guard FileManager.default.isExecutableFile(atPath: path) else { return nil }
  let process = Process()
  process.executableURL = URL(filePath: path)
  process.arguments = arguments
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return ProcessResult(
    status: process.terminationStatus,
    output: String(decoding: output, as: UTF8.self)
  )
}
