import Files
import Foundation
import Glibc

/// The lines of a text, indexed in one fast pass.
struct TextLines: Sendable {
  private let text: MappedBytes
  /// The start of each line, then the end of the text.
  private let starts: [Int]

  /// Number of lines.
  var count: Int { starts.count - 1 }

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

  /// Calls `body` with the bytes of a line, line end included.
  func withLine<Value>(_ line: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    let range = starts[line]..<starts[line + 1]
    return text.withBytes { body($0.slice(range)) }
  }

  /// A line without its line end.
  subscript(line: Int) -> String {
    withLine(line) { bytes in
      let end = bytes.last == 0x0A ? bytes.count - 1 : bytes.count
      return String(decoding: bytes[..<end], as: UTF8.self)
    }
  }
}

/// The captions of a dataset: one JSON array of strings per line.
struct CaptionLines: Sendable {
  private let lines: TextLines

  /// Number of lines.
  var count: Int { lines.count }

  /// Finds the lines.
  init(_ text: MappedBytes) { lines = TextLines(text) }

  /// The strings of a line; `nil` if it is no array of strings.
  subscript(line: Int) -> [String]? {
    let data = lines.withLine(line) { Data($0) }
    return try? JSONDecoder().decode([String].self, from: data)
  }
}
