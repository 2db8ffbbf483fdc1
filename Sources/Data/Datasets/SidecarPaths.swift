import Files
import Foundation
import Glibc

/// The path of a zip's sidecar: beside it as `NAME.zip.features`, or, if that folder is not writable, in the
/// cache folder.
///
/// It is never in a folder that others can write: they could put features there that poison a training run.
struct SidecarPaths {
  private let zip: String
  private let beside: String
  private let cacheFolder: String?
  private let cacheName: String

  /// The possible paths of a zip's sidecar.
  ///
  /// - Parameters:
  ///   - path: The zip.
  ///   - checksum: The checksum of the indexed document.
  ///   - environment: The variables that name the cache folder.
  init(
    of path: String,
    checksum: UInt32,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    zip = path
    beside = path + ".features"
    cacheName =
      "\(String(checksum, radix: 16))-\(URL(filePath: path).lastPathComponent).features"
    cacheFolder = namedCacheFolder(in: environment)
  }

  /// The existing sidecars that are trusted.
  ///
  /// Beside the zip a sidecar must belong to this user, to the zip's owner or to root, and not be writable
  /// for others; in the cache everything must be this user's own.
  var trusted: [String] {
    var found: [String] = []
    var status = stat()
    let owners = stat(zip, &status) == 0 ? [geteuid(), 0, status.st_uid] : [geteuid(), 0]
    if Self.isRegular(beside, ownedBy: owners) { found.append(beside) }
    if let cacheFolder, Self.isPrivate(cacheFolder) {
      let path = "\(cacheFolder)/\(cacheName)"
      if Self.isRegular(path, ownedBy: [geteuid()]) { found.append(path) }
    }
    return found
  }

  /// The path of a new sidecar.
  ///
  /// - Throws: `DatasetError` if there is no folder for it.
  func writable() throws(DatasetError) -> String {
    let folder = URL(filePath: beside).deletingLastPathComponent().path
    if access(folder, W_OK) == 0 { return beside }
    guard let cacheFolder else {
      throw .option(
        "\(folder) cannot be written and HOME is not set; set NIFTY_CACHE to a folder"
      )
    }
    try files { () throws(FileError) in try makeFolder(cacheFolder, mode: 0o700) }
    guard Self.isPrivate(cacheFolder) else {
      throw .option("others can write \(cacheFolder); run chmod 700 on it, or remove it")
    }
    return "\(cacheFolder)/\(cacheName)"
  }

  private static func isRegular(_ path: String, ownedBy owners: [uid_t]) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && owners.contains(status.st_uid) && status.st_mode & 0o002 == 0
  }

  private static func isPrivate(_ folder: String) -> Bool {
    var status = stat()
    return lstat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
  }
}
