import Files

/// Where stored images wait until the rows before theirs are finished, by their rows.
///
/// Nothing is flushed: a run that was killed requests these rows again.
protocol ImageStaging: Sendable {
  /// Keeps the image of a row, on any thread.
  ///
  /// - Throws: `FileError` if the disk refuses.
  func write(_ image: [UInt8], row: Int) throws(FileError)

  /// Gives up the image of a row.
  func discard(row: Int)
}

/// Each image in a file of its own, which gets its final name later.
struct StagedFiles: ImageStaging {
  let folder: SplitFolder

  func write(_ image: [UInt8], row: Int) throws(FileError) {
    try ScratchFile.write(image, to: folder.stagedImage(row: row))
  }

  func discard(row: Int) { folder.remove(folder.stagedImage(row: row)) }
}
