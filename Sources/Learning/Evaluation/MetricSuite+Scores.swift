import Torch

extension MetricSuite {
  /// The scores of a metric that compares generated images with real ones.
  ///
  /// - Throws: `EvaluationError.option` if there are too few images.
  func compared(
    _ definition: MetricDefinition,
    _ real: FeatureStatistics,
    _ fake: FeatureStatistics
  ) throws -> [(name: String, value: Double)] {
    let name = definition.name
    if definition.kind.isFrechet {
      return [(name, try frechet(definition, real.moments, fake))]
    }
    let (x, y) = (vectors(real), vectors(fake))
    if definition.kind == .slicedWasserstein {
      let halves = halves(of: x)
      return [
        (name, slicedWassersteinDistance(real: x, generated: y)),
        (
          "\(name)_real_halves",
          halves.count == 2
            ? slicedWassersteinDistance(real: halves[0], generated: halves[1]) : .nan
        ),
      ]
    }
    if definition.kind == .kernel {
      guard min(x.size(0), y.size(0)) >= 2 else {
        throw EvaluationError.option("\(name) needs at least 2 images on both sides")
      }
      let random = SeededRandom(seed: plan.seed, stream: .kernelSubsets, position: 0)
      return [(name, kernelInceptionDistance(real: x, generated: y, random: random))]
    }
    if case .discrepancy(let kernel) = definition.kind {
      return try discrepancy(name, kernel, x, y)
    }
    if definition.kind == .clipDiscrepancy {
      guard min(x.size(0), y.size(0)) >= 2 else {
        throw EvaluationError.option("\(name) needs at least 2 images on both sides")
      }
      let kernel = FeatureKernel.gaussian(sigma: 10)
      return [(name, 1000 * MaximumMeanDiscrepancy(real: x, generated: y, kernel: kernel).biased)]
    }
    if definition.kind == .neighbourShares {
      guard min(x.size(0), y.size(0)) > 5 else {
        throw EvaluationError.option("\(name) needs at least 6 images on both sides")
      }
      let shares = NeighbourShares(real: x.to(plan.device), generated: y.to(plan.device))
      return [
        ("\(name)_precision", shares.precision), ("\(name)_recall", shares.recall),
        ("\(name)_density", shares.density), ("\(name)_coverage", shares.coverage),
      ]
    }
    guard min(x.size(0), y.size(0)) > 3 else {
      throw EvaluationError.option("\(name) needs at least 4 images on both sides")
    }
    let shares = precisionRecall(real: x.to(plan.device), generated: y.to(plan.device))
    return [("\(name)_precision", shares.precision), ("\(name)_recall", shares.recall)]
  }

  private func discrepancy(
    _ name: String,
    _ kernel: FeatureKernel,
    _ real: Tensor,
    _ generated: Tensor
  ) throws -> [(name: String, value: Double)] {
    guard real.size(0) >= 6, generated.size(0) >= 3 else {
      throw EvaluationError.option("\(name) needs at least 3 generated and 6 real images")
    }
    let found = MaximumMeanDiscrepancy(real: real, generated: generated, kernel: kernel)
    let halves = halves(of: real)
    let apart = MaximumMeanDiscrepancy(real: halves[0], generated: halves[1], kernel: kernel)
    return [
      (name, found.unbiased), ("\(name)_stderr", found.standardError),
      ("\(name)_real_halves", apart.unbiased), ("\(name)_real_halves_stderr", apart.standardError),
    ]
  }

  /// Every second image of a set and the others: neighbours in a set may be alike, as in `ReferencePoints`.
  ///
  /// - Parameter features: [n, D].
  /// - Returns: Both parts; one of one image only.
  private func halves(of features: Tensor) -> [Tensor] {
    let count = features.size(0)
    return (0..<min(2, count)).map { first in
      features.gathered(0, Array(stride(from: first, to: count, by: 2)))
    }
  }

  /// The Fréchet distance of a metric, perhaps at infinity.
  ///
  /// - Throws: `EvaluationError.option` if there are too few images.
  func frechet(
    _ definition: MetricDefinition,
    _ real: FeatureMoments,
    _ fake: FeatureStatistics
  ) throws -> Double {
    if definition.kind == .frechet { return frechetDistance(real: real, generated: fake.moments) }
    let generated = vectors(fake)
    guard generated.size(0) >= leastImagesAtInfinity else {
      throw EvaluationError.option(
        "\(definition.name) compares numbers of images: generate at least \(leastImagesAtInfinity)"
      )
    }
    return frechetDistanceAtInfinity(
      real: real,
      generated: generated,
      random: SeededRandom(seed: plan.seed, stream: .frechetSubsets, position: 0)
    )
  }

  /// Mean distances to the nearest training image: of generated and of held-out real images.
  func nearest(
    _ definition: MetricDefinition,
    _ real: FeatureStatistics,
    _ fake: FeatureStatistics,
    _ heldOut: FeatureStatistics
  ) -> [(name: String, value: Double)] {
    [("", fake), ("_held_out", heldOut)].map { suffix, looked in
      let distances = nearestDistances(vectors(looked), others: vectors(real))
      return (definition.name + suffix, distances.reduce(0, +) / Double(distances.count))
    }
  }

  /// Mean distance between images of one caption, and of a real image to the nearest other real one.
  func variety(
    _ definition: MetricDefinition,
    _ real: FeatureStatistics,
    _ samples: FeatureStatistics
  ) -> [(name: String, value: Double)] {
    let name = definition.name
    let apart = nearestDistances(vectors(real), others: vectors(real), leavingOutOwn: true)
    let within = meanDistanceWithin(vectors(samples), samples: plan.samplesPerCaption)
    return [
      (name, within), ("\(name)_real_nearest", apart.reduce(0, +) / Double(apart.count)),
    ]
  }

  /// The scores of a metric of generated images alone.
  ///
  /// - Throws: `EvaluationError.option` if there are too few images or captions.
  func judged(
    _ definition: MetricDefinition,
    _ fake: FeatureStatistics
  ) throws -> [(name: String, value: Double)] {
    let name = definition.name
    if definition.kind == .inceptionScore {
      guard fake.count >= 10 else {
        throw EvaluationError.option("\(name) takes 10 splits: generate at least 10 images")
      }
      let score = inceptionScore(vectors(fake), splits: 10)
      return [("\(name)_mean", score.mean), ("\(name)_std", score.deviation)]
    }
    let pass = try captionPass ?? CaptionPass(images, judge: sources.judge())
    captionPass = pass
    if definition.kind == .captionCosine { return [(name, pass.meanCosine(vectors(fake)))] }
    guard pass.candidateCount() > 1 else {
      throw EvaluationError.option(
        "\(name) ranks captions, and the images of the test set have only one between them"
      )
    }
    return [(name, pass.retrieval(vectors(fake), seed: plan.seed))]
  }

  private func vectors(_ statistics: FeatureStatistics) -> Tensor {
    guard let features = statistics.features else {
      preconditionFailure("statistics without their vectors")
    }
    return features
  }
}
