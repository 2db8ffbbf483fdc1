import Archives
import Files
import Foundation
import Images
import Text

/// Writes a packed dataset: one zip of images, CLIP features, captions, labels and a manifest.
///
/// Everything goes to a `PackWorkspace` beside the final path, from which a killed run continues. Memory does
/// not grow with the images beyond the zip's directory. In `finish` the archive is completed, every checksum
/// is verified, captions, labels and counts are read, and only then it appears under its name. Equal input
/// gives equal bytes, whether interrupted or not.
package final class PackedDatasetWriter {
  /// Images appended so far, by earlier runs, too.
  package var count: Int { state.imageCount }
  /// Items of the source processed so far, by earlier runs, too.
  package private(set) var itemsDone: Int
  /// Side of the images; `nil` before the first, unless it was given.
  package var resolution: Int? { state.resolution ?? options.resolution }

  private let path: String
  private let options: Options
  private let workspace: PackWorkspace
  private let zip: ZipWriter
  private var state: PackJournal.State
  /// Bytes of the zip's directory that are in the workspace.
  private var directorySaved: Int
  private let encoder = JSONEncoder()

  /// Starts a dataset, or continues it.
  ///
  /// - Parameters:
  ///   - path: The final name of the zip; its folder must exist.
  ///   - options: The properties of the whole dataset.
  ///   - fingerprint: Of the source and all settings that change the bytes. A run of the same fingerprint is
  ///     continued; `nil` starts over.
  ///   - limit: Continues from a checkpoint of at most this many items, if the caller has its own log;
  ///     `nil` for the last one.
  /// - Throws: `DatasetError` if the folder is missing or not writable, another run has it, or it holds an
  ///   unfinished dataset of another fingerprint.
  package init(
    _ path: String,
    options: Options,
    fingerprint: String? = nil,
    limit: Int? = nil
  ) throws(DatasetError) {
    self.path = path
    self.options = options
    let fingerprint = fingerprint ?? "once \(UUID())"
    workspace = try PackWorkspace(path, fingerprint: fingerprint, limit: limit)
    state = workspace.begun
    itemsDone = state.itemsDone
    let directory = try workspace.mapped(.directory).withBytes { Array($0) }
    directorySaved = directory.count
    zip = ZipWriter(
      continuing: workspace[.archive],
      directory: directory,
      count: state.imageCount
    )
    encoder.outputFormatting = .withoutEscapingSlashes
  }

  /// Appends an image.
  ///
  /// - Throws: `DatasetError` if the disk is full, or a feature has another length or is not finite.
  package func append(_ record: PackedRecord) throws(DatasetError) {
    let isFeatured = options.featureModel != nil
    precondition(
      record.textFeatures.count == (isFeatured ? record.captions.count : 0)
        && (record.imageFeature != nil) == isFeatured,
      "\(record.captions.count) captions with \(record.textFeatures.count) features"
    )
    if state.resolution == nil { state.resolution = try Self.side(of: record.image, path) }
    let images = [record.imageFeature, record.flippedFeature].compactMap { $0 }
    for feature in images + record.textFeatures { try check(feature) }
    let name = Self.entryName(count, suffix: Self.suffix(of: record.image))
    try files { () throws(FileError) in try zip.add(name, record.image) }
    try append(record.imageFeature.map { [$0] } ?? [], to: .imageFeatures)
    try append(record.flippedFeature.map { [$0] } ?? [], to: .flippedFeatures)
    try append(record.textFeatures, to: .textFeatures)
    try workspace.append(line(record.captions), to: .captions)
    try workspace.append(Array(((record.label?.json ?? "null") + "\n").utf8), to: .labels)
    state.captionCount += record.captions.count
    if record.label == nil { state.unlabelledCount += 1 }
    var end: [UInt8] = []
    end.append(littleEndian: Int64(state.captionCount))
    try workspace.append(end, to: .captionIndex)
    state.imageCount += 1
  }

  /// Records a skipped item.
  package func drop(_ item: PackReport.Dropped) throws(DatasetError) {
    try workspace.append(line([item.name, item.cause.description, item.reason]), to: .dropped)
  }

  /// Records the number of processed items.
  ///
  /// - Parameters:
  ///   - items: Items of the source processed so far.
  ///   - isCheckpoint: Whether to write a checkpoint, from which a killed run continues; this waits for
  ///     the disk.
  /// - Throws: `DatasetError` if the disk is full.
  package func advance(to items: Int, isCheckpoint: Bool) throws(DatasetError) {
    itemsDone = items
    guard isCheckpoint else { return }
    try files { () throws(FileError) in try zip.flush() }
    try workspace.append(Array(zip.directory[directorySaved...]), to: .directory)
    directorySaved = zip.directory.count
    state.itemsDone = items
    try workspace.checkpoint(state)
  }

  /// Completes the archive, verifies it, writes the list of skipped items and renames it.
  ///
  /// - Returns: The manifest, and the skipped items.
  /// - Throws: `DatasetError` if there is no image, the disk is full, or the archive reads back differently.
  @discardableResult
  package func finish() throws(DatasetError) -> PackReport {
    let report = try publish()
    workspace.discard()
    return report
  }

  /// `finish` without the removal of the workspace.
  func publish() throws(DatasetError) -> PackReport {
    if workspace.begun.finished != nil { return try finishedBefore() }
    guard count > 0, let resolution else { throw try nothingPacked() }
    // A continued run writes the entries after the images again.
    try advance(to: itemsDone, isCheckpoint: true)
    let dropped = try droppedItems()
    let manifest = PackManifest(
      formatVersion: PackManifest.currentVersion,
      resolution: resolution,
      imageCount: count,
      captionCount: state.captionCount,
      featureDimension: state.featureDimension ?? 0,
      featureElement: options.featureElement,
      featureModel: options.featureModel,
      resizeFilter: options.resizeFilter,
      crop: options.crop,
      source: options.source,
      dropped: dropped.counts.merging(options.droppedBefore, uniquingKeysWith: +)
    )
    // In the order of their names: a sorted directory opens faster.
    if state.captionCount > 0 { try add(PackedDataset.captionsName, header: [], .captions) }
    try addFeatures()
    if options.writesLafiteJSON { try addLafiteJSON() }
    // As in the original: labels of only some of the images are ignored.
    if state.unlabelledCount == 0 { try add(PackedDataset.labelsName, header: [], .labels) }
    try files { () throws(FileError) in
      try zip.add(PackManifest.entryName, manifest.encoded)
      try zip.finish(indexed: count >= options.indexedFrom)
    }
    try workspace.synchronize(.archive)
    try verify(manifest)
    // Before the dataset has its name: a process that is killed in between must not lose the list.
    try SkippedItems.write(dropped, beside: path)
    try workspace.publish(as: path, state)
    return PackReport(
      manifest: manifest,
      dropped: dropped,
      unlabelledCount: state.unlabelledCount,
      uncaptionedCount: try uncaptionedCount()
    )
  }

  /// The error of a run without any packed image, after writing the list of skipped items.
  private func nothingPacked() throws(DatasetError) -> DatasetError {
    let dropped = try droppedItems()
    workspace.discard()
    guard !dropped.isEmpty else { return .noImages(path: options.source) }
    try SkippedItems.write(dropped, beside: path)
    let counts = dropped.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let reasons = counts.map { cause, count in
      let example = dropped.first { $0.cause.description == cause }
      return "\(cause) \(count)" + (example.map { " (\($0.name): \($0.reason))" } ?? "")
    }
    let isSquareWanted = dropped.contains { $0.cause == .mismatched }
    return .nothingPacked(
      source: options.source,
      reasons: reasons.joined(separator: ", ") + "; all are in \(path).left-out.tsv"
        + (isSquareWanted
          ? "; images must be square: give --width, --height and --transform=center-crop" : "")
    )
  }

  /// The report of a dataset that was published just before its process was killed.
  private func finishedBefore() throws(DatasetError) -> PackReport {
    let set = try PackedDataset(path, requiresFeatures: false)
    guard let manifest = set.manifest else { throw .noImages(path: path) }
    return PackReport(
      manifest: manifest,
      dropped: try droppedItems(),
      unlabelledCount: state.unlabelledCount,
      uncaptionedCount: try uncaptionedCount()
    )
  }

  /// The name of image `index` in the archive: a thousand to a folder, as the original packs them.
  package static func entryName(_ index: Int, suffix: String = "png") -> String {
    zeroPadded(index / 1000, to: 5) + "/img" + zeroPadded(index, to: 8) + "." + suffix
  }
}

