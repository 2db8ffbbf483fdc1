import Foundation
import Glibc
import Synchronization

/// A lock on an open file or folder, which ends with its descriptor or its process.
///
/// A file system may lack locks (some network file systems, or a share mounted without them). There the
/// work continues after one warning: the user must keep two processes apart.
package enum FileLock {
  private static let warned = Mutex<Set<String>>([])

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - descriptor: The open file.
  ///   - path: The locked path, for the message.
  ///   - work: The holder's work as a verb, for the message.
  /// - Throws: `FileError` that names the holder, with the code `EWOULDBLOCK`; with the system's own code if
  ///   locking failed otherwise.
  package static func take(_ descriptor: Int32, on path: String, to work: String) throws(FileError)
  {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK:
        let who = holder(descriptor).map { "process \($0)" } ?? "another process"
        throw FileError(
          work,
          path: path,
          code: EWOULDBLOCK,
          reason: "\(who) is using it; wait for it or end it"
        )
      case let code where isUnsupported(code):
        warn(path)
        return
      default: throw FileError("lock", path: path)
      }
    }
  }

  /// Releases the lock; to be called before the descriptor is closed.
  ///
  /// A child process has a copy of the descriptor, and the lock with it, between fork and exec.
  package static func release(_ descriptor: Int32) { flock(descriptor, LOCK_UN) }

  /// Whether an error of flock(2) means that the file system has no locks.
  static func isUnsupported(_ code: Int32) -> Bool {
    [ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL].contains(code)
  }

  private static func warn(_ path: String) {
    guard warned.withLock({ $0.insert(path).inserted }) else { return }
    let line = "the file system of \(path) has no locks: let no other nifty work there meanwhile\n"
    // There is no other channel for this error.
    try? writeAll(Array(line.utf8), to: STDERR_FILENO, path: "standard error")
  }

  /// Whether a path still names an open file: another process may have renamed or removed it between
  /// opening and locking.
  package static func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var (own, named) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(path, &named) == 0
      && own.st_ino == named.st_ino && own.st_dev == named.st_dev
  }

  /// The holder of a folder's lock; `nil` if no process of this machine has it.
  ///
  /// The lock itself is not touched: another process may take it meanwhile.
  package static func holder(ofFolder path: String) -> Int? { holder(of: path, O_DIRECTORY) }

  /// The same of a file.
  package static func holder(ofFile path: String) -> Int? { holder(of: path, O_NONBLOCK) }

  private static func holder(of path: String, _ flags: Int32) -> Int? {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags)
    if descriptor < 0 { return nil }
    defer { close(descriptor) }
    return holder(descriptor)
  }

  /// The holder of the lock, from the kernel's list: `1: FLOCK ADVISORY WRITE 42 08:01:7 0 EOF`.
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
