import Archives
import Files
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// A file of the folder `Fixtures` beside these tests.
func fixture(_ name: String) -> URL {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
}

/// A JSON fixture.
func fixture<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
  try JSONDecoder().decode(type, from: Data(contentsOf: fixture(name)))
}

/// A JSON file of numbers that the original recorded: from the folder that NIFTY_GOLDENS names, else
/// from Tests/Goldens.
func recorded<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
  try JSONDecoder().decode(type, from: Data(contentsOf: Repository.goldens.appending(path: name)))
}

/// An image of noise that is a function of its seed.
func noiseImage(_ side: Int, seed: Int, height: Int? = nil) -> RGBImage {
  var random = CounterRandom(seed: 7, position: seed)
  let count = 3 * side * (height ?? side)
  let pixels = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  return RGBImage(width: side, height: height ?? side, pixels: pixels)
}

/// A CLIP model for tests: features are a function of pixels or text, exact in half precision.
struct HashExtractor: FeatureExtractor {
  var name = "hash"
  var sha256 = "00"
  var settings = ""
  var dimension = 8

  func embed(images: [RGBImage], first: Int) throws -> [[Float]] {
    images.map { feature($0.pixels) }
  }

  func embed(captions: [String]) throws -> [[Float]] { captions.map { feature(Array($0.utf8)) } }

  func feature(_ bytes: [UInt8]) -> [Float] {
    var random = CounterRandom(seed: UInt64(bytes.withUnsafeBytes(CRC32.of)), position: 0)
    return (0..<dimension).map { _ in Float(random.integer(below: 512)) / 256 - 1 }
  }
}

/// Packs noise images with `captions(i)` captions each; returns the path.
@discardableResult
func packNoise(
  _ path: String,
  count: Int,
  side: Int = 8,
  dimension: Int = 8,
  first: Int = 0,
  element: NpyElement = .float16,
  lafiteJSON: Bool = false,
  captions: (Int) -> Int = { $0 % 3 }
) throws -> String {
  let extractor = HashExtractor(dimension: dimension)
  let writer = try PackedDatasetWriter(
    path,
    options: .init(
      resolution: side,
      featureModel: .init(name: "hash", sha256: "00"),
      featureElement: element,
      source: "noise",
      writesLafiteJSON: lafiteJSON
    )
  )
  for index in first..<first + count {
    let image = noiseImage(side, seed: index)
    let texts = (0..<captions(index)).map { "caption \($0) of \(index)" }
    try writer.append(
      PackedRecord(
        image: image.encodedPNG(level: 0),
        imageFeature: extractor.feature(image.pixels),
        captions: texts,
        textFeatures: extractor.embed(captions: texts)
      )
    )
  }
  try writer.finish()
  return path
}

/// Damaged copies of `original`: seeded changes of one to four bytes.
///
/// New bytes come from `alphabet`; by default edges of the range, which find unchecked lengths
/// sooner than random ones, and now and then any byte.
func mutations(
  of original: [UInt8],
  count: Int,
  seed: UInt64,
  alphabet: [UInt8] = []
) -> [[UInt8]] {
  (0..<count).map { number in
    var random = CounterRandom(seed: seed, position: number)
    var copy = original
    for _ in 0..<1 + random.integer(below: 4) {
      let edges: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: random.next())]
      let bytes = alphabet.isEmpty ? edges : alphabet
      copy[random.integer(below: copy.count)] = bytes[random.integer(below: bytes.count)]
    }
    return copy
  }
}

/// Packs records with features of 8² images; returns the set.
func packRecords(
  _ path: String,
  _ records: some Sequence<PackedRecord>
) throws -> PackedDataset {
  let writer = try PackedDatasetWriter(
    path,
    options: .init(
      resolution: 8,
      featureModel: .init(name: "hash", sha256: "00"),
      featureElement: .float32
    )
  )
  for record in records { try writer.append(record) }
  try writer.finish()
  return try PackedDataset(path)
}
