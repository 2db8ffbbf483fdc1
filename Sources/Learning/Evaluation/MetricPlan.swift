package import Torch

/// How metrics are measured: everything but the generator and the data.
package struct MetricPlan {
  /// How many images, against what.
  package var rules = MetricRules.lafite
  /// Images to generate instead of what the rules say.
  package var images: Int?
  /// Seed of latents, noise and the choice of captions.
  package var seed: UInt64 = 0
  /// Lists real images a second time, flipped, for the metrics that do so.
  package var mirror = false
  /// Compares with the test images also by LAFITE's rules (its `metric_only_test`).
  package var comparesWithTest = false
  /// Moments that stand for the real images of Fréchet distances, and the file they are from.
  package var reference: (path: String, moments: FeatureMoments)?
  /// Keeps the statistics of real images.
  package var cache: StatisticsCache?
  /// Images a detector sees at once.
  package var batchSize = 16
  /// Where to compute.
  package var device = Device.cpu
  /// The processes that look at generated images together.
  package var share = PassShare.alone

  /// LAFITE's protocol.
  package init() {}
}

/// What metrics look at images with; nothing is loaded before it is needed.
package struct MetricSources {
  /// Makes a detector.
  package let detector: (DetectorKind) throws -> any FeatureDetector
  /// Makes the judge of captions.
  package let judge: () throws -> CaptionWalk.Judge
  /// Is told what is going on, how far it is, and how far it will go.
  package let progress: (String, Int, Int) -> Void

  /// The same without words about progress.
  package var silent: MetricSources { MetricSources(detector: detector, judge: judge) }

  /// Sources of detectors.
  package init(
    detector: @escaping (DetectorKind) throws -> any FeatureDetector,
    judge: @escaping () throws -> CaptionWalk.Judge,
    progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) {
    self.detector = detector
    self.judge = judge
    self.progress = progress
  }
}
