import ArgumentParser
import CLIP
import Console
import Datasets
import Distributed
import Evaluation
import Foundation
import Networks
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

  /// The number of processes that the command or its starter asks for; `nil` if the run's own counts.
  ///
  /// A process started alone is the only rank, whatever the run had before, unless the command says more.
  var processes: Int? {
    get throws {
      let started = try Rendezvous.count(environment: ProcessInfo.processInfo.environment)
      return runFlags.gpus ?? started
    }
  }

  /// The folder of the run to go on with and its options, or those to begin with, if any are asked for.
  ///
  /// Rank 0 looks for them. The others take what it finds: they need no run folder.
  func origin(_ ranks: Ranks) throws -> (folder: String?, options: TrainingOptions?) {
    if continued == nil, options == nil { return (nil, nil) }
    let folder = try ranks.fromFirst {
      try ranks.doing("looks for the run") { try continuedFolder ?? "" }
    }
    let file = folder.isEmpty ? options ?? "" : "\(folder)/training_options.json"
    let text = try ranks.fromFirst {
      try ranks.doing("reads \(file)") { try TrainingOptions.text(of: file) }
    }
    return (folder.isEmpty ? nil : folder, try TrainingOptions(text: text, of: file))
  }

  /// The processes of the run, once all are there.
  func joined(
    _ rendezvous: Rendezvous?,
    on device: Device,
    _ stop: StopRequest
  ) throws -> Ranks {
    guard let rendezvous else { return .alone }
    LocalRanks.endWithLauncher()
    let timeout = arguments.rankTimeout
    let group = try ProcessGroup(rendezvous, timeout: .seconds(timeout))
    let carrier = try carrier(of: group, on: device)
    if group.rank == 0 { Console.line("\(group.count) processes, which sum \(carrier)") }
    return Ranks(group, patience: timeout, bound: timeout) { reason in
      stop.exitIfInterruptible {
        Console.error("nifty: \(reason)")
        _exit(EXIT_FAILURE)
      }
    }
  }

  /// Selects NCCL as the backend where all processes have CUDA; reports the backend.
  private func carrier(of group: ProcessGroup, on device: Device) throws -> String {
    // Another NCCL than libtorch's; the tests name one that needs no GPU.
    let library = ProcessInfo.processInfo.environment["NIFTY_NCCL"]
    let able = Tensor([Int64(device == .cpu && library == nil ? 0 : 1)])
    try group.sum(able)
    let count = Int(able.values(Int64.self)[0])
    if count == 0 { return "over Gloo" }
    if count < group.count {
      return "over Gloo, through the host's memory: \(group.count - count) of them have no GPU"
    }
    do {
      try group.useNCCL(on: device, library: library ?? "libnccl.so.2")
      return "over NCCL"
    } catch { return "over Gloo, through the host's memory: \(error)" }
  }

  /// Runs a rank other than 0.
  func follow(_ inputs: StepInputs, _ stop: StopRequest) throws -> RunEnding {
    let suite = try inputs.ranks.doing("prepares the metrics") { try metricSuite(inputs) }
    let run = try FollowingRun(
      inputs,
      score: { job, generator in try suite?.help(job: job, generator) },
      stop: stop
    )
    let signals = StopSignals(stop, announces: false)
    return try withExtendedLifetime(signals) { try run.run() }
  }
}
