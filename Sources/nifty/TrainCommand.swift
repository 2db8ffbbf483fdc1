import ArgumentParser
import Datasets
import Foundation
import Networks
import Snapshots
import Torch
import TorchNN
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
          --clip=clip.safetensors --resume=network-snapshot-010000.safetensors \\
          --mixing_prob=0.0 --d_lr=0.001 --subset=8261
      """
  )

  @Option(help: "Where the run folder is made.") var outdir: String
  @Option(help: "Zip to train on; repeat for several. Brace patterns are expanded.")
  var data: [String]
  @Option(name: .customLong("test_data"), help: "Zip whose captions the metrics use.")
  var testData: String?
  @Option(help: "CLIP model; the one that packed the data.") var clip: String
  @Option(help: "Take only so many images.") var subset: Int?
  @Option(help: "Add every image mirrored.") var mirror = Switch(false)
  @Option(help: "Part of the images that keep their captions.") var ratio = 1.0
  @Option(help: "Devices.") var gpus = 1
  @Option(help: "Ticks between snapshots.") var snap = 50
  @Option(help: "Metrics at every snapshot: none or fd_lite0.") var metrics = "none"
  @Option(help: "Images generated for a metric.") var metricImages = 30_000
  @Option(help: "Seed of everything random.") var seed: UInt64 = 0
  @Option(help: "Images per step.") var batch = 16
  @Option(help: "Thousands of images to train for.") var kimg = 25_000.0
  @Option(help: "Stop after this many minutes of training.") var minutes: Double?
  @Option(help: "Length of a tick in thousands of images.") var tick = 4.0
  @Option(name: .customLong("g_lr"), help: "Generator's learning rate.") var generatorRate: Double?
  @Option(name: .customLong("d_lr"), help: "Discriminator's learning rate.")
  var discriminatorRate: Double?
  @Option(help: "Half-life of the averaged generator in thousands of images.") var ema = 5.0
  @Option(help: "Snapshot to start from, or noresume.") var resume: String?
  @Option(help: "File of prompts, one a line, for the sample grids.") var prompts: String?
  @Option(help: "Threads of one operation on the CPU.") var threads = 1
  @Flag(name: .customLong("dry-run"), help: "Print the options as JSON and stop.") var dryRun =
    false
  @OptionGroup var networks: NetworkFlags
  @OptionGroup var losses: LossFlags

  func validate() throws {
    if gpus != 1 {
      throw ValidationError("--gpus must be 1: this version trains in one process, not \(gpus)")
    }
    for (name, value) in [("--batch", batch), ("--snap", snap), ("--threads", threads)]
    where value < 1 {
      throw ValidationError("\(name) must be at least 1, not \(value)")
    }
    if batch > 4, batch % 4 != 0 {
      throw ValidationError("--batch must be a multiple of 4 above 4, not \(batch)")
    }
    if let subset, subset < 1 {
      throw ValidationError("--subset must be at least 1, not \(subset)")
    }
    guard (0...1).contains(ratio) else {
      throw ValidationError("--ratio must be between 0 and 1, not \(ratio)")
    }
    guard kimg > 0, tick > 0, ema > 0, minutes ?? 1 > 0 else {
      throw ValidationError("--kimg, --tick, --ema and --minutes must be positive")
    }
    let unknown = metricNames.filter { $0 != FdLite0.name }
    if let first = unknown.first {
      throw ValidationError("--metrics must be none or \(FdLite0.name), not \(first)")
    }
  }

  private var metricNames: [String] {
    metrics == "none" ? [] : metrics.split(separator: ",").map(String.init)
  }

  func run() throws {
    Runtime.threads = threads
    let device = Runtime.defaultDevice
    let paths = data.flatMap(expandedBraces)
    let set = try TrainingSet(
      paths.map { try PackedDataset($0) },
      options: .init(
        subset: subset,
        mirror: mirror.isOn,
        ratio: ratio,
        seed: UInt32(truncatingIfNeeded: seed)
      )
    )
    let options = options(for: set, paths: paths, device: device)
    if dryRun {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return Console.line(String(decoding: try encoder.encode(options), as: UTF8.self))
    }
    let model = try ClipModel(path: clip, device: device)
    try check(model, fits: set, paths)
    let run = try TrainingRun(
      options: options,
      trainingSet: set,
      clip: (model.side, { model.model.encodeImage($0).to(.float32) }),
      gridFeatures: try promptFeatures(model),
      metrics: try snapshotMetrics(set, device),
      notes: ["clip": model.name, "clip_sha256": model.sha256],
      device: device,
      observe: Self.show
    )
    Console.line(
      "\(set.count) images of \(set.resolution)² from \(paths.count) zip(s) on \(device); "
        + "generator \(run.trainer.generator.parameterCount) and discriminator "
        + "\(run.trainer.discriminator.parameterCount) parameters"
    )
    Console.line("run folder \(run.folder.path)")
    try run.run()
  }

  private func options(
    for set: TrainingSet,
    paths: [String],
    device: Device
  ) -> TrainingOptions {
    var trainer = TrainerConfiguration(resolution: set.resolution)
    trainer.batchSize = batch
    trainer.seed = seed
    trainer.emaKimg = ema
    let isResumed = resume != nil && resume != "noresume"
    if isResumed { trainer.emaRampUp = nil }
    let rate = set.resolution >= 1024 ? 0.002 : 0.0025
    trainer.generatorOptimizer.learningRate = generatorRate ?? rate
    trainer.discriminatorOptimizer.learningRate = discriminatorRate ?? rate
    networks.apply(to: &trainer, featureDimension: set.featureDimension, device: device)
    losses.apply(to: &trainer)
    var options = TrainingOptions(data: paths, clip: clip, trainer: trainer, outdir: outdir)
    options.testData = testData
    options.subset = subset
    options.mirror = mirror.isOn
    options.ratio = ratio
    options.resume = isResumed ? resume : nil
    options.kimg = kimg
    options.maximumSeconds = minutes.map { $0 * 60 }
    options.tickKimg = tick
    options.imageSnapshotTicks = snap
    options.networkSnapshotTicks = snap
    options.metrics = metricNames
    options.threads = threads
    return options
  }

  private func check(_ model: ClipModel, fits set: TrainingSet, _ paths: [String]) throws {
    for (dataset, path) in zip(set.datasets, paths) {
      guard let maker = dataset.manifest?.featureModel, maker.sha256 != model.sha256 else {
        continue
      }
      throw TrainingError.option(
        "the features in \(path) were made by another CLIP (\(maker.name)) than \(clip); "
          + "pack again with --clip \(clip), or train with the other"
      )
    }
  }

  private func promptFeatures(_ model: ClipModel) throws -> Tensor? {
    guard let prompts else { return nil }
    let lines = try Prompts.lines(of: prompts)
    let features = try model.features(of: lines).normalized()
    let repeated = lines.indices.flatMap { [Int](repeating: $0, count: 4) }
    return features.gathered(0, repeated)
  }

  private func snapshotMetrics(_ set: TrainingSet, _ device: Device) throws -> [SnapshotMetric] {
    if metricNames.isEmpty { return [] }
    let conditions = try TrainingSet([PackedDataset(testData ?? data.flatMap(expandedBraces)[0])])
    let metric = try FdLite0(
      real: TrainingSet(set.datasets),
      conditions: conditions,
      images: metricImages,
      device: device
    )
    return [
      SnapshotMetric(FdLite0.name) { generator, snapshot in
        try metric.line(generator, snapshot: snapshot)
      }
    ]
  }

  private static func show(_ event: TrainingEvent) {
    switch event {
    case .line(let text): Console.line(text)
    case .snapshot(let path, _): Console.line("wrote \(path)")
    case .progress(let images, let total, let rate, let left):
      let goal = total.map { "/\(Text.number(Double($0) / 1000))" } ?? ""
      Console.progress(
        "train  \(Text.number(Double(images) / 1000))\(goal) kimg  "
          + "\(Text.number(rate)) images/s  \(Text.time(left)) left"
      )
    }
  }
}
