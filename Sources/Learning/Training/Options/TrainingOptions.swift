import Foundation
import Networks
import TorchNN

/// A whole run as `training_options.json` keeps it: the data, the training, and the output.
package struct TrainingOptions: Equatable, Sendable {
  /// Packed datasets to train on, in order.
  package var data: [String] = []
  /// Packed dataset that the metrics condition on.
  package var testData: String?
  /// Number of images in the data, before `subset`.
  package var imageCount = 0
  /// Takes only this many images, drawn by the seed.
  package var subset: Int?
  /// Lists every image a second time, flipped.
  package var mirror = false
  /// Gives flipped images their own packed features, if there are any.
  package var mirrorsFeatures = true
  /// Fraction of the images that keep their captions.
  package var ratio = 1.0
  /// Conditions on the class labels of the data too.
  package var usesLabels = false
  /// Threads that decode images.
  package var workers = 2
  /// File of the CLIP model whose image tower judges generated images.
  package var clip = ""
  /// File of the learned mapper that makes pseudo-text features; `nil` perturbs with noise.
  package var textMapper: String?
  /// File of captions, or packed data with captions, of which pseudo-text features are retrieved; `nil` without.
  package var textCorpus: String?
  /// Steps that fit a retrieved caption to its image.
  package var textCorpusSteps = 0
  /// The networks, losses and optimisers.
  package var trainer: TrainerConfiguration
  /// The recipe chosen by name.
  package var recipe = Recipe.lafite
  /// Snapshot to start from, if any.
  package var resume: String?
  /// Whether the run continues the snapshot's count of images and strength of augmentation.
  package var resumesState = false
  /// The parent of run folders.
  package var outdir = ""
  /// Number of devices.
  package var gpus = 1
  /// Ends the run after this many thousand images.
  package var kimg = 25_000.0
  /// Ends the run after this many seconds of training, if given.
  package var maximumSeconds: Double?
  /// Length of a tick (one console line, one line of `stats.jsonl`) in thousands of images.
  package var tickKimg = 4.0
  /// Ticks between sample grids.
  package var imageSnapshotTicks = 50
  /// Ticks between network snapshots.
  package var networkSnapshotTicks = 50
  /// Format of network snapshots.
  package var snapshotFormat = SnapshotFormat.pkl
  /// The network snapshots that stay on the disk.
  package var keep = SnapshotKeeping.all
  /// Seconds between checkpoints.
  package var checkpointSeconds = 600.0
  /// The action after a collapse.
  package var collapsePolicy = CollapsePolicy.warn
  /// Metrics of the network snapshots.
  package var metrics: [String] = []
  /// Scores every so many network snapshots, and the last one.
  package var metricsEvery = 1
  /// Whether the snapshot of the first tick, after one step, is scored.
  package var scoresStart = false
  /// Images generated for a metric; the metric's own number if `nil`.
  package var metricImages: Int?
  /// Measures against the test data instead of the training data.
  package var measuresAgainstTest = false
  /// File of prompts for the sample grids.
  package var prompts: String?
  /// The prompts, as the file had them when the run began.
  package var promptLines: [String]?
  /// Gathers the contrastive losses' features of all devices.
  package var gathers = false
  /// Lets CUDA choose the fastest of its convolutions by trying them.
  package var benchmarks = true
  /// Lets CUDA compute float32 with the mantissa of TF32.
  package var allowsTF32 = false
  /// Whether convolutions may take Winograd's algorithm.
  package var usesWinograd = true
  /// Threads of one tensor operation on the CPU.
  package var threads = 1
  /// The explicit options, which the run folder's name shows.
  package var named: [NamedPart] = []

  /// A run with LAFITE's defaults for everything else.
  package init(trainer: TrainerConfiguration) { self.trainer = trainer }
}

/// The format of network snapshots.
package enum SnapshotFormat: String, Sendable, CaseIterable {
  /// LAFITE's pickle.
  case pkl
  /// Tensors by name with the shapes as metadata.
  case safetensors
}

/// An option that the run folder's name shows if it was given explicitly.
package enum NamedPart: String, Sendable, CaseIterable {
  case gamma, kimg, batch, aug, p, target, augpipe, resume, freezed
}

extension TrainingOptions {
  /// Notes that an option was given explicitly.
  package mutating func note(_ part: NamedPart) {
    if !named.contains(part) { named.append(part) }
  }

