import CImages
import Files

/// What an encoded image may ask for.
package struct DecodeLimits: Sendable, Equatable {
  /// The most pixels that are decoded, at 3 bytes each and up to 6 more meanwhile.
  package let maximumPixels: Int

  /// Limits with a chosen number of pixels; the default is the one at which PIL refuses.
  package init(maximumPixels: Int = 178_956_970) {
    precondition(
      (1...1 << 29).contains(maximumPixels),
      "maximumPixels must be in 1...\(1 << 29), not \(maximumPixels)"
    )
    self.maximumPixels = maximumPixels
  }
}

/// What becomes of transparency.
package enum AlphaHandling: Sendable {
  /// The picture is laid on white paper.
  case onWhite
  /// Alpha is ignored, as PIL's `convert("RGB")` does: hidden colours come to light.
  case dropAsPIL
}

extension RGBImage {
  /// Decodes a JPEG, PNG, WebP, GIF or AVIF file; of several pictures the first.
  ///
  /// Colours come out as PIL's `convert("RGB")` gives them, with two deliberate differences: alpha
  /// is laid on white unless asked otherwise, and 16-bit grey keeps its high byte (PIL clips it,
  /// which whitens nearly everything). Embedded colour profiles are ignored, as PIL ignores them.
  ///
  /// - Parameters:
  ///   - bytes: The whole file; may be anything.
  ///   - limits: Checked against the header before any pixel is allocated.
  ///   - alpha: What becomes of transparency.
  ///   - appliesOrientation: Whether the EXIF orientation of a JPEG, PNG or WebP turns the picture
  ///     upright.
  /// - Throws: `ImageError`; never a partly decoded picture.
  package init(
    decoding bytes: UnsafeRawBufferPointer,
    limits: DecodeLimits = .init(),
    alpha: AlphaHandling = .onWhite,
    appliesOrientation: Bool = false
  ) throws(ImageError) {
    let header = try ImageHeader.probe(bytes)
    let pixelCount = try Self.expectRoom(for: header, limits)
    let image = RGBImage(
      width: header.width,
      height: header.height,
      pixels: try Self.pixels(of: bytes, header: header, alpha: alpha)
    )
    let orientation = appliesOrientation ? Orientation(exifOf: bytes) : .upright
    if header.turned != .upright || orientation != .upright {
      guard cimages_has_memory(2 * 3 * pixelCount) else { throw .outOfMemory }
    }
    // The container's orientation is part of the picture; EXIF is metadata.
    self = image.turned(header.turned).turned(orientation)
  }

  /// Decodes a file; see `init(decoding:limits:alpha:appliesOrientation:)`.
  package init(
    decoding bytes: [UInt8],
    limits: DecodeLimits = .init(),
    alpha: AlphaHandling = .onWhite,
    appliesOrientation: Bool = false
  ) throws(ImageError) {
    self = try bytes.withUnsafeBytes { buffer in
      Result { () throws(ImageError) in
        try RGBImage(
          decoding: buffer,
          limits: limits,
          alpha: alpha,
          appliesOrientation: appliesOrientation
        )
      }
    }.get()
  }

  /// Reads and decodes a file; the format is found by content, not by name.
  package init(
    contentsOf path: String,
    limits: DecodeLimits = .init(),
    alpha: AlphaHandling = .onWhite,
    appliesOrientation: Bool = false
  ) throws(ImageError) {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw .file(error) }
    self = try withExtendedLifetime(file) {
      Result { () throws(ImageError) in
        try RGBImage(
          decoding: file.bytes,
          limits: limits,
          alpha: alpha,
          appliesOrientation: appliesOrientation
        )
      }
    }.get()
  }

  /// Checks that a file can be decoded, without keeping its pixels.
  ///
  /// A JPEG is read as a whole, but computed at an eighth of its size.
  ///
  /// - Parameters:
  ///   - bytes: The whole file; may be anything.
  ///   - limits: Checked against the header before any pixel is allocated.
  /// - Throws: `ImageError`, where `init(decoding:limits:)` throws one.
  package static func expectDecodable(
    _ bytes: UnsafeRawBufferPointer,
    limits: DecodeLimits = .init()
  ) throws(ImageError) {
    let header = try ImageHeader.probe(bytes)
    guard header.format == .jpeg else {
      _ = try RGBImage(decoding: bytes, limits: limits)
      return
    }
    let pixelCount = try expectRoom(for: header, limits)
    let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    var message = cimages_message()
    let status = cimages_jpeg_check(base, bytes.count, 3 * pixelCount, &message)
    if let error = ImageError(status, header.format, message) { throw error }
  }

  /// The number of a picture's pixels, if they are within the limits and the memory.
  private static func expectRoom(
    for header: ImageHeader,
    _ limits: DecodeLimits
  ) throws(ImageError) -> Int {
    let (pixelCount, overflow) = header.width.multipliedReportingOverflow(by: header.height)
    guard !overflow, pixelCount <= limits.maximumPixels, pixelCount > 0 else {
      throw .tooManyPixels(
        width: header.width,
        height: header.height,
        limit: limits.maximumPixels
      )
    }
    // Swift's arrays end the process where there is no memory. Twice: who decodes a picture crops, turns or
    // resizes it next.
    guard cimages_has_memory(2 * 3 * pixelCount) else { throw .outOfMemory }
    return pixelCount
  }

  private static func pixels(
    of bytes: UnsafeRawBufferPointer,
    header: ImageHeader,
    alpha: AlphaHandling
  ) throws(ImageError) -> [UInt8] {
    let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    let alpha = alpha == .onWhite ? CIMAGES_ALPHA_WHITE : CIMAGES_ALPHA_DROP
    var message = cimages_message()
    var status = CIMAGES_OK
    let size = header.width * header.height * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let rgb = buffer.baseAddress
      status =
        switch header.format {
        case .jpeg: cimages_jpeg_decode(base, bytes.count, rgb, size, &message)
        case .png: cimages_png_decode(base, bytes.count, alpha, rgb, size, &message)
        case .webp: cimages_webp_decode(base, bytes.count, alpha, rgb, size, &message)
        case .gif: cimages_gif_decode(base, bytes.count, alpha, rgb, size, &message)
        case .avif: cimages_avif_decode(base, bytes.count, alpha, rgb, size, &message)
        }
      count = status == CIMAGES_OK ? size : 0
    }
    if let error = ImageError(status, header.format, message) { throw error }
    return pixels
  }
}