extension PackedDatasetWriter {
  private func line(_ strings: [String]) -> [UInt8] {
    guard let line = try? encoder.encode(strings) else {
      preconditionFailure("an array of strings always encodes")
    }
    return Array(line) + [UInt8(ascii: "\n")]
  }

  private func append(_ features: [[Float]], to part: PackWorkspace.Part) throws(DatasetError) {
    for feature in features {
      try workspace.append(NpyArray.encode(feature, as: options.featureElement), to: part)
    }
  }

  /// Refuses features of another length, and values that are not finite, which would spoil a training run.
  private func check(_ feature: [Float]) throws(DatasetError) {
    let expected = state.featureDimension ?? feature.count
    state.featureDimension = expected
    guard feature.count == expected, expected > 0 else {
      throw .wrongFeatureDimension(path: path, found: feature.count, expected: expected)
    }
    let limit =
      options.featureElement == .float16 ? Float(Float16.greatestFiniteMagnitude) : .infinity
    guard feature.allSatisfy({ $0.isFinite && $0.magnitude <= limit }) else {
      throw .features(
        model: options.featureModel?.name ?? "",
        reason: "a feature of image \(count) is not finite as \(options.featureElement)"
      )
    }
  }

  /// The number of images without captions: those whose captions end where the last image's do.
  private func uncaptionedCount() throws(DatasetError) -> Int {
    try workspace.mapped(.captionIndex).withBytes { bytes in
      var (count, last) = (0, 0)
      for start in stride(from: 0, to: bytes.count - 7, by: 8) {
        let end = Int(Int64(bitPattern: bytes.littleEndian(UInt64.self, at: start)))
        if end == last { count += 1 }
        last = end
      }
      return count
    }
  }

