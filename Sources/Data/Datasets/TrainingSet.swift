import BasicAlgorithms
package import Images

/// Several packed datasets seen as one, in the order and with the choices of the original training.
///
/// Raw images are numbered through all datasets. `subset` draws from them, `mirror` lists all a second time
/// flipped, `ratio` ignores the captions of some. Safe to use from any thread.
package final class TrainingSet: Sendable {
  /// The selection from the datasets.
  package struct Options: Sendable, Equatable {
    /// Take only this many images, drawn by `seed`; `nil` takes all.
    package var subset: Int?
    /// List every image a second time, flipped left to right.
    package var mirror: Bool
    /// Give a flipped image its own packed CLIP feature, if there is one.
    ///
    /// `false`, and every set without such features, matches the released LAFITE code, which flips
    /// pixels only.
    package var mirrorsFeatures: Bool
    /// Fraction of the images that keep their captions, in [0, 1].
    ///
    /// Index i with i mod (number of raw images) above ratio times that number gets a pseudo-text
    /// feature. Matches the released LAFITE code, which counts i after `subset`.
    package var ratio: Double
    /// Seed of `subset`.
    package var seed: UInt32

    /// Makes a selection.
    package init(
      subset: Int? = nil,
      mirror: Bool = false,
      mirrorsFeatures: Bool = true,
      ratio: Double = 1,
      seed: UInt32 = 0
    ) {
      self.subset = subset
      self.mirror = mirror
      self.mirrorsFeatures = mirrorsFeatures
      self.ratio = ratio
      self.seed = seed
    }
  }

  /// The datasets, in their given order.
  package let datasets: [PackedDataset]
  /// The selection from them.
  package let options: Options
  /// Number of raw images, over all datasets.
  package let rawCount: Int
  /// Number of indices: images taken, twice that with `mirror`.
  package var count: Int { options.mirror ? 2 * takenCount : takenCount }
  /// Side of the square images in pixels.
  package let resolution: Int
  /// Numbers per CLIP feature, F.
  package let featureDimension: Int

  /// Raw indices taken, ascending; `nil` for all.
  private let taken: [UInt32]?
  /// The raw index at which each dataset starts.
  private let starts: [Int]

  /// Joins datasets.
  ///
  /// - Throws: `DatasetError` if sizes or features differ, or an option is invalid.
  package init(_ datasets: [PackedDataset], options: Options = Options()) throws(DatasetError) {
    guard let first = datasets.first else { throw .option("no dataset given; use --data") }
    for dataset in datasets { try dataset.expectFits(first) }
    guard (0...1).contains(options.ratio) else {
      throw .option("--ratio=\(options.ratio) is outside of 0…1")
    }
    if let subset = options.subset, subset < 1 {
      throw .option("--subset=\(subset) takes no image; give at least 1")
    }
    self.datasets = datasets
    self.options = options
    resolution = first.resolution
    featureDimension = first.featureDimension
    var total = 0
    starts = datasets.map { dataset in
      defer { total += dataset.count }
      return total
    }
    guard total <= Int(UInt32.max) / 2 else { throw .option("\(total) images are too many") }
    rawCount = total
    taken = Self.subset(of: total, options)
  }

  /// The raw image behind an index.
  package func rawIndex(at index: Int) -> Int {
    precondition((0..<count).contains(index), "index \(index) of \(count)")
    let position = index % takenCount
    return taken.map { Int($0[position]) } ?? position
  }

  /// Whether an index shows its image flipped.
  package func isFlipped(at index: Int) -> Bool { index >= takenCount }

  /// Whether `ratio` ignores the captions of this index.
  package func isLanguageFree(at index: Int) -> Bool {
    Double(index % rawCount) > options.ratio * Double(rawCount)
  }

  /// Whether an index has pseudo-text features only: its image has no caption, or `ratio` ignores it.
  package func hasPseudoText(at index: Int) -> Bool {
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    return dataset.textFeatureCount(at: entry) == 0 || isLanguageFree(at: index)
  }

  /// The stored features of an index, checked: one NaN would spoil the whole batch.
  ///
  /// - Parameters:
  ///   - index: The index.
  ///   - seed: Seed of the choice of a caption.
  ///   - position: The position of the run.
  /// - Returns: The image's feature and one text feature, F numbers each.
  /// - Throws: `DatasetError` naming zip and image of a feature that is not finite.
  package func features(
    at index: Int,
    seed: UInt64,
    position: Int
  ) throws(DatasetError) -> (image: [Float], text: [Float]) {
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    func checked(_ feature: [Float], of what: String) throws(DatasetError) -> [Float] {
      guard let bad = feature.first(where: { !$0.isFinite }) else { return feature }
      throw .damaged(
        path: dataset.path,
        entry: dataset.name(at: entry),
        reason: "its \(what) holds \(bad)"
      )
    }
    if let fault = dataset.textFault(at: entry) { throw fault }
    let image = try checked(imageFeature(at: index), of: "CLIP image feature")
    let text = textFeature(at: index, seed: seed, position: position)
    return (image, try checked(text, of: "CLIP text feature"))
  }

  /// Number of raw images without any caption; they get pseudo-text features.
  package var uncaptionedCount: Int {
    datasets.reduce(0) { sum, dataset in
      sum + dataset.imagesWithoutTextFeature
    }
  }

  /// The dataset that holds a raw image, and the image's index there.
  package func location(ofRaw raw: Int) -> (dataset: PackedDataset, index: Int) {
    precondition((0..<rawCount).contains(raw), "raw image \(raw) of \(rawCount)")
    // Of several that start there, all but the last are empty.
    let dataset = starts.partitioningIndex { $0 <= raw } - 1
    return (datasets[dataset], raw - starts[dataset])
  }

  /// Decodes the image of an index, flipped in the second half with `mirror`.
  package func image(at index: Int) throws(DatasetError) -> RGBImage {
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    let image = try dataset.image(at: entry)
    return isFlipped(at: index) ? image.flipped() : image
  }

  /// The stored CLIP feature of an index's image [F]; a flipped image's own with `mirrorsFeatures`, if there
  /// is one.
  package func imageFeature(at index: Int) -> [Float] {
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    let own =
      options.mirrorsFeatures && isFlipped(at: index) ? dataset.flippedFeature(at: entry) : nil
    return own ?? dataset.imageFeature(at: entry)
  }

  /// The text feature of an index [F]: one of its captions, as stored, or a pseudo-text feature.
  ///
  /// If `ratio` ignores the captions, or there are none, it is `pseudoText` of the image's feature, with
  /// LAFITE's fraction of noise N(0, I): its language-free condition.
  /// - Parameters:
  ///   - index: The index.
  ///   - seed: Seed of the choice.
  ///   - position: The position of the run: the choice is a function of (seed, position).
  /// - Returns: F numbers.
  package func textFeature(at index: Int, seed: UInt64, position: Int) -> [Float] {
    var random = CounterRandom(seed: seed, position: position)
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    if let caption = caption(of: dataset, entry, index: index, &random) {
      return dataset.textFeature(image: entry, caption: caption)
    }
    return pseudoText(
      of: HostFeature(values: imageFeature(at: index)).atUnitLength,
      HostFeature(values: random.normals(featureDimension)).atUnitLength,
      share: standardPseudoTextNoise
    ).values
  }

  /// The number of the caption that `textFeature` takes; `nil` for a pseudo-text feature.
  package func captionNumber(at index: Int, seed: UInt64, position: Int) -> Int? {
    var random = CounterRandom(seed: seed, position: position)
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    return caption(of: dataset, entry, index: index, &random)
  }

  private func caption(
    of dataset: PackedDataset,
    _ entry: Int,
    index: Int,
    _ random: inout CounterRandom
  ) -> Int? {
    hasPseudoText(at: index)
      ? nil : random.integer(below: dataset.textFeatureCount(at: entry))
  }

  /// The indices of a sample grid, in the original's order: a fixed shuffle, repeated as needed.
  package func gridIndices(_ tiles: Int) -> [Int] {
    Self.gridIndices(tiles, of: count)
  }

  /// The indices of a sample grid over `count` indices.
  static func gridIndices(_ tiles: Int, of count: Int) -> [Int] {
    var random = NumPyRandom(seed: 0)
    let order = random.permutation(count)
    return (0..<tiles).map { order[$0 % count] }
  }

  /// The raw indices that `options.subset` draws, ascending; `nil` for all.
  private static func subset(of count: Int, _ options: Options) -> [UInt32]? {
    guard let subset = options.subset, subset < count else { return nil }
    var random = NumPyRandom(seed: options.seed % (1 << 31))
    var order = (0..<UInt32(count)).map { $0 }
    random.shuffle(&order)
    return order.prefix(subset).sorted()
  }

  private var takenCount: Int { taken?.count ?? rawCount }
}
