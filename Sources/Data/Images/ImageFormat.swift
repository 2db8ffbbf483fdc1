/// A file format that is decoded here.
package enum ImageFormat: String, Sendable, CaseIterable, CustomStringConvertible {
  /// Baseline and progressive, grey, YCbCr and CMYK.
  case jpeg = "JPEG"
  /// Every colour type and depth.
  case png = "PNG"
  /// Lossy and lossless; of an animation the first picture.
  case webp = "WebP"
  /// The first picture, also of an animation.
  case gif = "GIF"
  /// Still pictures, and the first one of a sequence.
  case avif = "AVIF"

  package var description: String { rawValue }

  /// Recognises a format by its first bytes; names and MIME types on the web are often wrong.
  ///
  /// - Parameter bytes: A whole file or at least its first 12 bytes.
  package init?(detecting bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webp
    } else if bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8) {
      self = .gif
    } else if Self.brands(bytes).contains(where: { $0.starts(with: "avi".utf8) }) {
      self = .avif
    } else {
      return nil
    }
  }

  /// The brands in the file type box that an ISO media file begins with.
  private static func brands(
    _ bytes: UnsafeRawBufferPointer
  ) -> [Slice<UnsafeRawBufferPointer>] {
    guard bytes.count >= 16, bytes.dropFirst(4).starts(with: "ftyp".utf8) else { return [] }
    let size = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    // The major brand, its version, and those that it is compatible with.
    let starts = [8] + Array(stride(from: 16, to: min(size, bytes.count, 256) - 3, by: 4))
    return starts.map { bytes[$0..<$0 + 4] }
  }
}
