import Archives
import Files

/// Merges packed datasets into one, in their order, without re-encoding images or features.
package enum DatasetMerge {
  /// Merges datasets.
  ///
  /// Captions, labels and features of mirrored images are kept if every set has them. The same call
  /// continues a merge that was killed.
  ///
  /// - Parameters:
  ///   - datasets: The sets; of one size, one feature dimension and one CLIP model.
  ///   - path: The final name of the zip.
  ///   - progress: Called with (images done, images).
  /// - Returns: The manifest of the new set.
  /// - Throws: `DatasetError` if the sets do not match or the zip cannot be written.
  package static func merge(
    _ datasets: [PackedDataset],
    to path: String,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(DatasetError) -> PackManifest {
    guard let first = datasets.first else { throw .option("no dataset given to merge") }
    let destination = FileStamp.location(path)
    for set in datasets where FileStamp.location(set.path) == destination {
      throw .option("\(set.path) would be overwritten; give another --dest")
    }
    for set in datasets {
      try set.expectFits(first)
      guard set.manifest?.featureModel == first.manifest?.featureModel else {
        throw .option("\(set.path) and \(first.path) hold features of different CLIP models")
      }
    }
    let isFlipped = datasets.allSatisfy(\.hasFlippedFeatures)
    let isLabelled = datasets.allSatisfy(\.hasLabels)
    let writer = try PackedDatasetWriter(
      path,
      options: options(datasets, first),
      fingerprint: fingerprint(datasets)
    )
    let total = datasets.reduce(0) { $0 + $1.count }
    var start = 0
    for set in datasets {
      for index in 0..<set.count where start + index >= writer.itemsDone {
        try writer.append(record(set, index, isFlipped: isFlipped, isLabelled: isLabelled))
        let done = start + index + 1
        try writer.advance(to: done, isCheckpoint: done % 20_000 == 0)
        if done % 1000 == 0 { progress(done, total) }
      }
      start += set.count
    }
    return try writer.finish().manifest
  }

  private static func record(
    _ set: PackedDataset,
    _ index: Int,
    isFlipped: Bool,
    isLabelled: Bool
  ) throws(DatasetError) -> PackedRecord {
    let isFeatured = set.featureDimension > 0
    let texts = (0..<set.textFeatureCount(at: index)).map {
      set.textFeature(image: index, caption: $0)
    }
    var captions = try set.captions(at: index)
    // LAFITE's own sets have the features of captions, not their text.
    if isFeatured && captions.count != texts.count { captions = texts.map { _ in "" } }
    return PackedRecord(
      image: try set.encodedImage(at: index),
      imageFeature: isFeatured ? set.imageFeature(at: index) : nil,
      flippedFeature: isFlipped ? set.flippedFeature(at: index) : nil,
      captions: captions,
      textFeatures: texts,
      label: isLabelled ? try set.label(at: index) : nil
    )
  }

  /// The sets that are given more than once, by whatever path: their images are merged as often.
  package static func repeated(_ datasets: [PackedDataset]) -> [String] {
    var locations = Set<String>()
    return datasets.filter { !locations.insert(FileStamp.location($0.path)).inserted }.map(\.path)
  }

  private static func options(
    _ datasets: [PackedDataset],
    _ first: PackedDataset
  ) -> PackedDatasetWriter.Options {
    let isFeatured = first.featureDimension > 0
    // LAFITE's own sets do not name the model of their features.
    let model = first.manifest?.featureModel ?? .init(name: "unknown", sha256: "")
    var options = PackedDatasetWriter.Options(
      resolution: first.resolution,
      featureModel: isFeatured ? model : nil,
      // Half precision would lose digits of single precision.
      featureElement: datasets.allSatisfy { $0.manifest?.featureElement == .float16 }
        ? .float16 : .float32,
      resizeFilter: first.manifest?.resizeFilter ?? "lanczos",
      crop: first.manifest?.crop ?? "center-crop",
      source: datasets.map { $0.manifest?.source ?? "LAFITE's own set" }.joined(separator: " + ")
    )
    for set in datasets {
      options.droppedBefore.merge(set.manifest?.dropped ?? [:], uniquingKeysWith: +)
    }
    return options
  }

  private static func fingerprint(_ datasets: [PackedDataset]) -> String {
    let parts = datasets.map { "\(FileStamp.of($0.path)) \($0.count) \($0.imagesSHA256)" }
    var hash = SHA256()
    hash.update(Array(("merge\n" + parts.joined(separator: "\n")).utf8))
    return hash.digest()
  }
}
