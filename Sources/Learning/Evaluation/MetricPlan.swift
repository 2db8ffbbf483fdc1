package import Torch

/// The settings of a measurement: everything but the generator and the data.
package struct MetricPlan {
  /// The rules of the protocol.
  package var rules = MetricRules.lafite
  /// The number of images to generate; overrides the rules.
  package var images: Int?
  /// Seed of latents, noise and the choice of captions.
  package var seed: UInt64 = 0
  /// Lists real images a second time, flipped, for the metrics that honour it.
  package var mirror = false
  /// Compares with the test images even by LAFITE's rules (its `metric_only_test`).
  package var comparesWithTest = false
  /// Moments that replace the real images of Fréchet distances, and their file.
  package var reference: (path: String, moments: FeatureMoments)?
  /// The cache of real images' statistics.
  package var cache: StatisticsCache?
  /// Captions whose samples are compared with one another (`variety_judge`); all if there are fewer.
  package var captions = 64
  /// Samples per caption, at least 2.
  package var samplesPerCaption = 4
  /// The name of the encoder whose metrics may be asked for, if there is one.
  package var encoder: String?
  /// Images per batch of a detector.
  package var batchSize = 16
  /// The device.
  package var device = Device.cpu
  /// The ranks that share a pass.
  package var ranks = PassRanks.alone

  /// LAFITE's protocol.
  package init() {}

  /// The notice if `variety_judge` has fewer captions than requested.
  ///
  /// - Parameter count: Images of the conditioning set.
  /// - Returns: One line; `nil` if there are enough.
  package func captionNotice(imageCount count: Int) -> String? {
    captions <= count
      ? nil
      : "variety_judge: the data has \(count) images, fewer than the \(captions) captions asked for "
        + "(--captions): all are taken"
  }
}

/// The detectors of metrics; each is loaded on first use.
package struct MetricSources {
  /// Makes a detector.
  package let detector: (DetectorKind) throws -> any FeatureDetector
  /// Makes the judge of captions.
  package let judge: () throws -> CaptionPass.Judge
  /// Receives the progress: stage, items done, items in all.
  package let progress: (String, Int, Int) -> Void

  /// The same without progress and notices.
  package var silent: MetricSources {
    let judge = judge
    return MetricSources(
      detector: detector,
      judge: {
        let judge = try judge()
        return CaptionPass.Judge(sha256: judge.sha256, features: judge.features)
      }
    )
  }

  /// Sources of detectors.
  package init(
    detector: @escaping (DetectorKind) throws -> any FeatureDetector,
    judge: @escaping () throws -> CaptionPass.Judge,
    progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) {
    self.detector = detector
    self.judge = judge
    self.progress = progress
  }
}
