import Console
import Files
import Foundation
import Synchronization
import Text

/// The cache of snapshots on the web.
package enum SnapshotCache {
  /// Whether a location is a URL rather than a path.
  package static func isAddress(_ location: String) -> Bool {
    location.hasPrefix("https://") || location.hasPrefix("http://")
  }

  /// The cached file of a URL, downloaded on first use.
  ///
  /// Its folder is named by the URL's hash. It is downloaded again only after the user removed it. A file
  /// that is no snapshot does not stay in the cache.
  ///
  /// - Parameters:
  ///   - address: The snapshot's URL.
  ///   - check: Throws for a file that is no snapshot.
  /// - Returns: The file's path.
  /// - Throws: `DownloadError` if the download fails or the file is no snapshot, `FileError` if it cannot be
  ///   stored or read.
  package static func file(of address: String, check: (String) throws -> Void) throws -> String {
    guard let cache = cacheFolder else {
      throw FileError("create folder", path: "nifty", reason: "HOME and NIFTY_CACHE are not set")
    }
    let folder = cache + "/snapshots/" + hash(of: address).prefix(16)
    let name = address.prefix { $0 != "?" && $0 != "#" }.split(separator: "/").last ?? "snapshot"
    let path = folder + "/" + name
    if FileManager.default.fileExists(atPath: path) {
      Console.error("using \(path)")
      try keep(path, check)
      return path
    }
    try makeFolder(folder)
    let digest = try waiting {
      try await ResumableDownload(url: address, path: path, sha256: nil).run(shownAs: String(name))
    }
    // On standard error: a command's result on standard output stays the same.
    Console.error("downloaded \(path): sha256 \(digest)")
    try keep(path, check)
    return path
  }

  /// Removes a file that is no snapshot; the error gives the reason.
  private static func keep(_ path: String, _ check: (String) throws -> Void) throws {
    do { try check(path) } catch let error as FileError {
      // An unreadable file may still be a snapshot.
      throw error
    } catch {
      unlink(path)
      throw DownloadError(cause: .page, description: "\(error); it was removed")
    }
  }

  private static func hash(of text: String) -> String {
    Array(text.utf8).withUnsafeBytes { SHA256.digest(of: $0) }
  }

  /// Waits for an asynchronous function, for commands that compute on this thread.
  ///
  /// - Parameter body: The function; it must not need this thread.
  /// - Returns: What it returns.
  /// - Throws: What it throws.
  package static func waiting<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<Value, any Error>?>(nil)
    Task.detached {
      do {
        let value = try await body()
        result.withLock { $0 = .success(value) }
      } catch {
        result.withLock { $0 = .failure(error) }
      }
      done.signal()
    }
    done.wait()
    guard let result = result.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
  }
}
