import Foundation

/// A fresh folder for one test, removed with everything in it when the object goes away.
package final class TemporaryFolder: Sendable {
  /// The folder's absolute path.
  package let path: String

  /// Makes the folder in another one; in the system's temporary folder if none is named.
  package init(in parent: String = NSTemporaryDirectory()) throws {
    path = URL(filePath: parent).appending(path: "nifty-test-\(UUID())").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// A folder in memory where the system has some as a file system, so that flushing takes no time.
  package static func inMemory() throws -> TemporaryFolder {
    let memory = "/dev/shm"
    return try TemporaryFolder(in: access(memory, W_OK) == 0 ? memory : NSTemporaryDirectory())
  }

  deinit { remove() }

  /// Removes the folder and everything in it now.
  package func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file inside the folder.
  package func file(_ name: String) -> String { path + "/" + name }

  /// The names of everything in the folder, hidden files too, sorted.
  package var contents: [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: path).sorted() } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Writes a file, making the folders on its way.
  package func write(_ bytes: [UInt8], to name: String) throws {
    let url = URL(filePath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(),
      withIntermediateDirectories: true
    )
    try Data(bytes).write(to: url)
  }
}

/// Runs `body` with the path of a new empty folder and removes the folder afterwards.
package func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  return try body(folder.path)
}

/// The same for what waits.
@discardableResult
package func withTemporaryFolder<Result>(
  isolation: isolated (any Actor)? = #isolation,
  _ body: (String) async throws -> Result
) async throws -> Result {
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  return try await body(folder.path)
}
