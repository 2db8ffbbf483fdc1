import Files
import Foundation
import Images
import Text

/// Where pictures go that follow each other: an animated WebP, a film, or PNG files in a folder.
struct FrameFile {
  /// The kinds, by the end of the name.
  enum Kind: Equatable {
    /// `.webp`: an animation that every browser shows, repeated for ever.
    case webp
    /// `.mp4`: a film, made by ffmpeg.
    case mp4
    /// Any other name: a folder of `frame-00000.png` and so on.
    case folder

    /// The kind of a name; `nil` for one that ends as some other file.
    init?(_ path: String) {
      switch URL(filePath: path).pathExtension.lowercased() {
      case "webp": self = .webp
      case "mp4": self = .mp4
      case "": self = .folder
      default: return nil
      }
    }
  }

  private enum Target {
    case webp(AnimatedWebP)
    case mp4(FilmEncoder)
    case folder
  }

  /// The file or folder.
  let path: String
  /// Number of pictures so far.
  private(set) var count = 0
  private let kind: Kind
  private let framesPerSecond: Double
  private let quality: Int?
  private var target: Target?
  private var size: (width: Int, height: Int)?
  /// Time steps so far: a picture may stay for several.
  private var steps = 0

  /// A file that is begun with its first picture.
  ///
  /// - Parameters:
  ///   - path: Its name, which says its kind.
  ///   - framesPerSecond: Above 0.
  ///   - quality: Of WebP, 1 to 100; `nil` for what fits the size.
  /// - Throws: `FrameFileError` for a name of another kind, or where ffmpeg is needed and not found; `FileError`
  ///   where no file can be written.
  init(_ path: String, framesPerSecond: Double, quality: Int?) throws {
    guard let kind = Kind(path) else { throw FrameFileError.kind(path) }
    if kind == .mp4 { _ = try FilmEncoder.program() }
    // A folder that takes no file is known before thousands of frames are painted.
    if kind != .folder { try AtomicFile(path).discard() }
    (self.path, self.kind) = (path, kind)
    (self.framesPerSecond, self.quality) = (framesPerSecond, quality)
  }

  /// Adds a picture, of the same size as those before.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - repeats: How many steps of time it stays.
  ///   - texts: Texts of its PNG file; other kinds cannot keep them.
  /// - Throws: `ImageError`, `FileError`, or `FrameFileError` where ffmpeg ends early.
  mutating func append(_ image: RGBImage, repeats: Int = 1, texts: [PNGText] = []) throws {
    if let size {
      precondition(size == (image.width, image.height), "a frame of another size")
    }
    size = (image.width, image.height)
    switch try target ?? begin(image) {
    case .webp(var animation):
      target = nil
      try animation.append(
        image,
        milliseconds: AnimatedWebP.milliseconds(
          of: steps..<steps + repeats,
          framesPerSecond: framesPerSecond
        ),
        quality: quality ?? AnimatedWebP.quality(ofWidth: image.width)
      )
      target = .webp(animation)
    case .mp4(let film):
      target = .mp4(film)
      for _ in 0..<repeats { try film.append(image) }
    case .folder:
      target = .folder
      try image.write(png: "\(path)/frame-\(zeroPadded(count, to: 5)).png", texts: texts)
    }
    steps += repeats
    count += 1
  }

  /// Completes the file, which has its name only now.
  func finish() throws {
    switch target {
    case .webp(let animation): try AtomicFile.write(animation.file, to: path)
    case .mp4(let film): try film.finish()
    case .folder, nil: break
    }
  }

  private func begin(_ image: RGBImage) throws -> Target {
    switch kind {
    case .webp: return .webp(try AnimatedWebP(width: image.width, height: image.height))
    case .mp4:
      return .mp4(
        try FilmEncoder(
          path,
          width: image.width,
          height: image.height,
          framesPerSecond: framesPerSecond
        )
      )
    case .folder:
      try makeFolder(path)
      return .folder
    }
  }
}

/// Why pictures cannot be joined, in one line.
enum FrameFileError: Error, CustomStringConvertible {
  /// A name that says no kind.
  case kind(String)
  /// What ffmpeg makes is not to be had.
  case film(String)

  var description: String {
    switch self {
    case .kind(let path): "--out must end in .webp or .mp4, or name a folder, not \(path)"
    case .film(let reason): reason
    }
  }
}
