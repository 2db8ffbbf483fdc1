import ArgumentParser
import CommandLine
import Networks
import Text
import Training

/// Flags of the data.
struct DataFlags: ParsableArguments {
  @Option(repeating: .data) var data: [String]
  @Option(.testData) var testData: String?
  @Option(.cond) var cond: Switch?
  @Option(.subset) var subset: Int?
  @Option(.mirror) var mirror: Switch?
  @Option(.mirrorFeatures) var mirrorFeatures: Switch?
  @Option(.ratio) var ratio: Double?
  @Option(.workers) var workers: Int?

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.data, data.isEmpty ? nil : data.flatMap(expandedBraces)), .init(.testData, testData),
      .init(.cond, cond?.isOn), .init(.subset, subset), .init(.mirror, mirror?.isOn),
      .init(.mirrorFeatures, mirrorFeatures?.isOn), .init(.ratio, ratio), .init(.workers, workers),
    ]
  }
}

/// The original's only base configuration.
enum BaseConfiguration: String, ExpressibleByArgument, CaseIterable {
  case auto
}

/// Flags of the run: folder, duration, speed, output.
struct RunFlags: ParsableArguments {
  @Option(.outdir) var outdir: String?
  @Option(.gpus) var gpus: Int?
  @Option(.snap) var snap: Int?
  @Option(.seed) var seed: Int?
  @Option(.cfg) var cfg: BaseConfiguration?
  @Option(.kimg) var kimg: Double?
  @Option(.batch) var batch: Int?
  @Option(.batchPerDevice) var batchPerDevice: BatchPerDevice?
  @Option(.rankTimeout) var rankTimeout: Double?
  @Option(.minutes) var minutes: Double?
  @Option(.tick) var tick: Double?
  @Option(.generatorRate) var generatorRate: Double?
  @Option(.discriminatorRate) var discriminatorRate: Double?
  @Option(.ema) var ema: Double?
  @Option(.resume) var resume: String?
  @Option(.resumesState) var resumesState: Switch?
  @Option(.prompts) var prompts: String?
  @Option(.threads) var threads: Int?
  @Option(.snapshotFormat) var snapshotFormat: SnapshotFormat?
  @Option(.keep) var keep: String?
  @Flag(.profile) var profile
  @Option(.alert) var alert: String?
  @Option(.checkpointMinutes) var checkpointMinutes: Double?
  @Option(.onCollapse) var onCollapse: CollapsePolicy?

  func validate() throws {
    do { _ = try keep.map { try SnapshotKeeping($0) } } catch { throw ValidationError("\(error)") }
  }

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.outdir, outdir), .init(.gpus, gpus), .init(.snap, snap), .init(.seed, seed),
      .init(.kimg, kimg), .init(.batch, batch), .init(.batchPerDevice, batchPerDevice),
      .init(.rankTimeout, rankTimeout), .init(.minutes, minutes), .init(.tick, tick),
      .init(.generatorRate, generatorRate), .init(.discriminatorRate, discriminatorRate),
      .init(.ema, ema), .init(.resume, resume),
      .init(.resumesState, resumesState?.isOn), .init(.prompts, prompts),
      .init(.threads, threads), .init(.snapshotFormat, snapshotFormat), .init(.keep, keep),
      .init(.checkpointMinutes, checkpointMinutes), .init(.onCollapse, onCollapse),
    ]
  }
}

/// Flags that change how much a run learns from its images.
struct RecipeFlags: ParsableArguments {
  @Option(.recipe) var recipe: Recipe?
  @Option(.textMultiplier) var textMultiplier: Double?
  @Option(.reusesFakes) var reusesFakes: Switch?
  @Option(.diffAugment) var diffAugment: DiffAugment?
  @Option(.adversarial) var adversarial: AdversarialForm?
  @Option(.generatedGamma) var generatedGamma: Double?
  @Option(.mismatchWeight) var mismatchWeight: Double?
  @Option(.anchorWeight) var anchorWeight: Double?
  @Option(.pairedWeight) var pairedWeight: Double?
  @Option(.pairedWarmup) var pairedWarmup: Double?
  @Option(.visionAidedWeight) var visionAidedWeight: Double?
  @Option(.visionAidedWarmup) var visionAidedWarmup: Double?
  @Option(.clipViews) var clipViews: Int?
  @Option(.rateDecay) var rateDecay: Double?
  @Option(.emaDeviation) var emaDeviation: Double?

  /// The given values: the preset first, so that explicit flags override it.
  var given: [TrainingArguments.Given] {
    [
      .init(.recipe, recipe), .init(.textMultiplier, textMultiplier),
      .init(.reusesFakes, reusesFakes?.isOn), .init(.diffAugment, diffAugment),
      .init(.adversarial, adversarial), .init(.generatedGamma, generatedGamma),
      .init(.mismatchWeight, mismatchWeight), .init(.anchorWeight, anchorWeight),
      .init(.pairedWeight, pairedWeight), .init(.pairedWarmup, pairedWarmup),
      .init(.visionAidedWeight, visionAidedWeight),
      .init(.visionAidedWarmup, visionAidedWarmup), .init(.clipViews, clipViews),
      .init(.rateDecay, rateDecay), .init(.emaDeviation, emaDeviation),
    ]
  }
}

/// Flags of the arithmetic, some of which only CUDA knows.
struct NumericsFlags: ParsableArguments {
  @Option(.fullPrecision) var fullPrecision: Switch?
  @Option(.winograd) var winograd: Switch?
  @Option(.nhwc) var nhwc: Switch?
  @Option(.nobench) var nobench: Switch?
  @Option(.allowTF32) var allowTF32: Switch?

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.fullPrecision, fullPrecision?.isOn), .init(.winograd, winograd?.isOn),
      .init(.nhwc, nhwc?.isOn), .init(.nobench, nobench?.isOn),
      .init(.allowTF32, allowTF32?.isOn),
    ]
  }
}

extension Recipe: ExpressibleByArgument {}
extension AdversarialForm: ExpressibleByArgument {}
extension DiffAugment: ExpressibleByArgument {
  /// The changes by their names.
  public init?(argument: String) { self.init(argument) }
}
extension SnapshotFormat: ExpressibleByArgument {}
extension CollapsePolicy: ExpressibleByArgument {}
