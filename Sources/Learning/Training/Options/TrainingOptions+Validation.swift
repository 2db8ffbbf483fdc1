import Networks
import Text
import TorchNN

extension TrainingOptions {
  /// The checks that do not depend on the data.
  ///
  /// - Throws: `TrainingError.option`, naming the flag, its value and what is allowed.
  package func validate() throws(TrainingError) {
    for option in TrainingOption.all { try option.check(in: self) }
    if resumesState, resume == nil {
      throw .option("--resume-state=1 needs --resume, the snapshot whose state is taken")
    }
    if textMapper != nil, textCorpus != nil {
      throw .option("--text-mapper and --text-corpus both make the pseudo text; give one")
    }
    try validateNetworks()
    try validateSlices()
    try validateMismatch()
  }

  /// A wrong condition is that of another image of the same batch.
  private func validateMismatch() throws(TrainingError) {
    let losses = trainer.losses
    let images = trainer.batchSize / trainer.rounds / (losses.gathers ? 1 : gpus)
    guard losses.mismatchWeight == 0 || images >= 2 else {
      throw .option(
        "--matching-aware needs at least 2 images at a time, whose conditions it exchanges: take a larger "
          + "--batch or --batch-gpu"
      )
    }
  }

  /// A step must fall into equal slices of whole groups of the minibatch deviation.
  private func validateSlices() throws(TrainingError) {
    if gpus == 1, trainer.rounds == 1 { return }
    let group = trainer.discriminator.minibatchGroup ?? trainer.batchSize
    let groups = "groups of \(group) images (--mbstd-group)"
    guard trainer.batchSize % gpus == 0, trainer.batchSize / gpus % group == 0 else {
      throw .option(
        "--batch must be a multiple of \(gpus * group), not \(trainer.batchSize): \(gpus) processes, "
          + "in \(groups)"
      )
    }
    let rankBatch = trainer.batchSize / gpus
    guard rankBatch % trainer.rounds == 0, rankBatch / trainer.rounds % group == 0 else {
      let allowed = stride(from: group, through: rankBatch, by: group).filter {
        rankBatch % $0 == 0
      }
      throw .option(
        "--batch-gpu must be a multiple of \(group) that divides \(rankBatch), the images of a step and "
          + "device (\(allowed.map(String.init).joined(separator: ", "))), not "
          + "\(Text.typed(Double(rankBatch) / Double(trainer.rounds))): a device computes \(groups)"
          + (group > 1 ? ", and a smaller --mbstd-group allows less" : "")
      )
    }
  }

  private func validateNetworks() throws(TrainingError) {
    let (G, D) = (trainer.generator, trainer.discriminator)
    guard D.featureDimension == G.featureDimension else {
      throw .option(
        "--f_dim must be one number: G has \(G.featureDimension), D has \(D.featureDimension)"
      )
    }
    for (key, clamp, reduced) in [
      ("G_kwargs.synthesis_kwargs.conv_clamp", G.clamp, G.reducedPrecisionResolutions),
      ("D_kwargs.conv_clamp", D.clamp, D.reducedPrecisionResolutions),
    ] where !isPossibleClamp(clamp, reducedPrecisionResolutions: reduced) {
      let largest = reduced > 0 ? "65504" : "3.4e38"
      throw .option("\(key) must be above 0 and at most \(largest), not \(clamp ?? 0)")
    }
    let group = min(D.minibatchGroup ?? trainer.batchSize, trainer.batchSize)
    guard group >= 1, trainer.batchSize % group == 0 else {
      throw .option(
        "--batch must be at most \(group) or a multiple of it (--mbstd-group), "
          + "not \(trainer.batchSize)"
      )
    }
    guard D.usesFeatures || D.featureLogit == .batchSum else {
      throw .option(
        "--feature-logit=per-sample needs --d_use_fts=1: there is no head to score with"
      )
    }
  }

  /// The checks that depend on the resolution of the data.
  ///
  /// - Throws: `TrainingError.option`, naming the flag, its value and what is allowed.
  package func validateForResolution() throws(TrainingError) {
    let resolution = trainer.generator.resolution
    let base = min(trainer.generator.channelBase, trainer.discriminator.channelBase)
    guard base >= resolution, base <= 1 << 30 else {
      throw .option(
        "--fmap leaves no channel at \(resolution)²: the base must be at least \(resolution), "
          + "not \(base)"
      )
    }
    // Of the discriminator: its fromrgb, then two convolutions and a skip a block down to 8².
    let layers = 3 * (resolution.trailingZeroBitCount - 2) + 1
    guard trainer.frozenLayers <= layers else {
      throw .option(
        "--freezed must be between 0 and \(layers), the layers of the discriminator at "
          + "\(resolution)², not \(trainer.frozenLayers)"
      )
    }
    let frozen = trainer.frozenResolution
    guard frozen == 0 || trainer.generator.resolutions.contains(frozen) else {
      let allowed = trainer.generator.resolutions.map(String.init).joined(separator: ", ")
      throw .option("--freeze-generator must be 0 or one of \(allowed), not \(frozen)")
    }
    guard let transforms = trainer.augmentation?.transforms else { return }
    let smallest = AugmentPipe.smallestSide(transforms)
    guard resolution >= smallest else {
      throw .option(
        "--augpipe with filter needs images of at least \(smallest)², not \(resolution)²"
      )
    }
  }
}
