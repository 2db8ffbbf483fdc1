/// An event of a run, for its observer.
package enum TrainingEvent: Sendable {
  /// A line for log and console.
  case line(String)
  /// Between ticks: images seen, images to see (if known), images per second, seconds left.
  case progress(imagesSeen: Int, total: Int?, rate: Double, secondsLeft: Double)
  /// A network snapshot was written.
  case snapshot(path: String, imagesSeen: Int)
  /// The run was rolled back: the reason in one line, and the images seen of the restored state.
  case rolledBack(reason: String, imagesSeen: Int)
}

/// The reason of a run's end.
package enum RunEnding: Sendable {
  /// The limit on images or time was reached.
  case finished
  /// A request stopped it; it can be continued.
  case interrupted
}