  /// Images of a step on each device, as the original has it.
  static let standardBatchPerDevice = 16
  /// γ · images of a step / pixels of an image, as the original has it.
  static let standardGammaFactor = 0.0002
  /// The side below which layers are too small for reduced precision to pay on a CPU (measured), in pixels.
  static let smallestReducedOnCPU = 64

  /// The original's `--cfg auto`, its only one, for data of a resolution.
  ///
  /// The size of a batch it assumes, `standardBatchPerDevice`, decides γ, the average's half-life and the
  /// groups of the minibatch deviation; `--batch` changes none of them.
  ///
  /// - Parameters:
  ///   - resolution: Side of the images in pixels.
  ///   - featureDimension: Numbers per CLIP feature.
  ///   - reducedPrecision: Whether the highest resolutions are computed in half precision.
  ///   - gpus: Number of devices.
  /// - Returns: Options without data, models or paths.
  package static func automatic(
    resolution: Int,
    featureDimension: Int,
    reducedPrecision: Bool,
    gpus: Int = 1
  ) -> TrainingOptions {
    var trainer = TrainerConfiguration(resolution: resolution)
    let batch = standardBatchPerDevice * gpus
    trainer.batchSize = batch
    trainer.losses.gamma = standardGammaFactor * Double(resolution * resolution) / Double(batch)
    trainer.emaKimg = Double(batch) * 10 / 32
    trainer.discriminator.minibatchGroup = min(batch / gpus, 4)
    let rate = resolution >= 1024 ? 0.002 : 0.0025
    trainer.generatorOptimizer.learningRate = rate
    trainer.discriminatorOptimizer.learningRate = rate
    trainer.generator.featureDimension = featureDimension
    trainer.discriminator.featureDimension = featureDimension
    trainer.setReducedPrecision(reducedPrecision)
    var options = TrainingOptions(trainer: trainer)
    options.gpus = gpus
    return options
  }
}

extension TrainerConfiguration {
  /// Half precision with clamped activations at the four highest resolutions, or float32 throughout.
  package mutating func setReducedPrecision(_ isReduced: Bool) {
    generator.reducedPrecisionResolutions = isReduced ? 4 : 0
    generator.clamp = isReduced ? 256 : nil
    discriminator.reducedPrecisionResolutions = isReduced ? 4 : 0
    discriminator.clamp = isReduced ? 256 : nil
  }
}

extension TrainingOptions {
  /// The folder's name without its number, as the original makes it: data, explicit options, and the main
  /// settings.
  package var description: String {
    let losses = trainer.losses
    var parts = [Self.dataName(data)]
    if usesLabels { parts.append("cond") }
    if let subset { parts.append("subset\(subset)") }
    if mirror { parts.append("mirror") }
    parts += [
      "auto", "lam\(short(losses.lam))", "temp\(short(losses.temp))",
      "map_num\(trainer.generator.mappingLayers)", "gpus\(gpus)",
    ]
    parts += NamedPart.allCases.filter(named.contains).compactMap(text)
    return parts.joined(separator: "-")
  }

  private func text(_ part: NamedPart) -> String? {
    let augmentation = trainer.augmentation
    switch part {
    case .gamma: return "gamma\(short(trainer.losses.gamma))"
    case .kimg: return "kimg\(short(kimg))"
    case .batch: return "batch\(trainer.batchSize)"
    case .aug:
      return augmentation.map { $0.target == nil ? "fixed" : "ada" } ?? "noaug"
    case .p: return augmentation.map { "p\(short($0.probability))" }
    case .target: return augmentation?.target.map { "target\(short($0))" }
    case .augpipe: return augmentation?.transforms.name
    case .resume: return resume == nil ? "noresume" : "resumecustom"
    case .freezed: return "freezed\(trainer.frozenLayers)"
    }
  }

  private static func dataName(_ paths: [String]) -> String {
    let names = paths.map { path in
      let file = path.split(separator: "/").last ?? "data"
      return String(file.hasSuffix(".zip") ? file.dropLast(4) : file)
    }
    guard let first = names.first, let last = names.last, names.count > 1 else {
      return names.first ?? "data"
    }
    return "\(first)..\(last)"
  }

  // As Python's format "g".
  private func short(_ value: Double) -> String { String(format: "%g", value) }
}
