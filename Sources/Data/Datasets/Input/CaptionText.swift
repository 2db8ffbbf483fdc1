import Foundation

/// Captions as text files hold them.
package enum CaptionText {
  /// The captions in a text file: its lines without white space around them, empty ones left out.
  static func lines(_ text: [UInt8]) -> [String] {
    lines(String(decoding: text, as: UTF8.self))
  }

  /// One caption of any form: an end of line inside of it is white space, not another caption.
  static func single(_ text: String) -> String { lines(text).joined(separator: " ") }

  /// Whether a text is what it claims to be; broken bytes would become U+FFFD.
  static func isUTF8(_ text: [UInt8]) -> Bool { String(validating: text, as: UTF8.self) != nil }

  private static func lines(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces.union(.init(charactersIn: "\u{FEFF}"))) }
      .filter { !$0.isEmpty }
  }

  /// The parts of a caption that is too long for CLIP: split at every '.' and ',', blank ones left
  /// out.
  ///
  /// The original embeds each part and takes the mean of their features.
  package static func parts(_ caption: String) -> [String] {
    caption.split { $0 == "." || $0 == "," }
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }
}
