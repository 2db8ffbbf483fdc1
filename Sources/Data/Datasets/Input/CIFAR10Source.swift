import Archives
import Files
import Foundation
import Images
import Pickle

/// CIFAR-10 in its authors' distribution: `cifar-10-python.tar.gz`, five pickles of training images.
///
/// The pickles are read as inert values. Images are 32×32, labels the ten classes; there are no
/// captions. Memory: the pixels, 3 KiB an image.
struct CIFAR10Source: ImageTextSource {
  private let path: String
  private let batches: [Batch]

  /// The images of one pickle.
  private struct Batch {
    /// Red, green and blue planes of 32×32, image after image.
    var planes: MappedBytes
    var labels: [Int]
  }

  private static let side = 32
  private static let plane = side * side
  /// The limit on a batch in bytes; one of the real archive has 31 MB.
  private static let maximumBatchSize = 256 << 20

  /// Reads the archive.
  init(_ path: String) throws(DatasetError) {
    let stream = GzipStream(try archives { () throws(ArchiveError) in try .archive(path) })
    let files: [(name: String, data: [UInt8])]
    do throws(Inflater.Damage) {
      files = try Self.files(in: stream)
    } catch {
      throw .damaged(path: path, entry: "the archive", reason: error.reason)
    }
    try self.init(path, files: files)
  }

  /// Reads the pickles of an archive.
  init(_ path: String, files: [(name: String, data: [UInt8])]) throws(DatasetError) {
    self.path = path
    var batches: [Batch] = []
    for (name, data) in files.sorted(by: { $0.name < $1.name }) {
      guard let batch = Self.read(data) else {
        throw .damaged(path: path, entry: name, reason: "no pickle of CIFAR-10 images and labels")
      }
      batches.append(batch)
    }
    self.batches = batches
    guard count > 0 else { throw .noImages(path: path) }
  }

  var count: Int { batches.reduce(0) { $0 + $1.labels.count } }

  var summary: String { "CIFAR-10 " + URL(filePath: path).lastPathComponent }

  var identity: String { FileStamp.of(path) }

  func name(at index: Int) -> String {
    let (batch, row) = position(of: index)
    return "data_batch_\(batch + 1)/\(row)"
  }

  func item(at index: Int) -> ImageTextItem {
    let (batch, row) = position(of: index)
    let start = row * 3 * Self.plane
    let pixels = batches[batch].planes.withBytes { bytes in
      (0..<3 * Self.plane).map { bytes[start + $0 % 3 * Self.plane + $0 / 3] }
    }
    return ImageTextItem(
      picture: .pixels(RGBImage(width: Self.side, height: Self.side, pixels: pixels)),
      label: .index(batches[batch].labels[row])
    )
  }

  private func position(of index: Int) -> (batch: Int, row: Int) {
    var row = index
    for (number, batch) in batches.enumerated() {
      if row < batch.labels.count { return (number, row) }
      row -= batch.labels.count
    }
    preconditionFailure("image \(index) of \(count)")
  }

  /// The training batches among the members of the archive.
  static func files(
    in stream: GzipStream
  ) throws(Inflater.Damage) -> [(name: String, data: [UInt8])] {
    var files: [(name: String, data: [UInt8])] = []
    var tar = TarReader(stream)
    while let member = try tar.member() {
      let name = member.name.split(separator: "/").last.map(String.init) ?? ""
      guard name.hasPrefix("data_batch_") else { continue }
      guard member.size <= maximumBatchSize, files.count < 5 else {
        throw Inflater.Damage(reason: "\(member.name) is no batch of CIFAR-10")
      }
      let data = try stream.read(member.size)
      guard data.count == member.size else { throw Inflater.Damage(reason: "it ends too early") }
      files.append((name, data))
    }
    return files
  }

  /// `{"data": uint8 array [N, 3072], "labels": [N classes], …}`; `nil` for anything else.
  private static func read(_ bytes: [UInt8]) -> Batch? {
    guard let pickle = try? Pickle(MappedBytes(copying: bytes)),
      let labels = pickle.root["labels"]?.items?.map(\.int),
      let array = pickle.root["data"]?.object,
      array.globalPath?.hasSuffix("core.multiarray._reconstruct") == true,
      // The state of an array: version, shape, type, whether columns come first, bytes.
      let state = array.state?.items, state.count == 5,
      state[1].items?.map(\.int) == [labels.count, 3 * plane],
      state[2].object?.arguments.items?.first?.string == "u1", state[3].bool == false,
      let planes = state[4].bytes, planes.count == labels.count * 3 * plane
    else { return nil }
    let classes = labels.compactMap { $0 }.filter { (0...9).contains($0) }
    return classes.count == labels.count ? Batch(planes: planes, labels: classes) : nil
  }
}
