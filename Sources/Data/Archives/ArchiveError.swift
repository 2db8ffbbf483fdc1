package import Files
import Glibc

/// Why an archive cannot be read, in one line: what, where, and what to do.
package enum ArchiveError: Error, Equatable, CustomStringConvertible {
  /// The system refused a file operation.
  case file(FileError)
  /// There is no file of this name.
  case missing(path: String)
  /// The file is no zip archive, or its directory is damaged.
  case notAZip(path: String, reason: String)
  /// An entry of an archive breaks its own rules.
  case damaged(path: String, entry: String, reason: String)
  /// An entry uses something valid that nifty does not read.
  case unsupported(path: String, entry: String, reason: String)

  package var description: String {
    switch self {
    case .file(let error): error.description
    case .missing(let path):
      "cannot open \(path): no such file; "
        + (isAddress(path) ? "it is an address: " + addressAdvice : "check the path")
    case .notAZip(let path, let reason):
      "\(path) is not a readable zip: \(reason); download or pack it again"
    case .damaged(let path, let entry, let reason):
      "\(path): \(entry) is damaged: \(reason); download or pack it again"
    case .unsupported(let path, let entry, let reason): "\(path): cannot read \(entry): \(reason)"
    }
  }

  /// What is wrong, without the file that it is about.
  package var reason: String {
    switch self {
    case .file(let error): error.reason
    case .missing: description
    case .notAZip(_, let reason), .damaged(_, _, let reason), .unsupported(_, _, let reason): reason
    }
  }
}

extension MappedBytes {
  /// Maps the file of an archive.
  ///
  /// - Throws: `ArchiveError` when there is none, or the system refuses.
  package static func archive(_ path: String) throws(ArchiveError) -> MappedBytes {
    do throws(FileError) { return MappedBytes(try MappedFile(path)) } catch {
      throw error.code == ENOENT ? .missing(path: path) : .file(error)
    }
  }
}
