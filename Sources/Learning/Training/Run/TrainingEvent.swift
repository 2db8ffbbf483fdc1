/// An event of a run, for its observer.
package enum TrainingEvent: Sendable {
  /// A line for log and console.
  case line(String)
  /// Between ticks: images seen, images to see (if known), images per second, seconds left.
  case progress(imagesSeen: Int, total: Int?, rate: Double, secondsLeft: Double)
  /// A network snapshot was written.
  case snapshot(path: String, imagesSeen: Int)
  /// The watchdog took the run back: why, in one line, and the images seen by the state it goes on from.
  case rolledBack(reason: String, imagesSeen: Int)
}

/// The reason of a run's end.
package enum RunEnding: Sendable {
  /// Its images or its time are used up.
  case finished
  /// It was asked to stop, and can be continued.
  case interrupted
}
