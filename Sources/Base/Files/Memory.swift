import CFiles
import Glibc

/// The memory of the process.
package enum Memory {
  /// Returns free heap memory to the system; takes some milliseconds.
  ///
  /// The heap fragments: freed blocks stay between used ones, and a long run with buffers of varying sizes
  /// grows by them.
  package static func trim() { malloc_trim(0) }

  /// A size that the kernel knows of this process.
  package enum Size: String {
    /// The resident memory now.
    case resident = "VmRSS:"
    /// Its peak, which unlike `getrusage`'s is not inherited from the parent.
    case peak = "VmHWM:"
  }

  /// Bytes of this process; `nil` where `/proc` is not mounted.
  package static func bytes(_ size: Size) -> Int? {
    kilobytes(size.rawValue, in: "/proc/self/status").map { $0 * 1024 }
  }

  /// Bytes that the machine can give without swapping; `nil` where `/proc` is not mounted.
  package static var available: Int? {
    kilobytes("MemAvailable:", in: "/proc/meminfo").map { $0 * 1024 }
  }

  /// The number in a line of a file of `/proc`.
  private static func kilobytes(_ name: String, in path: String) -> Int? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
        as: UTF8.self
      )
      if let number = kilobytes(name, of: text) { return number }
    }
    return nil
  }

  /// The number of kilobytes in a line such as "VmHWM:    1024 kB".
  static func kilobytes(_ name: String, of line: String) -> Int? {
    guard line.hasPrefix(name) else { return nil }
    let words = line.dropFirst(name.count).split { $0 == " " || $0 == "\t" || $0 == "\n" }
    return words.first.flatMap { Int($0) }
  }
}
