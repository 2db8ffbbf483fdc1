import Dispatch
import Files
import Images
import Synchronization

/// Pictures that clients sent to be painted after, in the size that CLIP sees; the oldest are forgotten.
package final class GivenPictures: Sendable {
  /// The most bytes of a file.
  static let mostBytes = 16 << 20
  /// The most pixels of a file: decoding takes some nine bytes each for a moment.
  static let mostPixels = 32_000_000

  private let pictures = Mutex(RecentValues<String, RGBImage>(capacity: 64))
  /// One file is decoded at a time, so that many at once do not add up.
  private let decoding = DispatchQueue(label: "studio.decoding")

  /// No pictures yet.
  package init() {}

  /// Keeps a picture.
  ///
  /// - Parameters:
  ///   - file: A file of any format that is read, turned upright as its EXIF says.
  ///   - side: Pixels of CLIP's view.
  /// - Returns: Its name, by which it is asked for.
  /// - Throws: `RequestError` if it is no picture, or has too many pixels.
  func keep(_ file: [UInt8], side: Int) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      decoding.async {
        continuation.resume(with: Result { try self.decode(file, side: side) })
      }
    }
  }

  private func decode(_ file: [UInt8], side: Int) throws(RequestError) -> String {
    let name = file.withUnsafeBytes { SHA256.digest(of: $0) }
    do throws(ImageError) {
      let image = try RGBImage(
        decoding: file,
        limits: DecodeLimits(maximumPixels: Self.mostPixels),
        appliesOrientation: true
      ).centerCropped().resized(width: side, height: side)
      pictures.withLock { $0[name] = image }
      return name
    } catch { throw RequestError("this picture cannot be used: \(error)") }
  }

  /// The picture of a name, if it is still kept.
  func picture(_ name: String) -> RGBImage? { pictures.withLock { $0[name] } }
}
