import Images

/// Makes a packed dataset from a source of images and captions.
///
/// Reading, decoding, cropping, resizing and encoding run on several threads, a bounded number of
/// images ahead; features are computed and everything is written by the calling thread, in the
/// source's order. Equal input gives equal bytes, whatever the number of threads. The same call continues a
/// run that was killed.
package struct Packer {
  /// The limit on captions of an image, above which it is skipped: their features could fill the memory.
  package static let maximumCaptions = 256
  /// The limit on all captions of an image in bytes, above which it is skipped.
  package static let maximumCaptionBytes = 1 << 16

  private let options: Options
  /// Captions per call of the model, which bounds its memory.
  private static let captionsPerCall = 256

  /// An image ready to be written.
  private struct Prepared: Sendable {
    var image: RGBImage
    var encoded: [UInt8]
    var captions: [String]
    var label: ImageLabel?
    var remarks: [Remark]
  }

  /// What is said about an image that is packed.
  private struct Remark: Sendable {
    var cause: DropCause
    var reason: String
  }

  private enum Outcome: Sendable {
    case prepared(Prepared)
    case dropped(DropCause, reason: String)
    case failed(DatasetError)
  }

  /// A packer.
  package init(_ options: Options) { self.options = options }

  /// Packs a source.
  ///
  /// - Parameters:
  ///   - source: The images and captions.
  ///   - path: The final name of the zip.
  ///   - extractor: The CLIP model, called on this thread only; `nil` packs without features.
  ///   - progress: Called with (done, total) after every batch, and at the start of a continued run.
  /// - Returns: The packed and the skipped items.
  /// - Throws: `DatasetError` if the zip cannot be written, the model fails or no image could be packed; the
  ///   list of skipped items is written in the last case, too.
  package func pack(
    _ source: some ImageTextSource,
    to path: String,
    extractor: (any FeatureExtractor)?,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(DatasetError) -> PackReport {
    let writer = try PackedDatasetWriter(
      path,
      options: writerOptions(source, extractor),
      fingerprint: Self.fingerprint(options, source, extractor)
    )
    let total = min(source.count, options.maximumCount ?? .max)
    var done = writer.itemsDone
    if done > 0 {
      progress(done, total)
    } else {
      for remark in source.remarks { try writer.drop(remark) }
    }
    let pipeline = start(source, done..<total)
    defer { pipeline.stop() }
    var batch: [Prepared] = []
    let clock = ContinuousClock()
    var note = ProgressNote(of: path, total: total, from: done)
    note.note(done, images: writer.count)
    var lastCheckpoint = clock.now
    var side = writer.resolution
    while let outcome = pipeline.next() {
      switch outcome {
      case .prepared(let item) where item.image.width == side ?? item.image.width:
        side = item.image.width
        batch.append(item)
        for remark in item.remarks {
          try writer.drop(
            .init(name: source.name(at: done), cause: remark.cause, reason: remark.reason)
          )
        }
      case .prepared(let item):
        let reason =
          "\(item.image.width)×\(item.image.height) pixels, while those before it have "
          + "\(side ?? 0)²; give --width and --height"
        try writer.drop(.init(name: source.name(at: done), cause: .mismatched, reason: reason))
      case .dropped(let cause, let reason):
        try writer.drop(.init(name: source.name(at: done), cause: cause, reason: reason))
      case .failed(let error): throw error
      }
      done += 1
      // Batches end at fixed items: a model's rounding may depend on the batch.
      guard done % options.batchSize == 0 || done == total else { continue }
      try write(batch, to: writer, extractor)
      batch.removeAll(keepingCapacity: true)
      let isDue = lastCheckpoint.duration(to: clock.now) >= options.checkpointInterval
      try writer.advance(to: done, isCheckpoint: isDue)
      if isDue { lastCheckpoint = clock.now }
      note.note(done, images: writer.count)
      progress(done, total)
    }
    return try writer.finish()
  }

  /// Tells those who watch how far it is, at most twice a second.
  private struct ProgressNote {
    private static let interval = Duration.milliseconds(500)
    private let folder: String
    private let total: Int
    private let begun: Int
    private let start = ContinuousClock.now
    private var last: ContinuousClock.Instant?

    init(of path: String, total: Int, from begun: Int) {
      folder = PackWorkspace.folder(of: path)
      (self.total, self.begun) = (total, begun)
    }

    mutating func note(_ done: Int, images: Int) {
      let now = ContinuousClock.now
      if let last, last.duration(to: now) < Self.interval, done < total { return }
      last = now
      let seconds = start.duration(to: now) / .seconds(1)
      let rate = seconds > 0 ? Double(done - begun) / seconds : 0
      WorkProgress(
        done: done,
        total: total,
        images: images,
        leftOut: max(done - images, 0),
        rate: rate,
        secondsLeft: rate > 0 ? Double(total - done) / rate : nil
      ).note(in: folder)
    }
  }

  private func start(
    _ source: some ImageTextSource,
    _ items: Range<Int>
  ) -> OrderedPipeline<Int, Outcome> {
    let options = options
    return OrderedPipeline(
      threads: options.threads,
      capacity: options.threads + options.batchSize,
      claim: { $0 < items.count ? items.lowerBound + $0 : nil },
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
    if let (cause, reason) = complaint(about: item) { return .dropped(cause, reason: reason) }
    let image: RGBImage
    do throws(ImageError) {
      image = try item.image(appliesOrientation: options.appliesOrientation)
    } catch {
      return .dropped(.undecodable(error.cause), reason: "\(error)")
    }
    let size = "\(image.width)×\(image.height) pixels"
    guard min(image.width, image.height) >= options.minimumSide else {
      return .dropped(.tooSmall, reason: size)
    }
    let (width, height) = (options.width ?? image.width, options.height ?? image.height)
    // Checked before resizing: a picture of one column could take terabytes.
    guard options.crop != .none || width == height else {
      return .dropped(.mismatched, reason: size)
    }
    guard let square = square(image, options) else {
      return .dropped(.tooSmall, reason: "\(size), too small for the wide crop")
    }
    guard square.width == square.height else { return .dropped(.mismatched, reason: size) }
    if options.leavesOutGrey && square.isGrey {
      return .dropped(.grey, reason: "an image without colours")
    }
    do throws(ImageError) {
      let encoded =
        switch options.encoding {
        case .png(let level): try square.encodedPNG(level: level)
        case .webp: try square.encodedLosslessWebP()
        case .jpeg(let quality): try square.encodedJPEG(quality: quality)
        }
      return .prepared(
        Prepared(
          image: square,
          encoded: encoded,
          captions: item.captions,
          label: item.label,
          remarks: remarks(on: item, options)
        )
      )
    } catch {
      return .failed(.option("cannot encode \(source.name(at: index)): \(error)"))
    }
  }

  /// The complaint about an item's captions or label; `nil` if they are fine.
  private static func complaint(about item: ImageTextItem) -> (DropCause, reason: String)? {
    let size = item.captions.reduce(0) { $0 + $1.utf8.count }
    if item.captions.count > maximumCaptions || size > maximumCaptionBytes {
      let limits = "\(maximumCaptions) captions and \(maximumCaptionBytes) bytes are the most"
      return (.tooManyCaptions, "\(item.captions.count) captions of \(size) bytes; \(limits)")
    }
    guard let label = item.label, !label.isUsable else { return nil }
    return (.unusableLabel, "the label \(label.json)")
  }

  private static func remarks(on item: ImageTextItem, _ options: Options) -> [Remark] {
    var remarks: [Remark] = []
    if item.hasRepairedCaptions {
      remarks.append(.init(cause: .repairedCaption, reason: "bytes that are not UTF-8"))
    }
    switch item.orientation {
    case .stated(let orientation) where orientation != .upright && !options.appliesOrientation:
      let reason = "its EXIF data turns it (orientation \(orientation.rawValue))"
      remarks.append(.init(cause: .unappliedOrientation, reason: reason))
    case .damaged where options.appliesOrientation:
      remarks.append(
        .init(cause: .damagedOrientation, reason: "its EXIF data states no orientation")
      )
    default: break
    }
    return remarks
  }

  private static func square(_ image: RGBImage, _ options: Options) -> RGBImage? {
    let (width, height) = (options.width ?? image.width, options.height ?? image.height)
    let filter = options.filter
    return switch options.crop {
    case .center: image.centerCropped().resized(width: width, height: height, filter: filter)
    case .centerWide: image.centerCroppedWide(width: width, height: height, filter: filter)
    case .none: image.resized(width: width, height: height, filter: filter)
    }
  }
}

extension Packer {
  private func write(
    _ batch: [Prepared],
    to writer: PackedDatasetWriter,
    _ extractor: (any FeatureExtractor)?
  ) throws(DatasetError) {
    if batch.isEmpty { return }
    let features = try extractor.map { (model) throws(DatasetError) in
      try embed(batch, model, first: writer.count)
    }
    var used = 0
    for (index, item) in batch.enumerated() {
      let texts = used..<used + item.captions.count
      used = texts.upperBound
      try writer.append(
        PackedRecord(
          image: item.encoded,
          imageFeature: features?.images[index],
          flippedFeature: features?.flipped?[index],
          captions: item.captions,
          textFeatures: features.map { Array($0.texts[texts]) } ?? [],
          label: item.label
        )
      )
    }
  }

  private struct Features {
    var images: [[Float]]
    var flipped: [[Float]]?
    var texts: [[Float]]
  }

  private func embed(
    _ batch: [Prepared],
    _ model: any FeatureExtractor,
    first: Int
  ) throws(DatasetError) -> Features {
    let captions = batch.flatMap(\.captions)
    let images = batch.map(\.image)
    let features: Features
    do {
      features = Features(
        images: try model.embed(images: images, first: first),
        flipped: options.addsFlippedFeatures
          ? try model.embed(images: images.map { $0.flipped() }, first: first) : nil,
        texts: try stride(from: 0, to: captions.count, by: Self.captionsPerCall).flatMap {
          try model.embed(captions: Array(captions[$0...].prefix(Self.captionsPerCall)))
        }
      )
    } catch {
      throw .features(model: model.name, reason: "\(error)")
    }
    let counts = [features.images.count, features.flipped?.count ?? batch.count]
    guard counts.allSatisfy({ $0 == batch.count }), features.texts.count == captions.count else {
      throw .features(
        model: model.name,
        reason: "\(features.images.count) and \(features.texts.count) features for "
          + "\(batch.count) images and \(captions.count) captions"
      )
    }
    return features
  }

  private func writerOptions(
    _ source: some ImageTextSource,
    _ extractor: (any FeatureExtractor)?
  ) -> PackedDatasetWriter.Options {
    .init(
      resolution: options.width,
      featureModel: extractor.map { .init(name: $0.name, sha256: $0.sha256) },
      featureElement: options.featureElement,
      resizeFilter: options.filter.rawValue,
      crop: options.crop.rawValue,
      source: source.summary,
      writesLafiteJSON: options.writesLafiteJSON
    )
  }
}
