import ArgumentParser
import Foundation
import Torch
import Training

extension TrainCommand {
  /// Where this process meets the others, if something has started several.
  var rendezvous: Rendezvous? {
    get throws {
      let found = try Rendezvous(environment: ProcessInfo.processInfo.environment)
      guard let found, let gpus = runFlags.gpus, gpus != found.count else { return found }
      throw TrainingError.option(
        "--gpus=\(gpus) does not fit: \(found.count) processes were started; leave it out"
      )
    }
  }

  /// The processes of the run, once all are there.
  func joined(_ rendezvous: Rendezvous?) throws -> Ranks {
    guard let rendezvous else { return .alone }
    LocalRanks.endWithLauncher()
    let patience = runFlags.rankTimeout ?? 45
    return Ranks(
      try ProcessGroup(rendezvous, timeout: .seconds(patience)),
      patience: patience
    )
  }

  /// Runs until the end, or until a signal.
  func finish(_ stop: StopRequest, isFirst: Bool, _ run: () throws -> RunEnding) throws {
    let signals = StopSignals(stop, announces: isFirst)
    let ending = try withExtendedLifetime(signals) { try run() }
    if ending == .interrupted { throw ExitCode(exitStatusOfInterruption) }
  }
}

extension RunFlags {
  /// Divides a device's share of a step into rounds.
  func applyRounds(to options: inout TrainingOptions) throws(TrainingError) {
    if let rankTimeout, !(rankTimeout > 0 && rankTimeout <= 1e6) {
      throw .option("--rank-timeout must be above 0, not \(rankTimeout)")
    }
    guard let batchPerDevice else { return }
    let share = options.trainer.batchSize / max(options.gpus, 1)
    guard batchPerDevice > 0, share % batchPerDevice == 0 else {
      throw .option(
        "--batch-gpu must divide \(share), the images of a step and device, not be \(batchPerDevice)"
      )
    }
    options.trainer.rounds = share / batchPerDevice
  }
}
