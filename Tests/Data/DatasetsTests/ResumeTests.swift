import Archives
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Packing that is interrupted and goes on.
@Suite struct ResumeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Fails after a number of images, as a machine does that is switched off.
  private final class Fuse: FeatureExtractor {
    struct Blown: Error {}
    let name = "hash"
    let sha256 = "00"
    let settings = ""
    private var left: Int
    private(set) var embedded = 0

    init(after images: Int) { left = images }

    func embed(images: [RGBImage], first: Int) throws -> [[Float]] {
      left -= images.count
      if left < 0 { throw Blown() }
      embedded += images.count
      return try HashExtractor().embed(images: images, first: first)
    }

    func embed(captions: [String]) throws -> [[Float]] {
      try HashExtractor().embed(captions: captions)
    }
  }

  private func options(batchSize: Int = 4) -> Packer.Options {
    var options = Packer.Options()
    options.batchSize = batchSize
    options.addsFlippedFeatures = true
    options.writesLafiteJSON = true
    options.checkpointInterval = .zero
    return options
  }

  private func writeSource(_ count: Int = 30) throws {
    for number in 0..<count {
      let side = number % 7 == 3 ? 4 : 8
      try folder.write(noiseImage(side, seed: number).encodedPNG(level: 0), to: "in/\(number).png")
      let captions = (0..<number % 3).map { "caption \($0) of \(number)\n" }.joined()
      try folder.write(Array(captions.utf8), to: "in/\(number).txt")
    }
    try folder.write([0], to: "in/5.png")
  }

  private func pack(_ extractor: any FeatureExtractor, to name: String) throws -> PackReport {
    try Packer(options()).pack(
      ImageTextSources.open(folder.file("in")),
      to: folder.file(name),
      extractor: extractor
    )
  }

  @Test func `a run that fails is continued, and its bytes equal those of one in one go`() throws {
    try writeSource()
    let report = try pack(HashExtractor(), to: "whole.zip")
    #expect(report.dropped.count > 2)
    for blown in [8, 17, 40] {
      #expect(throws: DatasetError.self) { try pack(Fuse(after: blown), to: "out.zip") }
      #expect(!folder.contents.contains("out.zip"))
      #expect(folder.contents.contains(".out.zip.packing"))
      let rest = Fuse(after: 1000)
      let resumed = try pack(rest, to: "out.zip")
      #expect(rest.embedded < 2 * report.manifest.imageCount, "nothing was kept")
      #expect(resumed.dropped == report.dropped)
      #expect(try bytes(of: folder.file("out.zip")) == bytes(of: folder.file("whole.zip")))
      try FileManager.default.removeItem(atPath: folder.file("out.zip"))
      let lists = ["out.zip.left-out.tsv", "whole.zip.left-out.tsv"]
      #expect(folder.contents == ["in", lists[0], "whole.zip", lists[1]])
    }
  }

  @Test func `a workspace cut or torn at any byte is continued or begun again`() throws {
    try writeSource()
    _ = try pack(HashExtractor(), to: "whole.zip")
    let whole = try bytes(of: folder.file("whole.zip"))
    for number in 0..<40 {
      var random = CounterRandom(seed: 9, position: number)
      #expect(throws: DatasetError.self) {
        try pack(Fuse(after: 8 + random.integer(below: 40)), to: "out.zip")
      }
      let parts = try FileManager.default.contentsOfDirectory(
        atPath: folder.file(".out.zip.packing")
      ).sorted()
      let name = ".out.zip.packing/" + parts[random.integer(below: parts.count)]
      var torn = try bytes(of: folder.file(name))
      if random.integer(below: 2) == 0 {
        torn.removeLast(random.integer(below: torn.count + 1))
      } else {
        // Written, but not yet spoken of by the journal.
        torn += [UInt8](repeating: 0x31, count: random.integer(below: 100))
      }
      try folder.write(torn, to: name)
      _ = try pack(HashExtractor(), to: "out.zip")
      #expect(try bytes(of: folder.file("out.zip")) == whole, "\(name)")
    }
  }

  @Test func `other settings or another source do not continue a dataset`() throws {
    try writeSource()
    #expect(throws: DatasetError.self) { try pack(Fuse(after: 8), to: "out.zip") }
    let error = #expect(throws: DatasetError.self) {
      try Packer(options(batchSize: 5)).pack(
        ImageTextSources.open(folder.file("in")),
        to: folder.file("out.zip"),
        extractor: HashExtractor()
      )
    }
    #expect(error?.description.contains("with other settings") == true)
    try folder.write([1], to: "in/zz.png")
    #expect(throws: DatasetError.self) { try pack(HashExtractor(), to: "out.zip") }
  }

  @Test func `a folder of the same name and the same files elsewhere does not continue a dataset`()
    throws
  {
    for source in ["m1", "m2"] {
      for number in 0..<9 {
        let image = try noiseImage(8, seed: number + (source == "m1" ? 0 : 100))
        try folder.write(image.encodedPNG(level: 0), to: "\(source)/train/\(number).png")
      }
    }
    func pack(_ source: String, _ extractor: any FeatureExtractor) throws {
      _ = try Packer(options()).pack(
        ImageTextSources.open(folder.file("\(source)/train")),
        to: folder.file("mix.zip"),
        extractor: extractor
      )
    }
    #expect(throws: DatasetError.self) { try pack("m1", Fuse(after: 8)) }
    let error = #expect(throws: DatasetError.self) { try pack("m2", HashExtractor()) }
    #expect(error?.description.contains("begun from another source") == true)
    #expect(!folder.contents.contains("mix.zip"))
    try pack("m1", HashExtractor())
  }

  @Test(arguments: ["in/2.png", "in/2.txt", "in/dataset.json"])
  func `an edited file does not continue a dataset`(name: String) throws {
    try writeSource(9)
    try folder.write(Array(#"{"labels": null}"#.utf8), to: "in/dataset.json")
    #expect(throws: DatasetError.self) { try pack(Fuse(after: 8), to: "out.zip") }
    // The same size: only the time tells.
    try folder.write(bytes(of: folder.file(name)), to: name)
    #expect(throws: DatasetError.self) { try pack(HashExtractor(), to: "out.zip") }
  }

  @Test func `every source says when its files have changed`() throws {
    let names = ["s.zip", "s.tar", "s_lmdb/data.mdb", "train-images-idx3-ubyte.gz"]
    try packNoise(folder.file("s.zip"), count: 2)
    let tar = try TarWriter(folder.file("s.tar"))
    try tar.add("1.png", noiseImage(4, seed: 0).encodedPNG(level: 0))
    try tar.finish()
    try folder.write(bytes(of: fixture("bedroom_tiny_lmdb/data.mdb").path), to: names[2])
    for name in [names[3], "train-labels-idx1-ubyte.gz", "cifar-10-python.tar.gz"] {
      try folder.write(bytes(of: fixture(name).path), to: name)
    }
    for name in names + ["train-labels-idx1-ubyte.gz", "cifar-10-python.tar.gz"] {
      func fingerprint() throws -> String {
        let file = folder.file(name.replacingOccurrences(of: "labels-idx1", with: "images-idx3"))
        let path = name == names[2] ? folder.file("s_lmdb") : file
        return Packer.fingerprint(options(), try ImageTextSources.open(path), nil)
      }
      let before = try fingerprint()
      #expect(try fingerprint() == before, "\(name)")
      try folder.write(bytes(of: folder.file(name)), to: name)
      #expect(try fingerprint() != before, "\(name)")
    }
  }

  /// A writer of a set without features, and images 0, 1, … of it.
  private func writer(_ name: String, limit: Int? = nil) throws -> PackedDatasetWriter {
    let options = PackedDatasetWriter.Options(resolution: 4, featureModel: nil)
    return try PackedDatasetWriter(
      folder.file(name),
      options: options,
      fingerprint: "same",
      limit: limit
    )
  }

  private func append(_ numbers: Range<Int>, to writer: PackedDatasetWriter) throws {
    for number in numbers {
      let image = try noiseImage(4, seed: number).encodedPNG(level: 0)
      let captions = (0..<number % 3).map { "caption \($0) of \(number)" }
      try writer.append(PackedRecord(image: image, captions: captions))
      try writer.advance(to: number + 1, isCheckpoint: number % 4 == 3)
    }
  }

  @Test func `a copy of the descriptor in a process being started does not keep the lock`() throws {
    var first: PackedDatasetWriter? = try writer("out.zip")
    let copies = try OpenCopies(of: folder.file(".out.zip.packing/journal"))
    #expect(copies.count == 1)
    #expect(throws: DatasetError.self) { try writer("out.zip") }
    try append(0..<4, to: #require(first))
    first = nil
    _ = try writer("out.zip")
    withExtendedLifetime(first) {}
  }

  @Test func `a finished set is continued, and its bytes equal those of one in one go`() throws {
    let whole = try writer("whole.zip")
    try append(0..<30, to: whole)
    try whole.finish()
    let path = folder.file("out.zip")
    var count = 0
    for next in [5, 17, 30] {
      if count > 0 { try PackedDatasetWriter.reopen(path, fingerprint: "same") }
      let part = try writer("out.zip")
      #expect(part.count == count)
      try append(count..<next, to: part)
      try part.finish()
      count = next
    }
    #expect(try bytes(of: path) == bytes(of: folder.file("whole.zip")))
    #expect(folder.contents == ["out.zip", "whole.zip"])
  }

  @Test func `a set with features is not continued`() throws {
    try writeSource(4)
    _ = try pack(HashExtractor(), to: "out.zip")
    let whole = try bytes(of: folder.file("out.zip"))
    #expect(throws: DatasetError.self) {
      try PackedDatasetWriter.reopen(folder.file("out.zip"), fingerprint: "same")
    }
    #expect(try bytes(of: folder.file("out.zip")) == whole)
  }

  @Test func `a run goes on from the last checkpoint within a limit`() throws {
    let whole = try writer("whole.zip")
    try append(0..<16, to: whole)
    try whole.finish()
    for limit in [16, 15, 12, 11, 4] {
      try append(0..<16, to: writer("out.zip"))
      let second = try writer("out.zip", limit: limit)
      #expect(second.count == limit / 4 * 4)
      try append(second.count..<16, to: second)
      try second.finish()
      #expect(try bytes(of: folder.file("out.zip")) == bytes(of: folder.file("whole.zip")))
      try FileManager.default.removeItem(atPath: folder.file("out.zip"))
    }
  }

  @Test func `a run killed when the dataset had just got its name does not pack it again`() throws {
    let options = PackedDatasetWriter.Options(resolution: 4, featureModel: nil)
    let path = folder.file("out.zip")
    do {
      let first = try writer("out.zip")
      try append(0..<10, to: first)
      try first.drop(.init(name: "x", cause: .grey, reason: "grey"))
      _ = try first.publish()
    }
    let whole = try bytes(of: path)
    let list = try bytes(of: path + ".left-out.tsv")
    #expect(folder.contents.contains(".out.zip.packing"))
    let second = try writer("out.zip")
    #expect(second.itemsDone == 10 && second.count == 10)
    let report = try second.finish()
    #expect(report.dropped.map(\.name) == ["x"] && report.manifest.imageCount == 10)
    #expect(try bytes(of: path) == whole && bytes(of: path + ".left-out.tsv") == list)
    #expect(folder.contents == ["out.zip", "out.zip.left-out.tsv"])
    // An unrelated file of that name is no sign of it.
    _ = try PackedDatasetWriter(path, options: options, fingerprint: "same")
    #expect(folder.contents == ["out.zip", "out.zip.left-out.tsv"])
  }

  @Test func `a run killed just before the dataset gets its name finishes it again`() throws {
    let path = folder.file("out.zip")
    do {
      let first = try writer("out.zip")
      try append(0..<10, to: first)
      _ = try first.publish()
    }
    let whole = try bytes(of: path)
    #expect(rename(path, folder.file(".out.zip.packing/archive.zip")) == 0)
    let second = try writer("out.zip")
    #expect(second.count == 10)
    try second.finish()
    #expect(try bytes(of: path) == whole)
    #expect(folder.contents == ["out.zip"])
  }

  @Test func `the list of what was left out is there before the dataset`() throws {
    let first = try writer("out.zip")
    try FileManager.default.createDirectory(
      atPath: folder.file("out.zip/in-the-way"),
      withIntermediateDirectories: true
    )
    try append(0..<2, to: first)
    try first.drop(.init(name: "x", cause: .grey, reason: "grey"))
    #expect(throws: DatasetError.self) { try first.finish() }
    #expect(folder.contents.contains("out.zip.left-out.tsv"))
  }

  @Test func `two runs do not pack the same dataset at once`() throws {
    let first = try PackedDatasetWriter(
      folder.file("a.zip"),
      options: .init(resolution: 4, featureModel: nil),
      fingerprint: "same"
    )
    let error = #expect(throws: DatasetError.self) {
      try PackedDatasetWriter(
        folder.file("a.zip"),
        options: .init(resolution: 4, featureModel: nil),
        fingerprint: "same"
      )
    }
    #expect(error?.description.contains("is using it") == true)
    try first.append(PackedRecord(image: noiseImage(4, seed: 0).encodedPNG(level: 0)))
    try first.finish()
    #expect(folder.contents == ["a.zip"])
  }
}
