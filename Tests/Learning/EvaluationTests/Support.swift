import Archives
import Datasets
import Evaluation
import Foundation
import Images
import Networks
import Torch
import TorchNN
import TorchTestSupport

/// The path of a file of the folder `Fixtures` beside these tests.
func fixture(_ name: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
}

/// Sees the mean of each channel in the four quarters of an image, and counts what it sees.
final class QuarterDetector: FeatureDetector {
  let name: String
  let sha256: String
  let resize = "none"
  let dimension = 12
  private(set) var seen = 0
  /// Numbers of threads that it was asked with.
  var threads: Set<Int> = []

  init(name: String = "quarters", sha256: String = "0123") {
    self.name = name
    self.sha256 = sha256
  }

  func features(_ images: Tensor) -> Tensor {
    let (N, C, H, W) = images.shape4
    seen += N
    threads.insert(Runtime.threads)
    let parts = images.to(.float32).reshaped(N, C, 2, H / 2, 2, W / 2).mean(3, 5)
    return parts.reshaped(N, C * 4) / 64
  }
}

/// Packs squares of 8 × 8 pixels whose colours are a function of `first` and their number.
@discardableResult
func packSquares(
  _ path: String,
  count: Int,
  first: Int = 0,
  captions: Int = 1,
  featureModel: String = "00"
) throws -> PackedDataset {
  let writer = try PackedDatasetWriter(
    path,
    options: .init(
      resolution: 8,
      featureModel: .init(name: "hash", sha256: featureModel),
      featureElement: .float32,
      source: "squares"
    )
  )
  for index in first..<first + count {
    let values = unitValues(seed: UInt64(index + 1), count: 8 * 8 * 3)
    let pixels = values.map { UInt8(max(0, min(255, 128 + 50 * $0))) }
    let texts = (0..<captions).map { "caption \($0) of \(index)" }
    try writer.append(
      PackedRecord(
        image: RGBImage(width: 8, height: 8, pixels: pixels).encodedPNG(),
        imageFeature: feature("image \(index)"),
        captions: texts,
        textFeatures: texts.map(feature)
      )
    )
  }
  try writer.finish()
  return try PackedDataset(path)
}

/// Six numbers that are a function of a text.
func feature(_ text: String) -> [Float] {
  unitValues(seed: fnv1a64(text), count: 6).map { Float($0) }
}

/// A tiny generator that takes the features of `packSquares`.
func tinyGenerator(seed: UInt64 = 1, reduced: Int = 0) -> Generator {
  var configuration = GeneratorConfiguration(resolution: 8)
  configuration.zDimension = 8
  configuration.wDimension = 8
  configuration.featureDimension = 6
  configuration.styleWidth = 8
  configuration.mappingLayers = 2
  configuration.channelBase = 64
  configuration.channelMax = 8
  configuration.reducedPrecisionResolutions = reduced
  let generator = Generator(configuration, random: SeededRandom(seed: seed))
  generator.setTrainable(false)
  return generator
}

/// Sources that know one detector, whatever the metric asks for, and no judge of captions.
func sources(_ detector: any FeatureDetector) -> MetricSources {
  MetricSources(
    detector: { _ in detector },
    judge: { throw EvaluationError.option("no judge of captions was asked for") }
  )
}
