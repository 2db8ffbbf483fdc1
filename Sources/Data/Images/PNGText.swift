import Files

/// A text that a PNG file carries beside its pixels, in an `iTXt` chunk.
package struct PNGText: Equatable, Sendable {
  /// What the text is about: 1 to 79 printable ASCII characters.
  package let keyword: String
  /// The text itself, UTF-8 in the file.
  package let text: String

  /// A text under a keyword.
  package init(keyword: String, text: String) {
    precondition(
      (1...79).contains(keyword.utf8.count) && keyword.utf8.allSatisfy { (32...126).contains($0) },
      "no keyword of a PNG text: \(keyword)"
    )
    self.keyword = keyword
    self.text = text
  }

  private init(read keyword: String, text: String) {
    (self.keyword, self.text) = (keyword, text)
  }

  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  /// Signature and IHDR chunk: texts stand behind them, before the pixels.
  private static let headBytes = 33
  private static let type = Array("iTXt".utf8)

  /// A PNG file with texts added.
  ///
  /// - Parameters:
  ///   - texts: What is added.
  ///   - png: A whole file, as `encodedPNG` makes it.
  /// - Returns: The file with a chunk a text.
  package static func adding(_ texts: [PNGText], to png: [UInt8]) -> [UInt8] {
    precondition(png.count > headBytes && png.starts(with: signature), "no PNG file")
    return png[..<headBytes] + texts.flatMap(\.chunk) + png[headBytes...]
  }

  /// The uncompressed international texts of a PNG file.
  ///
  /// - Parameter png: The file; may be anything.
  /// - Returns: The texts before the pixels end; none for bytes that are no PNG. A damaged chunk ends
  ///   the list.
  package static func texts(in png: [UInt8]) -> [PNGText] {
    guard png.starts(with: signature) else { return [] }
    var texts: [PNGText] = []
    var position = signature.count
    while png.count - position >= 12 {
      let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= png.count - position - 12 else { break }
      let name = png[position + 4..<position + 8]
      let end = position + 8 + length
      if name.elementsEqual("IEND".utf8) { break }
      if name.elementsEqual(type) {
        let sum = png[end..<end + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard checksum(png[position + 4..<end]) == sum else { break }
        if let text = PNGText(chunkData: png[position + 8..<end]) { texts.append(text) }
      }
      position = end + 4
    }
    return texts
  }

  /// Keyword, 0, compressed, method, language, 0, translated keyword, 0, text.
  private init?(chunkData data: ArraySlice<UInt8>) {
    guard let first = data.firstIndex(of: 0), data.endIndex - first > 3, data[first + 1] == 0,
      let language = data[(first + 3)...].firstIndex(of: 0),
      let translated = data[(language + 1)...].firstIndex(of: 0),
      let text = String(validating: data[(translated + 1)...], as: UTF8.self)
    else { return nil }
    self.init(read: String(decoding: data[..<first], as: UTF8.self), text: text)
  }

  private var chunk: [UInt8] {
    let data = Array(keyword.utf8) + [0, 0, 0, 0, 0] + Array(text.utf8)
    let body = Self.type + data
    return Self.bytes(UInt32(data.count)) + body + Self.bytes(Self.checksum(body[...]))
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { CRC32.of($0) }
  }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}

extension RGBImage {
  /// The picture as a PNG file that carries texts; see `encodedPNG(level:)`.
  package func encodedPNG(texts: [PNGText], level: Int = 2) throws(ImageError) -> [UInt8] {
    PNGText.adding(texts, to: try encodedPNG(level: level))
  }

  /// Writes the picture as a PNG file that appears under its name only when it is complete.
  package func write(png path: String, texts: [PNGText], level: Int = 2) throws(ImageError) {
    let bytes = try encodedPNG(texts: texts, level: level)
    do throws(FileError) { try AtomicFile.write(bytes, to: path) } catch { throw .file(error) }
  }
}
