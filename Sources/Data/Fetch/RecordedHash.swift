import Console
package import Files
import Foundation

/// The hash of a file's first download, kept beside it as `NAME.sha256` if none is published: later
/// downloads must match it.
package enum RecordedHash {
  /// The hash recorded beside a file, if there is one.
  package static func read(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path + ".sha256") else { return nil }
    let text = String(decoding: data.prefix(64), as: UTF8.self).lowercased()
    return text.count == 64 && text.allSatisfy(\.isHexDigit) ? text : nil
  }

  /// Prints the hash of a new file, and records it if none was expected.
  package static func note(_ digest: String, of path: String, _ expected: String?) throws(FileError)
  {
    if expected != nil { return Console.line("\(path): sha256 \(digest) as expected") }
    try AtomicFile.write(digest + "\n", to: path + ".sha256")
    Console.line("\(path): sha256 \(digest) (not published; kept in \(path).sha256)")
  }

  /// Checks the hash of an existing file.
  ///
  /// - Throws: `DownloadError` if it differs, `FileError` if the file cannot be read.
  package static func check(_ path: String, _ expected: String?) throws {
    let digest = try SHA256.digest(ofFile: path)
    guard let expected else {
      return Console.line("\(path) is there: sha256 \(digest) (no hash to compare it with)")
    }
    guard digest == expected else {
      throw DownloadError(
        cause: .wrongHash,
        description:
          "\(path) has the sha256 \(digest), not \(expected); remove it to fetch it again"
      )
    }
    Console.line("\(path) is there: sha256 \(digest) as expected")
  }
}
