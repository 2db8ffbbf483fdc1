package import Archives
import Files
import Foundation
package import Images
import Synchronization

/// A packed dataset open for reading: square images, CLIP features, captions.
///
/// Opens the zips that nifty packs, and LAFITE's own (features inside of `dataset.json`, indexed
/// once by `LafiteIndex`). Nothing is loaded ahead: the archive is mapped and paged in on demand. Images are
/// in the order of their names. Safe to use from any thread.
package final class PackedDataset: Sendable {
  /// The zip's path.
  package let path: String
  /// The manifest; `nil` for a set that nifty did not pack.
  package let manifest: PackManifest?
  /// Side of the square images in pixels.
  package let resolution: Int
  /// What its `dataset.json` has that counts for nothing, in words; only a set packed by LAFITE has any.
  package let remarks: [String]
  /// Numbers per CLIP feature, F; 0 for a set without features.
  package var featureDimension: Int { features?.images.columns ?? 0 }
  /// Number of images.
  package var count: Int { images.count }
  /// Number of caption features, over all images.
  package var captionCount: Int { features?.texts?.features.rows ?? 0 }
  /// Whether there are features of the mirrored images, too.
  package var hasFlippedFeatures: Bool { features?.flipped != nil }

  /// Its identity: size in bytes, and CRC-32 of the zip directory.
  package var identity: (size: Int, directory: UInt32) { (zip.fileSize, zip.directoryChecksum) }

  let zip: ZipArchive
  /// The sidecar with the features and labels of LAFITE's own zips.
  private let sidecar: ZipArchive?
  private let images: ImageEntries
  /// `nil` for a set packed without features.
  private let features: FeatureStore?
  private let captionLines: Mutex<CaptionLines?> = .init(nil)
  /// A line per image; `nil` in a set without labels.
  private let labelText: MappedBytes?
  private let labelLines: Mutex<TextLines?> = .init(nil)

  static let captionsName = "captions.jsonl"
  static let labelsName = "labels.jsonl"

  /// Opens a dataset: reads its directory and the header of one image.
  ///
  /// - Parameters:
  ///   - path: The zip.
  ///   - requiresFeatures: Whether a set without CLIP features is refused.
  /// - Throws: `DatasetError` if the file is missing, no zip, without images, or without required features.
  package init(_ path: String, requiresFeatures: Bool = true) throws(DatasetError) {
    self.path = path
    if isFolder(path) {
      let source = String(path.reversed().drop { $0 == "/" }.reversed())
      throw .option(
        "\(path) is a folder; pack it first: nifty pack --source=\(source) --dest=\(source).zip"
      )
    }
    let zip = try archives { () throws(ArchiveError) in try ZipArchive(path, usesIndex: true) }
    self.zip = zip
    if let entry = zip.index(of: PackManifest.entryName) {
      let bytes = try archives { () throws(ArchiveError) in try zip.bytes(at: entry) }
      manifest = try bytes.withBytes { (bytes) throws(DatasetError) in
        try PackManifest.decode(bytes, path: path)
      }
    } else {
      manifest = nil
    }
    let images = ImageEntries(in: zip, manifest: manifest)
    self.images = images
    guard images.count > 0 else { throw .noImages(path: path) }
    var labels = try archives { () throws(ArchiveError) in
      try zip.index(of: Self.labelsName).map { (entry) throws(ArchiveError) in
        try zip.bytes(at: entry, verifying: false)
      }
    }
    if manifest == nil, zip.index(of: FeatureStore.imagesName) == nil,
      let json = zip.index(of: "dataset.json")
    {
      let entries = (0..<images.count).map { Int32(images[$0]) }
      let index = LafiteIndex(zip, json: json, images: entries)
      let contents = try index.contents(requiresFeatures: requiresFeatures)
      (features, labels, sidecar) = (contents.features, contents.labels, contents.sidecar)
      remarks = contents.remarks
    } else if !requiresFeatures && zip.index(of: FeatureStore.imagesName) == nil {
      (features, sidecar, remarks) = (nil, nil, [])
    } else {
      (features, sidecar, remarks) = (try FeatureStore(zip, count: images.count), nil, [])
    }
    labelText = labels
    let (width, height) = try Self.size(ofImage: images[0], in: zip)
    resolution = width
    guard width == height else {
      throw .wrongResolution(
        path: path,
        entry: zip.name(at: images[0]),
        found: "\(width)×\(height)",
        expected: "square"
      )
    }
    if let manifest { try check(manifest) }
    zip.adviseRandomAccess()
  }

  /// The name of an image's entry.
  package func name(at index: Int) -> String { zip.name(at: entry(index)) }

  /// Decodes an image.
  ///
  /// - Throws: `DatasetError` naming zip and entry if it is unreadable or of another size.
  package func image(at index: Int) throws(DatasetError) -> RGBImage {
    let entry = entry(index)
    // The header first: an image of another size would take any amount of memory.
    let (width, height) = try Self.size(ofImage: entry, in: zip)
    guard width == resolution, height == resolution else {
      throw .wrongResolution(
        path: path,
        entry: zip.name(at: entry),
        found: "\(width)×\(height)",
        expected: "\(resolution)×\(resolution)"
      )
    }
    return try Self.read(entry, in: zip, verifying: true) { (bytes) throws(ImageError) in
      try RGBImage(decoding: bytes)
    }
  }

  /// The file of an image, as stored.
  ///
  /// - Throws: `DatasetError` if its checksum differs.
  package func encodedImage(at index: Int) throws(DatasetError) -> [UInt8] {
    try archives { () throws(ArchiveError) in try zip.bytes(at: entry(index)).array }
  }

  /// The size of the whole zip in bytes.
  package var fileSize: Int { zip.fileSize }

  /// The CLIP feature of an image [F], as stored (unnormalised).
  package func imageFeature(at index: Int) -> [Float] { featured.images.floats(row: index) }

  /// The CLIP features of all images, [N, F], as stored, where they lie in the file.
  package var imageFeatures: NpyArray { featured.images }

  /// The CLIP feature of a mirrored image [F], as stored; `nil` in a set without them.
  package func flippedFeature(at index: Int) -> [Float]? {
    features?.flipped?.floats(row: index)
  }

  /// The number of images without a caption feature.
  package var imagesWithoutTextFeature: Int { features?.withoutText ?? count }

  /// What is wrong with the positions of an image's caption features; `nil` if nothing is.
  ///
  /// Those of a zip with an index are not looked through when the set is opened.
  func textFault(at index: Int) -> DatasetError? {
    guard let position = features?.wrongPosition(of: index) else { return nil }
    return damaged(FeatureStore.indexName, "position \(position) at row \(index)")
  }

  /// The number of an image's caption features.
  package func textFeatureCount(at index: Int) -> Int { features?.textRows(of: index).count ?? 0 }

  /// The CLIP feature of one of an image's captions [F], as stored (unnormalised).
  package func textFeature(image: Int, caption: Int) -> [Float] {
    let rows = featured.textRows(of: image)
    precondition((0..<rows.count).contains(caption), "caption \(caption) of \(rows.count)")
    guard let texts = featured.texts else { return [] }
    return texts.features.floats(row: rows.lowerBound + caption)
  }

  /// The captions of an image; none if the set has only their features, as LAFITE's own zips.
  package func captions(at index: Int) throws(DatasetError) -> [String] {
    precondition((0..<count).contains(index), "image \(index) of \(count)")
    guard let entry = zip.index(of: Self.captionsName) else { return [] }
    let lines = try captionLines.withLock { (lines) throws(DatasetError) -> CaptionLines in
      if let lines { return lines }
      let bytes = try archives { () throws(ArchiveError) in
        try zip.bytes(at: entry, verifying: false)
      }
      let found = CaptionLines(bytes)
      guard found.count == count else {
        throw damaged(Self.captionsName, "\(found.count) lines for \(count) images")
      }
      lines = found
      return found
    }
    guard let captions = lines[index] else {
      throw damaged(Self.captionsName, "line \(index + 1) is no list of strings")
    }
    return captions
  }

  /// The number of images without a caption and without a feature of one.
  package func uncaptionedCount() throws(DatasetError) -> Int {
    if captionCount > 0 { return imagesWithoutTextFeature }
    var found = 0
    for index in 0..<count where try captions(at: index).isEmpty { found += 1 }
    return found
  }

  /// The label of an image; `nil` if the set has no labels.
  package func label(at index: Int) throws(DatasetError) -> ImageLabel? {
    precondition((0..<count).contains(index), "image \(index) of \(count)")
    guard let labelText else { return nil }
    let lines = try labelLines.withLock { (lines) throws(DatasetError) -> TextLines in
      if let lines { return lines }
      let found = TextLines(labelText)
      guard found.count == count else {
        throw damaged(Self.labelsName, "\(found.count) lines for \(count) images")
      }
      lines = found
      return found
    }
    let label: ImageLabel? = lines.withLine(index) { line in
      var scanner = JSONScanner(line)
      guard let label = try? LabelReader.value(&scanner), (try? scanner.end()) != nil else {
        return nil
      }
      return label
    }
    guard let label else { throw damaged(Self.labelsName, "line \(index + 1) is no label") }
    return label
  }

  /// Whether every image has a label.
  package var hasLabels: Bool { labelText != nil }

  /// SHA-256 of the images' names, sizes and checksums in the archive's directory: their identity, without
  /// reading them.
  package var imagesSHA256: String {
    var hash = SHA256()
    for index in 0..<count {
      let entry = entry(index)
      hash.update(zip.nameBytes(at: entry))
      hash.update(Array("\0\(zip.size(at: entry)) \(zip.checksum(at: entry))\n".utf8))
    }
    return hash.digest()
  }

  /// Verifies the checksum of every entry, which reads every byte once.
  package func verifyChecksums() throws(DatasetError) {
    try archives { () throws(ArchiveError) in try zip.verifyChecksums() }
  }

  /// Checksum faults of entries other than images; images are checked by decoding them.
  func damagedEntries() -> [DatasetCheck.Fault] {
    var own = Self.damage(of: images.others(in: zip), in: zip)
    if let fault = zip.indexFault() { own.append(.init(entry: fault.entry, reason: fault.reason)) }
    // Of a sidecar, too: nothing else verifies the checksums of its features.
    let indexed = sidecar.map { archive in
      Self.damage(of: Array(0..<archive.count), in: archive).map { fault in
        DatasetCheck.Fault(entry: "\(archive.path): \(fault.entry)", reason: fault.reason)
      }
    }
    return own + (indexed ?? [])
  }

  private static func damage(
    of entries: [Int],
    in zip: ZipArchive
  ) -> [DatasetCheck.Fault] {
    entries.compactMap { entry in
      do throws(ArchiveError) {
        let bytes = try zip.bytes(at: entry)
        bytes.release(0..<bytes.count)
        return nil
      } catch {
        return .init(entry: zip.name(at: entry), reason: error.reason)
      }
    }
  }

  private var featured: FeatureStore {
    guard let features else { preconditionFailure("\(path) was opened without features") }
    return features
  }

  private func entry(_ index: Int) -> Int {
    precondition((0..<count).contains(index), "image \(index) of \(count)")
    return images[index]
  }

  private func check(_ manifest: PackManifest) throws(DatasetError) {
    guard manifest.imageCount == count else {
      throw damaged(PackManifest.entryName, "\(manifest.imageCount) images stated, \(count) found")
    }
    guard manifest.resolution == resolution else {
      throw damaged(
        PackManifest.entryName,
        "resolution \(manifest.resolution) stated, \(resolution) found"
      )
    }
    guard manifest.featureDimension == featureDimension else {
      throw .wrongFeatureDimension(
        path: path,
        found: featureDimension,
        expected: manifest.featureDimension
      )
    }
  }

  private func damaged(_ entry: String, _ reason: String) -> DatasetError {
    .damaged(path: path, entry: entry, reason: reason)
  }

  private static func size(
    ofImage entry: Int,
    in zip: ZipArchive
  ) throws(DatasetError) -> (width: Int, height: Int) {
    let header = try read(entry, in: zip, verifying: false) { (bytes) throws(ImageError) in
      try ImageHeader.probe(bytes)
    }
    return (header.width, header.height)
  }

  private static func read<Value>(
    _ entry: Int,
    in zip: ZipArchive,
    verifying: Bool,
    _ body: (UnsafeRawBufferPointer) throws(ImageError) -> Value
  ) throws(DatasetError) -> Value {
    let bytes = try archives { () throws(ArchiveError) in
      try zip.bytes(at: entry, verifying: verifying)
    }
    do throws(ImageError) { return try bytes.withBytes(body) } catch {
      throw .unreadableImage(path: zip.path, entry: zip.name(at: entry), reason: "\(error)")
    }
  }
}
