import Foundation

/// Captions as text files hold them.
package enum CaptionText {
  /// The captions in a text file: its lines without white space around them, empty ones left out.
  static func lines(_ text: [UInt8]) -> [String] {
    String(decoding: text, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
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
