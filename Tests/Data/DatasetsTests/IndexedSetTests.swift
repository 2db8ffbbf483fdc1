import Archives
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Packed sets whose zip has an index: those of many images, here of few.
@Suite struct IndexedSetTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A set of `count` images with two captions each, and none for each third image.
  @discardableResult
  private func write(_ name: String, _ count: Int, indexedFrom: Int = 1) throws -> PackedDataset {
    var options = PackedDatasetWriter.Options(
      resolution: 2,
      featureModel: .init(name: "m", sha256: "s"),
      featureElement: .float32
    )
    options.indexedFrom = indexedFrom
    let writer = try PackedDatasetWriter(folder.file(name), options: options)
    for number in 0..<count {
      let captions = number % 3 == 2 ? [] : ["one", "two \(number)"]
      try writer.append(
        PackedRecord(
          image: noiseImage(2, seed: number).encodedPNG(level: 0),
          imageFeature: [1, Float(number)],
          captions: captions,
          textFeatures: captions.indices.map { [Float($0 + 1), Float(number)] },
          label: .index(number)
        )
      )
    }
    try writer.finish()
    return try PackedDataset(folder.file(name))
  }

  @Test func `a set with an index holds what one without holds`() throws {
    let (indexed, listed) = (try write("a.zip", 150), try write("b.zip", 150, indexedFrom: 151))
    #expect(indexed.zip.isIndexed && !listed.zip.isIndexed)
    #expect(indexed.count == 150 && indexed.captionCount == 200)
    for index in 0..<150 {
      #expect(indexed.name(at: index) == listed.name(at: index))
      #expect(try indexed.image(at: index) == listed.image(at: index))
      #expect(try indexed.captions(at: index) == listed.captions(at: index))
      #expect(try indexed.label(at: index) == listed.label(at: index))
      #expect(indexed.imageFeature(at: index) == [1, Float(index)])
      #expect(indexed.textFeatureCount(at: index) == listed.textFeatureCount(at: index))
    }
    #expect(try indexed.uncaptionedCount() == 50 && listed.uncaptionedCount() == 50)
    #expect(indexed.imagesSHA256 == listed.imagesSHA256)
    #expect(DatasetCheck.faults(in: indexed) == [])
    let training = try TrainingSet([indexed])
    #expect(training.uncaptionedCount == 50)
    #expect(try training.features(at: 149, seed: 1, position: 0).image == [1, 149])
  }

  @Test func `another set of the same size is another set by its identity`() throws {
    let (first, again) = (try write("a.zip", 100), try write("b.zip", 100))
    #expect(first.identity == again.identity)
    let whole = try ZipArchive(folder.file("a.zip"))
    let changed = try rewrite(whole, "c.zip") { name, contents in
      if name == "00000/img00000050.png" {
        contents = try noiseImage(2, seed: 900).encodedPNG(level: 0)
      }
    }
    #expect(changed.zip.isIndexed && changed.identity.size == first.identity.size)
    #expect(changed.identity.directory != first.identity.directory)
  }

  @Test func `damaged positions of captions are refused when they are used`() throws {
    try write("a.zip", 100)
    let whole = try ZipArchive(folder.file("a.zip"))
    let damaged = try rewrite(whole, "b.zip") { name, contents in
      // Position 10 of 101, behind a header of 128 bytes.
      if name == FeatureStore.indexName { contents[128 + 80 + 6] = 0x7f }
    }
    #expect(damaged.zip.isIndexed)
    let training = try TrainingSet([damaged])
    for index in 0..<100 {
      let isDamaged = index == 9 || index == 10
      #expect(damaged.textFeatureCount(at: index) == 0 || !isDamaged)
      let error = (try? training.features(at: index, seed: 1, position: 0)) == nil
      #expect(error == isDamaged, "image \(index)")
    }
    let faults = DatasetCheck.faults(in: damaged)
    #expect(faults.contains { $0.reason.contains("position") }, "\(faults)")
  }

  @Test func `a damaged record is named by the check`() throws {
    try write("a.zip", 100)
    var bytes = try bytes(of: folder.file("a.zip"))
    let zip = try ZipArchive(folder.file("a.zip"))
    let record = bytes.count - 22 - 46 - 17 - 40
    #expect(zip.count == 107)
    bytes[record] ^= 0x20
    try folder.write(bytes, to: "b.zip")
    let set = try PackedDataset(folder.file("b.zip"), requiresFeatures: false)
    #expect(!DatasetCheck.faults(in: set).isEmpty)
  }

  /// The zip again with changed entries and right checksums.
  private func rewrite(
    _ whole: ZipArchive,
    _ name: String,
    _ change: (String, inout [UInt8]) throws -> Void
  ) throws -> PackedDataset {
    let zip = try ZipWriter(folder.file(name))
    for index in 0..<whole.count - 1 {
      var contents = try whole.contents(at: index, limit: 1 << 20)
      try change(whole.name(at: index), &contents)
      try zip.add(whole.name(at: index), contents)
    }
    try zip.finish(indexed: true)
    return try PackedDataset(folder.file(name))
  }
}
