import Networks
import Testing
import Torch
import TorchNN
import Training

/// The gradients of a phase that the original recorded: those of a training step, and `Gboth` and
/// `Dboth`, in which loss and regulariser are one phase; training is lazy and has none of these.
func recordedGradients(
  _ phase: String,
  _ context: LossContext,
  batch: TrainingBatch,
  z: Tensor,
  meanPathLength: Tensor,
  gain: Double,
  random: any RandomSource
) throws -> PhaseResult {
  if let phase = Phase(rawValue: phase) {
    return phaseGradients(
      phase,
      context,
      batch: batch,
      z: z,
      meanPathLength: meanPathLength,
      gain: gain,
      random: random
    )
  }
  let c = context.conditioning(batch, random: random)
  guard phase == "Dboth" else {
    try #require(phase == "Gboth", "no phase is called \(phase)")
    var sum = PhaseGradients(of: context.generator.parameters, gain: gain)
    sum.add(generatorLoss(context, batch: batch, conditioning: c, z: z, random: random))
    return sum.finish(
      pathLengthLoss(context, conditioning: c, z: z, meanLength: meanPathLength, random: random)
    )
  }
  // The discriminator draws nothing: to look at the real images twice is to look at them once.
  var sum = PhaseGradients(of: context.discriminator.parameters, gain: gain)
  let fake = discriminatorFakeLoss(
    context,
    generated: context.generated(z, c.condition, random: random),
    random: random
  )
  sum.add(fake)
  let real = discriminatorRealLoss(context, batch: batch, conditioning: c, random: random)
  sum.add(real)
  sum.reports.append(("Loss/D/loss", fake.perSample + real.perSample))
  return sum.finish(
    gradientPenaltyLoss(
      context,
      images: batch.images,
      condition: c.condition,
      gamma: context.configuration.gamma,
      random: random
    )
  )
}
