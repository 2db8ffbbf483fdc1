import Datasets
import Files

/// The progress of a split.
package struct LaionProgress: Codable, Equatable, Sendable {
  /// The number of the split.
  package var split: Int
  /// Rows of the part that are finished, filtered ones included.
  package var rowsDone: Int
  /// Pairs stored.
  package var pairs: Int
  /// The requested number of pairs, or fewer if the part has no more rows.
  package var target: Int
  /// Failed rows, by cause.
  package var failures: [String: Int]
  /// Rows dropped by their metadata, by cause.
  package var filtered: [String: Int]
  /// Bytes of the images as downloaded.
  package var bytes: Int
  /// Bytes downloaded per second since this run began.
  package var bytesPerSecond: Double
  /// Images per second since this run began, those included that wait in the window.
  package var imagesPerSecond: Double
  /// Seconds until the split ends at this rate; `nil` before the first row, and for text metadata, whose
  /// number of rows is unknown.
  package var secondsLeft: Double?

  /// Progress of a split.
  package init(
    split: Int,
    rowsDone: Int,
    pairs: Int,
    target: Int,
    failures: [String: Int] = [:],
    filtered: [String: Int] = [:],
    bytes: Int = 0,
    bytesPerSecond: Double = 0,
    imagesPerSecond: Double = 0,
    secondsLeft: Double? = nil
  ) {
    self.split = split
    self.rowsDone = rowsDone
    self.pairs = pairs
    self.target = target
    self.failures = failures
    self.filtered = filtered
    self.bytes = bytes
    self.bytesPerSecond = bytesPerSecond
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }
}

extension LaionProgress {
  /// Tells those who watch the split's folder how far it is; a finished split has its statistics instead.
  func note(inFolderOf path: String) {
    if exists(path + "/stats.json") { return WorkProgress.remove(from: path) }
    let isKnown = target < 1 << 50
    WorkProgress(
      done: pairs,
      total: isKnown ? target : nil,
      images: pairs,
      leftOut: failures.values.reduce(0, +) + filtered.values.reduce(0, +),
      rate: imagesPerSecond,
      secondsLeft: secondsLeft
    ).note(in: path)
  }
}

/// The report of a download.
package struct LaionReport: Codable, Equatable, Sendable {
  /// One entry per split, in order.
  package var splits: [SplitStatistics]
  /// The splits that were finished already.
  package var skipped: [Int]
  /// Pairs that this run has stored.
  package var added = 0
  /// What went into an object store; `nil` for an output on this machine.
  package var uploaded: UploadTotals?
  /// Notes for the user, a line each.
  package var notes: [String] = []

  /// Pairs in all splits.
  package var pairs: Int { splits.reduce(0) { $0 + $1.pairs } }
}
