import Foundation
import Glibc

/// A lock on an open file or folder, which ends with its descriptor or its process.
package enum FileLock {
  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - descriptor: The open file.
  ///   - path: What the lock is for, as people call it.
  ///   - work: What another holder is doing, as a verb.
  /// - Throws: `FileError` that names the process which has it.
  package static func take(_ descriptor: Int32, on path: String, to work: String) throws(FileError)
  {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else { throw FileError("lock", path: path) }
      let who = holder(descriptor).map { "process \($0)" } ?? "another process"
      throw FileError(work, path: path, reason: "\(who) is at it; wait for it or end it")
    }
  }

  /// Whether a path still leads to an open file: another process may have renamed or removed it
  /// between opening and locking.
  package static func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var (own, named) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(path, &named) == 0
      && own.st_ino == named.st_ino && own.st_dev == named.st_dev
  }

  /// The process that has the lock, as the kernel lists it: `1: FLOCK ADVISORY WRITE 42 08:01:7 0 EOF`.
  private static func holder(_ descriptor: Int32) -> Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0,
      let list = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
    else { return nil }
    for line in list.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(":\(status.st_ino)") else {
        continue
      }
      return Int(words[4])
    }
    return nil
  }
}
