package import Images

/// Makes a packed dataset from a source of images and captions.
///
/// Reading, decoding, cropping, resizing and PNG encoding run on several threads, a bounded number
/// of images ahead; features are computed and everything is written by the calling thread, in the
/// source's order. Equal input gives equal bytes, whatever the number of threads.
package struct Packer {
  /// How to make the images, and what to store.
  package struct Options: Sendable {
    /// How images become square.
    package enum Crop: String, Sendable, CaseIterable {
      /// The central square of the short side.
      case center = "center-crop"
      /// The central rectangle of proportions `resolution` to `wideHeight`, between black bars.
      case centerWide = "center-crop-wide"
      /// The whole image, stretched.
      case none
    }

    /// Side of the square images in pixels.
    package var resolution: Int
    /// How images become square.
    package var crop = Crop.center
    /// Rows that are not black with `.centerWide`; `nil` stands for all.
    package var wideHeight: Int?
    /// The filter that resizes.
    package var filter = ResampleFilter.lanczos
    /// Drop images whose short side has fewer pixels; 0 keeps all.
    package var minimumSide = 0
    /// Read only this many items of the source; `nil` reads all.
    package var maximumCount: Int?
    /// How features are stored.
    package var featureElement = NpyElement.float16
    /// Whether to add `dataset.json`, which the original LAFITE reads.
    package var writesLafiteJSON = false
    /// Compression of the PNG images, 0 (none) and up.
    package var pngLevel = 1
    /// Number of threads that prepare images.
    package var threads = 2
    /// Images per call of the feature extractor, at most.
    package var batchSize = 64

    /// The usual choices at a resolution.
    package init(resolution: Int) {
      precondition(resolution >= 1, "resolution \(resolution)")
      self.resolution = resolution
    }
  }

  private let options: Options

  /// An image ready to be written.
  private struct Prepared: Sendable {
    var image: RGBImage
    var png: [UInt8]
    var captions: [String]
  }

  private enum Outcome: Sendable {
    case prepared(Prepared)
    case dropped(DropCause, reason: String)
    case failed(DatasetError)
  }

  /// Prepares a packer.
  package init(_ options: Options) { self.options = options }

  /// Packs a source.
  ///
  /// - Parameters:
  ///   - source: The images and captions.
  ///   - path: The final name of the zip.
  ///   - extractor: The CLIP model; called on this thread only.
  ///   - progress: Called with (done, total) after every batch.
  /// - Returns: What was packed and what was left out.
  /// - Throws: `DatasetError` when the zip cannot be written, the model fails or no image is left.
  package func pack(
    _ source: some ImageTextSource,
    to path: String,
    extractor: any FeatureExtractor,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(DatasetError) -> PackReport {
    let writer = try PackedDatasetWriter(path, options: writerOptions(source, extractor))
    let total = min(source.count, options.maximumCount ?? .max)
    let pipeline = start(source, count: total)
    defer { pipeline.stop() }
    var dropped: [PackReport.Dropped] = []
    var batch: [Prepared] = []
    var done = 0
    while let outcome = pipeline.next() {
      switch outcome {
      case .prepared(let item): batch.append(item)
      case .dropped(let cause, let reason):
        dropped.append(.init(name: source.name(at: done), cause: cause, reason: reason))
      case .failed(let error): throw error
      }
      done += 1
      if done % options.batchSize == 0 || done == total {
        try write(batch, to: writer, extractor)
        batch.removeAll(keepingCapacity: true)
        progress(done, total)
      }
    }
    return PackReport(manifest: try writer.finish(dropped: dropped.counts), dropped: dropped)
  }

  private func start(
    _ source: some ImageTextSource,
    count: Int
  ) -> OrderedPipeline<Int, Outcome> {
    let options = options
    return OrderedPipeline(
      threads: options.threads,
      capacity: options.threads + options.batchSize,
      claim: { $0 < count ? $0 : nil },
      work: { Self.prepare($0, of: source, options) }
    )
  }

  private static func prepare(
    _ index: Int,
    of source: some ImageTextSource,
    _ options: Options
  ) -> Outcome {
    let item: ImageTextItem
    do throws(DatasetError) {
      item = try source.item(at: index)
    } catch {
      return .dropped(.unreadable, reason: "\(error)")
    }
    let image: RGBImage
    do throws(ImageError) {
      image = try RGBImage(decoding: item.image)
    } catch {
      return .dropped(.undecodable(error.cause), reason: "\(error)")
    }
    guard min(image.width, image.height) >= options.minimumSide else {
      return .dropped(.tooSmall, reason: "\(image.width)×\(image.height) pixels")
    }
    let square = Self.square(image, options)
    do throws(ImageError) {
      let png = try square.encodedPNG(level: options.pngLevel)
      return .prepared(Prepared(image: square, png: png, captions: item.captions))
    } catch {
      return .failed(.option("cannot encode \(source.name(at: index)) as PNG: \(error)"))
    }
  }

  private static func square(_ image: RGBImage, _ options: Options) -> RGBImage {
    let (side, filter) = (options.resolution, options.filter)
    return switch options.crop {
    case .center: image.centerCropped().resized(width: side, height: side, filter: filter)
    case .centerWide:
      image.centerCroppedWide(
        width: side,
        height: min(options.wideHeight ?? side, side),
        filter: filter
      )
    case .none: image.resized(width: side, height: side, filter: filter)
    }
  }

  private func write(
    _ batch: [Prepared],
    to writer: PackedDatasetWriter,
    _ extractor: any FeatureExtractor
  ) throws(DatasetError) {
    if batch.isEmpty { return }
    let captions = batch.flatMap(\.captions)
    let imageFeatures: [[Float]]
    let textFeatures: [[Float]]
    do {
      imageFeatures = try extractor.embed(images: batch.map(\.image))
      textFeatures = captions.isEmpty ? [] : try extractor.embed(captions: captions)
    } catch {
      throw .features(model: extractor.name, reason: "\(error)")
    }
    guard imageFeatures.count == batch.count, textFeatures.count == captions.count else {
      throw .features(
        model: extractor.name,
        reason:
          "\(imageFeatures.count) and \(textFeatures.count) features for \(batch.count) images "
          + "and \(captions.count) captions"
      )
    }
    var used = 0
    for (item, feature) in zip(batch, imageFeatures) {
      let texts = Array(textFeatures[used..<used + item.captions.count])
      used += item.captions.count
      try writer.append(
        png: item.png,
        imageFeature: feature,
        captions: item.captions,
        textFeatures: texts
      )
    }
  }

  private func writerOptions(
    _ source: some ImageTextSource,
    _ extractor: any FeatureExtractor
  ) -> PackedDatasetWriter.Options {
    .init(
      resolution: options.resolution,
      featureModel: .init(name: extractor.name, sha256: extractor.sha256),
      featureElement: options.featureElement,
      resizeFilter: options.filter.rawValue,
      crop: options.crop.rawValue,
      source: source.summary,
      writesLafiteJSON: options.writesLafiteJSON
    )
  }
}
