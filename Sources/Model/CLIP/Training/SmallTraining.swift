package import Torch
import TorchNN

/// The training of a small network on pictures in memory: batches in shuffled rounds, Adam with decoupled weight
/// decay, a warm-up and half a cosine.
///
/// Batches and draws follow from (seed, images seen): with a limit in images, two trainings are equal.
package final class SmallTraining {
  /// Images seen so far.
  package private(set) var imagesSeen = 0

  private let configuration: CLIPTrainingConfiguration
  private let stream: RandomStream
  fileprivate let schedule: StepSchedule
  private var rounds: ShuffledRounds
  // Matrices and filters decay; gains and biases are free of it.
  private let decayed: Adam
  private let free: Adam

  /// A training at the start.
  ///
  /// - Parameters:
  ///   - parameters: What is trained.
  ///   - count: Pictures in memory.
  ///   - configuration: How to learn.
  ///   - stream: Of the draws of a step.
  ///   - orderStream: Of the order of a round.
  package init(
    _ parameters: [Tensor],
    pictures count: Int,
    configuration: CLIPTrainingConfiguration,
    stream: RandomStream,
    orderStream: RandomStream
  ) {
    self.configuration = configuration
    self.stream = stream
    schedule = StepSchedule(
      images: configuration.kimg * 1000,
      maximumSeconds: configuration.maximumSeconds,
      warmUpImages: configuration.warmUpImages
    )
    rounds = ShuffledRounds(
      count: count,
      batchSize: configuration.batchSize,
      seed: configuration.seed,
      stream: orderStream
    )
    var adam = Adam.Configuration(learningRate: 0, beta2: 0.98, epsilon: 1e-6)
    free = Adam(parameters.filter { $0.rank < 2 }, adam)
    adam.weightDecay = configuration.weightDecay
    decayed = Adam(parameters.filter { $0.rank >= 2 }, adam)
  }

  fileprivate func step(
    share: Double,
    loss: (_ batch: [Int], _ random: SeededRandom) -> Tensor
  ) -> Double {
    let random = SeededRandom(
      seed: configuration.seed,
      stream: stream,
      position: UInt64(imagesSeen)
    )
    let batch = rounds.next(imagesSeen: imagesSeen)
    let value = loss(batch, random)
    let gradients = gradients(
      of: [value],
      withRespectTo: decayed.parameters + free.parameters
    )
    let rate =
      configuration.learningRate * schedule.factor(share: share, imagesSeen: imagesSeen)
    for (optimiser, part) in [
      (decayed, gradients.prefix(decayed.parameters.count)),
      (free, gradients.suffix(free.parameters.count)),
    ] {
      optimiser.configuration.learningRate = rate
      optimiser.step(Array(part))
    }
    imagesSeen += batch.count
    return value.item
  }
}

/// What a `SmallTraining` trains: a network with its pictures.
package protocol SmallTrainer {
  /// The training.
  var training: SmallTraining { get }
  /// The loss of a batch.
  ///
  /// - Parameters:
  ///   - batch: Numbers of its pictures.
  ///   - random: For all draws of the step.
  /// - Returns: A scalar.
  func loss(_ batch: [Int], _ random: SeededRandom) -> Tensor
  /// What follows a step.
  func finishStep()
}

extension SmallTrainer {
  package func finishStep() {}

  /// Images seen so far.
  package var imagesSeen: Int { training.imagesSeen }

  /// Trains to the limit in images or in time.
  ///
  /// - Parameter report: Called about once a second and at the end.
  package func run(_ report: (StepProgress) -> Void = { _ in }) {
    training.schedule.run(imagesSeen: { imagesSeen }, report: report, step: { step(share: $0) })
  }

  /// One step.
  ///
  /// - Parameter share: How much of the training is behind, [0, 1): sets the step size.
  /// - Returns: The loss before the step.
  package func step(share: Double) -> Double {
    defer { finishStep() }
    return training.step(share: share, loss: loss)
  }
}
