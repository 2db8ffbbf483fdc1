import Archives
import Files
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Zips as the original LAFITE packs them: features inside of `dataset.json`.
@Suite struct LafiteZipTests {
  struct Fixture: Decodable {
    let names: [String]
    let pixel_crc32: [UInt32]
    let image_features: [String]
    let text_features: [[String]]
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func copyFixture() throws -> String {
    let path = folder.file("shapes.zip")
    try FileManager.default.copyItem(at: fixture("lafite_shapes.zip"), to: URL(filePath: path))
    return path
  }

  private func hexadecimal(_ feature: [Float]) -> String {
    NpyArray.encode(feature, as: .float32).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  private func expectFixture(_ set: PackedDataset) throws {
    let expected = try fixture("lafite_shapes.json", as: Fixture.self)
    #expect((set.count, set.resolution, set.featureDimension) == (6, 64, 512))
    #expect(set.manifest == nil)
    for index in 0..<set.count {
      #expect(set.name(at: index) == expected.names[index])
      let pixels = try set.image(at: index).pixels
      #expect(pixels.withUnsafeBytes(CRC32.of) == expected.pixel_crc32[index])
      #expect(hexadecimal(set.imageFeature(at: index)) == expected.image_features[index])
      let texts = (0..<set.textFeatureCount(at: index)).map {
        hexadecimal(set.textFeature(image: index, caption: $0))
      }
      #expect(texts == expected.text_features[index])
      #expect(try set.captions(at: index) == [])
    }
  }

  @Test func `a set of the original opens with all its values, and again from its sidecar`() throws
  {
    let path = try copyFixture()
    try expectFixture(PackedDataset(path))
    #expect(folder.contents == ["shapes.zip", "shapes.zip.features"])
    let sidecar = try bytes(of: path + ".features")
    try expectFixture(PackedDataset(path))
    #expect(try bytes(of: path + ".features") == sidecar)
  }

  @Test func `a sidecar that is damaged or of another set is rebuilt`() throws {
    let path = try copyFixture()
    try folder.write(Array("junk".utf8), to: "shapes.zip.features")
    try expectFixture(PackedDataset(path))
    let other = folder.file("other.zip")
    try writeZip(other, json: #"{"clip_img_features": [["a.png", [1, 2]]]}"#)
    _ = try PackedDataset(other)
    try FileManager.default.removeItem(atPath: path + ".features")
    try FileManager.default.moveItem(atPath: other + ".features", toPath: path + ".features")
    try expectFixture(PackedDataset(path))
  }

  @Test func `records that count for nothing are counted, also when opened again`() throws {
    let path = folder.file("a.zip")
    let json = """
      {"labels": [["a.png", 1], ["a.png", 2], ["gone.png", 1]],
       "clip_img_features": [["a.png", [1, 2]], ["b.png", [3, 4]], ["a.png", [5, 6]], ["x", [7, 8]]],
       "clip_txt_features": [["a.png", [[1, 2]]], ["y", [[1, 2], [3, 4]]]]}
      """
    try writeZip(path, json: json, images: ["a.png", "b.png"])
    let expected = [
      "2 CLIP features of images that the zip lacks", "1 label of images that the zip lacks",
      "1 CLIP feature given again (the last counts)", "1 label given again (the last counts)",
      "1 label while other images have none (then none counts)",
    ]
    #expect(try PackedDataset(path).remarks == expected)
    #expect(try PackedDataset(path).remarks == expected)
    #expect(try PackedDataset(path).imageFeature(at: 0) == [5, 6])
    #expect(try PackedDataset(copyFixture()).remarks == [])
  }

  @Test func `our dataset.json reads back as what we packed`() throws {
    let ours = try PackedDataset(packNoise(folder.file("a.zip"), count: 5, lafiteJSON: true))
    // Leave only what the original would read.
    let zip = try ZipArchive(folder.file("a.zip"))
    let plain = try ZipWriter(folder.file("plain.zip"))
    for index in 0..<zip.count
    where zip.name(at: index).hasSuffix(".png") || zip.name(at: index) == "dataset.json" {
      try plain.add(zip.name(at: index), zip.bytes(at: index).withBytes { Array($0) })
    }
    try plain.finish()
    let theirs = try PackedDataset(folder.file("plain.zip"))
    #expect(theirs.count == 5 && theirs.captionCount == ours.captionCount)
    for index in 0..<5 {
      #expect(theirs.imageFeature(at: index) == ours.imageFeature(at: index))
      #expect(theirs.textFeatureCount(at: index) == ours.textFeatureCount(at: index))
      for caption in 0..<ours.textFeatureCount(at: index) {
        #expect(
          theirs.textFeature(image: index, caption: caption)
            == ours.textFeature(image: index, caption: caption)
        )
      }
    }
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `Python reads our dataset.json in the original's form`() throws {
    let path = try packNoise(folder.file("a.zip"), count: 3, dimension: 2, lafiteJSON: true)
    let script = """
      import json, sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      assert z.testzip() is None
      d = json.loads(z.read("dataset.json"))
      assert list(d) == ["labels", "clip_img_features", "clip_txt_features"] and d["labels"] is None
      print([(n, len(v)) for n, v in d["clip_img_features"]])
      print([(n, [len(v) for v in vs]) for n, vs in d["clip_txt_features"]])
      """
    #expect(
      try Python.run(script, path) == """
        [('00000/img00000000.png', 2), ('00000/img00000001.png', 2), ('00000/img00000002.png', 2)]
        [('00000/img00000000.png', []), ('00000/img00000001.png', [2]), ('00000/img00000002.png', [2, 2])]\n
        """
    )
  }

  /// A zip of two 4×4 images `a.png`, `b.png` with this document.
  private func writeZip(_ path: String, json: String, images: [String] = ["a.png"]) throws {
    let zip = try ZipWriter(path)
    for name in images { try zip.add(name, noiseImage(4, seed: 0).encodedPNG(level: 1)) }
    try zip.add("dataset.json", Array(json.utf8))
    try zip.finish()
  }

  @Test func `records may come in any order, and of images that are not there`() throws {
    let path = folder.file("order.zip")
    try writeZip(
      path,
      json: """
        {"other": {"x": [1]}, "clip_txt_features": [["b.png", [[5, 6], [7, 8]]], ["gone.png", [[0, 0]]],
        ["a.png", [[9, 10]]]], "labels": null,
        "clip_img_features": [["b.png", [1, 2]], ["gone.png", [0, 0]], ["a.png", [3, 4]]]}
        """,
      images: ["b.png", "a.png"]
    )
    let set = try PackedDataset(path)
    #expect((0..<2).map(set.imageFeature) == [[3, 4], [1, 2]])
    #expect((0..<2).map(set.textFeatureCount) == [1, 2])
    #expect(set.textFeature(image: 0, caption: 0) == [9, 10])
    #expect(set.textFeature(image: 1, caption: 1) == [7, 8])
  }

  @Test func `damaged documents end in errors or in features that fit`() throws {
    let document = """
      {"labels": null, "clip_img_features": [["a.png", [1.5, -2e-3]], ["b.png", [0, 17]]],
      "clip_txt_features": [["a.png", [[1, 2], [3, 4]]], ["b.png", [[5, 6.25]]]]}
      """
    var (refused, read) = (0, 0)
    // JSON's own characters get past the first check more often than any bytes would.
    let alphabet = Array("0179.eE+-[]{},:\"\\un a\u{1}\u{7f}".utf8)
    let copies = mutations(of: Array(document.utf8), count: 400, seed: 4, alphabet: alphabet)
    for copy in copies {
      let path = folder.file("bad.zip")
      let zip = try ZipWriter(path)
      for name in ["a.png", "b.png"] {
        try zip.add(name, noiseImage(4, seed: 0).encodedPNG(level: 1))
      }
      try zip.add("dataset.json", copy)
      try zip.finish()
      do {
        let set = try PackedDataset(path)
        for index in 0..<2 {
          #expect(set.imageFeature(at: index).count == set.featureDimension)
          for caption in 0..<set.textFeatureCount(at: index) {
            #expect(set.textFeature(image: index, caption: caption).allSatisfy { $0.isFinite })
          }
        }
        read += 1
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100 && read > 20)
  }

  @Test(arguments: [
    (
      #"{"clip_img_features": [["a.png", [1, 2]]]}"#,
      "1 of 2 images have no CLIP feature, the first is b.png"
    ),
    (#"{"labels": null}"#, "images without CLIP features"),
    (#"{"clip_img_features": null}"#, "images without CLIP features"),
    (
      #"{"clip_img_features": [["a.png", [1, 2]], ["b.png", [1]]]}"#,
      "1 images have CLIP features that are not of 2 numbers, the first is b.png with 1"
    ),
    (
      #"{"clip_txt_features": [["a.png", [[1, 2], [1]]], ["b.png", [[3], [1, 2], [4]]]]}"#,
      "2 images have CLIP features that are not of 2 numbers, the first is a.png with 1"
    ),
    (
      #"{"clip_img_features": [["a.png", []], ["b.png", []]]}"#,
      "2 images have CLIP features that are not of 512 numbers, the first is a.png with 0"
    ),
    (#"{"clip_img_features": [["a.png", [1, "x"]]]}"#, "no number"),
    (#"{"clip_img_features": {"a.png": [1]}}"#, "no '['"),
    (#"{"clip_img_features": [["a.png", [1, 2]], ["b.png", [1, 2]]]"#, "no '}'"),
    ("[]", "no '{'"),
    ("", "no '{'"),
  ])
  func `a dataset.json that does not fit is refused with the reason`(
    json: String,
    reason: String
  ) throws {
    let path = folder.file("bad.zip")
    try writeZip(path, json: json, images: ["a.png", "b.png"])
    let error = #expect(throws: DatasetError.self) { try PackedDataset(path) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    #expect(folder.contents == ["bad.zip"])
  }
}
