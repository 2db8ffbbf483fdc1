import CLIP
import Datasets
import Distributed
import Networks
import TestSupport
import Torch
import Training

/// Networks of 16² that train in a moment.
///
/// - Parameters:
///   - seed: Of weights and draws.
///   - batchSize: Images of one step.
/// - Returns: The configuration.
func tinyTrainer(seed: UInt64, batchSize: Int = 4) -> TrainerConfiguration {
  var result = TrainerConfiguration(resolution: 16)
  result.generator.zDimension = 8
  result.generator.wDimension = 8
  result.generator.featureDimension = tinyFeatureDimension
  result.generator.styleWidth = 8
  result.generator.mappingLayers = 2
  result.generator.channelBase = 64
  result.generator.channelMax = 8
  result.discriminator.featureDimension = tinyFeatureDimension
  result.discriminator.channelBase = 64
  result.discriminator.channelMax = 8
  result.batchSize = batchSize
  result.seed = seed
  return result
}

/// Numbers of a feature for `tinyTrainer`.
let tinyFeatureDimension = 8

/// A CLIP of one matrix for images of 16².
func tinyEncoder() -> (Tensor) -> Tensor {
  let projection = SeededRandom(seed: 9).normal([3 * 16 * 16, tinyFeatureDimension])
  return { $0.reshaped($0.size(0), -1).matmul(projection) }
}

/// What the steps of networks need that are given their batches by the test: the data is never read.
///
/// - Parameters:
///   - configuration: What is computed.
///   - clip: Judges the images.
///   - classifier: What the vision-aided discriminator sees by.
///   - ranks: The processes that share each step.
/// - Returns: The inputs.
/// - Throws: Where the data cannot be written.
func tinyInputs(
  _ configuration: TrainerConfiguration,
  clip: ImageTower = ImageTower(side: 16, encode: tinyEncoder()),
  classifier: EfficientNetLite0? = nil,
  ranks: Ranks = .alone
) throws -> StepInputs {
  StepInputs(
    options: TrainingOptions(trainer: configuration),
    data: try unusedData.get(),
    clip: clip,
    classifier: classifier,
    device: .cpu,
    ranks: ranks
  )
}

private let unusedData = Result {
  let folder = try TemporaryFolder()
  try TinyRun.pack(folder.file("data.zip"))
  return try TrainingSet([PackedDataset(folder.file("data.zip"))])
}

/// Noise in the shape of training data for `tinyTrainer`.
///
/// With classes the images take them in turn.
func tinyBatch(_ seed: UInt64, size: Int = 4, classes: Int? = nil) -> TrainingBatch {
  let random = SeededRandom(seed: seed)
  return TrainingBatch(
    images: random.uniform([size, 3, 16, 16]) * 2 - 1,
    imageFeatures: random.normal([size, tinyFeatureDimension]).normalized(),
    textFeatures: random.normal([size, tinyFeatureDimension]).normalized(),
    labels: classes.map { count in
      let rows = (0..<size * count).map { Float($0 % count == $0 / count % count ? 1 : 0) }
      return Tensor(rows, shape: [size, count])
    }
  )
}

/// A CLIP of six numbers with random weights and OpenAI's tokenizer, written to a file and read from it.
func tinyClipModel(at path: String) throws -> ClipModel {
  let shape = CLIPConfiguration(
    embedDimension: 6,
    imageResolution: 16,
    vision: .transformer(layers: 1, width: 8, patch: 8, heads: 1),
    vocabularySize: 49408,
    textWidth: 8,
    textLayers: 1
  )
  try CLIP(shape, random: SeededRandom(seed: 1)).save(to: path)
  return try ClipModel(path: path)
}
