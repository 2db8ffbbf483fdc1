import Foundation
import Glibc

/// What tells a file from others, and from an earlier state of itself, without reading it.
///
/// A packer that goes on must not mix two sources of equal names, nor the two states of an edited
/// one. A source that was moved counts as another one: to pack it again costs time, to mix two costs
/// the dataset.
enum FileStamp {
  /// Where a path leads to: from the root on, without links.
  static func place(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return URL(filePath: path).standardized.path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Size and time of the last change, to the nanosecond; `-` where nothing is.
  static func state(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return "-" }
    return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }

  /// Both.
  static func of(_ path: String) -> String { "\(place(path)) \(state(path))" }
}
