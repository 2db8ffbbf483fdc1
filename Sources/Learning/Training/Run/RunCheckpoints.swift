import Distributed
import Files
import Torch

/// The schedule of a run's checkpoints, and the messages about them.
final class RunCheckpoints {
  private let folder: CheckpointFolder
  private let writer: CheckpointWriter
  private let interval: Double
  private let report: RunReport
  private var last = ContinuousClock.now
  private var isDue = false
  /// Whether a failure ends the run: nobody wants to learn after days that the disk takes no checkpoint.
  private var mustSucceed = false
  /// Of the checkpoint in flight, or of the last one.
  private var loan: StateLoan?

  /// Makes or opens the checkpoint folder of a run, and locks it.
  init(in run: RunFolder, _ inputs: StepInputs, report: RunReport) throws {
    folder = try CheckpointFolder(run.file("checkpoint"))
    writer = CheckpointWriter(folder, hangDetector: inputs.ranks.hangDetector)
    interval = inputs.options.checkpointSeconds
    self.report = report
  }

  /// Begins a session.
  func begin() { last = .now }

  /// Unlocks the folder.
  func release() { folder.release() }

  /// Whether the folder has no checkpoint yet.
  var areNone: Bool { get throws { try folder.list().isEmpty } }

  /// Waits for the checkpoint in flight; callable from any thread.
  var wait: @Sendable () -> Void { { [writer] in writer.wait() } }

  /// Makes a checkpoint due now.
  func demand() { isDue = true }

  /// Begins the first checkpoint of a run; training begins meanwhile.
  ///
  /// - Throws: If the log cannot be written.
  func beginFirst(_ state: () -> RunState, _ trainer: Trainer) throws {
    try report.flush()
    mustSucceed = true
    begin(state, trainer)
  }

  /// Begins a checkpoint if one is due; a slow disk delays the next one.
  ///
  /// - Throws: If the first one could not be written.
  func beginIfDue(_ state: () -> RunState, _ trainer: Trainer) throws {
    for outcome in writer.takeOutcomes() {
      guard case .failed(let images, let reason) = outcome else {
        mustSucceed = false
        continue
      }
      if mustSucceed {
        throw TrainingError.stopped("the first checkpoint could not be written: \(reason)")
      }
      try report.log(
        "no checkpoint at \(kimg(images)) kimg: \(reason) (training goes on; the checkpoint before "
          + "stays)"
      )
    }
    if let loan { report.noteStall(loan.takeStall()) }
    if isDue || last.secondsAgo >= interval, !writer.isBusy { begin(state, trainer) }
  }

  /// Writes the state in the background, after the checkpoint in flight.
  func begin(_ state: () -> RunState, _ trainer: Trainer) {
    isDue = false
    last = .now
    writer.wait()
    // A checkpoint records the sizes of logs: buffered lines are written first.
    do { try report.flush() } catch {
      report.reportToConsole("\(error) (no checkpoint now; training goes on)")
      return
    }
    let loan = trainer.lendState()
    self.loan = loan
    report.noteStall(last.secondsAgo)
    writer.begin(state(), loan)
  }

  /// Writes a checkpoint and waits for it.
  ///
  /// - Throws: If it could not be written.
  func writeLast(_ state: () -> RunState, _ trainer: Trainer) throws {
    writer.wait()
    _ = writer.takeOutcomes()
    try report.flush()
    begin(state, trainer)
    writer.wait()
    for case .failed(_, let reason) in writer.takeOutcomes() {
      throw TrainingError.stopped("the last checkpoint could not be written: \(reason)")
    }
  }

  /// The newest undamaged checkpoint; reports damaged ones.
  func newest() throws -> (checkpoint: Checkpoint?, damage: [String]) {
    var damage: [String] = []
    let found = try folder.newest(onDamage: { damage.append($0) })
    return (found, damage)
  }

  /// The newest healthy checkpoint up to a number of images; an earlier one if a rollback to it failed
  /// already.
  ///
  /// - Parameters:
  ///   - limit: Images seen by the latest state that is known to be good.
  ///   - last: Images seen by the target of the last rollback.
  /// - Returns: The checkpoint, if there is one.
  /// - Throws: `FileError` if the folder cannot be read.
  func good(until limit: Int, last: Int?) throws -> Checkpoint? {
    let found = try newestHealthy(until: limit)
    guard let found, found.state.trainer.imagesSeen == last else { return found }
    return try newestHealthy(until: found.state.trainer.imagesSeen - 1) ?? found
  }

  private func newestHealthy(until limit: Int) throws -> Checkpoint? {
    try folder.newest(
      where: { $0.watchdog.isHealthy && $0.trainer.imagesSeen <= limit },
      onDamage: { report.reportToConsole($0) }
    )
  }

  /// Removes the checkpoints after a number of images.
  func removeAll(after images: Int) throws { try folder.removeAll(after: images) }
}

/// The exit status of an interrupted run that can be continued: `EX_TEMPFAIL` of sysexits.h.
package let exitStatusOfInterruption: Int32 = 75
