import Archives
import Images
import TestSupport
import Testing

@testable import Datasets

/// Class labels of a training set, as networks take them.
@Suite("Class labels of a set")
struct LabelTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func set(_ name: String, _ labels: [ImageLabel?]) throws -> PackedDataset {
    try packRecords(
      folder.file(name),
      labels.enumerated().map { index, label in
        let image = noiseImage(8, seed: index)
        return PackedRecord(
          image: try image.encodedPNG(),
          imageFeature: HashExtractor().feature(image.pixels),
          label: label
        )
      }
    )
  }

  private func reason(_ sets: [PackedDataset]) throws -> String {
    let error = #expect(throws: DatasetError.self) { try TrainingSet(sets).labelDimension() }
    return error?.description ?? ""
  }

  @Test func `classes are ones and zeros, as many as the largest of all sets tells`() throws {
    let sets = [
      try set("a.zip", [.index(2), .index(0)]), try set("b.zip", [.index(4), .index(1)]),
    ]
    // A subset has the classes of the whole.
    let training = try TrainingSet(sets, options: .init(subset: 1, mirror: true))
    #expect(try training.labelDimension() == 5)
    let whole = try TrainingSet(sets, options: .init(mirror: true))
    #expect(try whole.label(at: 0, dimension: 5) == [0, 0, 1, 0, 0])
    #expect(try whole.label(at: 3, dimension: 5) == [0, 1, 0, 0, 0])
    // A flipped image has its image's class.
    #expect(try whole.label(at: 6, dimension: 5) == [0, 0, 0, 0, 1])
    try whole.expectLabels(dimension: 6)
    let error = #expect(throws: DatasetError.self) { try whole.expectLabels(dimension: 4) }
    #expect(
      error?.description.hasSuffix("a.zip has classes up to 4, the network takes 0 to 3") == true
    )
  }

  @Test func `lists of conditions stay as they are`() throws {
    let training = try TrainingSet([set("a.zip", [.vector([0.5, 0]), .vector([-1, 2])])])
    #expect(try training.labelDimension() == 2)
    #expect(try training.label(at: 1, dimension: 2) == [-1, 2])
    try training.expectLabels(dimension: 2)
    #expect(throws: DatasetError.self) { try training.expectLabels(dimension: 3) }
  }

  @Test func `sets without labels, or with several kinds of them, are refused by name`() throws {
    let plain = try set("plain.zip", [nil, nil])
    #expect(
      try reason([set("a.zip", [.index(0)]), plain]).contains("plain.zip has no class labels")
    )
    let widths = try set("widths.zip", [.vector([1, 0]), .vector([1])])
    #expect(
      try reason([widths]).contains("has a list of 1 number as its label, \(widths.path): ")
    )
    let kinds = [try set("k.zip", [.index(1)]), try set("l.zip", [.vector([1, 0])])]
    #expect(try reason(kinds).contains("as its label, \(kinds[0].path): "))
    #expect(
      try reason([set("far.zip", [.index(65_536)])])
        .contains("has the class 65536; 0 to 65535 is allowed")
    )
  }

  @Test func `a grid has a row a class, in their order, of images of that class`() throws {
    let labels = (0..<20).map { ImageLabel.index([3, 0, 5][$0 % 3]) }
    let training = try TrainingSet([set("a.zip", labels)])
    let indices = try training.labelledGridIndices(rows: 8, columns: 9)
    #expect(indices.count == 27)
    let classes = indices.map { labels[$0] }
    #expect(Array(classes[0..<9]) == Array(repeating: .index(0), count: 9))
    #expect(Array(classes[9..<18]) == Array(repeating: .index(3), count: 9))
    #expect(Array(classes[18...]) == Array(repeating: .index(5), count: 9))
    // Seven images of class 0, in the order of the plain grid, then again from the first.
    let order = training.gridIndices(20).filter { labels[$0] == .index(0) }
    #expect(Array(indices[0..<9]) == order + order[0..<2])
    let few = try training.labelledGridIndices(rows: 2, columns: 1)
    #expect(few.map { labels[$0] } == [.index(0), .index(3)])
  }

  @Test func `a loader gives each image its own label, and none unless it is asked`() throws {
    let labels = (0..<7).map { ImageLabel.index($0 % 3) }
    let training = try TrainingSet([set("a.zip", labels)], options: .init(mirror: true))
    let loader = BatchLoader(training, options: .init(seed: 3, labelDimension: 3))
    let batch = try loader.batch(at: 0, size: 20)
    let expected = try batch.indices.flatMap { try training.label(at: $0, dimension: 3) }
    #expect(batch.labels == expected && batch.labels.count == 60)
    let plain = try BatchLoader(training, options: .init(seed: 3)).batch(at: 0, size: 20)
    #expect(plain.labels.isEmpty && plain.indices == batch.indices && plain.pixels == batch.pixels)
  }
}
