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
          --clip=clip.safetensors --resume=network-snapshot-010000.pkl \\
          --mixing_prob=0.0 --d_lr=0.001 --subset=8261
        nifty train --options=runs/00000-coco-auto/training_options.json --seed=1
      """
  )

  @Option(help: "Take the options of an earlier run; flags given beside it count more.")
  var options: String?
  @Option(help: "CLIP model that packed the data. (default: ViT-B-32.pt, if it was fetched)")
  var clip: String?
  @Flag(
    name: [.customShort("n"), .customLong("dry-run")],
    help: "Print the options as JSON and stop."
  )
  var dryRun = false
  @OptionGroup(title: "Data") var dataFlags: DataFlags
  @OptionGroup(title: "Run") var runFlags: RunFlags
  @OptionGroup(title: "Metrics") var metricFlags: TrainMetricFlags
  @OptionGroup(title: "Networks") var networkFlags: NetworkFlags
  @OptionGroup(title: "Losses") var lossFlags: LossFlags
  @OptionGroup(title: "Augmentation") var augmentFlags: AugmentFlags
  @OptionGroup(title: "Arithmetic") var numericsFlags: NumericsFlags

  func validate() throws {
    // With a file of options, what is allowed depends on it: `run` checks.
    if options != nil { return }
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
    do {
      var trial = TrainingOptions.automatic(
        resolution: 256,
        featureDimension: 512,
        reducedPrecision: true
      )
      try apply(to: &trial)
      try trial.validate()
    } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    let device = Runtime.defaultDevice
    var (options, set) = try resolved(on: device)
    Runtime.threads = options.threads
    Runtime.setCUDA(benchmark: options.benchmarks, tf32: options.allowsTF32)
    if dryRun {
      let folder = try RunFolder.next(in: options.outdir, description: options.description)
      print(options.json(runFolder: folder).prettyJSON, terminator: "")
      return
    }
    // After the dry run: an address is downloaded here.
    options.resume = try options.resume.map { try ModelPlace($0).network }
    for line in numericsFlags.idle(on: device) + networkNotes(options) { Console.line(line) }
    let model = try ClipModel(path: options.clip, device: device)
    try check(model, fits: set, options)
    let run = try TrainingRun(
      options: options,
      trainingSet: set,
      clip: (model.side, { model.model.encodeImage($0).to(.float32) }),
      textMapper: try textMapper(options, set, model, device),
      gridFeatures: try promptFeatures(options, model),
      metrics: try snapshotMetrics(options, set, device),
      notes: ["clip": model.name, "clip_sha256": model.sha256],
      device: device,
      observe: Self.show
    )
    Console.line(
      "\(set.count) images of \(set.resolution)² from \(options.data.count) zip(s) on \(device); "
        + "generator \(run.trainer.generator.parameterCount) and discriminator "
        + "\(run.trainer.discriminator.parameterCount) parameters"
    )
    Console.line("run folder \(run.folder.path)")
    try run.run()
  }

  /// The options, made of the file, the flags and the data; and the data.
  private func resolved(on device: Device) throws -> (TrainingOptions, TrainingSet) {
    let earlier = try options.map { try TrainingOptions(contentsOf: $0) }
    let paths = dataFlags.data.isEmpty ? earlier?.data ?? [] : dataFlags.data
    let datasets = try paths.flatMap(expandedBraces).map { try PackedDataset($0) }
    let first = try TrainingSet(datasets)
    let resolution = first.resolution
    // Below 64² the layers are too small for reduced precision to pay on a CPU (measured).
    var options =
      earlier
      ?? .automatic(
        resolution: resolution,
        featureDimension: first.featureDimension,
        reducedPrecision: !(device == .cpu && resolution < 64)
      )
    options.trainer.generator.resolution = resolution
    options.trainer.discriminator.resolution = resolution
    options.imageCount = first.rawCount
    try apply(to: &options)
    if options.clip.isEmpty, let standard = Weights.standardCLIP { options.clip = standard }
    if earlier == nil, metricFlags.metrics == nil, Weights.hasInception {
      options.metrics = ["fid50k_full"]
    }
    guard !options.outdir.isEmpty, !options.clip.isEmpty else {
      let missing = options.outdir.isEmpty ? "--outdir" : "--clip"
      throw TrainingError.option("\(missing) is missing, and the file of options does not say it")
    }
    if let subset = options.subset, subset > first.rawCount {
      throw TrainingError.option(
        "--subset must be between 1 and \(first.rawCount), the images of the data, not \(subset)"
      )
    }
    if options.usesLabels {
      let hasLabels = try datasets.allSatisfy { try $0.label(at: 0) != nil }
      let reason =
        hasLabels
        ? "its networks with class labels are not built (the original stops with an error)"
        : "\(options.data[0]) has no class labels"
      throw TrainingError.option("--cond=1: \(reason); train with --cond=0")
    }
    try options.validate()
    try options.validateForResolution()
    let set = try TrainingSet(
      datasets,
      options: .init(
        subset: options.subset,
        mirror: options.mirror,
        mirrorsFeatures: options.mirrorsFeatures,
        ratio: options.ratio,
        seed: UInt32(truncatingIfNeeded: options.trainer.seed)
      )
    )
    return (options, set)
  }

  private func apply(to options: inout TrainingOptions) throws {
    dataFlags.apply(to: &options)
    networkFlags.apply(to: &options)
    lossFlags.apply(to: &options)
    numericsFlags.apply(to: &options)
    metricFlags.apply(to: &options)
    try augmentFlags.apply(to: &options)
    runFlags.apply(to: &options)
    options.set(\.gpus, runFlags.gpus)
    options.set(\.clip, clip)
  }

  private func networkNotes(_ options: TrainingOptions) -> [String] {
    let resolution = options.trainer.generator.resolution
    guard networkFlags.fmap.map({ $0 != 1 }) == true, networkFlags.channelBase == nil,
      resolution >= 512
    else { return [] }
    return ["--fmap counts below 512² only, as in the original; --channel-base counts anywhere"]
  }

  private func check(_ model: ClipModel, fits set: TrainingSet, _ options: TrainingOptions) throws {
    for (dataset, path) in zip(set.datasets, options.data) {
      guard let maker = dataset.manifest?.featureModel, maker.sha256 != model.sha256 else {
        continue
      }
      throw TrainingError.option(
        "the features in \(path) were made by another CLIP (\(maker.name)) than \(options.clip); "
          + "pack again with --clip \(options.clip), or train with the other"
      )
    }
  }

  private func textMapper(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    _ model: ClipModel,
    _ device: Device
  ) throws -> TextMapper? {
    guard let path = options.textMapper else { return nil }
    let (mapper, notes) = try TextMapper.load(path)
    guard mapper.configuration.featureDimension == set.featureDimension else {
      throw TrainingError.option(
        "\(path) maps features of \(mapper.configuration.featureDimension) numbers, the data has "
          + "\(set.featureDimension)"
      )
    }
    if let maker = notes["clip_sha256"], maker != model.sha256 {
      throw TrainingError.option(
        "\(path) was made for another CLIP (\(notes["clip"] ?? "unnamed")) than \(options.clip)"
      )
    }
    mapper.setTrainable(false)
    mapper.move(to: device)
    return mapper
  }

  private func promptFeatures(_ options: TrainingOptions, _ model: ClipModel) throws -> Tensor? {
    guard let prompts = options.prompts else { return nil }
    let lines = try Prompts.lines(of: prompts)
    let features = try model.features(of: lines).normalized()
    let repeated = lines.indices.flatMap { [Int](repeating: $0, count: 4) }
    return features.gathered(0, repeated)
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
