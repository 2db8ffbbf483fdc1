import CImages
import Files

/// Format and size of an encoded image, read without decoding it.
package struct ImageHeader: Sendable, Equatable {
  /// The file format, by its first bytes.
  package let format: ImageFormat
  /// Pixels per row as stored, before any EXIF orientation.
  package let width: Int
  /// Rows as stored.
  package let height: Int
  /// Whether pixels can be transparent.
  package let hasAlpha: Bool
  /// How the container says that the picture is turned, apart from EXIF.
  let turned: Orientation

  /// Reads the header at the start of `bytes`.
  ///
  /// - Throws: `ImageError` for an unknown format or a broken header.
  package static func probe(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
    guard let format = ImageFormat(detecting: bytes) else {
      throw .unknownFormat(FileKind.guess(bytes) ?? "something else")
    }
    let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    var header = cimages_header()
    var message = cimages_message()
    var turned: Int32 = 1
    let status =
      switch format {
      case .jpeg: cimages_jpeg_header(base, bytes.count, &header, &message)
      case .png: cimages_png_header(base, bytes.count, &header, &message)
      case .webp: cimages_webp_header(base, bytes.count, &header, &message)
      case .gif: cimages_gif_header(base, bytes.count, &header, &message)
      case .avif: cimages_avif_header(base, bytes.count, &header, &turned, &message)
      }
    if let error = ImageError(status, format, message) { throw error }
    return ImageHeader(
      format: format,
      width: Int(header.width),
      height: Int(header.height),
      hasAlpha: header.has_alpha,
      turned: Orientation(rawValue: Int(turned)) ?? .upright
    )
  }

  /// Reads the header at the start of `bytes`.
  package static func probe(_ bytes: [UInt8]) throws(ImageError) -> ImageHeader {
    try bytes.withUnsafeBytes { buffer in
      Result { () throws(ImageError) in try probe(buffer) }
    }.get()
  }
}

extension ImageError {
  /// The error of a codec's status; `nil` for success.
  init?(_ status: cimages_status, _ format: ImageFormat, _ message: cimages_message) {
    let reason = withUnsafeBytes(of: message.text) { buffer in
      String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch status {
    case CIMAGES_OK: return nil
    case CIMAGES_TRUNCATED: self = .truncated(format, reason: reason)
    case CIMAGES_UNSUPPORTED: self = .unsupported(format, reason: reason)
    case CIMAGES_NO_MEMORY: self = .outOfMemory
    default: self = .corrupt(format, reason: reason)
    }
  }
}
