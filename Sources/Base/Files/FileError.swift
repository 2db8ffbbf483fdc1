import CSignals
import Glibc
package import Synchronization

/// A file operation that the system refused, in one line: what, where, why, and what to do.
package struct FileError: Error, Equatable, CustomStringConvertible {
  /// What was tried, as a verb: "open", "write".
  package let operation: String
  /// The file it was tried on.
  package let path: String
  /// The system's error number, `errno`; 0 when the refusal is ours.
  package let code: Int32
  /// Why, in words.
  package let reason: String

  /// A refusal by the system.
  package init(_ operation: String, path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
    self.reason = String(cString: strerror(code))
  }

  /// A refusal of our own.
  package init(_ operation: String, path: String, reason: String) {
    self.operation = operation
    self.path = path
    self.code = 0
    self.reason = reason
  }

  /// A refusal of our own that callers know by a system's code.
  package init(_ operation: String, path: String, code: Int32, reason: String) {
    self.operation = operation
    self.path = path
    self.code = code
    self.reason = reason
  }

  package var description: String { "cannot \(operation) \(path): \(reason)\(hint)" }

  /// What goes on with the work when there is room again; a training run has a command of its own.
  package static let remedy = Mutex("run the same command again")

  /// Says what goes on with the work, in errors and where a mapped file is cut while it is read.
  package static func goOn(by remedy: String) {
    self.remedy.withLock { $0 = remedy }
    csignals_set_advice(remedy)
  }

  private var hint: String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space and " + Self.remedy.withLock { $0 }
    case EFBIG: "; raise the limit on file sizes (ulimit -f) and " + Self.remedy.withLock { $0 }
    case EACCES, EPERM, EROFS: "; check the permissions of the folder"
    case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
    default: ""
    }
  }
}
