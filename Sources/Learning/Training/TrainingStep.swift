package import Distributed
import Networks
package import Torch
import TorchNN

/// What a phase of a training step differentiates.
package enum Phase: String, Sendable, CaseIterable {
  case generatorMain = "Gmain"
  case generatorRegularisation = "Greg"
  case generatorBoth = "Gboth"
  case discriminatorMain = "Dmain"
  case discriminatorRegularisation = "Dreg"
  case discriminatorBoth = "Dboth"

  /// Whether the generator's weights move.
  package var isGenerator: Bool {
    switch self {
    case .generatorMain, .generatorRegularisation, .generatorBoth: true
    default: false
    }
  }
}

/// The gradients of one phase for one batch.
package struct PhaseResult {
  /// One a parameter of the network in training, already multiplied by the gain; none if they are on
  /// their way to the other ranks.
  ///
  /// Zero where a loss does not depend on a parameter, as a regulariser on the last biases: in the
  /// original such a parameter takes a step too, which lets Adam's second moment decay.
  package var gradients: [Tensor]
  /// Numbers worth recording.
  package var reports: [(name: String, values: Tensor)]
}

/// Computes one phase's gradients: the heart of a training step.
///
/// - Parameters:
///   - phase: What is differentiated.
///   - context: Networks and losses.
///   - batch: Real images with their features.
///   - z: Latents, [N, z dimension].
///   - meanPathLength: The running mean of the path length, a scalar; the regulariser updates it.
///   - gain: Factor on the loss; the interval of a lazy regulariser.
///   - random: Draws in this order: conditioning noise; then, part by part, second latent, cutoff,
///     mixing choice, per-layer noise, CLIP crop, path noise.
///   - exchange: Takes the gradients while the last backward pass computes them.
/// - Returns: Gradients and reports.
package func phaseGradients(
  _ phase: Phase,
  _ context: LossContext,
  batch: TrainingBatch,
  z: Tensor,
  meanPathLength: Tensor,
  gain: Double,
  random: any RandomSource,
  exchange: StepExchange? = nil
) -> PhaseResult {
  let conditioning = Conditioning(
    images: batch.imageFeatures,
    texts: batch.textFeatures,
    configuration: context.configuration,
    mapper: context.textMapper,
    random: random
  )
  let parameters =
    phase.isGenerator ? context.generator.parameters : context.discriminator.parameters
  var sums = [Tensor?](repeating: nil, count: parameters.count)
  var reports: [(name: String, values: Tensor)] = []
  func accumulate(_ value: LossValue, _ others: LossValue?..., isLast: Bool) {
    let total = others.reduce(value.total) { sum, other in other.map { sum + $0.total } ?? sum }
    reports += value.reports + others.flatMap { $0?.reports ?? [] }
    if isLast, let exchange {
      exchange.begin(gradientsOf: total * gain, within: sums)
      return
    }
    let new = gradients(of: [total * gain], withRespectTo: parameters)
    for index in parameters.indices {
      guard let gradient = new[index] else { continue }
      sums[index] = sums[index].map { $0 + gradient } ?? gradient
    }
  }

  switch phase {
  case .generatorMain, .generatorRegularisation, .generatorBoth:
    if phase != .generatorRegularisation {
      accumulate(
        generatorLoss(context, batch: batch, conditioning: conditioning, z: z, random: random),
        isLast: phase == .generatorMain
      )
    }
    if phase != .generatorMain {
      accumulate(
        pathLengthLoss(
          context,
          conditioning: conditioning,
          z: z,
          meanLength: meanPathLength,
          random: random
        ),
        isLast: true
      )
    }
  case .discriminatorMain, .discriminatorRegularisation, .discriminatorBoth:
    var fakeLoss: Tensor?
    if phase != .discriminatorRegularisation {
      let fake = discriminatorFakeLoss(
        context,
        conditioning: conditioning,
        z: z,
        random: random
      )
      accumulate(fake, isLast: false)
      fakeLoss = fake.perSample
    }
    let (main, penalty) = discriminatorRealLoss(
      context,
      batch: batch,
      conditioning: conditioning,
      main: phase != .discriminatorRegularisation,
      penalty: phase != .discriminatorMain,
      random: random
    )
    if let main, let fakeLoss {
      reports.append(("Loss/D/loss", fakeLoss + main.perSample))
    }
    switch (main, penalty) {
    case (let main?, let penalty): accumulate(main, penalty, isLast: true)
    case (nil, let penalty?): accumulate(penalty, isLast: true)
    case (nil, nil): break
    }
  }
  if exchange != nil { return PhaseResult(gradients: [], reports: reports) }
  return PhaseResult(
    gradients: zip(sums, parameters).map { $0 ?? .zeros(like: $1.detached()) },
    reports: reports
  )
}
