package import Foundation

/// The checkout that the tests are of.
package enum Repository {
  /// Its folder.
  package static let root: URL = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return folder
  }()

  /// The path of a file or folder in it.
  package static func path(_ relative: String) -> String { root.appending(path: relative).path }

  /// The path of a recorded number's file; NIFTY_GOLDENS names another folder for them.
  package static var goldens: URL {
    ProcessInfo.processInfo.environment["NIFTY_GOLDENS"].map { URL(filePath: $0) }
      ?? root.appending(path: "Tests/Goldens")
  }

  /// The Python that scripts/setup installs libraries into; `nil` if it has not.
  package static let python: String? = existing(".deps/venv/bin/python")

  /// CLIP's byte-pair merges, decompressed; `nil` if scripts/setup has not brought them.
  package static let vocabulary: String? = existing(".deps/weights/bpe_simple_vocab_16e6.txt")

  /// A file that pip has installed below `.deps/venv`; `nil` if it has not.
  package static func installed(_ relative: String) -> String? {
    guard let library = existing(".deps/venv/lib") else { return nil }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: library)
        .map { "\(library)/\($0)/site-packages/\(relative)" }
        .first { FileManager.default.fileExists(atPath: $0) }
    } catch { preconditionFailure("\(error)") }
  }

  private static func existing(_ relative: String) -> String? {
    FileManager.default.fileExists(atPath: path(relative)) ? path(relative) : nil
  }
}
