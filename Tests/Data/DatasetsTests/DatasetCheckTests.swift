import Archives
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// What `nifty dataset verify` finds: each kind of damage, under checksums that are right.
@Suite struct DatasetCheckTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A set of four images with two captions each, features of the mirrored images and labels.
  private func writeSet() throws {
    let writer = try PackedDatasetWriter(
      folder.file("a.zip"),
      options: .init(
        resolution: 4,
        featureModel: .init(name: "m", sha256: "s"),
        featureElement: .float32
      )
    )
    for number in 0..<4 {
      let feature: [Float] = [1, 2, Float(number)]
      try writer.append(
        PackedRecord(
          image: noiseImage(4, seed: number).encodedPNG(level: 0),
          imageFeature: feature,
          flippedFeature: feature,
          captions: ["one", "two"],
          textFeatures: [feature, feature],
          label: .index(number)
        )
      )
    }
    try writer.finish()
  }

  /// The faults of the set with some entries changed, and the zip made again around them.
  private func faults(
    _ change: (inout [String: [UInt8]]) throws -> Void
  ) throws -> [DatasetCheck.Fault] {
    try writeSet()
    let whole = try ZipArchive(folder.file("a.zip"))
    var entries: [String: [UInt8]] = [:]
    for index in 0..<whole.count {
      entries[whole.name(at: index)] = try whole.contents(at: index, limit: 1 << 20)
    }
    try change(&entries)
    let zip = try ZipWriter(folder.file("b.zip"))
    for (name, contents) in entries.sorted(by: { $0.key < $1.key }) { try zip.add(name, contents) }
    try zip.finish()
    return try DatasetCheck.faults(in: PackedDataset(folder.file("b.zip")))
  }

  /// Replaces the feature of row 1, whose header is 128 bytes long.
  private func replace(_ entry: inout [UInt8]?, by feature: [Float], row: Int = 1) {
    let bytes = NpyArray.encode(feature, as: .float32)
    let start = 128 + row * bytes.count
    entry?.replaceSubrange(start..<start + bytes.count, with: bytes)
  }

  private let second = "00000/img00000001.png"

  @Test func `an undamaged dataset has no faults`() throws {
    #expect(try faults { _ in } == [])
  }

  @Test(arguments: [
    (FeatureStore.imagesName, 1, "its image feature"),
    (FeatureStore.flippedName, 1, "its mirrored image's feature"),
    (FeatureStore.textsName, 3, "the feature of caption 2"),
  ])
  func `features that are not finite or zero are found`(
    entry: String,
    row: Int,
    what: String
  ) throws {
    for (feature, fault) in [
      ([1, .nan, 2], "is not finite"), ([1, 2, -.infinity], "is not finite"),
      ([0, 0, -0], "is zero"),
    ] as [([Float], String)] {
      let found = try faults { replace(&$0[entry], by: feature, row: row) }
      #expect(found == [.init(entry: second, reason: "\(what) \(fault)")])
    }
  }

  @Test func `an image of another size is found`() throws {
    let found = try faults { $0[second] = try noiseImage(8, seed: 1).encodedPNG(level: 0) }
    #expect(found == [.init(entry: second, reason: "8×8, expected 4×4")])
  }

  @Test func `an image that cannot be decoded is found`() throws {
    let found = try faults { $0[second]?.removeLast(30) }
    #expect(found.map(\.entry) == [second])
  }

  @Test func `captions that are not as many as their features are found`() throws {
    let found = try faults {
      $0["captions.jsonl"] = Array(
        #"["one","two"]|["one"]|["one","two"]|["one","two"]|"#
          .replacingOccurrences(of: "|", with: "\n").utf8
      )
    }
    let reason = "1 captions of image 2, 2 features"
    #expect(found == [.init(entry: "captions.jsonl", reason: reason)])
  }

  @Test func `captions that are not as many as stated are found`() throws {
    let found = try faults {
      let text = String(decoding: $0["nifty.json"] ?? [], as: UTF8.self)
      #expect(text.contains(#""captionCount" : 8"#))
      $0["nifty.json"] = Array(
        text.replacingOccurrences(of: #""captionCount" : 8"#, with: #""captionCount" : 9"#).utf8
      )
    }
    #expect(found == [.init(entry: "nifty.json", reason: "9 captions stated, 8 found")])
  }

  @Test(arguments: ["-1", "[1, nan]", "cat", ""])
  func `a line that is no label is found`(label: String) throws {
    let found = try faults { $0["labels.jsonl"] = Array("0\n\(label)\n2\n3\n".utf8) }
    #expect(found == [.init(entry: "labels.jsonl", reason: "line 2 is no label")])
  }

  @Test func `labels that are not as many as the images are found`() throws {
    let found = try faults { $0["labels.jsonl"] = Array("0\n".utf8) }
    #expect(found == [.init(entry: "labels.jsonl", reason: "1 lines for 4 images")])
  }

  @Test func `a compressed entry besides is told as what it is`() throws {
    try writeSet()
    let script = """
      import sys, zipfile
      with zipfile.ZipFile(sys.argv[1], "a", zipfile.ZIP_DEFLATED) as z:
        z.writestr("notes.txt", "words " * 100)
      """
    _ = try Python.run(script, folder.file("a.zip"))
    let found = try DatasetCheck.faults(in: PackedDataset(folder.file("a.zip")))
    #expect(found.map(\.entry) == ["notes.txt"])
    #expect(found.first?.reason.contains("it is compressed") == true)
  }

  @Test func `images skipped by the parts are reported of the merged set`() throws {
    for (name, cause) in [("a", DropCause.grey), ("b", .grey), ("c", .tooSmall)] {
      let writer = try PackedDatasetWriter(
        folder.file("\(name).zip"),
        options: .init(resolution: 4, featureModel: nil)
      )
      try writer.append(PackedRecord(image: noiseImage(4, seed: 0).encodedPNG(level: 0)))
      try writer.drop(.init(name: name, cause: cause, reason: ""))
      try writer.finish()
    }
    let sets = try ["a", "b", "c"].map {
      try PackedDataset(folder.file("\($0).zip"), requiresFeatures: false)
    }
    let manifest = try DatasetMerge.merge(sets, to: folder.file("all.zip"))
    #expect(manifest.dropped == ["grey": 2, "too small": 1])
  }
}
