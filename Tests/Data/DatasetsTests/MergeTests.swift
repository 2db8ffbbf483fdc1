import Archives
import Files
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct MergeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `merged sets hold the images, features and captions of all, in order`() throws {
    let parts = try [
      packNoise(folder.file("a.zip"), count: 3),
      packNoise(folder.file("b.zip"), count: 4, first: 3, captions: { $0 % 2 }),
    ].map { try PackedDataset($0) }
    let manifest = try DatasetMerge.merge(parts, to: folder.file("all.zip"))
    #expect(manifest.imageCount == 7 && manifest.source == "noise + noise")
    let all = try PackedDataset(folder.file("all.zip"))
    for index in 0..<7 {
      let (part, own) = index < 3 ? (parts[0], index) : (parts[1], index - 3)
      #expect(try all.encodedImage(at: index) == part.encodedImage(at: own))
      #expect(all.imageFeature(at: index) == part.imageFeature(at: own))
      #expect(try all.captions(at: index) == part.captions(at: own))
      #expect(all.textFeatureCount(at: index) == part.textFeatureCount(at: own))
    }
    #expect(DatasetCheck.faults(in: all) == [])
  }

  @Test(arguments: [Int.max, -1]) func `counts that cannot be are refused before they are added up`(
    count: Int
  ) throws {
    let path = try packNoise(folder.file("a.zip"), count: 2)
    var manifest = try #require(try PackedDataset(path).manifest)
    manifest.dropped = ["grey": count]
    let bytes = manifest.encoded
    #expect(throws: DatasetError.self) {
      try bytes.withUnsafeBytes { buffer in
        try PackManifest.decode(buffer, path: path)
      }
    }
  }

  /// A set as the original and StyleGAN2-ADA pack it, each image with a label of its own.
  private func packLabelled(
    _ name: String,
    features: String = ""
  ) throws -> PackedDataset {
    let zip = try ZipWriter(folder.file(name))
    for index in 0..<3 {
      try zip.add("\(index).png", noiseImage(4, seed: index).encodedPNG())
    }
    let json = #"{"labels": [["2.png", 7], ["0.png", [0.5, 2]], ["1.png", 1]]\#(features)}"#
    try zip.add("dataset.json", Array(json.utf8))
    try zip.finish()
    return try PackedDataset(folder.file(name), requiresFeatures: !features.isEmpty)
  }

  private let labels: [ImageLabel?] = [.vector([0.5, 2]), .index(1), .index(7)]

  @Test func `labels of LAFITE's sets are read, from the sidecar too, and kept by a merge`() throws
  {
    let features = #", "clip_img_features": [["0.png", [1]], ["1.png", [2]], ["2.png", [3]]]"#
    for _ in 0..<2 {
      let set = try packLabelled("l.zip", features: features)
      #expect(set.hasLabels)
      #expect(try (0..<3).map(set.label) == labels)
      _ = try DatasetMerge.merge([set, set], to: folder.file("all.zip"))
      let all = try PackedDataset(folder.file("all.zip"))
      #expect(try (0..<6).map(all.label) == labels + labels)
      #expect((0..<6).map(all.imageFeature) == [[1], [2], [3], [1], [2], [3]])
    }
  }

  @Test func `a set of StyleGAN2-ADA has labels and no features`() throws {
    let set = try packLabelled("l.zip")
    #expect(try (0..<3).map(set.label) == labels)
    #expect(set.featureDimension == 0)
    #expect(throws: DatasetError.noFeatures(path: set.path)) { try PackedDataset(set.path) }
    #expect(folder.contents == ["l.zip", "l.zip.features"])
  }

  @Test func `labels of a part of the images count as none`() throws {
    let zip = try ZipWriter(folder.file("l.zip"))
    for index in 0..<2 { try zip.add("\(index).png", noiseImage(4, seed: index).encodedPNG()) }
    try zip.add("dataset.json", Array(#"{"labels": [["1.png", 7], ["no.png", 1]]}"#.utf8))
    try zip.finish()
    let set = try PackedDataset(folder.file("l.zip"), requiresFeatures: false)
    #expect(try !set.hasLabels && set.label(at: 1) == nil)
  }

  @Test func `sets that do not fit together are refused`() throws {
    let first = try PackedDataset(packNoise(folder.file("a.zip"), count: 1))
    let larger = try PackedDataset(packNoise(folder.file("b.zip"), count: 1, side: 16))
    let longer = try PackedDataset(packNoise(folder.file("c.zip"), count: 1, dimension: 4))
    for other in [larger, longer] {
      #expect(throws: DatasetError.self) {
        try DatasetMerge.merge([first, other], to: folder.file("all.zip"))
      }
    }
    #expect(!folder.contents.contains("all.zip"))
  }

  @Test func `the check finds every fault and names its entry`() throws {
    let path = try packNoise(folder.file("a.zip"), count: 4)
    #expect(try DatasetCheck.faults(in: PackedDataset(path)) == [])
    var damaged = try bytes(of: path)
    let zip = try ZipArchive(path)
    for name in ["00000/img00000002.png", "captions.jsonl"] {
      let entry = try #require(zip.index(of: name))
      let content = try zip.bytes(at: entry).withBytes { Array($0) }
      let offset = try #require(damaged.firstRange(of: content)).lowerBound
      damaged[offset + content.count - 2] ^= 1
    }
    try folder.write(damaged, to: "bad.zip")
    let faults = try DatasetCheck.faults(in: PackedDataset(folder.file("bad.zip")))
    #expect(faults.map(\.entry).contains("00000/img00000002.png"))
    #expect(faults.contains { $0.entry == "captions.jsonl" && $0.reason == "its checksum differs" })
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `Python reads the tars that are written`() throws {
    let tar = try TarWriter(folder.file("a.tar"))
    try tar.add("a/1.txt", Array("one".utf8))
    try tar.add("a/2.txt", [UInt8](repeating: 7, count: 1024))
    try tar.finish()
    let script = """
      import sys, tarfile
      t = tarfile.open(sys.argv[1])
      print([(m.name, m.size, m.mtime) for m in t], t.extractfile("a/1.txt").read())
      """
    #expect(
      try Python.run(script, folder.file("a.tar"))
        == "[('a/1.txt', 3, 0), ('a/2.txt', 1024, 0)] b'one'\n"
    )
  }
}
