import Datasets
import Distributed
import Files
import Foundation
import Images
import JSON
import Networks
import Sampling
import Snapshots
package import Torch
import TorchNN

/// One training run from its options to its last snapshot, in one session or in several.
///
/// This is the loop: a step, and the periodic work after it. Its helpers have one duty each: the clock, the
/// report, the snapshots, the checkpoints, the recovery from them, the watch and the response to an alarm.
package final class TrainingRun {
  /// The run's options.
  package var options: TrainingOptions { inputs.options }
  /// The run folder.
  package let folder: RunFolder
  /// The networks.
  package var trainer: Trainer { steps.trainer }

  let inputs: StepInputs
  let steps: SharedSteps
  private let ranks: Ranks
  private let stop: StopRequest
  private let reals: RGBImage?
  let report: RunReport
  let snapshots: RunSnapshots
  private let checkpoints: RunCheckpoints
  private let watch: RunWatch
  private let clock: RunClock
  private let recovery: RunRecovery
  private let collapse: CollapseResponse
  private var stateWasReplaced = true

  /// Opens the data, makes the networks, and makes the run folder or continues in one.
  ///
  /// - Parameters:
  ///   - inputs: The inputs of the steps; this process is rank 0.
  ///   - gridFeatures: Conditions of the sample grid, [N, F], unit length; those of the data if `nil`.
  ///   - metrics: The metrics of the network snapshots.
  ///   - notes: Stored in every snapshot.
  ///   - continued: The folder of the run to continue; a new one is made if `nil`.
  ///   - profiles: Writes a trace of the session's first steps.
  ///   - stop: Asks the run to end early.
  ///   - observe: Receives the run's events.
  /// - Throws: An error of the data, the snapshot, the checkpoint or the folder.
  package init(
    _ inputs: StepInputs,
    gridFeatures: Tensor?,
    metrics: [SnapshotMetric],
    notes: [String: String],
    continued: String? = nil,
    profiles: Bool = false,
    stop: StopRequest = StopRequest(),
    observe: @escaping (TrainingEvent) -> Void
  ) throws {
    self.inputs = inputs
    self.stop = stop
    ranks = inputs.ranks
    steps = try SharedSteps(inputs)
    let grid = try SampleGrid(of: inputs, features: gridFeatures)
    if let continued {
      folder = try RunFolder(existing: continued)
      try folder.checkCheckpoints()
      reals = nil
    } else {
      try steps.resume()
      // Before the folder is made: a damaged image leaves no folder behind.
      let image = try SampleGrid.reals(
        of: inputs.data,
        hasClasses: inputs.options.trainer.generator.labelDimension != nil
      )
      folder = try RunFolder(in: inputs.options.outdir, description: inputs.options.description)
      try image.write(png: folder.file("reals.png"))
      reals = image
    }
    report = RunReport(
      folder,
      metrics: metrics.map(\.name),
      profiles: profiles,
      hangDetector: inputs.ranks.hangDetector,
      observe: observe
    )
    snapshots = RunSnapshots(
      folder,
      inputs,
      grid: grid,
      metrics: metrics,
      notes: notes,
      report: report
    )
    checkpoints = try RunCheckpoints(in: folder, inputs, report: report)
    watch = RunWatch(inputs.options.collapsePolicy)
    clock = RunClock(inputs.options)
    let helpers = RunHelpers(
      folder: folder,
      trainer: steps.trainer,
      clock: clock,
      report: report,
      snapshots: snapshots,
      checkpoints: checkpoints,
      watch: watch
    )
    recovery = RunRecovery(inputs, helpers)
    collapse = CollapseResponse(helpers, recovery)
    if continued != nil {
      try ranks.doing("reads a checkpoint of \(folder.path)") {
        try recovery.restore(orBegin: steps.resume)
      }
    }
    try AtomicFile.write(
      inputs.options.json(runFolder: folder.path).prettyJSON,
      to: folder.file(RunOptionsFile.name)
    )
  }

  /// Trains until the limit on images or time, or until a request to stop.
  ///
  /// - Throws: An error that ends the run; where possible a checkpoint was written before.
  package func run() throws -> RunEnding {
    let ending = try RunOutcome.noting(in: folder, report, { trainer.imagesSeen }, training: lead)
    ranks.command(ending == .finished ? .finish : .interrupt)
    return ending
  }

  private func lead() throws -> RunEnding {
    clock.begin(at: trainer.imagesSeen)
    checkpoints.begin()
    try report.begin(at: trainer.imagesSeen, reals: reals)
    defer { checkpoints.release() }
    try ranks.barrier()
    // A run that is killed in its first interval can be continued, too, and a disk that cannot take a
    // checkpoint ends it after the first step.
    if try checkpoints.areNone { try recovery.firstCheckpoint() }
    if isComplete, snapshots.unscored == nil {
      report.reportToConsole(
        "the run is complete at \(kimg(trainer.imagesSeen)) kimg; --kimg takes it further"
      )
      return .finished
    }
    while !isComplete || snapshots.unscored != nil {
      if stop.isRequested {
        try ranks.whileOthersWait { try recovery.writeLastCheckpoint() }
        let images = kimg(trainer.imagesSeen)
        report.reportToConsole(
          "stopped at \(images) kimg; go on with: nifty train --continue \(folder.path)"
        )
        return .interrupted
      }
      if stateWasReplaced { ranks.sendState(of: trainer) }
      stateWasReplaced = false
      if snapshots.unscored != nil {
        // The session before ended, or the run was rolled back, while it was scored.
        try ranks.whileOthersWait { try score() }
      } else {
        try advance()
      }
      try ranks.check()
      try recovery.checkpointIfDue()
    }
    try ranks.whileOthersWait { try recovery.writeLastCheckpoint() }
    // A program that called the run must not take an older snapshot for its result.
    if let lost = snapshots.lost {
      throw TrainingError.stopped(
        "the last snapshot was not written (\(lost)); the checkpoint is good: mend that, then train a little "
          + "further by nifty train --continue \(folder.path) with a larger --kimg"
      )
    }
    return .finished
  }

  /// Whether the run has reached its limit and ended its last tick.
  private var isComplete: Bool {
    report.tick.number > 0 && report.tick.statistics.isEmpty && clock.isOver(trainer.imagesSeen)
  }

  /// One step, and the periodic work after it.
  private func advance() throws {
    let batch = try batchOrCheckpoint()
    ranks.command(.step)
    let (reports, someoneStops) = try steps.take(batch, stops: stop.isRequested)
    if someoneStops { stop.request() }
    try report.record(reports, trainer.clock.takeSpans())
    let alarms = watch.judge(reports)
    if !alarms.isEmpty {
      try ranks.whileOthersWait { _ = try respond(to: alarms) }
      return
    }
    let isLast = clock.isOver(trainer.imagesSeen)
    let forecast = clock.forecast(trainer.imagesSeen)
    report.notify(
      .progress(
        imagesSeen: trainer.imagesSeen,
        total: forecast.total,
        rate: forecast.rate,
        secondsLeft: forecast.secondsLeft
      )
    )
    let images = Double(trainer.imagesSeen - report.tick.firstImage)
    guard report.tick.number == 0 || isLast || images >= options.tickKimg * 1000 else { return }
    try ranks.whileOthersWait { try endTick(isLast: isLast) }
  }

  /// The next batch; if an image cannot be read the run ends with a checkpoint.
  private func batchOrCheckpoint() throws -> TrainingBatch {
    do { return try steps.batch() } catch {
      try ranks.whileOthersWait { try recovery.writeLastCheckpoint() }
      throw TrainingError.stopped(
        "\(error); repair it, then go on with: nifty train --continue \(folder.path)"
      )
    }
  }

  /// The periodic work at the end of a tick.
  private func endTick(isLast: Bool) throws {
    let alarms = try finishTick()
    let number = report.tick.number
    if isLast || number % options.imageSnapshotTicks == 0 {
      try ranks.doing("paints and writes the sample grid") { try snapshots.writeGrid(trainer) }
    }
    let writesSnapshot = isLast || number % options.networkSnapshotTicks == 0
    if writesSnapshot { try snapshots.write(trainer, isLast: isLast) }
    report.beginTick(at: trainer.imagesSeen, after: clock.secondsOfTick)
    clock.restartTick()
    if !alarms.isEmpty, try respond(to: alarms) { return }
    guard writesSnapshot else { return }
    recovery.checkpoint()
    if snapshots.unscored != nil { try score() }
  }

  /// Writes the line and the statistics of a tick.
  ///
  /// - Returns: New alarms.
  private func finishTick() throws -> [Watchdog.Alarm] {
    let (tick, images) = (report.tick, trainer.imagesSeen)
    let (elapsed, seconds) = (clock.seconds, tick.seconds + clock.secondsOfTick)
    let spread = snapshots.spread(trainer.generator)
    let alarms = watch.judge(tick, spread: spread, imagesSeen: images)
    var line = TickLine(
      tick,
      imagesSeen: images,
      elapsed: elapsed,
      seconds: seconds,
      secondsLeft: clock.forecast(images).secondsLeft,
      augmentProbability: trainer.augmentProbability,
      spread: spread,
      device: inputs.device
    )
    line.score = snapshots.best.map { ($0, snapshots.lastScore) }
    try report.finishTick(line, at: images)
    clock.restartTick()
    return alarms
  }

  /// Computes the metrics of the pending snapshot.
  ///
  /// A request to stop ends the process at once: in the last checkpoint the snapshot is still pending.
  private func score() throws {
    let start = ContinuousClock.now
    defer { clock.restartTick() }
    let alarms = try snapshots.score(
      trainer,
      watch: watch,
      computing: { metric in
        try stop.leavingAtOnce(after: checkpoints.wait) { try withoutGradients { try metric() } }
      },
      stops: { stop.isRequested }
    )
    guard let alarms else { return }
    report.noteMaintenance(start.secondsAgo)
    if snapshots.areScored { checkpoints.demand() }
    if !alarms.isEmpty { try respond(to: alarms) }
  }

  /// Responds to a collapse by `--on-collapse`.
  ///
  /// - Returns: Whether the run was rolled back.
  @discardableResult
  func respond(to alarms: [Watchdog.Alarm]) throws -> Bool {
    let isTakenBack = try collapse.respond(to: alarms)
    if isTakenBack { stateWasReplaced = true }
    return isTakenBack
  }
}
