import Archives
import Files
import Glibc

extension PackedDatasetWriter {
  /// Reopens a finished dataset, so that images can be appended.
  ///
  /// Nothing large is copied: the archive moves into the workspace and loses the entries after the
  /// images. A process that is killed meanwhile leaves either the finished dataset or the unfinished one.
  ///
  /// - Parameters:
  ///   - path: A dataset with captions, without features and labels, that this program packed.
  ///   - fingerprint: The fingerprint of the writer that will append to it.
  /// - Throws: `DatasetError` if it is another kind of dataset, or the disk is full.
  package static func reopen(_ path: String, fingerprint: String) throws(DatasetError) {
    let set = try PackedDataset(path, requiresFeatures: false)
    guard let manifest = set.manifest, set.featureDimension == 0, !set.hasLabels,
      let captions = set.zip.index(of: PackedDataset.captionsName),
      let captionIndex = set.zip.index(of: FeatureStore.indexName),
      set.zip.name(at: set.count - 1) == set.name(at: set.count - 1)
    else { throw .option("\(path) cannot be continued: it holds more than images and captions") }
    let workspace = try PackWorkspace(path, fingerprint: fingerprint, limit: 0)
    let (directory, size) = try archives { () throws(ArchiveError) in
      try set.zip.beginning(set.count)
    }
    try workspace.append(directory, to: .directory)
    try copy(captions, of: set, to: workspace[.captions])
    // Only the ends of the images' captions: the header before them is written again.
    try copy(captionIndex, of: set, to: workspace[.captionIndex], last: 8 * set.count)
    for _ in 0..<set.count { try workspace.append(Array("null\n".utf8), to: .labels) }
    let state = PackJournal.State(
      itemsDone: set.count,
      imageCount: set.count,
      captionCount: manifest.captionCount,
      unlabelledCount: set.count,
      resolution: manifest.resolution
    )
    try workspace.takeBack(path, keeping: size, state)
  }

  private static func copy(
    _ entry: Int,
    of set: PackedDataset,
    to spool: SpoolFile,
    last count: Int = .max
  ) throws(DatasetError) {
    let bytes = try archives { () throws(ArchiveError) in try set.zip.bytes(at: entry) }
    try files { () throws(FileError) in
      try bytes.withBytes { (bytes) throws(FileError) in
        try spool.append(UnsafeRawBufferPointer(rebasing: bytes.suffix(count)))
      }
    }
  }

  /// Whether there is an unfinished dataset of this name.
  package static func isUnfinished(_ path: String) -> Bool {
    access(PackWorkspace.folder(of: path) + "/journal", F_OK) == 0
  }

  /// Removes the leftovers of a process that was killed just after it finished the dataset.
  package static func removeRemains(of path: String) {
    PackWorkspace.remove(PackWorkspace.folder(of: path))
  }
}
