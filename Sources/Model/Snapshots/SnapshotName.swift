package import Files

/// The names of network snapshots, as the original gives them: `network-snapshot-000012.pkl` after 12
/// thousand images.
package enum SnapshotName {
  /// What comes before the number.
  package static let prefix = "network-snapshot-"

  /// Whether a file of this name is a snapshot of a run.
  package static func matches(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(prefix) && !name.hasSuffix(".tmp")
  }

  /// The snapshots of a folder, oldest first.
  ///
  /// - Throws: `FileError` if the folder cannot be read.
  package static func list(in folder: String) throws(FileError) -> [String] {
    try listFolder(folder).filter { matches($0) }.sorted()
  }

  /// The number before the extension of a file's name, in thousands of images; `nil` if there is none.
  package static func kimg(of path: some StringProtocol) -> Int? {
    let stem = (path.split(separator: "/").last ?? "").prefix { $0 != "." }
    let start = stem.lastIndex { !$0.isNumber }.map { stem.index(after: $0) } ?? stem.startIndex
    return Int(stem[start...])
  }
}
