import Foundation
import Glibc

/// The version of the file on a server whose bytes a partial file holds, kept beside it in `NAME.part.etag`: bytes
/// of two versions never mix.
package struct VersionTag: Sendable {
  /// The limit on a tag in bytes; a longer one is not kept.
  package static let maximumLength = 1023

  private let path: String

  /// The tag of a partial file.
  ///
  /// - Parameter partial: The partial file's path.
  package init(of partial: String) { path = partial + ".etag" }

  /// The tag that is kept; `nil` if there is none, or a file that is none.
  package var stored: String? {
    guard let data = FileManager.default.contents(atPath: path), data.count <= Self.maximumLength
    else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  /// Keeps a tag; removes the earlier one if this is too long.
  ///
  /// - Throws: `FileError` if it cannot be written.
  package func store(_ tag: String) throws(FileError) {
    guard tag.utf8.count <= Self.maximumLength else { return remove() }
    try AtomicFile.write(tag, to: path)
  }

  /// Removes the tag, if there is one.
  package func remove() { unlink(path) }
}
