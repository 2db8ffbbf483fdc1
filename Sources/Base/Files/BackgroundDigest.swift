import Dispatch
import Synchronization

/// The SHA-256 of a whole file from `DigestCache`, computed on another thread while this one reads the file.
package final class BackgroundDigest: Sendable {
  private let path: String
  private let result = Mutex<Result<String, FileError>?>(nil)
  private let isDone = DispatchGroup()

  /// Starts the computation.
  package init(ofFile path: String) {
    self.path = path
    DispatchQueue.global()
      .async(group: isDone) {
        let digest = Result { () throws(FileError) in try DigestCache.digest(ofFile: path) }
        self.result.withLock { $0 = digest }
      }
  }

  /// Waits for the digest, 64 lower-case hexadecimal digits.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  package func value() throws(FileError) -> String {
    isDone.wait()
    guard let result = result.withLock({ $0 }) else { return try DigestCache.digest(ofFile: path) }
    return try result.get()
  }
}
