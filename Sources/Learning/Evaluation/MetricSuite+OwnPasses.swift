import Datasets
import Networks
import Torch

/// Passes of single metrics.
extension MetricSuite {
  /// The path length of a generator; `nil` for a metric of another kind.
  func pathLength(_ definition: MetricDefinition, _ generator: Generator) throws -> Double? {
    guard case .pathLength(let measurement) = definition.kind else { return nil }
    let detector = try detector(definition.detector)
    var found: Double?
    try plan.ranks.together(.own(index(of: definition))) {
      found = try images.pathLength(measurement, of: generator, detector, ranks: plan.ranks) {
        sources.progress("perceptual path lengths", $0, $1)
      }
    }
    return found
  }

  /// Runs a pass of a detector that sees images one by one on one thread, reproducibly.
  ///
  /// libtorch divides sums among its threads, and their rounding depends on the division.
  func reproducibly<Result>(
    _ kind: DetectorKind,
    _ body: () throws -> Result
  ) rethrows -> Result {
    if !kind.seesOneByOne { return try body() }
    let threads = Runtime.threads
    Runtime.threads = 1
    defer { Runtime.threads = threads }
    return try body()
  }

  /// Joins the pass of one metric, led by another rank.
  func helpAlone(_ definition: MetricDefinition, _ generator: Generator) throws {
    switch definition.kind {
    case .variety: _ = try samples(definition, generator)
    case .nearestTraining:
      _ = try look(at: heldOutImages(definition), definition, PassRanks.Job.own)
    default: _ = try pathLength(definition, generator)
    }
  }

  /// Features of several images per caption, grouped by caption.
  func samples(_ definition: MetricDefinition, _ generator: Generator) throws -> FeatureStatistics {
    let captions = min(plan.captions, images.conditions.count)
    let painted = GeneratedImages(
      conditions: images.conditions,
      count: captions * plan.samplesPerCaption,
      seed: plan.seed,
      perCaption: plan.samplesPerCaption,
      device: plan.device,
      batchSize: 1
    )
    let detector = try detector(definition.detector)
    var found = FeatureStatistics(dimension: detector.dimension, keepingFeatures: true)
    try plan.ranks.together(.own(index(of: definition))) {
      try reproducibly(definition.detector) {
        try painted.features(of: generator, [detector], plan.ranks) { batch in
          found.append(batch[0])
          sources.progress("features of samples", found.count, painted.count)
        }
      }
    }
    return found
  }

  /// Statistics of the real images of the conditioning set.
  ///
  /// - Throws: `EvaluationError.option` if they are training images.
  func heldOut(_ definition: MetricDefinition) throws -> FeatureStatistics {
    let known = Set(training.map(\.imagesSHA256))
    guard !images.conditions.datasets.contains(where: { known.contains($0.imagesSHA256) }) else {
      throw EvaluationError.option(
        "\(definition.name) compares with held-out images: give a --test_data that is not among --data"
      )
    }
    return try cached(heldOutImages(definition), definition) {
      try look(at: $0, definition, PassRanks.Job.own)
    }
  }

  private func heldOutImages(_ definition: MetricDefinition) throws -> RealImages {
    let set = try TrainingSet(images.conditions.datasets)
    return RealImages(set, indices: Array(0..<set.count), device: plan.device, batchSize: 1)
  }
}
