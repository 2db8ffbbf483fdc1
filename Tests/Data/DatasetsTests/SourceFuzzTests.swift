import Archives
import Files
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Damaged images, tars and the files of published datasets; see `FuzzTests`.
@Suite(.tags(.slow)) struct SourceFuzzTests {
  private let folder: TemporaryFolder
  private let file: MemoryFile

  init() throws {
    folder = try TemporaryFolder()
    file = try MemoryFile()
  }

  @Test(arguments: ["jpg", "png", "webp", "gif", "avif"])
  func `images of every format`(suffix: String) throws {
    let image = noiseImage(9, seed: 1, height: 7)
    var seeds: [[UInt8]] =
      switch suffix {
      case "jpg": [try image.encodedJPEG(quality: 80)]
      case "png": [try image.encodedPNG()]
      case "webp": [try image.encodedLosslessWebP()]
      default: []
      }
    let fixtures = Repository.root.appending(path: "Tests/Data/ImagesTests/Fixtures/decode")
    for name in try FileManager.default.contentsOfDirectory(atPath: fixtures.path).sorted()
    where name.hasSuffix("." + suffix) {
      let data = try Data(contentsOf: fixtures.appending(path: name))
      if data.count < 3000 || suffix == "gif" && data.count < 6000 { seeds.append(Array(data)) }
    }
    #expect(seeds.count > 2)
    let limits = DecodeLimits(maximumPixels: 1 << 20)
    expectSafe(DamagedInputs(seeds), 2500, refused: 0.2, suffix) { copy in
      let bytes = suffix == "png" ? Repaired.png(copy) : copy
      _ = try RGBImage(decoding: bytes, limits: limits)
    }
  }

  @Test func `tars of samples, with right checksums in their headers`() throws {
    func member(_ name: String, _ contents: [UInt8], type: String = "0") -> [UInt8] {
      Tar.header(name, size: contents.count, type: type) + contents
        + [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
    }
    let image = member("a/1.png", [1, 2, 3])
    let label = member("a/1.cls", Array("7".utf8))
    let end = [UInt8](repeating: 0, count: 1024)
    let seeds = [
      image + member("a/1.txt", Array("one".utf8)) + label + end,
      member("x", Array("././long/name/of/a.png\0".utf8), type: "L") + image + end,
      member("x", Array("14 path=p.png\n10 size=3\n".utf8), type: "x") + image + label + end,
    ]
    expectSafe(DamagedInputs(seeds), 4000, refused: 0.2) { copy in
      try file.write(Repaired.tar(copy))
      let source = try ImageTextTar(file.path)
      for index in 0..<source.count { _ = try source.item(at: index) }
    }
  }

  /// The contents of a gzip file.
  private func inflated(_ name: String) throws -> [UInt8] {
    try GzipStream(try MappedBytes.archive(fixture(name).path)).read(1 << 26)
  }

  @Test(arguments: ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
  func `MNIST's idx files`(name: String) throws {
    let (images, labels) = (
      try inflated("train-images-idx3-ubyte.gz"), try inflated("train-labels-idx1-ubyte.gz")
    )
    // The header is 16 bytes; a few digits behind it are enough.
    let count = 3
    func cut(_ bytes: [UInt8], to size: Int) -> [UInt8] {
      var bytes = Array(bytes.prefix(size))
      bytes.replaceSubrange(4..<8, with: [0, 0, 0, UInt8(count)])
      return bytes
    }
    let (digits, classes) = (cut(images, to: 16 + count * 28 * 28), cut(labels, to: 8 + count))
    let isImages = name.contains("images")
    // Most of the bytes are the digits themselves: only what stands before them is damaged.
    let seed = isImages ? Array(digits.prefix(40)) : classes
    expectSafe(DamagedInputs([seed]), 3000, refused: 0.2, name) { copy in
      let images = isImages ? copy + digits.dropFirst(40) : digits
      let source = try MNISTSource(
        "images",
        images: MappedStream(MappedBytes(copying: images)),
        labels: MappedStream(MappedBytes(copying: isImages ? classes : copy)),
        labelsPath: "labels"
      )
      for index in 0..<source.count { _ = source.item(at: index) }
    }
  }

  @Test func `CIFAR-10's pickles`() throws {
    let stream = GzipStream(try MappedBytes.archive(fixture("cifar-10-python.tar.gz").path))
    let files = try CIFAR10Source.files(in: stream)
    let seeds = files.map(\.data)
    expectSafe(DamagedInputs(seeds), 2000, refused: 0.2) { copy in
      let source = try CIFAR10Source("cifar", files: [("data_batch_1", copy)])
      for index in 0..<source.count { _ = source.item(at: index) }
    }
  }
}
