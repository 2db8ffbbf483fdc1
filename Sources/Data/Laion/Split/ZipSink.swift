import Datasets
import Files
import Glibc

/// Pairs in a packed dataset, `splitN.zip` beside the folder of the split.
///
/// The unfinished dataset is in a workspace of its own. Each batch ends with a checkpoint there before its
/// ledger entries, so the ledger never has more pairs than the workspace.
final class ZipSink: PairSink, @unchecked Sendable {
  // Sendable: one batch is published at a time, by the split's own loop.

  private let folder: SplitFolder
  private let fingerprint: String
  private let options: PackedDatasetWriter.Options
  private let images: StagedSegments
  private var writer: PackedDatasetWriter?

  var staging: any ImageStaging { images }

  /// A dataset of images of one size.
  ///
  /// - Parameters:
  ///   - folder: The split's folder.
  ///   - fingerprint: Of the settings that decide which rows become pairs.
  ///   - side: Side of the images in pixels.
  ///   - source: Where the pairs come from, in words.
  init(_ folder: SplitFolder, fingerprint: String, side: Int, source: String) {
    self.folder = folder
    images = StagedSegments(folder)
    self.fingerprint = "laion \(fingerprint)"
    options = .init(resolution: side, featureModel: nil, source: source)
  }

  func resume(after pairs: Int) throws(FileError) -> Int {
    if access(folder.datasetPath, F_OK) != 0 {
      let writer = try open(limit: pairs)
      self.writer = writer
      return writer.count
    }
    // It is reopened only when there are more pairs.
    let held = try dataset { () throws(DatasetError) in
      try PackedDataset(folder.datasetPath, requiresFeatures: false).count
    }
    guard held == pairs else {
      throw FileError(
        "continue",
        path: folder.datasetPath,
        reason: "it holds \(held) pairs and the ledger \(pairs); remove it to download them again"
      )
    }
    return pairs
  }

  func publish(_ pairs: [StagedPair]) throws(FileError) {
    if pairs.isEmpty { return }
    let writer = if let writer { writer } else { try reopened() }
    self.writer = writer
    for pair in pairs {
      let record = PackedRecord(
        image: try images.read(row: pair.row),
        captions: pair.caption.split(separator: "\n").map(String.init)
      )
      try dataset { () throws(DatasetError) in try writer.append(record) }
    }
    try dataset { () throws(DatasetError) in
      try writer.advance(to: writer.count, isCheckpoint: true)
    }
    for pair in pairs { images.discard(row: pair.row) }
  }

  func finish(pairs: Int) throws(FileError) {
    guard let writer else {
      PackedDatasetWriter.removeRemains(of: folder.datasetPath)
      return
    }
    self.writer = nil
    if pairs == 0 {
      // A dataset has at least one image: without any there is no file.
      PackedDatasetWriter.removeRemains(of: folder.datasetPath)
    } else {
      _ = try dataset { () throws(DatasetError) in try writer.finish() }
    }
  }

  func missing(after pairs: Int) -> String? {
    let path = folder.datasetPath
    return pairs == 0 || exists(path) || PackedDatasetWriter.isUnfinished(path) ? nil : path
  }

  private func reopened() throws(FileError) -> PackedDatasetWriter {
    try dataset { () throws(DatasetError) in
      try PackedDatasetWriter.reopen(folder.datasetPath, fingerprint: fingerprint)
    }
    return try open(limit: nil)
  }

  private func open(limit: Int?) throws(FileError) -> PackedDatasetWriter {
    try dataset { () throws(DatasetError) in
      try PackedDatasetWriter(
        folder.datasetPath,
        options: options,
        fingerprint: fingerprint,
        limit: limit
      )
    }
  }

  private func dataset<Value>(
    _ body: () throws(DatasetError) -> Value
  ) throws(FileError) -> Value {
    do throws(DatasetError) {
      return try body()
    } catch .file(let error) {
      throw error
    } catch {
      throw FileError("write", path: folder.datasetPath, reason: error.description)
    }
  }
}
