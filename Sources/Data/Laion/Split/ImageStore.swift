import Files
import Foundation
import Images
import NIOCore
import NIOPosix

/// Decodes downloaded images and writes them in the stored format, on threads of its own.
///
/// Decoding takes milliseconds to seconds and must not hold up the network's event loops.
struct ImageStore: Sendable {
  private let pool: NIOThreadPool
  private let pixels: MemoryBudget
  private let settings: ImageSettings

  init(pool: NIOThreadPool, pixels: MemoryBudget, settings: ImageSettings) {
    self.pool = pool
    self.pixels = pixels
    self.settings = settings
  }

  /// Decodes the image of a row and stages it in the stored format.
  func store(
    _ body: ByteBuffer,
    row: Int,
    to staging: any ImageStaging
  ) async -> Fetched<StoredImage> {
    let header: ImageHeader
    do throws(ImageError) {
      header = try body.withUnsafeReadableBytes { bytes in
        Result { () throws(ImageError) in try ImageHeader.probe(bytes) }
      }.get()
    } catch {
      return .failure(.failed(FetchCause(error)))
    }
    let memory = pixels.reservation()
    defer { memory.release() }
    do {
      try await memory.grow(to: pixelCount(header))
      return try await pool.runIfActive {
        CrashLog.atWork(row) { storeNow(body, header, row, to: staging) }
      }
    } catch {
      // The pool gives up only when the task is cancelled; the result is ignored then.
      return .failure(.failed(.timedOut))
    }
  }

  /// The pixels to decode; 0 for an image that will be refused.
  private func pixelCount(_ header: ImageHeader) -> Int {
    let (count, overflow) = header.width.multipliedReportingOverflow(by: header.height)
    return overflow || count > settings.maximumPixels ? 0 : count
  }

  private func storeNow(
    _ body: ByteBuffer,
    _ header: ImageHeader,
    _ row: Int,
    to staging: any ImageStaging
  ) -> Fetched<StoredImage> {
    // The header shows a tracking pixel without decoding it.
    if min(header.width, header.height) < settings.minimumSide {
      return .failure(.failed(.tooSmall))
    }
    do throws(ImageError) {
      let isOriginal = settings.format == .original
      let image = try body.withUnsafeReadableBytes { bytes in
        Result { () throws(ImageError) in try decoded(bytes) }
      }.get()
      let file =
        try image.flatMap { (image) throws(ImageError) in
          isOriginal ? nil : try encoded(image)
        } ?? body.withUnsafeReadableBytes { Array($0) }
      do throws(FileError) {
        try staging.write(file, row: row)
      } catch {
        return .failure(.disk(error))
      }
      let sha256 = body.withUnsafeReadableBytes { SHA256.digest(of: $0) }
      let stored = StoredImage(
        // As the stored file has them: an original is not turned upright.
        width: isOriginal ? header.width : image?.width ?? header.width,
        height: isOriginal ? header.height : image?.height ?? header.height,
        bytes: body.readableBytes,
        sha256: sha256,
        perceptualHash: settings.nearDuplicateBits == nil
          ? nil : image.flatMap { PerceptualHash($0)?.text },
        file: isOriginal
          ? StoredFile(size: file.count, hash: sha256.first64Bits)
          : file.withUnsafeBytes { StoredFile($0) }
      )
      return .success(stored)
    } catch {
      return .failure(.failed(FetchCause(error)))
    }
  }

  private func encoded(_ image: RGBImage) throws(ImageError) -> [UInt8] {
    switch settings.format {
    case .png, .original: try image.encodedPNG()
    case .jpg: try image.encodedJPEG(quality: settings.quality)
    case .webp: try image.encodedWebP(quality: settings.quality)
    }
  }

  /// The picture to store; `nil` for an original of which only the bytes are wanted, after its check.
  private func decoded(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> RGBImage? {
    let limits = DecodeLimits(maximumPixels: settings.maximumPixels)
    if settings.format == .original, settings.nearDuplicateBits == nil {
      try RGBImage.expectDecodable(bytes, limits: limits)
      return nil
    }
    let image = try RGBImage(decoding: bytes, limits: limits, appliesOrientation: true)
    guard let size = settings.size else { return image }
    return try resized(image, to: size, settings.resize ?? .centerCrop)
  }

  private func resized(
    _ image: RGBImage,
    to size: Int,
    _ mode: ResizeMode
  ) throws(ImageError) -> RGBImage {
    let (shorter, longer) = (min(image.width, image.height), max(image.width, image.height))
    /// Scales so that a side of this many pixels gets `size`.
    func scaled(by side: Int) throws(ImageError) -> RGBImage {
      func pixels(_ count: Int) -> Int { max(1, (count * size + side / 2) / side) }
      let (width, height) = (pixels(image.width), pixels(image.height))
      // The result of a picture with one row may have any number of pixels.
      guard width * height <= settings.maximumPixels else {
        throw .tooManyPixels(width: width, height: height, limit: settings.maximumPixels)
      }
      return image.resized(width: width, height: height, filter: .lanczos)
    }
    switch mode {
    case .centerCrop:
      return image.centerCropped().resized(width: size, height: size, filter: .lanczos)
    case .keepRatio: return try scaled(by: shorter)
    case .onlyIfBigger: return shorter > size ? try scaled(by: shorter) : image
    case .border:
      let inner = try scaled(by: longer)
      var square = RGBImage(width: size, height: size, filledWith: .white)
      square.paste(inner, x: (size - inner.width) / 2, y: (size - inner.height) / 2)
      return square
    }
  }
}

extension FetchCause {
  /// The cause by which a decoding error is counted.
  init(_ error: ImageError) {
    switch error {
    case .unknownFormat: self = .notAnImage
    case .unsupported, .cannotEncode, .animationTooLarge: self = .unsupportedImage
    case .truncated: self = .truncatedImage
    case .tooManyPixels: self = .tooManyPixels
    case .outOfMemory, .cannotDraw: self = .noMemory
    case .corrupt, .fontMissing, .file: self = .corruptImage
    }
  }
}
