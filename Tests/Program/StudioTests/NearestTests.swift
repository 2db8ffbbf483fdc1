import Archives
import Datasets
import Foundation
import Images
import TestSupport
import Testing

@testable import Studio

@Suite("The nearest training pictures", .timeLimit(.minutes(3)))
struct NearestTests {
  private static let width = 512

  /// A packed set of made features, the third of which has no length.
  private func set(
    _ count: Int,
    as element: NpyElement = .float16,
    width: Int = Self.width,
    in folder: TemporaryFolder
  ) throws -> String {
    let path = folder.file("\(count)-\(element.rawValue).zip")
    let writer = try PackedDatasetWriter(
      path,
      options: .init(
        resolution: 8,
        featureModel: .init(name: "made", sha256: "00"),
        featureElement: element
      )
    )
    let picture = try RGBImage(width: 8, height: 8, filledWith: Color(1, 2, 3)).encodedPNG()
    var random = SeededGenerator(state: 1)
    for number in 0..<count {
      let feature = (0..<width).map { _ in
        number == 2 ? 0 : Float(Int16(truncatingIfNeeded: random.next())) / 4096
      }
      try writer.append(
        PackedRecord(image: picture, imageFeature: feature, captions: [], textFeatures: [])
      )
    }
    try writer.finish()
    return path
  }

  @Test(arguments: [NpyElement.float16, .float32])
  func `they are those of the largest cosines, over several sets`(element: NpyElement) throws {
    let folder = try TemporaryFolder()
    let paths = [
      try set(90, as: element, width: 24, in: folder),
      try set(70, as: element, width: 24, in: folder),
    ]
    let pictures = try TrainingPictures(paths, clip: "00", dimension: 24)
    let wanted = (0..<24).map { Float($0 % 5) - 1.5 }
    let length = wanted.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let feature = wanted.map { $0 / length }
    var expected: [TrainingPictures.Match] = []
    for (number, set) in pictures.sets.enumerated() {
      for index in 0..<set.count where index != 2 {
        let own = set.imageFeature(at: index)
        let dot = zip(own, feature).reduce(0) { $0 + $1.0 * $1.1 }
        let similarity = dot / own.reduce(0) { $0 + $1 * $1 }.squareRoot()
        expected.append(.init(set: number, index: index, similarity: similarity))
      }
    }
    expected.sort { $0.similarity > $1.similarity }
    let found = pictures.nearest(to: feature, count: 20)
    #expect(found.map(\.index) == expected.prefix(20).map(\.index))
    #expect(found.map(\.set) == expected.prefix(20).map(\.set))
    #expect(zip(found, expected).allSatisfy { abs($0.similarity - $1.similarity) < 1e-5 })
    #expect(pictures.nearest(to: feature, count: 1000).count == 158, "all but those of no length")
  }

  @Test func `twenty thousand are searched in a moment`() throws {
    let folder = try TemporaryFolder()
    let path = try set(20_000, in: folder)
    let pictures = try TrainingPictures([path], clip: "00", dimension: Self.width)
    let feature = pictures.sets[0].imageFeature(at: 12_345)
    let length = feature.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let unit = feature.map { $0 / length }
    // The best of three: other tests run on the same cores.
    let times = (0..<3).map { _ in
      ContinuousClock().measure {
        #expect(pictures.nearest(to: unit, count: 12)[0].index == 12_345)
      }
    }
    // A million in a second would be 20 ms; this build is not optimized.
    #expect(times.min() ?? .zero < .milliseconds(400), "\(times)")
  }
}
