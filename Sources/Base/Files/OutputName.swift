/// What to do where an address was given and a file of this machine is meant.
package let addressAdvice = "only files here are read and written; copy it by another program"

/// Whether a path is an address, as `s3://bucket/runs` or `https://host/x.zip`.
package func isAddress(_ path: String) -> Bool {
  guard let colon = path.utf8.firstIndex(of: UInt8(ascii: ":")),
    path.utf8[colon...].starts(with: "://".utf8)
  else { return false }
  let scheme = path.utf8[..<colon]
  func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
  let others = "0123456789+-.".utf8
  return scheme.count > 1 && scheme.first.map(isLetter) == true
    && scheme.allSatisfy { isLetter($0) || others.contains($0) }
}

/// Refuses an address as the path of a result: a folder called `s3:` would be made here.
///
/// - Throws: `FileError` that says so.
package func refuseAddress(_ path: String, to operation: String) throws(FileError) {
  if isAddress(path) {
    throw FileError(operation, path: path, reason: "it is an address: " + addressAdvice)
  }
}

/// Names that promise something else than what is written.
package enum OutputName {
  /// Suffixes of kinds of files that people know.
  private static let known: Set<String> = [
    "png", "jpg", "jpeg", "webp", "gif", "avif", "bmp", "tif", "tiff", "svg", "pdf", "mp4", "webm",
    "mov",
    "zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "json", "jsonl", "csv", "tsv",
    "txt",
    "parquet", "arrow", "feather", "npy", "npz", "h5", "hdf5", "lmdb", "tfrecord", "tfrecords",
    "pkl", "pickle", "pt", "pth", "ckpt", "bin", "safetensors", "onnx",
  ]

  /// The suffix of a path in small letters, as `png`; `nil` if no kind of file is known by it.
  package static func knownSuffix(of path: String) -> String? {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
    let suffix = name[name.index(after: dot)...].lowercased()
    return known.contains(suffix) ? suffix : nil
  }

  /// Refuses a name for a folder that reads as that of a file, unless there is such a folder.
  ///
  /// - Throws: `FileError` naming the suffix; also for an address, and for an empty path.
  package static func expectFolder(_ path: String) throws(FileError) {
    if isFolder(path) { return }
    let operation = "create folder"
    if path.isEmpty { throw FileError(operation, path: "without a name", reason: "give it one") }
    try refuseAddress(path, to: operation)
    if let suffix = knownSuffix(of: path) {
      throw FileError(
        operation,
        path: path,
        reason:
          "the name is one of a .\(suffix) file, and a folder is written; leave the .\(suffix) out"
      )
    }
  }

  /// Refuses a name for a file that reads as that of another kind of file; other suffixes are fine.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - suffix: What is written, as `safetensors`.
  /// - Throws: `FileError` naming both suffixes.
  package static func expectFile(_ path: String, _ suffix: String) throws(FileError) {
    guard let found = knownSuffix(of: path), found != suffix else { return }
    throw FileError(
      "write",
      path: path,
      reason:
        "a .\(suffix) is written, and the name is one of a .\(found); let it end in .\(suffix)"
    )
  }
}
