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
  /// | `*.zip`, `*.tar` | images in an archive |
  ///
  /// - Throws: `DatasetError` when the path is missing, of no known kind, or damaged.
  package static func open(_ path: String) throws(DatasetError) -> any ImageTextSource {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    let name = URL(filePath: path).lastPathComponent
    if isFolder.boolValue {
      return name.hasSuffix("_lmdb") ? try LSUNSource(path) : try ImageTextFolder(path)
    }
    if name == "cifar-10-python.tar.gz" { return try CIFAR10Source(path) }
    if name.hasSuffix("-images-idx3-ubyte.gz") { return try MNISTSource(path) }
    switch FileNames.suffix(of: name).lowercased() {
    case "zip": return try ImageTextZip(path)
    case "tar": return try ImageTextTar(path)
    default:
      throw .option(
        "\(path) is no source that nifty knows; give a folder, a .zip, a .tar, an LSUN folder "
          + "NAME_lmdb, cifar-10-python.tar.gz or train-images-idx3-ubyte.gz"
      )
    }
  }
}
