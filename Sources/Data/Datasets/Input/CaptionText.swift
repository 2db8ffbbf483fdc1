import Foundation

/// Captions in text files.
package enum CaptionText {
  /// The captions in a text file: its lines, trimmed, without empty ones.
  static func lines(_ text: [UInt8]) -> [String] {
    lines(utf16(text) ?? String(decoding: text, as: UTF8.self))
  }

  /// One caption: a line end inside of it is white space, not the start of another caption.
  static func single(_ text: String) -> String { lines(text).joined(separator: " ") }

  /// Whether a text is valid UTF-8, or UTF-16 with its mark; broken bytes would become U+FFFD.
  static func isValid(_ text: [UInt8]) -> Bool {
    String(validating: text, as: UTF8.self) != nil || utf16(text) != nil
  }

  /// A text of UTF-16 that begins with the mark of its byte order, as editors on Windows save "Unicode";
  /// `nil` for any other.
  private static func utf16(_ text: [UInt8]) -> String? {
    let isBig = text.starts(with: [0xfe, 0xff])
    guard text.count % 2 == 0, isBig || text.starts(with: [0xff, 0xfe]) else { return nil }
    let units = stride(from: 2, to: text.count, by: 2).map { index in
      UInt16(text[index + (isBig ? 0 : 1)]) << 8 | UInt16(text[index + (isBig ? 1 : 0)])
    }
    return String(validating: units, as: UTF16.self)
  }

  private static func lines(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces.union(.init(charactersIn: "\u{FEFF}"))) }
      .filter { !$0.isEmpty }
  }

  /// The parts of a caption that is too long for CLIP: split at every '.' and ',', without blank ones.
  ///
  /// The original embeds each part and takes the mean of their features.
  package static func parts(_ caption: String) -> [String] {
    caption.split { $0 == "." || $0 == "," }
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }
}
