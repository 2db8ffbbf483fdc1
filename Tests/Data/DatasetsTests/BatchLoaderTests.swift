import Archives
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct BatchLoaderTests {
  let folder: TemporaryFolder
  let training: TrainingSet

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    let sets = try (0..<2).map { number in
      try PackedDataset(packNoise(folder.file("\(number).zip"), count: 9, first: 9 * number))
    }
    training = try TrainingSet(sets, options: .init(subset: 13, mirror: true, ratio: 0.7, seed: 3))
  }

  private func batches(threads: Int, capacity: Int, size: Int, count: Int) throws -> [HostBatch] {
    let loader = BatchLoader(
      training,
      options: .init(seed: 3, threads: threads, capacity: capacity)
    )
    return try (0..<count).map { try loader.batch(at: $0 * size, size: size) }
  }

  @Test(arguments: [
    // Images of a step, side, images ahead: eight steps, what fits into 256 MiB, two steps at least.
    (16, 64, 128), (32, 256, 256), (64, 256, 512), (512, 256, 1337), (1024, 256, 2048),
    (4, 1024, 32), (32, 1024, 85), (64, 1024, 128), (1, 4, 8),
  ])
  func `read-ahead is bounded by memory and by the step`(
    rankBatch: Int,
    side: Int,
    ahead: Int
  ) {
    let capacity = Prefetch.capacity(rankBatch: rankBatch, resolution: side, featureDimension: 512)
    #expect(capacity == ahead)
    let bytes = capacity * (3 * side * side + 2 * 512 * 4)
    #expect(bytes <= Prefetch.maximumBytes || capacity == 2 * rankBatch)
    #expect(capacity >= 2 * rankBatch && capacity <= 8 * rankBatch)
  }

  @Test func `a batch holds what the training set holds at the sampler's indices`() throws {
    let batch = try BatchLoader(training, options: .init(seed: 3)).batch(at: 40, size: 5)
    var sampler = InfiniteSampler(count: 26, seed: 3)
    #expect(batch.indices == (40..<45).map { sampler.index(at: $0) })
    #expect((batch.size, batch.resolution, batch.featureDimension) == (5, 8, 8))
    #expect(batch.pixels.count == 5 * 8 * 8 * 3)
    for (item, index) in batch.indices.enumerated() {
      #expect(
        Array(batch.pixels[item * 192..<item * 192 + 192]) == (try training.image(at: index).pixels)
      )
      let feature = item * 8..<item * 8 + 8
      #expect(Array(batch.imageFeatures[feature]) == training.imageFeature(at: index))
      let text = training.textFeature(at: index, seed: 3, position: 40 + item)
      #expect(Array(batch.textFeatures[feature]) == text)
    }
  }

  @Test(arguments: [(1, 1), (2, 3), (4, 64), (7, 5)])
  func `batches do not depend on threads or on read-ahead`(threads: Int, capacity: Int) throws {
    let expected = try batches(threads: 1, capacity: 16, size: 4, count: 20)
    #expect(try batches(threads: threads, capacity: capacity, size: 4, count: 20) == expected)
  }

  @Test func `a run resumed at any point goes on as if it had not stopped`() throws {
    let whole = try batches(threads: 2, capacity: 8, size: 4, count: 20)
    for start in [0, 1, 7, 19] {
      let loader = BatchLoader(training, options: .init(seed: 3))
      for number in start..<20 {
        #expect(try loader.batch(at: 4 * number, size: 4) == whole[number])
      }
    }
    // Jumping about with one loader, back and forth.
    let loader = BatchLoader(training, options: .init(seed: 3))
    for number in [5, 6, 2, 3, 19, 0, 5] {
      #expect(try loader.batch(at: 4 * number, size: 4) == whole[number])
    }
  }

  @Test func `the order does not depend on batch size`() throws {
    let fours = try batches(threads: 2, capacity: 8, size: 4, count: 6)
    let sixes = try batches(threads: 2, capacity: 8, size: 6, count: 4)
    #expect(fours.flatMap(\.indices) == sixes.flatMap(\.indices))
    #expect(fours.flatMap(\.textFeatures) == sixes.flatMap(\.textFeatures))
  }

  @Test func `ranks share one order`() throws {
    let alone = try batches(threads: 1, capacity: 8, size: 6, count: 4)
    let loaders = (0..<3).map {
      BatchLoader(training, options: .init(seed: 3, rank: $0, ranks: 3, threads: 2))
    }
    for number in 0..<4 {
      let parts = try loaders.map { try $0.batch(at: 6 * number, size: 2).indices }
      let together = (0..<2).flatMap { item in parts.map { $0[item] } }
      #expect(together == alone[number].indices)
    }
  }

  @Test func `another seed gives another order`() throws {
    let first = try BatchLoader(training, options: .init(seed: 3)).batch(at: 0, size: 20)
    let second = try BatchLoader(training, options: .init(seed: 4)).batch(at: 0, size: 20)
    #expect(first.indices != second.indices)
  }

  @Test func `a feature that is not finite is thrown with its image's name`() throws {
    for (value, word) in [(Float.nan, "nan"), (Float.infinity, "inf")] {
      let path = folder.file("\(word).zip")
      let zip = try ZipWriter(path)
      for index in 0..<4 {
        try zip.add("\(index).png", noiseImage(8, seed: index).encodedPNG(level: 1))
      }
      let features = (0..<4).map { [1, $0 == 2 ? value : 0] }
      try zip.add("clip_img_features.npy", NpyArray.encode(features, columns: 2, as: .float32))
      try zip.finish()
      let loader = BatchLoader(try TrainingSet([PackedDataset(path)]))
      let error = #expect(throws: DatasetError.self) { _ = try loader.batch(at: 0, size: 4) }
      let text = error.map(\.description) ?? ""
      #expect(text.contains("\(word).zip: 2.png"), "\(text)")
      #expect(text.contains("CLIP image feature holds \(word)"), "\(text)")
    }
  }

  @Test func `a batch marks its pseudo-texts`() throws {
    let loader = BatchLoader(training, options: .init(seed: 1))
    let batch = try loader.batch(at: 0, size: 12)
    #expect(batch.isPseudoText == batch.indices.map(training.hasPseudoText))
  }

  @Test func `an unreadable image is thrown when its turn comes, again and again`() throws {
    let path = folder.file("bad.zip")
    let zip = try ZipWriter(path)
    for index in 0..<8 {
      let png = try noiseImage(8, seed: index).encodedPNG(level: 1)
      try zip.add("\(index).png", index == 5 ? Array(png.prefix(40)) : png)
    }
    let features = (0..<8).map { [Float($0)] }
    try zip.add("clip_img_features.npy", NpyArray.encode(features, columns: 1, as: .float32))
    try zip.finish()
    let training = try TrainingSet([PackedDataset(path)])
    var sampler = InfiniteSampler(count: 8, seed: 0)
    let bad = try #require((0..<8).first { sampler.index(at: $0) == 5 })
    let loader = BatchLoader(training, options: .init(threads: 3))
    for _ in 0..<2 {
      for position in 0..<bad { _ = try loader.batch(at: position, size: 1) }
      let error = #expect(throws: DatasetError.self) { try loader.batch(at: bad, size: 1) }
      #expect(error?.description.contains("\(path): cannot decode 5.png") == true)
    }
  }
}
