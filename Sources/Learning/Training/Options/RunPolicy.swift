package import Datasets
import JSON
import Networks
import Text
package import Torch

/// Makes a run's options from the command line, an earlier run, the data and this machine.
package struct RunPolicy: Sendable {
  /// The command line.
  package var arguments: TrainingArguments
  /// The number of processes that the command or its launcher asks for; `nil` for the run's own.
  package var processes: Int?
  /// The device.
  package var device: Device
  /// The CLIP of a run that names none, if there is one.
  package var standardCLIP: String?
  /// The metrics of a new run that names none.
  package var standardMetrics: [String]

  /// The policy of a command.
  package init(
    _ arguments: TrainingArguments,
    processes: Int?,
    device: Device,
    standardCLIP: String?,
    standardMetrics: [String]
  ) {
    self.arguments = arguments
    self.processes = processes
    self.device = device
    self.standardCLIP = standardCLIP
    self.standardMetrics = standardMetrics
  }

  /// The checks that need no file.
  ///
  /// - Throws: `TrainingError.option` naming a flag, its value and what is allowed.
  package static func rehearse(_ arguments: TrainingArguments) throws(TrainingError) {
    let gpus = arguments[.gpus]?.double.flatMap { Int(exactly: $0) } ?? 1
    var trial = TrainingOptions.automatic(
      resolution: 256,
      featureDimension: 512,
      reducedPrecision: true,
      gpus: min(max(gpus, 1), 4096)
    )
    try arguments.apply(to: &trial)
    try arguments.applyRounds(to: &trial)
    try trial.validate()
  }

  /// The options of a run, and its data.
  ///
  /// - Parameters:
  ///   - earlier: The options to begin with; the automatic ones for the data if `nil`.
  ///   - folder: The folder of the run to continue; `nil` for a new one.
  /// - Returns: The checked options, and the images that they take.
  /// - Throws: `TrainingError.option`, or an error of the data.
  package func resolve(
    _ earlier: TrainingOptions?,
    in folder: String?
  ) throws -> (TrainingOptions, TrainingSet) {
    let paths = arguments[.data].flatMap([String].init(json:)) ?? earlier?.data ?? []
    let datasets = try paths.map { try PackedDataset($0) }
    let whole = try TrainingSet(datasets)
    // Checked first: networks are built for such sides only.
    guard (8...4096).contains(whole.resolution), whole.resolution & (whole.resolution - 1) == 0
    else {
      throw TrainingError.option(
        "\(paths.first ?? "the data"): images are \(whole.resolution)², training needs a power of two "
          + "from 8 to 4096; pack again with --width=N --height=N"
      )
    }
    var options = earlier ?? automatic(for: whole)
    options.trainer.generator.resolution = whole.resolution
    options.trainer.discriminator.resolution = whole.resolution
    options.imageCount = whole.rawCount
    options.gpus = processes ?? options.gpus
    try arguments.apply(to: &options)
    options.gpus = processes ?? options.gpus
    try arguments.applyRounds(to: &options)
    if let folder, let earlier { try options.continue(earlier, in: folder) }
    if options.clip.isEmpty, let standardCLIP { options.clip = standardCLIP }
    if earlier == nil, arguments[.metrics] == nil { options.metrics = standardMetrics }
    try setLabels(of: &options, whole)
    try check(options, whole)
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

  private func automatic(for set: TrainingSet) -> TrainingOptions {
    .automatic(
      resolution: set.resolution,
      featureDimension: set.featureDimension,
      reducedPrecision: !(device == .cpu && set.resolution < TrainingOptions.smallestReducedOnCPU),
      gpus: processes ?? 1
    )
  }

  /// The checks that need the data.
  private func check(_ options: TrainingOptions, _ set: TrainingSet) throws {
    guard !options.outdir.isEmpty, !options.clip.isEmpty else {
      let missing = options.outdir.isEmpty ? "--outdir" : "--clip"
      throw TrainingError.option("\(missing) is missing, and the file of options does not say it")
    }
    if let subset = options.subset, subset > set.rawCount {
      throw TrainingError.option(
        "--subset must be between 1 and \(set.rawCount), the images of the data, not \(subset)"
      )
    }
    if let best = options.keep.best, options.metrics.isEmpty {
      throw TrainingError.option(
        "--keep=\(options.keep.text): best:\(best) needs a metric, which says what is best; give --metrics, "
          + "or keep by last:N and every:KIMG"
      )
    }
    if let test = options.testData {
      let found: PackedDataset
      do { found = try PackedDataset(test) } catch {
        throw TrainingError.option("--test_data: \(error)")
      }
      guard found.resolution == set.resolution else {
        throw TrainingError.option(
          "--test_data: \(test) has images of \(found.resolution)², the data of \(set.resolution)²"
        )
      }
      guard found.featureDimension == set.featureDimension else {
        throw TrainingError.option(
          "--test_data: \(test) has features of \(found.featureDimension) numbers, the data of "
            + "\(set.featureDimension): pack both with one CLIP"
        )
      }
      if let dimension = options.trainer.generator.labelDimension, !options.metrics.isEmpty {
        do throws(DatasetError) {
          try TrainingSet([found]).expectLabels(dimension: dimension)
        } catch { throw TrainingError.option("--test_data: \(error)") }
      }
    }
  }

  /// The width of the labels is the data's.
  private func setLabels(of options: inout TrainingOptions, _ set: TrainingSet) throws {
    var dimension: Int?
    if options.usesLabels {
      do throws(DatasetError) {
        dimension = try set.labelDimension()
      } catch { throw TrainingError.option("--cond=1: \(error), or train with --cond=0") }
    }
    options.trainer.generator.labelDimension = dimension
    options.trainer.discriminator.labelDimension = dimension
  }

  /// Notices for the user before a new run starts, a line each.
  package func notices(_ options: TrainingOptions, _ set: TrainingSet) -> [String] {
    var lines: [String] = []
    if options.metrics.isEmpty, arguments[.metrics] == nil {
      lines.append(
        "no metric will be computed: FID's detector is not on this machine; get it by nifty fetch "
          + "weights inception, or choose by --metrics"
      )
    }
    let losses = options.trainer.losses
    if losses.temp <= 0 {
      lines.append(
        "--temp \(Text.typed(losses.temp)): the contrastive losses have no temperature, as in the original "
          + "for 0 and less"
      )
    }
    let judged = options.metrics.filter { $0.contains("lite0") }
    if losses.visionAidedWeight != 0, !judged.isEmpty {
      lines.append(
        "--vision-aided trains against the features of \(judged.joined(separator: ", ")), which rate this run too "
          + "well; nifty metrics --judge FILE scores it by a CLIP that took no part"
      )
    }
    let frozenResolution = options.trainer.frozenResolution
    if frozenResolution > 0, frozenResolution == options.trainer.generator.resolution {
      lines.append(
        "--freeze-generator \(frozenResolution): no block of the generator is trained, only its mapping"
      )
    }
    if options.resume == nil {
      let frozen: [(TrainingOption, Int)] = [
        (.freezed, options.trainer.frozenLayers),
        (.frozenGenerator, options.trainer.frozenResolution),
      ]
      for (option, value) in frozen where value > 0 {
        lines.append(
          "\(option.flag) \(value) without --resume: what is frozen stays random, as it begins"
        )
      }
    }
    for dataset in set.datasets {
      lines += dataset.remarks.map { "\(dataset.path): its dataset.json has \($0); passed over" }
    }
    let uncaptioned = set.uncaptionedCount
    // 1 is training without captions, which ignores them.
    if options.trainer.losses.mixingProb < 1, uncaptioned > 0 {
      lines.append(
        "\(uncaptioned) of \(set.rawCount) images have no caption: they are trained with pseudo text"
      )
    }
    if options.trainer.losses.mixingProb < 0.01, options.ratio == 1, uncaptioned == 0 {
      let makers = [
        (TrainingOption.textMapper, options.textMapper), (.textCorpus, options.textCorpus),
      ]
      for (option, file) in makers where file != nil {
        lines.append("\(option.flag) changes nothing: every image is trained with its captions")
      }
    }
    return lines
  }

  /// Flags without effect, a line each.
  package func idleFlags(_ options: TrainingOptions) -> [String] {
    func isOn(_ option: TrainingOption) -> Bool { arguments[option]?.bool == true }
    var lines: [String] = []
    if isOn(.nhwc), options.trainer.generator.reducedPrecisionResolutions == 0 {
      lines.append("--nhwc changes nothing in float32")
    }
    if device == .cpu {
      for option in [TrainingOption.nobench, .allowTF32] where isOn(option) {
        lines.append("\(option.flag) changes nothing on the CPU")
      }
    }
    if arguments[.winograd] != nil, device != .cpu || !Runtime.hasWinograd {
      lines.append("--winograd changes nothing: it is for CPUs with AVX-512")
    }
    if arguments[.plInterval] != nil, options.trainer.losses.pathLengthWeight == 0 {
      lines.append("--pl-interval changes nothing: --pl-weight is 0")
    }
    if arguments[.pairedWarmup] != nil, options.trainer.losses.pairedWeight == 0 {
      lines.append("--paired-warmup changes nothing: --paired is 0")
    }
    if arguments[.visionAidedWarmup] != nil, options.trainer.losses.visionAidedWeight == 0 {
      lines.append("--vision-aided-warmup changes nothing: --vision-aided is 0")
    }
    if arguments[.textCorpusSteps] != nil, options.textCorpus == nil {
      lines.append("--text-corpus-steps changes nothing: there is no --text-corpus")
    }
    if arguments[.ema] != nil, options.trainer.emaDeviation != nil {
      lines.append("--ema changes nothing beside --ema-deviation")
    }
    if let factor = arguments[.fmap]?.double, factor != 1, arguments[.channelBase] == nil,
      options.trainer.generator.resolution >= 512
    {
      lines.append(
        "--fmap counts below 512² only, as in the original; --channel-base counts anywhere"
      )
    }
    return lines
  }
}
