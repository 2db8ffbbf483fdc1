import Files
package import Images

/// One picture of the demonstration with its captions.
package struct DemoPicture: Sendable {
  /// What the picture is made of.
  package enum Content: Sendable {
    /// A PNG file with transparency.
    case png([UInt8])
    /// The path of an SVG file that fills its page.
    case svg(String)
    /// The path of an SVG file that may be small on its page: its foreground, what is not white, is shown alone.
    case trimmedSVG(String)
    /// The path of a PNG file of any shape and size, of which the same is shown.
    case trimmedPNG(String)
  }

  /// Pixels of a side of what is drawn from SVG: those of Noto's strikes, nearly.
  package static let drawnSide = 128

  /// The name of its file, without suffix; no two pictures of a set share it.
  package let name: String
  /// Captions, best first.
  package let captions: [String]
  /// What two pictures of the same thing share: held-out captions are held out of every style.
  package let subject: String
  /// Whether it belongs to the theme of fine-tuning: animals, plants and food.
  package let isOfTheme: Bool
  /// The SPDX name of its licence.
  package let license: String
  /// The picture itself.
  package let content: Content

  /// Makes a picture of its parts.
  package init(
    name: String,
    captions: [String],
    subject: String,
    isOfTheme: Bool,
    license: String,
    content: Content
  ) {
    self.name = name
    self.captions = captions
    self.subject = subject
    self.isOfTheme = isOfTheme
    self.license = license
    self.content = content
  }

  /// An emoji as the font draws it.
  package init(_ emoji: Emoji, themeGroups: Set<String> = EmojiGroups.theme) {
    self.init(
      name: emoji.name,
      captions: emoji.captions,
      subject: emoji.english.name,
      isOfTheme: themeGroups.contains(emoji.group ?? ""),
      license: "OFL-1.1",
      content: .png(emoji.png)
    )
  }

  /// The same with another content.
  func with(_ content: Content) -> DemoPicture {
    DemoPicture(
      name: name,
      captions: captions,
      subject: subject,
      isOfTheme: isOfTheme,
      license: license,
      content: content
    )
  }

  /// The picture on white.
  ///
  /// - Throws: `DemoError` when its file is damaged or gone.
  package func image() throws(DemoError) -> RGBImage {
    switch content {
    case .png(let bytes): return try Self.decoded(bytes)
    case .svg(let path):
      return try VectorDrawing.image(Self.bytes(path), side: Self.drawnSide)
    case .trimmedSVG(let path):
      return try VectorDrawing.trimmedImage(Self.bytes(path), page: 4 * Self.drawnSide)
        .resized(width: Self.drawnSide, height: Self.drawnSide)
    case .trimmedPNG(let path):
      let image = try Self.decoded(Self.bytes(path))
      let whole = PictureBox(left: 0, top: 0, right: image.width, bottom: image.height)
      return image.squared(image.foreground ?? whole)
        .resized(width: Self.drawnSide, height: Self.drawnSide)
    }
  }

  private static func decoded(_ png: [UInt8]) throws(DemoError) -> RGBImage {
    do throws(ImageError) { return try RGBImage(decoding: png, alpha: .onWhite) } catch {
      throw .image(error)
    }
  }

  /// Width and height as metadata state them; `nil` where the file does not tell.
  var size: (width: Int, height: Int)? {
    switch content {
    case .png(let bytes):
      guard let header = try? ImageHeader.probe(bytes) else { return nil }
      return (header.width, header.height)
    case .svg, .trimmedSVG, .trimmedPNG: return (Self.drawnSide, Self.drawnSide)
    }
  }

  /// The bytes of a small file.
  static func bytes(_ path: String) throws(DemoError) -> [UInt8] {
    do throws(FileError) {
      return try MappedFile(path).withBytes(Array.init)
    } catch {
      throw .file(error)
    }
  }
}
