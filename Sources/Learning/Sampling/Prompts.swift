import Files
import Foundation
import Text

/// Files of prompts.
package enum Prompts {
  /// A file of more bytes is no list of prompts.
  private static let maximumSize = 64 << 20

  /// The lines of a UTF-8 file that are not empty.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - noun: What a line is, for what is said of a file that has none.
  /// - Returns: At least one line, without white space around it.
  /// - Throws: `FileError` or `SamplingError`, which name the file.
  package static func lines(of path: String, each noun: String = "prompt") throws -> [String] {
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    guard file.bytes.count <= maximumSize else {
      throw SamplingError(
        "\(path) is no file of \(noun)s: it has \(Text.bytes(Double(file.bytes.count))), and at most "
          + "\(Text.bytes(Double(maximumSize))) are read"
      )
    }
    guard let text = String(validating: file.bytes, as: UTF8.self), !text.contains("\0") else {
      let kind = FileKind.guess(file.bytes) ?? "something else"
      throw SamplingError("\(path) is no UTF-8 text of \(noun)s, one a line: it looks like \(kind)")
    }
    if let kind = Self.otherKind(text, file.bytes) {
      throw SamplingError("\(path) is no text of \(noun)s, one a line: it looks like \(kind)")
    }
    // Editors on Windows begin a text with a mark of its byte order.
    let blank = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "\u{FEFF}"))
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: blank) }
      .filter { !$0.isEmpty }
    if lines.isEmpty { throw SamplingError("\(path) holds no \(noun)") }
    return lines
  }

  /// What a text is whose lines are no prompts; `nil` for prompts, which may begin with brackets too.
  private static func otherKind(_ text: String, _ bytes: UnsafeRawBufferPointer) -> String? {
    guard let kind = FileKind.guess(bytes) else { return nil }
    if kind == "JSON" {
      // Any error means that it is none.
      return (try? JSONSerialization.jsonObject(with: Data(bytes))) == nil ? nil : kind
    }
    let start = text.prefix(100).drop { $0.isWhitespace || $0 == "\u{feff}" }.lowercased()
    let pages = ["<!doctype", "<html", "<?xml"]
    return kind.contains("Git LFS") || pages.contains(where: start.hasPrefix) ? kind : nil
  }
}
