import Files

/// A pair whose image is staged.
struct StagedPair: Sendable {
  let row: Int
  let number: Int
  let caption: String
}

/// The output of pairs, in the order of their numbers.
protocol PairSink: Sendable {
  /// Where the images wait for `publish`.
  var staging: any ImageStaging { get }

  /// Removes an interrupted run's leftovers beyond the ledger's pairs.
  ///
  /// - Returns: The pairs that exist; the ledger forgets the others.
  func resume(after pairs: Int) throws(FileError) -> Int

  /// Publishes pairs under their final names, durably.
  func publish(_ pairs: [StagedPair]) throws(FileError)

  /// Ends a split of so many pairs.
  func finish(pairs: Int) throws(FileError)

  /// The files that got their final content while the ledger grew from some pairs to more.
  func finished(from before: Int, to pairs: Int) -> [String]

  /// The finished file that `resume` needs and that this machine has no more; `nil` if none.
  func missing(after pairs: Int) -> String?
}

extension PairSink {
  func finished(from before: Int, to pairs: Int) -> [String] { [] }
  func missing(after pairs: Int) -> String? { nil }
}

/// Pairs as files of their own, `K.png` and `K.txt` from 0 on.
struct FileSink: PairSink {
  let folder: SplitFolder

  var staging: any ImageStaging { StagedFiles(folder: folder) }

  func resume(after pairs: Int) throws(FileError) -> Int {
    for number in pairs..<pairs + SplitFolder.maximumBatch {
      for path in folder.imagePaths(number) { folder.remove(path) }
      folder.remove(folder.captionPath(number))
    }
    return pairs
  }

  /// Contents are flushed before the renames, and the renames before the ledger's entries, so that no entry
  /// is ever of a file that a power failure could still undo.
  func publish(_ pairs: [StagedPair]) throws(FileError) {
    if pairs.isEmpty { return }
    for pair in pairs {
      try ScratchFile.write(Array(pair.caption.utf8), to: folder.stagedCaption(row: pair.row))
    }
    try ScratchFile.flushFileSystem(of: folder.path)
    for pair in pairs {
      let image = folder.stagedImage(row: pair.row)
      try folder.move(image, to: folder.imagePath(pair.number, folder.imageSuffix(ofFile: image)))
      try folder.move(folder.stagedCaption(row: pair.row), to: folder.captionPath(pair.number))
    }
    try ScratchFile.flushFileSystem(of: folder.path)
  }

  func finish(pairs: Int) throws(FileError) {}
}
