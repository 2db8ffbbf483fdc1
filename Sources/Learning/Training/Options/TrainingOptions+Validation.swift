import Networks
import TorchNN

extension TrainingOptions {
  /// Checks what does not depend on the data.
  ///
  /// - Throws: `TrainingError.option`, naming the flag, its value and what is allowed.
  package func validate() throws(TrainingError) {
    try validateNumbers()
    try validateNetworks()
    try validateAugmentation()
    try validateShares()
  }

  /// A step must fall into equal shares of whole groups of the minibatch deviation.
  private func validateShares() throws(TrainingError) {
    let shares = gpus * trainer.rounds
    if shares == 1 { return }
    let group = trainer.discriminator.minibatchGroup ?? trainer.batchSize
    let unit = shares * group
    guard trainer.batchSize % unit == 0 else {
      let rounds = trainer.rounds == 1 ? "" : ", \(trainer.rounds) rounds each"
      throw .option(
        "--batch must be a multiple of \(unit), not \(trainer.batchSize): \(gpus) processes\(rounds), "
          + "in groups of \(group) images (mbstd_group_size)"
      )
    }
  }

  private func validateNumbers() throws(TrainingError) {
    let losses = trainer.losses
    let shares: [(String, Double)] = [
      ("--mixing_prob", losses.mixingProb), ("--ratio", ratio), ("--text-noise", losses.textNoise),
      ("--image-noise", losses.imageNoise),
      ("loss_kwargs.style_mixing_prob", losses.styleMixingProb),
      ("loss_kwargs.pl_decay", losses.pathLengthDecay),
    ]
    for (flag, value) in shares where !(0...1).contains(value) {
      throw .option("\(flag) must be between 0 and 1, not \(value)")
    }
    let weights: [(String, Double)] = [
      ("--gamma", losses.gamma), ("--pl-weight", losses.pathLengthWeight),
    ]
    for (flag, value) in weights where !(0...1e12).contains(value) {
      throw .option("\(flag) must be 0 or more, not \(value)")
    }
    let numbers: [(String, Double)] = [
      ("--temp", losses.temp), ("--lam", losses.lam), ("--itd", losses.itd), ("--itc", losses.itc),
      ("--iid", losses.iid), ("--iic", losses.iic),
    ]
    for (flag, value) in numbers where !value.isFinite {
      throw .option("\(flag) must be a finite number, not \(value)")
    }
    let positive: [(String, Double)] = [
      ("--kimg", kimg), ("--tick", tickKimg), ("--ema", trainer.emaKimg),
      ("--minutes", maximumSeconds ?? 1), ("--checkpoint-minutes", checkpointSeconds),
      ("--g_lr", trainer.generatorOptimizer.learningRate),
      ("--d_lr", trainer.discriminatorOptimizer.learningRate),
      ("--feature-scale", trainer.generator.featureScale),
    ]
    for (flag, value) in positive where !(value > 0 && value <= 1e12) {
      throw .option("\(flag) must be above 0, not \(value)")
    }
    let counts: [(String, Int, Int)] = [
      ("--batch", trainer.batchSize, 65_536), ("--gpus", gpus, 4096),
      ("--batch-gpu", trainer.rounds, 65_536), ("--snap", networkSnapshotTicks, .max),
      ("--snap", imageSnapshotTicks, .max), ("--threads", threads, 1024),
      ("--workers", workers, 1024), ("--subset", subset ?? 1, .max),
      ("--metric-images", metricImages ?? 1, .max),
      ("loss_kwargs.pl_batch_shrink", losses.pathLengthShrink, 65_536),
      ("G_reg_interval", trainer.generatorRegularisationInterval ?? 1, .max),
      ("D_reg_interval", trainer.discriminatorRegularisationInterval ?? 1, .max),
    ]
    for (flag, value, limit) in counts where !(1...limit).contains(value) {
      let range = limit == .max ? "at least 1" : "between 1 and \(limit)"
      throw .option("\(flag) must be \(range), not \(value)")
    }
  }

  private func validateNetworks() throws(TrainingError) {
    let (G, D) = (trainer.generator, trainer.discriminator)
    let sizes: [(String, Int, Int)] = [
      ("--f_dim", G.featureDimension, 65_536), ("--map_num", G.mappingLayers, 64),
      ("--latent", G.zDimension, 65_536), ("--latent", G.wDimension, 65_536),
      ("--style-width", G.styleWidth, 65_536),
      ("--channel-max", min(G.channelMax, D.channelMax), 65_536),
    ]
    for (flag, value, limit) in sizes where !(1...limit).contains(value) {
      throw .option("\(flag) must be between 1 and \(limit), not \(value)")
    }
    guard D.featureDimension == G.featureDimension else {
      throw .option(
        "--f_dim must be one number: G has \(G.featureDimension), D has \(D.featureDimension)"
      )
    }
    guard trainer.frozenLayers >= 0 else {
      throw .option("--freezed must be 0 or more, not \(trainer.frozenLayers)")
    }
    let group = min(D.minibatchGroup ?? trainer.batchSize, trainer.batchSize)
    guard group >= 1, trainer.batchSize % group == 0 else {
      throw .option(
        "--batch must be at most \(group) or a multiple of it (the minibatch deviation's group), "
          + "not \(trainer.batchSize)"
      )
    }
    guard D.usesFeatures || D.featureLogit == .batchSum else {
      throw .option(
        "--feature-logit=per-sample needs --d_use_fts=1: there is no head to score with"
      )
    }
  }

  private func validateAugmentation() throws(TrainingError) {
    guard let augmentation = trainer.augmentation else { return }
    for (flag, value) in [
      ("--p", augmentation.probability), ("--target", augmentation.target ?? 0),
    ]
    where !(0...1).contains(value) {
      throw .option("\(flag) must be between 0 and 1, not \(value)")
    }
    guard augmentation.adaptationKimg > 0, augmentation.adaptationInterval >= 1 else {
      throw .option("ada_kimg and ada_interval must be above 0")
    }
  }

  /// Checks what depends on the resolution of the data.
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
    guard let transforms = trainer.augmentation?.transforms else { return }
    let smallest = AugmentPipe.smallestSide(transforms)
    guard resolution >= smallest else {
      throw .option(
        "--augpipe with filter needs images of at least \(smallest)², not \(resolution)²"
      )
    }
  }
}
