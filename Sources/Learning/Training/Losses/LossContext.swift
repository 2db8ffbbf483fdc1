package import Distributed
package import Networks
package import Torch
import TorchNN

/// The networks and inputs of the losses, beside the batch.
package struct LossContext {
  /// The run's options, CLIP, mapper and ranks.
  package let inputs: StepInputs
  /// The generator in training.
  package let generator: Generator
  /// The discriminator in training.
  package let discriminator: Discriminator
  /// The generator's parameters and the discriminator's: reflection finds them once, not in each phase.
  private let parameters: (generator: [Tensor], discriminator: [Tensor])
  /// The discriminator of `--vision-aided`, which is trained with the other, if it is on.
  package let vision: VisionAid?
  /// The running means of LeCam's regulariser, if it is on.
  package let anchors: LogitAnchors?
  /// Augmentation of everything the discriminator sees, if any.
  package let augment: ((Tensor, any RandomSource) -> Tensor)?

  /// Collects the parts.
  package init(
    _ inputs: StepInputs,
    generator: Generator,
    discriminator: Discriminator,
    augment: ((Tensor, any RandomSource) -> Tensor)? = nil
  ) {
    self.inputs = inputs
    self.generator = generator
    self.discriminator = discriminator
    let options = inputs.options.trainer
    vision = inputs.classifier.map { classifier in
      let heads = VisionAidedDiscriminator(
        classifier,
        featureDimension: options.discriminator.featureDimension,
        random: SeededRandom(seed: options.seed, stream: .weights, position: 1)
      )
      heads.move(to: inputs.device)
      return VisionAid(heads)
    }
    parameters = (
      generator.parameters,
      discriminator.parameters + (vision?.discriminator.parameters ?? [])
    )
    self.augment = augment
    anchors =
      inputs.options.trainer.losses.anchorWeight == 0 ? nil : LogitAnchors(on: inputs.device)
  }

  /// The parameters that a phase moves.
  func parameters(of phase: Phase) -> [Tensor] {
    phase.isGenerator ? parameters.generator : parameters.discriminator
  }

  /// Weights and forms.
  package var configuration: LossConfiguration { inputs.options.trainer.losses }

  /// The ranks that share the step.
  package var ranks: Ranks { inputs.ranks }

  /// The ranks over which batch-wide losses gather; only this one without `gathers`.
  private var gathering: Ranks { configuration.gathers ? ranks : .alone }

  /// The conditioning of a batch.
  package func conditioning(_ batch: TrainingBatch, random: any RandomSource) -> Conditioning {
    Conditioning(
      images: batch.imageFeatures,
      texts: batch.textFeatures,
      labels: batch.labels,
      configuration: configuration,
      source: inputs.pseudoText,
      random: random
    )
  }

  /// Latents → styles with style mixing.
  ///
  /// From a random layer on, the styles are those of a second latent (arXiv 1812.04948, section 3.1).
  /// The running mean of w follows the first latent only.
  func mixedStyles(_ z: Tensor, labels: Tensor?, random: any RandomSource) -> Tensor {
    let ws = generator.mapping(z, labels: labels, updatingAverage: true)
    if configuration.styleMixingProb <= 0 { return ws }
    let count = generator.synthesis.wCount
    let second = random.normal(z.shape).to(z.device)
    let drawn = random.integer(in: 1..<count)
    let cutoff = random.uniform([]).item < configuration.styleMixingProb ? drawn : count
    if cutoff == count { return ws }
    let others = generator.mapping(second, labels: labels)
    return .concatenated([ws.sliced(1, 0..<cutoff), others.sliced(1, cutoff..<count)], 1)
  }

  func generate(
    _ z: Tensor,
    _ condition: Condition,
    random: any RandomSource
  ) -> (images: Tensor, ws: Tensor) {
    let ws = mixedStyles(z, labels: condition.labels, random: random)
    let noise = NoiseMode.random(random)
    return (generator.synthesize(ws, fts: condition.features, noiseMode: noise).image, ws)
  }

  /// Images to show the discriminator.
  package func generated(
    _ z: Tensor,
    _ condition: Condition,
    random: any RandomSource
  ) -> GeneratedBatch {
    withoutGradients {
      GeneratedBatch(
        images: generate(z, condition, random: random).images,
        condition: condition
      )
    }
  }

  /// Images as the discriminators see them.
  func augmented(_ images: Tensor, random: any RandomSource) -> Tensor {
    let augmented = augment?(images, random) ?? images
    return configuration.diffAugment.map { $0(augmented, random: random) } ?? augmented
  }

  func discriminate(
    _ images: Tensor,
    _ condition: Condition,
    random: any RandomSource
  ) -> Discriminator.Output {
    let output = discriminator(
      augmented(images, random: random),
      fts: condition.features,
      labels: condition.labels
    )
    guard gathering.isShared, let own = batchAgreement(output)?.detached() else { return output }
    // The images of the other ranks belong to the batch whose agreement is added.
    return .init(
      logits: output.logits + (gathering.allReduceSum(own) - own),
      features: output.features,
      agreement: output.agreement
    )
  }

  /// The conditions of the batch's next images: row i has that of row i + 1, the last that of the first.
  func nextConditions(_ condition: Condition) -> Condition {
    func next(_ rows: Tensor) -> Tensor {
      let all = gathering.gathered(rows.detached()).rolled(-1, 0)
      return gathering.isShared ? gathering.slice.rows(of: all) : all
    }
    return Condition(
      features: next(condition.features),
      labels: condition.labels.map(next)
    )
  }

  /// CLIP's features of generated images, unit length, [N, F]; of augmented ones if there are several views.
  func clipFeatures(_ images: Tensor, random: any RandomSource) -> Tensor {
    let view = clipView(
      configuration.clipViews > 1 ? DiffAugment()(images, random: random) : images,
      side: inputs.clip.side,
      crop: configuration.clipCrop,
      random: random
    )
    return inputs.clip.encode(view).normalized()
  }

  /// The agreement of the whole batch, which every logit shares; `nil` if each has its own.
  private func batchAgreement(_ output: Discriminator.Output) -> Tensor? {
    discriminator.configuration.featureLogit == .batchSum ? output.agreement : nil
  }

  /// A term that carries the gradient of the other ranks' losses into the agreement that all logits share.
  ///
  /// - Parameters:
  ///   - output: The discriminator's output for this rank's images.
  ///   - slopes: Derivatives of the samples' losses by their logits, [n, 1], without gradient.
  /// - Returns: A scalar of value 0 to add to each sample's loss; `nil` if nothing is shared.
  func coupling(_ output: Discriminator.Output, slopes: Tensor) -> Tensor? {
    guard gathering.isShared, let agreement = batchAgreement(output) else { return nil }
    let own = slopes.sum()
    let share = (gathering.allReduceSum(own) - own) / Double(slopes.size(0))
    return (agreement - agreement.detached()) * share
  }

  /// The sum of all logits, to be differentiated by this rank's images: it counts the shared
  /// agreement once for every image of every rank.
  func logitSum(_ output: Discriminator.Output) -> Tensor {
    let sum = output.logits.sum()
    guard gathering.isShared, let agreement = batchAgreement(output) else { return sum }
    return sum + agreement * Double(output.logits.size(0) * (ranks.count - 1))
  }

  /// −weight · mean agreement; `nil` for weight 0, which is not computed.
  func contrastive(_ weight: Double, _ a: @autoclosure () -> Tensor?, _ b: Tensor) -> Tensor? {
    guard weight != 0, let a = a() else { return nil }
    let agreement = contrastiveAgreement(
      gathering.gathered(a),
      gathering.gathered(b),
      temperature: configuration.temp,
      lambda: configuration.lam,
      form: configuration.contrastive
    )
    return gathering.whole(agreement.mean() * -weight)
  }
}
