import Archives
import Files
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct PackedDatasetTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [NpyElement.float16, .float32])
  func `images, features and captions come back`(element: NpyElement) throws {
    let path = try packNoise(folder.file("a.zip"), count: 7, element: element)
    let set = try PackedDataset(path)
    #expect((set.count, set.resolution, set.featureDimension, set.captionCount) == (7, 8, 8, 6))
    let extractor = HashExtractor()
    for index in 0..<7 {
      let image = noiseImage(8, seed: index)
      #expect(set.name(at: index) == "00000/img0000000\(index).png")
      #expect(try set.image(at: index) == image)
      #expect(set.imageFeature(at: index) == extractor.feature(image.pixels))
      let captions = (0..<index % 3).map { "caption \($0) of \(index)" }
      #expect(try set.captions(at: index) == captions)
      #expect(set.textFeatureCount(at: index) == captions.count)
      for (number, caption) in captions.enumerated() {
        let expected = extractor.feature(Array(caption.utf8))
        #expect(set.textFeature(image: index, caption: number) == expected)
      }
    }
    #expect(DatasetCheck.faults(in: set) == [])
  }

  @Test func `the manifest states what was packed`() throws {
    let set = try PackedDataset(packNoise(folder.file("a.zip"), count: 4))
    #expect(
      set.manifest
        == PackManifest(
          formatVersion: 1,
          resolution: 8,
          imageCount: 4,
          captionCount: 3,
          featureDimension: 8,
          featureElement: .float16,
          featureModel: .init(name: "hash", sha256: "00"),
          resizeFilter: "lanczos",
          crop: "center-crop",
          source: "noise",
          dropped: [:]
        )
    )
  }

  @Test func `equal input gives equal bytes`() throws {
    let first = try packNoise(folder.file("a.zip"), count: 5, lafiteJSON: true)
    let second = try packNoise(folder.file("b.zip"), count: 5, lafiteJSON: true)
    #expect(try bytes(of: first) == bytes(of: second))
    #expect(folder.contents == ["a.zip", "b.zip"])
  }

  @Test func `a set without captions has no caption entries`() throws {
    let path = try packNoise(folder.file("a.zip"), count: 3, captions: { _ in 0 })
    let zip = try ZipArchive(path)
    #expect(
      (3..<zip.count).map(zip.name) == ["clip_img_features.npy", "nifty.json"]
    )
    let set = try PackedDataset(path)
    #expect(set.captionCount == 0)
    #expect(try set.captions(at: 2) == [])
    #expect(set.textFeatureCount(at: 2) == 0)
  }

  @Test func `captions of any characters come back`() throws {
    let captions = ["line\nbreak", "\"quoted\" / back\\slash", "猫と犬 😺", "\u{0}\u{1}\u{2028}", ""]
    let writer = try PackedDatasetWriter(
      folder.file("a.zip"),
      options: .init(resolution: 4, featureModel: .init(name: "m", sha256: "s"))
    )
    try writer.append(
      PackedRecord(
        image: noiseImage(4, seed: 0).encodedPNG(level: 1),
        imageFeature: [1, 2],
        captions: captions,
        textFeatures: captions.map { _ in [3, 4] }
      )
    )
    try writer.finish()
    #expect(try PackedDataset(folder.file("a.zip")).captions(at: 0) == captions)
  }

  @Test func `a dataset that verify would refuse does not get its name`() throws {
    let writer = try PackedDatasetWriter(
      folder.file("a.zip"),
      options: .init(resolution: 4, featureModel: nil)
    )
    let png = try noiseImage(4, seed: 0).encodedPNG(level: 1)
    try writer.append(PackedRecord(image: png, label: .index(-1)))
    let error = #expect(throws: DatasetError.self) { try writer.finish() }
    #expect(error?.description.contains("labels.jsonl is damaged: line 1 is no label") == true)
    #expect(!folder.contents.contains("a.zip"))
  }

  @Test func `an unfinished dataset leaves nothing behind`() throws {
    do {
      let writer = try PackedDatasetWriter(
        folder.file("a.zip"),
        options: .init(resolution: 4, featureModel: .init(name: "m", sha256: "s"))
      )
      let png = try noiseImage(4, seed: 0).encodedPNG(level: 1)
      try writer.append(PackedRecord(image: png, imageFeature: [1]))
      #expect(!folder.contents.contains("a.zip"))
    }
    #expect(folder.contents == [])
  }

  @Test(arguments: [[Float.nan, 0], [.infinity, 0], [70_000, 0], [1], []])
  func `a feature that would poison training is refused`(feature: [Float]) throws {
    let writer = try PackedDatasetWriter(
      folder.file("a.zip"),
      options: .init(resolution: 4, featureModel: .init(name: "m", sha256: "s"))
    )
    let png = try noiseImage(4, seed: 0).encodedPNG(level: 1)
    try writer.append(PackedRecord(image: png, imageFeature: [1, 2]))
    #expect(throws: DatasetError.self) {
      try writer.append(PackedRecord(image: png, imageFeature: feature))
    }
  }

  @Test func `an error message is one line`() throws {
    func message(_ path: String) -> String {
      let error = #expect(throws: DatasetError.self) { try PackedDataset(path) }
      return error?.description ?? ""
    }
    #expect(
      message("/nonexistent.zip") == "cannot open /nonexistent.zip: no such file; check the path"
    )
    try folder.write(Array("plain text, not a zip at all".utf8), to: "text.zip")
    #expect(message(folder.file("text.zip")).contains("no end-of-directory record"))

    var zip = try ZipWriter(folder.file("empty.zip"))
    try zip.add("readme.txt", [1])
    try zip.finish()
    #expect(message(folder.file("empty.zip")).contains("no image found"))

    zip = try ZipWriter(folder.file("bare.zip"))
    try zip.add("a.png", noiseImage(4, seed: 0).encodedPNG(level: 1))
    try zip.finish()
    #expect(message(folder.file("bare.zip")).contains("images without CLIP features"))

    zip = try ZipWriter(folder.file("wide.zip"))
    try zip.add("a.png", noiseImage(4, seed: 0, height: 6).encodedPNG(level: 1))
    try zip.add("clip_img_features.npy", NpyArray.encode([[1]], columns: 1, as: .float32))
    try zip.finish()
    #expect(message(folder.file("wide.zip")).contains("a.png is 4×6, expected square"))

    zip = try ZipWriter(folder.file("short.zip"))
    try zip.add("a.png", noiseImage(4, seed: 0).encodedPNG(level: 1))
    try zip.add("b.png", noiseImage(4, seed: 0).encodedPNG(level: 1))
    try zip.add("clip_img_features.npy", NpyArray.encode([[1]], columns: 1, as: .float32))
    try zip.finish()
    #expect(message(folder.file("short.zip")).contains("1 features of 1 float32 for 2 images"))
  }

  @Test func `an image of another size and an unreadable one are named`() throws {
    let path = folder.file("mixed.zip")
    let zip = try ZipWriter(path)
    try zip.add("a.png", noiseImage(4, seed: 0).encodedPNG(level: 1))
    try zip.add("b.png", noiseImage(6, seed: 0).encodedPNG(level: 1))
    try zip.add("c.png", Array("no picture".utf8))
    try zip.add(
      "clip_img_features.npy",
      NpyArray.encode([[1], [2], [3]], columns: 1, as: .float32)
    )
    try zip.finish()
    let set = try PackedDataset(path)
    #expect(
      throws: DatasetError.wrongResolution(
        path: path,
        entry: "b.png",
        found: "6×6",
        expected: "4×4"
      )
    ) { try set.image(at: 1) }
    let error = #expect(throws: DatasetError.self) { try set.image(at: 2) }
    #expect(error?.description.hasPrefix("\(path): cannot decode c.png: ") == true)
  }

  @Test(arguments: [[0, 2, 1], [0, 1, 3], [1, 1, 2], [-1, 0, 2], [0, 0, 1], [0, 2]])
  func `caption positions that do not fit are refused`(index: [Int]) throws {
    let path = folder.file("index.zip")
    let zip = try ZipWriter(path)
    for name in ["a.png", "b.png"] {
      try zip.add(name, noiseImage(4, seed: 0).encodedPNG(level: 1))
    }
    let features = NpyArray.encode([[1], [2]], columns: 1, as: .float32)
    try zip.add("clip_img_features.npy", features)
    try zip.add("clip_txt_features.npy", features)
    try zip.add("clip_txt_index.npy", NpyArray.encode(index))
    try zip.finish()
    let error = #expect(throws: DatasetError.self) { try PackedDataset(path) }
    #expect(error?.description.contains("clip_txt_index.npy is damaged") == true)
  }

  @Test func `a manifest of a later version is refused`() throws {
    let path = folder.file("later.zip")
    let manifest = try PackedDataset(packNoise(folder.file("a.zip"), count: 1)).manifest
    var later = try #require(manifest)
    later.formatVersion = 2
    let zip = try ZipWriter(path)
    try zip.add("a.png", noiseImage(8, seed: 0).encodedPNG(level: 1))
    try zip.add("nifty.json", later.encoded)
    try zip.finish()
    let error = #expect(throws: DatasetError.self) { try PackedDataset(path) }
    #expect(error?.description.contains("format version 2, this nifty reads 1") == true)
  }

  @Test func `damaged datasets end in errors, not in crashes`() throws {
    let whole = try bytes(of: packNoise(folder.file("a.zip"), count: 2, side: 2, dimension: 2))
    var refused = 0
    for copy in mutations(of: whole, count: 600, seed: 3) {
      try folder.write(copy, to: "bad.zip")
      do {
        let set = try PackedDataset(folder.file("bad.zip"))
        for index in 0..<set.count {
          for caption in 0..<set.textFeatureCount(at: index) {
            _ = set.textFeature(image: index, caption: caption)
          }
          _ = set.imageFeature(at: index)
          _ = try set.captions(at: index)
        }
        if !DatasetCheck.faults(in: set, threads: 1).isEmpty { refused += 1 }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 300)
  }

  @Test func `system errors stay file errors, also within an archive`() {
    let refused = FileError("open", path: "/dev/null", reason: "a device, not a file")
    #expect(throws: DatasetError.file(refused)) { try PackedDataset("/dev/null") }
    #expect(DatasetError(.file(refused)) == .file(refused))
    #expect(DatasetError(.missing(path: "a")) == .missing(path: "a"))
  }

  @Test func `a folder given for a zip leads to nifty pack`() {
    let error = #expect(throws: DatasetError.self) { try PackedDataset(folder.path + "/") }
    let advice = "pack it first: nifty pack --source=\(folder.path) --dest=\(folder.path).zip"
    #expect(error.map { "\($0)".hasSuffix(advice) } == true)
  }
}
