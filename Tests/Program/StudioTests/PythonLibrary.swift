import Foundation
import TestSupport

/// Libraries that scripts/setup --tests brings.
enum PythonLibrary {
  /// The Python that has a library; `nil` if none has.
  static func python(with library: String) -> String? {
    Repository.installed("\(library)/__init__.py") == nil ? nil : Repository.python
  }

  /// Runs Python on a thread of its own, as the server needs those of tasks.
  ///
  /// - Returns: What it printed, and its exit status.
  static func run(
    _ python: String,
    _ arguments: [String]
  ) async throws -> (
    output: String, status: Int32
  ) {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            let process = Process()
            process.executableURL = URL(filePath: python)
            process.arguments = arguments
            // What it caches is gone afterwards.
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            process.currentDirectoryURL = URL(filePath: folder.path)
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return (String(decoding: data, as: UTF8.self), process.terminationStatus)
          }
        )
      }
    }
  }
}
