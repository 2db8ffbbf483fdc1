/// The helpers of a run, each with one duty, as one value for code that needs several.
struct RunHelpers {
  /// The run's folder.
  let folder: RunFolder
  /// The networks.
  let trainer: Trainer
  /// The run's time.
  let clock: RunClock
  /// Log, statistics, event file, and the values of the tick.
  let report: RunReport
  /// Grids and network snapshots with their scores.
  let snapshots: RunSnapshots
  /// The schedule of checkpoints, and their folder.
  let checkpoints: RunCheckpoints
  /// The watchdog, and the action that the options choose.
  let watch: RunWatch
}
