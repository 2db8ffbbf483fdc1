import Archives
import Files
import Foundation

/// Detects the kind of a source, by the rules of the original.
package enum ImageTextSources {
  /// Opens a source.
  ///
  /// | path | source |
  /// |---|---|
  /// | a folder whose name ends in `_lmdb` | LSUN |
  /// | another folder | images in it and below, `ImageTextFolder` |
  /// | `cifar-10-python.tar.gz` | CIFAR-10 |
  /// | `train-images-idx3-ubyte.gz`, `t10k-…` | MNIST |
  /// | `*.zip`, `*.tar`, `*.tar.gz`, `*.tgz` | images in an archive |
  ///
  /// - Parameters:
  ///   - path: The source.
  ///   - captionKey: The key of the captions in the JSON beside an image; `nil` for text files.
  /// - Returns: The source.
  /// - Throws: `DatasetError` if the path is missing, of no known kind, or damaged, or has no captions under
  ///   the key.
  package static func open(
    _ path: String,
    captionKey: String? = nil
  ) throws(DatasetError) -> any ImageTextSource {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    let name = URL(filePath: path).lastPathComponent
    if isFolder.boolValue {
      if !name.hasSuffix("_lmdb") { return try ImageTextFolder(path, captionKey: captionKey) }
      try refuse(captionKey, path)
      return try LSUNSource(path)
    }
    if name == "cifar-10-python.tar.gz" || name.hasSuffix("-images-idx3-ubyte.gz") {
      try refuse(captionKey, path)
    }
    if name == "cifar-10-python.tar.gz" { return try CIFAR10Source(path) }
    if name.hasSuffix("-images-idx3-ubyte.gz") { return try MNISTSource(path) }
    if ImageTextTar.isCompressed(name) { return try ImageTextTar(path, captionKey: captionKey) }
    switch FileNames.suffix(of: name).lowercased() {
    case "zip": return try ImageTextZip(path, captionKey: captionKey)
    case "tar": return try ImageTextTar(path, captionKey: captionKey)
    default:
      let file = try archives { () throws(ArchiveError) in try MappedBytes.archive(path) }
      let kind = file.withBytes { FileKind.guess($0) }.map { ": it looks like \($0)" } ?? ""
      throw .option(
        "\(path) is no source that nifty knows\(kind); give a folder, a .zip, a .tar, a .tar.gz, an LSUN folder "
          + "NAME_lmdb, cifar-10-python.tar.gz or train-images-idx3-ubyte.gz"
      )
    }
  }

  private static func refuse(_ captionKey: String?, _ path: String) throws(DatasetError) {
    if captionKey != nil {
      throw .option("--caption-key is for a .json beside each image; \(path) has none")
    }
  }
}
