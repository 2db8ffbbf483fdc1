import Files
import Glibc

/// An emoji font that keeps its pictures as PNG files, such as Noto Color Emoji.
///
/// Mapped, and read without a shaping library: a sequence of code points becomes glyphs through the
/// character map and one glyph through the ligatures; the glyph has a picture or has none.
package struct ColorEmojiFont: Sendable {
  /// Where Debian's package `fonts-noto-color-emoji` puts the font.
  package static let debianPath = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

  /// Size of the pictures on the font's grid, in pixels per em.
  package var pixelsPerEm: Int { bitmaps.pixelsPerEm }

  private let characters: CharacterMap
  private let ligatures: Ligatures
  private let bitmaps: ColorBitmaps

  /// Opens a font file.
  ///
  /// - Throws: `DemoError` when it is missing or contradicts its format.
  package init(_ path: String = debianPath) throws(DemoError) {
    let file: FontFile
    do throws(FileError) {
      file = try FontFile(mapping: path)
    } catch {
      if error.code == ENOENT {
        throw .missing(path: path, package: "fonts-noto-color-emoji")
      }
      throw .file(error)
    }
    try self.init(file)
  }

  /// Opens a font in memory.
  package init(bytes: [UInt8]) throws(DemoError) { try self.init(FontFile(bytes)) }

  private init(_ file: FontFile) throws(DemoError) {
    characters = try CharacterMap(file.table("cmap"))
    ligatures = try Ligatures(file.table("GSUB"))
    bitmaps = try ColorBitmaps(locations: file.table("CBLC"), data: file.table("CBDT"))
  }

  /// The one glyph that stands for an emoji; `nil` when the font has none for it.
  ///
  /// - Parameter emoji: One or more code points; variation selectors (U+FE0F) do not matter.
  /// - Returns: The number of the glyph.
  package func glyph(_ emoji: String) -> Int? {
    var glyphs: [Int] = []
    for scalar in emoji.unicodeScalars where scalar != Annotations.emojiSelector {
      guard let glyph = characters.glyph(scalar) else { return nil }
      glyphs.append(glyph)
    }
    let joined = ligatures.joined(glyphs)
    return joined.count == 1 ? joined[0] : nil
  }

  /// The picture of an emoji as a PNG file; `nil` when the font has none for it.
  package func png(_ emoji: String) throws(DemoError) -> [UInt8]? {
    guard let glyph = glyph(emoji) else { return nil }
    return try bitmaps.png(glyph)
  }
}
