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

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file inside the folder.
  package func file(_ name: String) -> String { path + "/" + name }

  /// The names of everything in the folder, hidden files too, sorted.
  package var contents: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
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
