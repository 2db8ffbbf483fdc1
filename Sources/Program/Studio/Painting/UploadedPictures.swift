import Dispatch
import Files
import Images
import Synchronization

/// Uploaded pictures to condition on, in the size of CLIP's input; the oldest are evicted.
package final class UploadedPictures: Sendable {
  /// The most bytes of a file.
  static let mostBytes = 16 << 20
  /// The most pixels of a file: decoding needs about nine bytes for each.
  static let mostPixels = 32_000_000

  private let pictures = Mutex(RecentValues<String, RGBImage>(capacity: 64))
  /// One file is decoded at a time, to bound the memory.
  private let decoding = DispatchQueue(label: "studio.decoding")

  /// No pictures yet.
  package init() {}

  /// Keeps a picture.
  ///
  /// - Parameters:
  ///   - file: A file of any supported format; its EXIF orientation is applied.
  ///   - side: The side of CLIP's input in pixels.
  /// - Returns: Its name, for later requests.
  /// - Throws: `RequestError` if it is not a picture or has too many pixels.
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
