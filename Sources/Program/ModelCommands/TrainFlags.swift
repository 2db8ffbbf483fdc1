import ArgumentParser
import CommandLine
import Networks
import Text
import Torch
import TorchNN
import Training

/// Flags of the data.
struct DataFlags: ParsableArguments {
  @Option(help: "Zip to train on; repeat for several. Brace patterns are expanded.")
  var data: [String] = []

  @Option(
    name: .customLong("test_data"),
    help: "Zip whose captions the metrics use. (default: the first of --data)"
  )
  var testData: String?

  @Option(help: "Condition on the data's class labels too. (default: 0)")
  var cond: Switch?

  @Option(help: "Take only so many images. (default: all)")
  var subset: Int?

  @Option(help: "Add every image mirrored. (default: 0)")
  var mirror: Switch?

  @Option(help: "Give mirrored images their own features, if packed. (default: 1)")
  var mirrorFeatures: Switch?

  @Option(help: "Part of the images that keep their captions. (default: 1)")
  var ratio: Double?

  @Option(help: "Threads that decode images. (default: 2)")
  var workers: Int?

  /// Puts what was given into the options.
  func apply(to options: inout TrainingOptions) {
    if !data.isEmpty { options.data = data.flatMap(expandedBraces) }
    options.set(\.testData, testData.map(Optional.some))
    options.set(\.usesLabels, cond?.isOn)
    options.set(\.subset, subset.map(Optional.some))
    options.set(\.mirror, mirror?.isOn)
    options.set(\.mirrorsFeatures, mirrorFeatures?.isOn)
    options.set(\.ratio, ratio)
    options.set(\.workers, workers)
  }
}

/// The original's only base configuration.
enum BaseConfiguration: String, ExpressibleByArgument, CaseIterable {
  case auto
}

/// Flags of the run: where, how long, how fast, what is written.
struct RunFlags: ParsableArguments {
  @Option(help: "Where the run folder is made.")
  var outdir: String?

  @Option(
    help: """
      Processes, one a device; started here, unless torchrun, srun or mpirun has done so. \
      (default: 1)
      """
  )
  var gpus: Int?

  @Option(help: "Ticks between snapshots. (default: 50)")
  var snap: Int?

  @Option(help: "Seed of everything random. (default: 0)")
  var seed: UInt64?

  @Option(help: "Base configuration; there is one. (default: auto)")
  var cfg: BaseConfiguration?

  @Option(help: "Thousands of images to train for. (default: 25000)")
  var kimg: Double?

  @Option(help: "Images per step. (default: 16 per device)")
  var batch: Int?

  @Option(
    name: .customLong("batch-gpu"),
    help: """
      Images that a device computes at once; smaller ones need less memory. (default: its share \
      of the batch)
      """
  )
  var batchPerDevice: Int?

  @Option(
    help: """
      Seconds that another process may be silent, or get nowhere, before the run stops. \
      (default: 45)
      """
  )
  var rankTimeout: Double?

  @Option(help: "Stop after this many minutes of training.")
  var minutes: Double?

  @Option(help: "Length of a tick in thousands of images. (default: 4)")
  var tick: Double?

  @Option(name: .customLong("g_lr"), help: "Generator's learning rate. (default: 0.0025)")
  var generatorRate: Double?

  @Option(name: .customLong("d_lr"), help: "Discriminator's learning rate. (default: 0.0025)")
  var discriminatorRate: Double?

  @Option(help: "Half-life of the averaged generator in kimg. (default: 5)")
  var ema: Double?

  @Option(help: "Snapshot to start from. (default: noresume)")
  var resume: String?

  @Option(
    help: """
      File of prompts, one a line, for the sample grids. The run keeps them: the file is read once.
      """
  )
  var prompts: String?

  @Option(help: "Threads of one operation on the CPU. (default: 1)")
  var threads: Int?

  @Option(help: "Format of network snapshots. (default: pkl)")
  var snapshotFormat: SnapshotFormat?

  @Flag(
    help: "Trace phases and operators of the first 17 steps as profile000012.json, for Chrome."
  )
  var profile = false

  @Option(help: "Minutes between checkpoints. (default: 10)")
  var checkpointMinutes: Double?

  @Option(
    help: """
      When the run has collapsed: warn, stop, or rollback to the last good checkpoint with half \
      the learning rates. (default: warn)
      """
  )
  var onCollapse: CollapsePolicy?

  /// Puts what was given into the options.
  func apply(to options: inout TrainingOptions) {
    options.set(\.outdir, outdir)
    options.set(\.imageSnapshotTicks, snap)
    options.set(\.networkSnapshotTicks, snap)
    options.set(\.trainer.seed, seed)
    options.set(\.kimg, kimg, named: .kimg)
    options.set(\.trainer.batchSize, batch, named: .batch)
    options.set(\.maximumSeconds, minutes.map { $0 * 60 })
    options.set(\.tickKimg, tick)
    options.set(\.trainer.generatorOptimizer.learningRate, generatorRate)
    options.set(\.trainer.discriminatorOptimizer.learningRate, discriminatorRate)
    options.set(\.trainer.emaKimg, ema)
    options.set(\.prompts, prompts.map(Optional.some))
    options.set(\.threads, threads)
    options.set(\.snapshotFormat, snapshotFormat)
    options.set(\.checkpointSeconds, checkpointMinutes.map { $0 * 60 })
    options.set(\.collapsePolicy, onCollapse)
    guard let resume else { return }
    let path = resume == "noresume" ? nil : resume
    options.resume = path
    options.note(.resume)
    // The average of a trained generator needs no ramp-up, and p follows five times as fast.
    options.trainer.emaRampUp = path == nil ? 0.05 : nil
    options.trainer.augmentation?.adaptationKimg = path == nil ? 500 : 100
  }
}

/// Flags of the arithmetic, most of which only CUDA knows.
struct NumericsFlags: ParsableArguments {
  @Option(
    name: .customLong("fp32"),
    help: "Compute everything in float32. (default: 0; 1 on a CPU below 64²)"
  )
  var fullPrecision: Switch?

  @Option(help: "Channels innermost in half precision. (default: 0; 1 on a CPU)")
  var nhwc: Switch?

  @Option(help: "Do not let cuDNN try its algorithms. (default: 0)")
  var nobench: Switch?

  @Option(name: .customLong("allow-tf32"), help: "Let CUDA multiply in TF32. (default: 0)")
  var allowTF32: Switch?

  /// Puts what was given into the options.
  func apply(to options: inout TrainingOptions) {
    if let fullPrecision { options.trainer.setReducedPrecision(!fullPrecision.isOn) }
    options.set(\.trainer.generator.channelsLast, nhwc.map { Optional($0.isOn) })
    options.set(\.trainer.discriminator.channelsLast, nhwc.map { Optional($0.isOn) })
    options.set(\.benchmarks, nobench.map { !$0.isOn })
    options.set(\.allowsTF32, allowTF32?.isOn)
  }

  /// One line for each flag that changes nothing on a device.
  func idle(on device: Device, _ options: TrainingOptions) -> [String] {
    var lines: [String] = []
    if nhwc?.isOn == true, options.trainer.generator.reducedPrecisionResolutions == 0 {
      lines.append("--nhwc changes nothing in float32")
    }
    guard device == .cpu else { return lines }
    if nobench?.isOn == true { lines.append("--nobench changes nothing on the CPU") }
    if allowTF32?.isOn == true { lines.append("--allow-tf32 changes nothing on the CPU") }
    return lines
  }
}

extension SnapshotFormat: ExpressibleByArgument {}
extension CollapsePolicy: ExpressibleByArgument {}
