import Files
import Foundation

/// Writes a packed dataset: one zip of PNG images, CLIP features, captions and a manifest.
///
/// Images go straight into the archive; features and captions, whose number is known only at the
/// end, wait in nameless files beside it. Memory does not grow with the images. The archive
/// appears under its name in `finish`. Equal input gives equal bytes.
package final class PackedDatasetWriter {
  /// What holds for the whole dataset.
  package struct Options: Sendable {
    /// Side of the square images in pixels.
    package var resolution: Int
    /// The CLIP model that makes the features.
    package var featureModel: PackManifest.FeatureModel
    /// How features are stored: `.float16` or `.float32`.
    package var featureElement: NpyElement
    /// The filter that resized the images.
    package var resizeFilter: String
    /// How images were made square.
    package var crop: String
    /// Where the images came from, in words.
    package var source: String
    /// Whether to add `dataset.json`, which the original LAFITE reads; large.
    package var writesLafiteJSON: Bool

    /// Describes a dataset.
    package init(
      resolution: Int,
      featureModel: PackManifest.FeatureModel,
      featureElement: NpyElement = .float16,
      resizeFilter: String = "lanczos",
      crop: String = "center-crop",
      source: String = "",
      writesLafiteJSON: Bool = false
    ) {
      precondition(featureElement != .int64, "features are floating-point numbers")
      self.resolution = resolution
      self.featureModel = featureModel
      self.featureElement = featureElement
      self.resizeFilter = resizeFilter
      self.crop = crop
      self.source = source
      self.writesLafiteJSON = writesLafiteJSON
    }
  }

  /// Images appended so far.
  package private(set) var count = 0

  private let path: String
  private let options: Options
  private let zip: ZipWriter
  private let imageFeatures: SpoolFile
  private let textFeatures: SpoolFile
  private let captions: SpoolFile
  private var captionIndex = [0]
  private var featureDimension: Int?
  private let encoder = JSONEncoder()

  /// Starts a dataset.
  ///
  /// - Parameters:
  ///   - path: The final name of the zip; its folder must exist.
  ///   - options: What holds for the whole dataset.
  /// - Throws: `DatasetError` when the folder is missing or not writable.
  package init(_ path: String, options: Options) throws(DatasetError) {
    self.path = path
    self.options = options
    zip = try ZipWriter(path)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    imageFeatures = try SpoolFile(in: folder)
    textFeatures = try SpoolFile(in: folder)
    captions = try SpoolFile(in: folder)
    encoder.outputFormatting = .withoutEscapingSlashes
  }

  /// Appends an image.
  ///
  /// - Parameters:
  ///   - png: The image, a PNG of the dataset's resolution.
  ///   - imageFeature: Its CLIP feature [F], unnormalised.
  ///   - captions: Its captions; none in a language-free set.
  ///   - textFeatures: The CLIP feature [F] of each caption, unnormalised.
  /// - Throws: `DatasetError` when the disk is full, or a feature has another length or is not
  ///   finite.
  package func append(
    png: [UInt8],
    imageFeature: [Float],
    captions: [String] = [],
    textFeatures: [[Float]] = []
  ) throws(DatasetError) {
    precondition(
      captions.count == textFeatures.count,
      "\(captions.count) captions with \(textFeatures.count) features"
    )
    for feature in [imageFeature] + textFeatures { try check(feature) }
    guard let line = try? encoder.encode(captions) else {
      preconditionFailure("an array of strings always encodes")
    }
    try zip.add(Self.entryName(count), png)
    try imageFeatures.append(NpyArray.encode(imageFeature, as: options.featureElement))
    for feature in textFeatures {
      try self.textFeatures.append(NpyArray.encode(feature, as: options.featureElement))
    }
    try self.captions.append(Array(line) + [UInt8(ascii: "\n")])
    captionIndex.append((captionIndex.last ?? 0) + captions.count)
    count += 1
  }

  /// Completes the archive.
  ///
  /// - Parameter dropped: Images left out, counted by cause.
  /// - Returns: The manifest that was written.
  /// - Throws: `DatasetError` when there is no image, or the disk is full.
  @discardableResult
  package func finish(dropped: [String: Int] = [:]) throws(DatasetError) -> PackManifest {
    guard count > 0, let featureDimension else { throw .noImages(path: options.source) }
    let captionCount = captionIndex.last ?? 0
    let images = try imageFeatures.mapped()
    let texts = try textFeatures.mapped()
    try addFeatures("clip_img_features.npy", images, rows: count, columns: featureDimension)
    if captionCount > 0 {
      try addFeatures("clip_txt_features.npy", texts, rows: captionCount, columns: featureDimension)
      try zip.add("clip_txt_index.npy", NpyArray.encode(captionIndex))
      let lines = try captions.mapped()
      try lines.withBytes { (bytes) throws(DatasetError) in
        try zip.add("captions.jsonl", parts: [bytes])
      }
    }
    if options.writesLafiteJSON { try addLafiteJSON(images, texts, columns: featureDimension) }
    let manifest = PackManifest(
      formatVersion: PackManifest.currentVersion,
      resolution: options.resolution,
      imageCount: count,
      captionCount: captionCount,
      featureDimension: featureDimension,
      featureElement: options.featureElement,
      featureModel: options.featureModel,
      resizeFilter: options.resizeFilter,
      crop: options.crop,
      source: options.source,
      dropped: dropped
    )
    try zip.add(PackManifest.entryName, manifest.encoded)
    try zip.finish()
    return manifest
  }

  /// The name of image `index` in the archive: a thousand to a folder, as the original packs them.
  package static func entryName(_ index: Int) -> String {
    padded(index / 1000, to: 5) + "/img" + padded(index, to: 8) + ".png"
  }

  private static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Refuses features of another length, and numbers that would poison a training run.
  private func check(_ feature: [Float]) throws(DatasetError) {
    let expected = featureDimension ?? feature.count
    featureDimension = expected
    guard feature.count == expected, expected > 0 else {
      throw .wrongFeatureDimension(path: path, found: feature.count, expected: expected)
    }
    let limit =
      options.featureElement == .float16 ? Float(Float16.greatestFiniteMagnitude) : .infinity
    guard feature.allSatisfy({ $0.isFinite && $0.magnitude <= limit }) else {
      throw .features(
        model: options.featureModel.name,
        reason: "a feature of image \(count) is not finite as \(options.featureElement)"
      )
    }
  }

  private func addFeatures(
    _ name: String,
    _ data: MappedBytes,
    rows: Int,
    columns: Int
  ) throws(DatasetError) {
    let header = NpyHeader(element: options.featureElement, shape: [rows, columns]).encoded
    try data.withBytes { (bytes) throws(DatasetError) in
      try zip.add(name, header: header, parts: [bytes])
    }
  }

  private func addLafiteJSON(
    _ images: MappedBytes,
    _ texts: MappedBytes,
    columns: Int
  ) throws(DatasetError) {
    let spool = try SpoolFile(in: URL(filePath: path).deletingLastPathComponent().path)
    let writer = LafiteJSONWriter(
      names: Self.entryName,
      imageFeatures: FeatureRows(images, columns: columns, element: options.featureElement),
      textFeatures: FeatureRows(texts, columns: columns, element: options.featureElement),
      captionIndex: captionIndex
    )
    try writer.write(to: spool)
    try spool.mapped().withBytes { (bytes) throws(DatasetError) in
      try zip.add("dataset.json", parts: [bytes])
    }
  }
}
