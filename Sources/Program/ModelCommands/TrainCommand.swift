import ArgumentParser
import CLIP
import CommandLine
import Console
import Datasets
import Distributed
import Evaluation
import Fetch
import Files
import Foundation
import JSON
import Sampling
import Synchronization
import Text
import Torch
import Training

/// Stages 4 and 5: pre-training and fine-tuning.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Pre-train or fine-tune LAFITE on packed zips.",
    discussion: """
      Takes the original's flags in their spelling. Writes a run folder with
      options, log, statistics, sample grids, snapshots and metrics.

      EXAMPLES
        nifty train --outdir=runs --data='data/laion/split{0..4}.zip' \\
          --test_data=test.zip --clip=clip.safetensors --mixing_prob=1.0 \\
          --gamma=10 --mirror=1 --snap=500
        nifty train --outdir=runs --data=coco.zip --test_data=test.zip \\
          --clip=clip.safetensors --resume=network-snapshot-010000.pkl \\
          --mixing_prob=0.0 --d_lr=0.001 --subset=8261
        nifty train --options=runs/00000-coco-auto/training_options.json --seed=1
        nifty train --continue=runs/00000-coco-auto
        nifty train --continue=latest --outdir=runs --kimg=50000

      Ctrl-C or SIGTERM writes a checkpoint and ends with status 75: the run
      can be continued, and equals one that was never stopped. A second Ctrl-C
      ends at once. A continued run keeps its options; these may be changed:
      \(changeable).
      """
  )

  /// Flags whose options a continued run may change.
  private static var changeable: String {
    TrainingOption.all.filter { $0.hasFlag && $0.continuing == .mayChange }.map(\.flag)
      .joined(separator: " ")
  }

  @Option(.file) var options: String?
  @Option(.continued) var continued: String?
  @Option(.clip) var clip: String?
  @Flag(.dryRun, short: "n") var dryRun
  @OptionGroup(title: "Data") var dataFlags: DataFlags
  @OptionGroup(title: "Run") var runFlags: RunFlags
  @OptionGroup(title: "Metrics") var metricFlags: TrainMetricFlags
  @OptionGroup(title: "Recipe") var recipeFlags: RecipeFlags
  @OptionGroup(title: "Networks") var networkFlags: NetworkFlags
  @OptionGroup(title: "Losses") var lossFlags: LossFlags
  @OptionGroup(title: "Augmentation") var augmentFlags: AugmentFlags
  @OptionGroup(title: "Arithmetic") var numericsFlags: NumericsFlags

  func validate() throws {
    // With a file of options, what is allowed depends on it: `run` checks.
    if options != nil, continued != nil {
      throw ValidationError("--continue keeps the options of its run: leave --options out")
    }
    if continued != nil, runFlags.resume != nil {
      throw ValidationError(
        "--continue and --resume exclude each other: --continue goes on where the run was, --resume "
          + "starts a new run from a snapshot"
      )
    }
    if let alert = runFlags.alert {
      do { _ = try RunAlert(alert) } catch { throw ValidationError("--alert: \(error)") }
    }
    if continued == "latest", runFlags.outdir == nil {
      throw ValidationError("--continue=latest needs --outdir, the folder of the runs")
    }
    if options != nil || continued != nil { return }
    for (flag, value) in [
      ("--outdir", runFlags.outdir), ("--data", dataFlags.data.first),
    ] where value == nil {
      throw ValidationError("\(flag) is missing; give it, or the --options of an earlier run")
    }
    if clip == nil, Weights.standardCLIP == nil {
      throw ValidationError(
        "--clip is missing; give it, or get the original's by nifty fetch weights clip-vit-b-32"
      )
    }
    do { try RunPolicy.rehearse(arguments) } catch { throw ValidationError("\(error)") }
  }

  /// What was given, in the order in which it counts.
  var arguments: TrainingArguments {
    TrainingArguments(
      recipeFlags.given + dataFlags.given + networkFlags.given + lossFlags.given
        + numericsFlags.given
        + metricFlags.given + augmentFlags.given + runFlags.given + [.init(.clip, clip)]
    )
  }

  func run() throws {
    let rendezvous = try self.rendezvous
    let device = Runtime.device(local: rendezvous?.localRank ?? 0)
    let alert = try runFlags.alert.map { try RunAlert($0) }
    let stop = StopRequest {
      alert?.leave()
      _exit(exitStatusOfInterruption)
    }
    if dryRun || rendezvous == nil {
      let (folder, options, set) = try resolved(on: device, .alone)
      if dryRun {
        let folder =
          try folder ?? RunFolder.next(in: options.outdir, description: options.description)
        Console.text(options.json(runFolder: folder).prettyJSON)
        if arguments.searchesBatch {
          Console.error("--batch-gpu=auto: searched when the run begins; shown is the whole share")
        }
      } else if options.gpus > 1 {
        let status = try LocalRanks.run(options.gpus)
        if status != 0 { throw ExitCode(status) }
      } else {
        try end(train(options, set, continuing: folder, on: device, .alone, stop, alert))
      }
      return
    }
    let ranks = try joined(rendezvous, on: device, stop)
    // From here on every rank tells the others why it stops.
    try end(
      ranks.explaining {
        let (folder, options, set) = try resolved(on: device, ranks)
        return try train(options, set, continuing: folder, on: device, ranks, stop, alert)
      }
    )
  }

  private func end(_ ending: RunEnding) throws {
    if ending == .interrupted { throw ExitCode(exitStatusOfInterruption) }
  }

  /// Trains as one of the ranks.
  private func train(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    continuing folder: String?,
    on device: Device,
    _ ranks: Ranks,
    _ stop: StopRequest,
    _ alert: RunAlert?
  ) throws -> RunEnding {
    var options = options
    Runtime.threads = options.threads
    Runtime.setWinograd(options.usesWinograd)
    Runtime.setCUDA(benchmark: options.benchmarks, tf32: options.allowsTF32)
    let isFirst = ranks.rank == 0
    Console.goesOnWithoutOutput(log: "log.txt of the run's folder")
    // After the dry run: an address is downloaded here.
    if folder == nil, isFirst {
      options.resume = try ranks.withoutHangDetection {
        try options.resume.map { try ModelLocation($0).network }
      }
    }
    if isFirst { try readPrompts(of: &options, continued: folder != nil) }
    if device == .cpu, isFirst { Console.line("no CUDA device: training on the CPU") }
    if isFirst {
      let policy = try policy(on: device)
      let notices = folder == nil ? policy.notices(options, set) : []
      for line in policy.idleFlags(options) + notices { Console.line(line) }
    }
    let model = try ranks.doing("reads \(options.clip)") {
      try ClipModel(path: options.clip, device: device, towers: .images)
    }
    let classifier = try ranks.doing("reads EfficientNet-Lite0") {
      try options.trainer.losses.visionAidedWeight == 0
        ? nil : Lite0Detector(path: Weights.path(Weights.efficientNet))
    }
    classifier?.move(to: device)
    let corpus = try ranks.doing("reads --text-corpus") {
      try options.textCorpus.map { pattern in
        try TextCorpus(pattern, clip: options.clip, on: device) { done, count in
          if isFirst { Console.progress("--text-corpus  \(done)/\(count) captions read by CLIP") }
        }
      }
    }
    if isFirst { for line in corpus?.notes ?? [] { Console.line(line) } }
    var inputs = try StepInputs(
      options,
      set,
      model,
      captions: corpus?.features,
      classifier: classifier?.network,
      on: device,
      ranks
    )
    if arguments.searchesBatch {
      options.trainer.rounds = try BatchSearch(inputs) { Console.line($0) }.rounds()
      inputs = inputs.with(options)
    }
    return isFirst
      ? try lead(inputs, model, stop, continued: folder, alert) : try follow(inputs, stop)
  }

  /// Runs rank 0, or the only process.
  private func lead(
    _ inputs: StepInputs,
    _ model: ClipModel,
    _ stop: StopRequest,
    continued: String?,
    _ alert: RunAlert?
  ) throws -> RunEnding {
    let suite = try inputs.ranks.doing("prepares the metrics") { try metricSuite(inputs) }
    let run = try TrainingRun(
      inputs,
      gridFeatures: try promptFeatures(inputs.options, on: inputs.device),
      metrics: snapshotMetrics(suite),
      notes: [
        "clip": model.name, "clip_sha256": model.sha256, "nifty_version": Version.number,
      ],
      continued: continued,
      profiles: runFlags.profile,
      stop: stop,
      observe: { event in
        alert?.note(event)
        Self.show(event)
      }
    )
    Console.line("run folder \(run.folder.path)")
    let remedy = "go on with: nifty train --continue \(run.folder.path)"
    FileError.setAdvice(remedy)
    Runtime.failureNote.withLock { $0 = remedy }
    let signals = StopSignals(stop)
    alert?.begin(run.folder.path)
    return try withExtendedLifetime(signals) {
      do {
        try run.announce(continuing: continued != nil)
        let ending = try run.run()
        let kind = ending == .finished ? RunOutcome.Kind.finished : .stopped
        alert?.end(.init(kind, imagesSeen: run.trainer.imagesSeen))
        return ending
      } catch {
        alert?.end(.init(error, imagesSeen: run.trainer.imagesSeen))
        throw error
      }
    }
  }

  /// The folder of the run to go on with, if one is asked for.
  var continuedFolder: String? {
    get throws {
      guard let continued else { return nil }
      return continued == "latest"
        ? try RunFolder.latest(in: runFlags.outdir ?? ".")
        : try RunFolder(existing: continued).path
    }
  }

  /// The run to go on with, if one is asked for; the options, made of its own or a file's, the flags and
  /// the data; and the data.
  private func resolved(
    on device: Device,
    _ ranks: Ranks
  ) throws -> (folder: String?, TrainingOptions, TrainingSet) {
    let (folder, earlier) = try origin(ranks)
    let (options, set) = try ranks.doing("opens the data") {
      try policy(on: device).resolve(earlier, in: folder)
    }
    return (folder, options, set)
  }

  private func policy(on device: Device) throws -> RunPolicy {
    RunPolicy(
      arguments,
      processes: try processes,
      device: device,
      standardCLIP: Weights.standardCLIP,
      standardMetrics: Weights.hasInception ? [TrainingOption.standardMetric] : []
    )
  }

  private static func show(_ event: TrainingEvent) {
    switch event {
    case .line(let text): Console.line(text)
    case .snapshot(let path, _): Console.line("wrote \(path)")
    // The line about it is one of its own.
    case .rolledBack: break
    case .progress(let images, let total, let rate, let left):
      let share = total.map { Double(images) / Double(max($0, 1)) }
      let goal = total.map { "/\(Text.number(Double($0) / 1000))" } ?? ""
      Console.progress(
        "train  \(share.map(Console.bar) ?? "")\(Text.number(Double(images) / 1000))\(goal) kimg  "
          + "\(Text.rate(rate, "images"))  \(Text.time(left)) left"
      )
    }
  }
}
