/// Pictures of one size, one after the other, as an animated WebP file.
///
/// libwebp encodes each frame; the container around them is written here (RFC 9649, section 2.7).
package struct AnimatedWebP: Sendable {
  /// Width of the frames in pixels.
  package let width: Int
  /// Height of the frames in pixels.
  package let height: Int
  /// Number of frames so far.
  package private(set) var count = 0
  private var frames: [UInt8] = []
  private let largestFile: Int

  /// Bytes of the largest file: its size is kept in 32 bits (RFC 9649, section 2.4).
  package static let largestFile = 1 << 32 - 2

  /// The quality that fits frames of a size: lossy colours have half the resolution, which shows where a
  /// small picture is enlarged.
  ///
  /// - Parameter width: Pixels of a row.
  /// - Returns: `nil`, without loss, up to `widestWithoutLoss`, else `standardQuality`.
  package static func quality(ofWidth width: Int) -> Int? {
    width <= widestWithoutLoss ? nil : standardQuality
  }

  /// The widest frames that are kept without loss unless a quality is given, in pixels.
  package static let widestWithoutLoss = 128
  /// The quality of wider frames unless one is given.
  package static let standardQuality = 90

  /// How long steps of time last, in milliseconds.
  ///
  /// The ends are rounded, not the lengths: 24 a second last 42 and 41 in turn, and 24 of them 1,000.
  ///
  /// - Parameters:
  ///   - steps: By their numbers from the animation's start.
  ///   - framesPerSecond: Above 0.
  /// - Returns: The time.
  package static func milliseconds(of steps: Range<Int>, framesPerSecond: Double) -> Int {
    let time = { (step: Int) in Int((Double(step) * 1000 / framesPerSecond).rounded()) }
    return time(steps.upperBound) - time(steps.lowerBound)
  }

  /// Bytes before the first frame.
  private static let headerSize = 44

  /// An animation without frames.
  ///
  /// - Parameters:
  ///   - width: Pixels of each frame, at most 16,383.
  ///   - height: The same.
  ///   - largestFile: Bytes of the largest file that is accepted.
  /// - Throws: `ImageError` for sides that WebP cannot have.
  package init(
    width: Int,
    height: Int,
    largestFile: Int = Self.largestFile
  ) throws(ImageError) {
    guard (1...16_383).contains(width), (1...16_383).contains(height) else {
      throw .cannotEncode(.webp, width: width, height: height)
    }
    (self.width, self.height, self.largestFile) = (width, height, largestFile)
  }

  /// Adds a frame.
  ///
  /// - Parameters:
  ///   - image: The picture, of the animation's size.
  ///   - milliseconds: How long it is shown.
  ///   - quality: 1 (worst) to 100 (best); `nil` keeps the very pixels.
  /// - Throws: `ImageError` when out of memory, or when the file would be larger than WebP allows; the
  ///   animation is as before then.
  package mutating func append(
    _ image: RGBImage,
    milliseconds: Int,
    quality: Int? = 90
  ) throws(ImageError) {
    precondition(
      image.width == width && image.height == height,
      "a frame of \(image.width)×\(image.height) in \(width)×\(height)"
    )
    precondition((0..<1 << 24).contains(milliseconds), "a frame of \(milliseconds) ms")
    // A still file is "RIFF", its size and "WEBP" before the chunk that a frame takes over.
    let still =
      if let quality { try image.encodedWebP(quality: quality) } else {
        try image.encodedLosslessWebP()
      }
    let payload =
      Self.bytes(0, 3) + Self.bytes(0, 3) + Self.bytes(width - 1, 3) + Self.bytes(height - 1, 3)
      + Self.bytes(milliseconds, 3) + [Self.withoutBlending] + still.dropFirst(12)
    let frame = Self.chunk("ANMF", payload)
    guard frame.count <= largestFile - Self.headerSize - frames.count else {
      throw .animationTooLarge(frames: count, limit: largestFile)
    }
    frames += frame
    count += 1
  }

  /// The file: all frames, repeated for ever.
  package var file: [UInt8] {
    let header =
      [Self.isAnimated, 0, 0, 0] + Self.bytes(width - 1, 3) + Self.bytes(height - 1, 3)
    let white: [UInt8] = [255, 255, 255, 255]
    let body =
      Array("WEBP".utf8) + Self.chunk("VP8X", header)
      + Self.chunk("ANIM", white + Self.bytes(0, 2)) + frames
    return Array("RIFF".utf8) + Self.bytes(body.count, 4) + body
  }

  private static let isAnimated: UInt8 = 0b10
  private static let withoutBlending: UInt8 = 0b10

  private static func chunk(_ name: String, _ payload: [UInt8]) -> [UInt8] {
    Array(name.utf8) + bytes(payload.count, 4) + payload + (payload.count % 2 == 0 ? [] : [0])
  }

  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
