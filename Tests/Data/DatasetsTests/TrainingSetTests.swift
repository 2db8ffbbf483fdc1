import Archives
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct TrainingSetTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `several datasets are one, in their given order`() throws {
    let sets = try [3, 1, 4].enumerated().map { number, count in
      try PackedDataset(packNoise(folder.file("\(number).zip"), count: count, first: 10 * number))
    }
    let training = try TrainingSet(sets)
    #expect((training.count, training.rawCount) == (8, 8))
    #expect((training.resolution, training.featureDimension) == (8, 8))
    let expected = [0, 1, 2, 10, 20, 21, 22, 23]
    for index in 0..<8 {
      let image = noiseImage(8, seed: expected[index])
      #expect(try training.image(at: index) == image)
      #expect(training.imageFeature(at: index) == HashExtractor().feature(image.pixels))
    }
    #expect(training.uncaptionedCount == expected.count { $0 % 3 == 0 })
  }

  @Test func `mirror flips pixels and leaves features alone`() throws {
    let set = try PackedDataset(packNoise(folder.file("a.zip"), count: 2))
    let training = try TrainingSet([set], options: .init(mirror: true))
    #expect(training.count == 4)
    let (image, flipped) = (try training.image(at: 1), try training.image(at: 3))
    for row in 0..<8 {
      for column in 0..<8 {
        for channel in 0..<3 {
          #expect(
            flipped.pixels[3 * (8 * row + column) + channel]
              == image.pixels[3 * (8 * row + 7 - column) + channel]
          )
        }
      }
    }
    #expect(training.imageFeature(at: 3) == training.imageFeature(at: 1))
  }

  /// A set whose mirrored images have features of their own.
  private func packFlipped(_ name: String) throws -> PackedDataset {
    try packRecords(
      folder.file(name),
      (0..<2).map { index in
        PackedRecord(
          image: try noiseImage(8, seed: index).encodedPNG(),
          imageFeature: [1, Float(index)],
          flippedFeature: [-1, Float(index)],
          captions: [],
          textFeatures: []
        )
      }
    )
  }

  @Test func `a mirrored image has its own packed feature, except in LAFITE mode`()
    throws
  {
    let set = try packFlipped("a.zip")
    let ours = try TrainingSet([set], options: .init(mirror: true))
    #expect((0..<4).map(ours.imageFeature) == [[1, 0], [1, 1], [-1, 0], [-1, 1]])
    let lafite = try TrainingSet([set], options: .init(mirror: true, mirrorsFeatures: false))
    #expect((0..<4).map(lafite.imageFeature) == [[1, 0], [1, 1], [1, 0], [1, 1]])
    #expect(try ours.features(at: 3, seed: 0, position: 5).image == [-1, 1])
    // Without captions the text feature leans towards the feature of what is shown.
    func leaning(_ training: TrainingSet) -> Float {
      (0..<100).reduce(0) { $0 + training.textFeature(at: 2, seed: 1, position: $1)[0] }
    }
    #expect(leaning(ours) < -5 && leaning(lafite) > 5)
  }

  @Test func `every caption is chosen, each about equally often`() throws {
    let set = try PackedDataset(packNoise(folder.file("a.zip"), count: 1, captions: { _ in 3 }))
    let training = try TrainingSet([set])
    var counts = [0, 0, 0]
    for position in 0..<3000 {
      let feature = training.textFeature(at: 0, seed: 5, position: position)
      let caption = (0..<3).first { set.textFeature(image: 0, caption: $0) == feature }
      counts[try #require(caption)] += 1
    }
    // Standard deviation 26: this is more than five of them.
    #expect(counts.allSatisfy { abs($0 - 1000) < 140 }, "\(counts)")
    #expect(
      training.textFeature(at: 0, seed: 5, position: 9)
        == training.textFeature(at: 0, seed: 5, position: 9)
    )
  }

  @Test func `a pseudo-text feature leans towards its image by 0.25 to 0.75`() throws {
    let dimension = 512
    let path = try packNoise(
      folder.file("a.zip"),
      count: 1,
      dimension: dimension,
      captions: { _ in 0 }
    )
    let training = try TrainingSet([PackedDataset(path)])
    let image = training.imageFeature(at: 0)
    let norm = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var mean: Float = 0
    for position in 0..<200 {
      let text = training.textFeature(at: 0, seed: 0, position: position)
      mean += zip(text, image).reduce(0) { $0 + $1.0 * $1.1 } / norm / 200
    }
    // cos = (0.25 + 0.75·c) / ‖…‖ with c ~ N(0, 1/512): about 0.25/√(0.0625 + 0.5625) = 0.316.
    #expect(abs(mean - 0.316) < 0.012, "\(mean)")
  }

  @Test func `sets that do not fit together are refused, both named`() throws {
    let small = try PackedDataset(packNoise(folder.file("small.zip"), count: 1))
    let large = try PackedDataset(packNoise(folder.file("large.zip"), count: 1, side: 16))
    let other = try PackedDataset(packNoise(folder.file("other.zip"), count: 1, dimension: 4))
    var error = #expect(throws: DatasetError.self) { try TrainingSet([small, large]) }
    #expect(error?.description.contains("is 16×16, expected 8×8 as in \(small.path)") == true)
    error = #expect(throws: DatasetError.self) { try TrainingSet([small, other]) }
    #expect(error?.description.contains("CLIP features of 4 numbers, expected 8") == true)
    #expect(throws: DatasetError.self) { try TrainingSet([]) }
    #expect(throws: DatasetError.self) { try TrainingSet([small], options: .init(subset: 0)) }
    #expect(throws: DatasetError.self) { try TrainingSet([small], options: .init(ratio: 1.5)) }
    #expect(throws: DatasetError.self) { try TrainingSet([small], options: .init(ratio: .nan)) }
  }
}
