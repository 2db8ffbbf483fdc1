import Datasets
import Distributed
import Networks
import Torch

/// This rank's images of each step, ready to train on.
final class StepData {
  private let loader: BatchLoader
  private let inputs: StepInputs

  /// Opens the data of a run.
  ///
  /// - Parameter inputs: The data, options and ranks.
  /// - Throws: `TrainingError.option` if data and options do not match.
  init(_ inputs: StepInputs) throws(TrainingError) {
    let (set, options, ranks) = (inputs.data, inputs.options, inputs.ranks)
    let wanted = options.trainer.generator.featureDimension
    guard set.featureDimension == wanted else {
      throw .option(
        "the data has features of \(set.featureDimension) numbers, --f_dim is \(wanted)"
      )
    }
    loader = BatchLoader(
      set,
      options: .init(
        seed: UInt32(truncatingIfNeeded: options.trainer.seed),
        rank: ranks.rank,
        ranks: ranks.count,
        threads: options.workers,
        capacity: Prefetch.capacity(
          rankBatch: options.trainer.batchSize / ranks.count,
          resolution: set.resolution,
          featureDimension: set.featureDimension
        ),
        labelDimension: options.trainer.generator.labelDimension
      )
    )
    self.inputs = inputs
  }

  /// The batch at a number of images seen by all ranks together, on the device.
  ///
  /// - Throws: `DatasetError` naming zip and entry of an image that cannot be read.
  func batch(at imagesSeen: Int) throws(DatasetError) -> TrainingBatch {
    let (options, device) = (inputs.options, inputs.device)
    let host = try loader.batch(
      at: imagesSeen,
      size: options.trainer.batchSize / inputs.ranks.count
    )
    let batch = trainingBatch(host, on: device)
    guard let pseudoText = inputs.pseudoText, host.isPseudoText.contains(true) else { return batch }
    let random = SlicedRandom(
      SeededRandom(
        seed: options.trainer.seed,
        stream: .mappedPseudoText,
        position: UInt64(imagesSeen)
      ),
      inputs.ranks.slice
    )
    let noise = random.normal(batch.imageFeatures.shape).to(device)
    let isPseudo = Tensor(host.isPseudoText.map { $0 ? 1 : 0 } as [Float], shape: [host.size, 1])
    let made = withoutGradients { pseudoText(batch.imageFeatures, noise: noise) }
    return TrainingBatch(
      images: batch.images,
      imageFeatures: batch.imageFeatures,
      textFeatures: batch.textFeatures.replacing(with: made, where: isPseudo.to(device) .> 0.5),
      labels: batch.labels
    )
  }
}
