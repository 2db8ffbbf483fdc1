import Foundation

/// Python's standard library as an oracle.
package enum Python {
  /// Whether there is a `python3`.
  package static let isAvailable = (try? run("print(1)")) == "1\n"

  /// Runs a script; returns what it printed, throws what it complained.
  package static func run(_ script: String, _ arguments: String...) throws -> String {
    try run(["-c", script] + arguments)
  }

  /// Runs a script of a file; returns what it printed, throws what it complained.
  package static func run(file: String, _ arguments: [String]) throws -> String {
    // Without `-B` it would leave compiled files beside the script.
    try run(["-B", file] + arguments)
  }

  private static func run(_ words: [String]) throws -> String {
    let outcome = try nifty(["python3"] + words, program: "/usr/bin/env")
    struct Failure: Error { var complaint: String }
    guard outcome.status == 0 else { throw Failure(complaint: outcome.errors) }
    return outcome.output
  }
}

/// The bytes of a file.
package func bytes(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path)))
}
