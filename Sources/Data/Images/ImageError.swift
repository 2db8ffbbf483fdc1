package import Files

/// Why an image could not be read, written or drawn, in one line.
package enum ImageError: Error, Equatable, CustomStringConvertible {
  /// The bytes begin like no format that is decoded here; the text names what they look like.
  case unknownFormat(String)
  /// A valid file of a kind that is not decoded here.
  case unsupported(ImageFormat, reason: String)
  /// The bytes contradict their own format.
  case corrupt(ImageFormat, reason: String)
  /// The bytes end too early.
  case truncated(ImageFormat, reason: String)
  /// More pixels than the limits allow; found in the header, before any memory is taken.
  case tooManyPixels(width: Int, height: Int, limit: Int)
  /// The image is larger than the format can store.
  case cannotEncode(ImageFormat, width: Int, height: Int)
  /// One frame more makes the animation larger than a file of its format can be, in bytes.
  case animationTooLarge(frames: Int, limit: Int)
  /// The system refused the memory.
  case outOfMemory
  /// A drawing has more pixels than a PNG file can have, or than there is memory for.
  case cannotDraw(width: Int, height: Int)
  /// No installed font has this character.
  case fontMissing(character: String, package: String)
  /// The file itself could not be read or written.
  case file(FileError)

  /// A short name of the kind of failure, for counting failures by cause.
  package var cause: String {
    switch self {
    case .unknownFormat: "unknown format"
    case .unsupported: "unsupported"
    case .corrupt: "corrupt"
    case .truncated: "truncated"
    case .tooManyPixels: "too many pixels"
    case .cannotEncode: "cannot encode"
    case .animationTooLarge: "animation too large"
    case .outOfMemory, .cannotDraw: "out of memory"
    case .fontMissing: "font missing"
    case .file: "file"
    }
  }

  package var description: String {
    switch self {
    case .unknownFormat(let looks):
      "not a JPEG, PNG, WebP, GIF or AVIF image: it looks like \(looks)"
    case .unsupported(let format, let reason): "unsupported \(format): \(reason)"
    case .corrupt(let format, let reason): "corrupt \(format): \(reason)"
    case .truncated(let format, let reason): "truncated \(format): \(reason)"
    case .tooManyPixels(let width, let height, let limit):
      "image of \(width)×\(height) pixels: the limit is \(limit) pixels"
    case .cannotEncode(let format, let width, let height):
      "cannot store \(width)×\(height) pixels as \(format): too large for the format"
    case .animationTooLarge(let frames, let limit):
      "more than \(frames) frames exceed the \(limit) bytes of an animated WebP: "
        + "take fewer of them (--every), or a lower --quality"
    case .outOfMemory:
      "no memory for the pixels of an image; free some, or run fewer threads and programs at once"
    case .cannotDraw(let width, let height):
      "no memory for a drawing of \(width)×\(height) pixels"
    case .fontMissing(let character, let package):
      "no installed font draws “\(character)”; install one with: apt-get install \(package)"
    case .file(let error): error.description
    }
  }
}
