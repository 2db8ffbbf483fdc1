import Foundation
import Glibc

/// The captions of a dataset: one JSON array of strings per line, found by their newlines.
struct CaptionLines: Sendable {
  private let text: MappedBytes
  /// Where each line starts, and at last the end of the text.
  private let starts: [Int]

  /// Number of lines.
  var count: Int { starts.count - 1 }

  /// Finds the lines: one fast pass over the text.
  init(_ text: MappedBytes) {
    self.text = text
    starts = text.withBytes { bytes in
      var starts = [0]
      guard let base = bytes.baseAddress else { return starts }
      while let last = starts.last, last < bytes.count {
        guard let newline = memchr(base + last, 0x0A, bytes.count - last) else {
          starts.append(bytes.count)
          break
        }
        starts.append(UnsafeRawPointer(newline) - base + 1)
      }
      return starts
    }
  }

  /// The strings of a line; `nil` when it holds something else.
  subscript(line: Int) -> [String]? {
    let range = starts[line]..<starts[line + 1]
    let data = text.withBytes { Data($0[range]) }
    return try? JSONDecoder().decode([String].self, from: data)
  }
}
