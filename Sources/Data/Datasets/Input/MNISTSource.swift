import Archives
import Foundation
import Images

/// MNIST in its authors' distribution: `train-images-idx3-ubyte.gz` and, beside it, the labels.
///
/// The 28×28 digits are padded to black 32×32 images, as in the original; grey becomes RGB. There are no
/// captions.
struct MNISTSource: ImageTextSource {
  private let path: String
  private let digits: [UInt8]
  private let labels: [UInt8]

  private static let side = 28
  private static let margin = 2
  /// The limit on images: MNIST has 60,000, EMNIST's largest part fewer than a million.
  private static let maximumCount = 1_000_000

  /// Reads images and labels.
  init(_ path: String) throws(DatasetError) {
    let labelsPath = Self.labelsPath(path)
    try self.init(
      path,
      images: GzipStream(try archives { () throws(ArchiveError) in try .archive(path) }),
      labels: GzipStream(try archives { () throws(ArchiveError) in try .archive(labelsPath) }),
      labelsPath: labelsPath
    )
  }

  /// Reads images and labels from their decompressed files.
  init(
    _ path: String,
    images: any ByteStream,
    labels: any ByteStream,
    labelsPath: String
  ) throws(DatasetError) {
    self.path = path
    digits = try Self.read(images, path, shape: [Self.side, Self.side])
    self.labels = try Self.read(labels, labelsPath, shape: [])
    guard count > 0 else { throw .noImages(path: path) }
    guard digits.count == self.labels.count * Self.side * Self.side else {
      throw .damaged(
        path: labelsPath,
        entry: "the list of labels",
        reason: "\(self.labels.count) labels for \(digits.count / (Self.side * Self.side)) images"
      )
    }
  }

  var count: Int { labels.count }

  var summary: String { "MNIST " + URL(filePath: path).lastPathComponent }

  var identity: String { FileStamp.of(path) + " " + FileStamp.of(Self.labelsPath(path)) }

  func name(at index: Int) -> String { "\(index)" }

  func item(at index: Int) -> ImageTextItem {
    let (side, margin) = (Self.side, Self.margin)
    let full = side + 2 * margin
    var pixels = [UInt8](repeating: 0, count: 3 * full * full)
    for y in 0..<side {
      for x in 0..<side {
        let value = digits[(index * side + y) * side + x]
        let offset = 3 * ((y + margin) * full + x + margin)
        for channel in 0..<3 { pixels[offset + channel] = value }
      }
    }
    return ImageTextItem(
      picture: .pixels(RGBImage(width: full, height: full, pixels: pixels)),
      label: .index(Int(labels[index]))
    )
  }

  private static func labelsPath(_ path: String) -> String {
    path.replacingOccurrences(of: "-images-idx3-ubyte.gz", with: "-labels-idx1-ubyte.gz")
  }

  /// The elements of an idx file of bytes: magic, count and lengths in big-endian, then the data.
  private static func read(
    _ stream: any ByteStream,
    _ path: String,
    shape: [Int]
  ) throws(DatasetError) -> [UInt8] {
    do throws(Inflater.Damage) {
      let header = try stream.read(4 * (2 + shape.count))
      guard header.count == 4 * (2 + shape.count) else {
        throw Inflater.Damage(reason: "it ends too early")
      }
      let words = stride(from: 0, to: header.count, by: 4).map { start in
        header[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
      }
      guard words[0] == 0x0800 + 1 + shape.count,
        Array(words[2...]) == shape, words[1] <= maximumCount
      else { throw Inflater.Damage(reason: "no idx file of MNIST") }
      let size = shape.reduce(words[1], *)
      let data = try stream.read(size)
      guard data.count == size else { throw Inflater.Damage(reason: "it ends too early") }
      return data
    } catch {
      throw .damaged(path: path, entry: "the file", reason: error.reason)
    }
  }
}
