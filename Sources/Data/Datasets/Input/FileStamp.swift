import Foundation
import Glibc

/// The identity of a file and its version, without reading it.
///
/// A continued packer must not mix two sources of equal names, nor two versions of an edited one. A source
/// that was moved counts as another one: packing it again costs time, mixing two costs the dataset.
enum FileStamp {
  /// The absolute path, with links resolved.
  static func location(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return URL(filePath: path).standardized.path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Size and time of the last change, to the nanosecond; `-` for a missing file.
  static func state(_ path: String) -> String {
    path.withCString { state(UnsafeBufferPointer(start: $0, count: path.utf8.count + 1)) }
  }

  /// The same, of a zero-terminated path.
  static func state(_ path: [CChar]) -> String { path.withUnsafeBufferPointer { state($0) } }

  private static func state(_ path: UnsafeBufferPointer<CChar>) -> String {
    var status = stat()
    guard let start = path.baseAddress, stat(start, &status) == 0 else { return "-" }
    return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }

  /// Location and state.
  static func of(_ path: String) -> String { "\(location(path)) \(state(path))" }
}