  private func droppedItems() throws(DatasetError) -> [PackReport.Dropped] {
    let lines = CaptionLines(try workspace.mapped(.dropped))
    return (0..<lines.count).compactMap { index in
      guard let fields = lines[index], fields.count == 3 else { return nil }
      return .init(name: fields[0], cause: .init(fields[1]), reason: fields[2])
    }
  }

  private func addFeatures() throws(DatasetError) {
    guard let columns = state.featureDimension else { return try addCaptionIndex() }
    try addArray(FeatureStore.imagesName, .imageFeatures, rows: count, columns: columns)
    if workspace[.flippedFeatures].size > 0 {
      try addArray(FeatureStore.flippedName, .flippedFeatures, rows: count, columns: columns)
    }
    if state.captionCount > 0 {
      let rows = state.captionCount
      try addArray(FeatureStore.textsName, .textFeatures, rows: rows, columns: columns)
    }
    try addCaptionIndex()
  }

  private func addCaptionIndex() throws(DatasetError) {
    guard state.captionCount > 0 else { return }
    var header = NpyHeader(element: .int64, shape: [count + 1]).encoded
    header.append(littleEndian: 0 as Int64)
    try add(FeatureStore.indexName, header: header, .captionIndex)
  }

  private func addArray(
    _ name: String,
    _ part: PackWorkspace.Part,
    rows: Int,
    columns: Int
  ) throws(DatasetError) {
    let header = NpyHeader(element: options.featureElement, shape: [rows, columns]).encoded
    try add(name, header: header, part)
  }

  private func add(
    _ name: String,
    header: [UInt8],
    _ part: PackWorkspace.Part
  ) throws(DatasetError) {
    let mapped = try workspace.mapped(part)
    let starts = Array(stride(from: 0, to: mapped.count, by: Self.pieceSize))
    let pieces = starts.map { $0..<min($0 + Self.pieceSize, mapped.count) }
    try files { () throws(FileError) in
      try mapped.withBytes { (bytes) throws(FileError) in
        // The pages of large parts are released in chunks.
        try zip.add(name, header: header, parts: pieces.map(bytes.slice)) {
          mapped.release(pieces[$0])
        }
      }
    }
  }

  private static let pieceSize = 16 << 20

  private func addLafiteJSON() throws(DatasetError) {
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let names = zip.nameStarts
    let writer = LafiteJSONWriter(
      names: { [zip] in zip.name(at: names[$0]) },
      imageCount: count,
      labels: state.unlabelledCount == 0 ? try workspace.mapped(.labels) : nil,
      imageFeatures: try rows(.imageFeatures),
      textFeatures: try rows(.textFeatures),
      captionEnds: try workspace.mapped(.captionIndex)
    )
    try files { () throws(FileError) in
      let spool = try SpoolFile(in: folder)
      try writer.write(to: spool)
      try spool.mapped().withBytes { (bytes) throws(FileError) in
        try zip.add("dataset.json", parts: [bytes])
      }
    }
  }

  private func rows(_ part: PackWorkspace.Part) throws(DatasetError) -> FeatureRows? {
    guard let columns = state.featureDimension else { return nil }
    let element = options.featureElement
    return FeatureRows(try workspace.mapped(part), columns: columns, element: element)
  }

  /// Opens the completed archive, verifies every checksum and reads all entries but images.
  private func verify(_ manifest: PackManifest) throws(DatasetError) {
    let written = try PackedDataset(workspace.archivePath, requiresFeatures: false)
    try written.verifyChecksums()
    if let fault = written.zip.indexFault() {
      throw .damaged(path: path, entry: fault.entry, reason: fault.reason)
    }
    if let fault = DatasetCheck.documentFaults(in: written).first {
      throw .damaged(path: path, entry: fault.entry, reason: fault.reason)
    }
    precondition(written.manifest == manifest, "the manifest reads back differently")
  }

  /// The usual suffix of an image file, by its content.
  private static func suffix(of image: [UInt8]) -> String {
    switch image.withUnsafeBytes({ ImageFormat(detecting: $0) }) {
    case .jpeg: "jpg"
    case .webp: "webp"
    case .gif: "gif"
    case .avif: "avif"
    case .png, nil: "png"
    }
  }

  private static func side(of image: [UInt8], _ path: String) throws(DatasetError) -> Int {
    do throws(ImageError) { return try ImageHeader.probe(image).width } catch {
      throw .unreadableImage(path: path, entry: "the first image", reason: "\(error)")
    }
  }
}
