import CSignals
import Glibc
package import Synchronization

/// A failed file operation, in one line: what, where, why, and what to do.
package struct FileError: Error, Equatable, CustomStringConvertible {
  /// The operation, as a verb: "open", "write".
  package let operation: String
  /// The file.
  package let path: String
  /// The system's error number, `errno`; 0 for an error of our own.
  package let code: Int32
  /// The reason in words.
  package let reason: String

  /// An error of the system.
  package init(_ operation: String, path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
    self.reason = String(cString: strerror(code))
  }

  /// An error of our own.
  package init(_ operation: String, path: String, reason: String) {
    self.operation = operation
    self.path = path
    self.code = 0
    self.reason = reason
  }

  /// An error of our own under one of the system's codes.
  package init(_ operation: String, path: String, code: Int32, reason: String) {
    self.operation = operation
    self.path = path
    self.code = code
    self.reason = reason
  }

  package var description: String { "cannot \(operation) \(path): \(reason)\(hint)" }

  /// The advice on a full disk: how to continue; a training run has a command of its own.
  package static let remedy = Mutex("run the same command again")

  /// Sets the advice on how to continue, for errors and for a mapped file that is cut while it is read.
  package static func setAdvice(_ remedy: String) {
    self.remedy.withLock { $0 = remedy }
    csignals_set_advice(remedy)
  }

  private var hint: String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space and " + Self.remedy.withLock { $0 }
    case EFBIG: "; raise the limit on file sizes (ulimit -f) and " + Self.remedy.withLock { $0 }
    case EACCES, EPERM, EROFS: "; check the permissions of the folder"
    case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
    case ENAMETOOLONG: "; give a shorter name"
    case ENOENT where isAddress(path): "; it is an address: " + addressAdvice
    case ENOENT where operation == "create": "; make its folder first"
    default: ""
    }
  }
}
