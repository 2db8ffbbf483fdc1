import Foundation

/// Python's standard library as an oracle.
package enum Python {
  /// Whether there is a `python3`.
  package static let isAvailable = (try? run("print(1)")) == "1\n"

  /// Runs a script; returns what it printed, throws what it complained.
  package static func run(_ script: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    struct Failure: Error { var complaint: String }
    guard process.terminationStatus == 0 else {
      throw Failure(complaint: String(decoding: complaint, as: UTF8.self))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The bytes of a file.
package func bytes(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path)))
}
