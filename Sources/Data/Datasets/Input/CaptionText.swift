import Foundation

/// Captions in text files.
package enum CaptionText {
  /// The captions in a text file: its lines, trimmed, without empty ones.
  static func lines(_ text: [UInt8]) -> [String] {
    lines(String(decoding: text, as: UTF8.self))
  }

  /// One caption: a line end inside of it is white space, not the start of another caption.
  static func single(_ text: String) -> String { lines(text).joined(separator: " ") }

  /// Whether a text is valid UTF-8; broken bytes would become U+FFFD.
  static func isUTF8(_ text: [UInt8]) -> Bool { String(validating: text, as: UTF8.self) != nil }

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
