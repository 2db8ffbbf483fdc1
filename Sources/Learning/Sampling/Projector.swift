import Foundation
package import Networks
package import Torch
import TorchNN

/// A search for the styles whose picture resembles a given one most (Karras et al., arXiv 1912.04958,
/// appendix D).
///
/// The original compares features of a VGG network (LPIPS); this one compares features of an encoder that is
/// given, and pixels. The noise of each pixel stays the network's own, so that styles alone tell the picture.
package struct Projector {
  /// Where the styles may lie.
  package enum Space: String, CaseIterable, Sendable {
    /// One style for all layers: what the mapping network could have made.
    case w
    /// A style for each layer: closer to the picture, farther from what the generator learned.
    case wPlus = "w+"
  }

  /// What the search does.
  package struct Settings: Sendable {
    /// Where the styles may lie.
    package var space = Space.wPlus
    /// Steps of the optimiser.
    package var steps = 500
    /// The largest step size.
    package var learningRate = 0.1
    /// Weight of the encoder's distance, 1 − cosine.
    package var featureWeight = 1.0
    /// Weight of the pixels' distance, of values in [−1, 1].
    package var pixelWeight = 1.0
    /// Of the noise that the search adds to the styles.
    package var seed: UInt64 = 0

    /// The usual settings.
    package init() {}
  }

  /// The search after a step.
  package struct Progress {
    /// Steps done, from 1 on.
    package let step: Int
    /// The encoder's distance, 1 − cosine.
    package let featureDistance: Double
    /// The mean squared distance of pixels over all scales.
    package let pixelDistance: Double
    /// What the generator paints, [1, 3, R, R], roughly [−1, 1].
    package let image: Tensor
  }

  private let generator: Generator
  private let settings: Settings
  private let labels: Tensor?
  private let encode: (Tensor) -> Tensor
  /// Latents from which the average style and its deviation are estimated, as in the paper.
  private static let styleSamples = 10_000
  /// Shares of the search: the step size rises, and falls; the noise ends.
  private static let (rise, fall, noiseEnd) = (0.05, 0.25, 0.75)
  /// The deviation of the noise at the start, in deviations of the styles.
  private static let firstNoise = 0.05

  /// A search.
  ///
  /// - Parameters:
  ///   - generator: Paints; its weights stay as they are.
  ///   - settings: What the search does.
  ///   - labels: Class labels whose styles the search begins with, [1, labelDimension]; `nil` without classes.
  ///   - encode: Features of unit length [1, F] of pictures [1, 3, R, R] in [−1, 1], differentiable.
  package init(
    _ generator: Generator,
    _ settings: Settings,
    labels: Tensor? = nil,
    encode: @escaping (Tensor) -> Tensor
  ) {
    (self.generator, self.settings) = (generator, settings)
    (self.labels, self.encode) = (labels, encode)
  }

  /// Finds the styles.
  ///
  /// - Parameters:
  ///   - target: The picture, [1, 3, R, R] in [−1, 1].
  ///   - fts: The condition that the picture is painted after, unit length, [1, featureDimension].
  ///   - observe: Hears of every step.
  /// - Returns: The styles [1, wCount, wDimension], float32.
  /// - Throws: What `observe` throws.
  package func styles(
    of target: Tensor,
    fts: Tensor,
    observe: (Progress) throws -> Void
  ) throws -> Tensor {
    generator.setTrainable(false)
    let wCount = generator.mapping.wCount
    let (mean, deviation) = styleDistribution()
    let layers = settings.space == .w ? 1 : wCount
    let w = mean.expanded(1, layers, -1).contiguous()  // [1, layers, w]
    w.requiresGradient = true
    let adam = Adam([w], .init(learningRate: settings.learningRate))
    let goal = withoutGradients { encode(target).detached() }
    let scales = Self.scales(of: target)
    for step in 0..<settings.steps {
      let done = Double(step) / Double(settings.steps)
      adam.configuration.learningRate = settings.learningRate * Self.rate(done)
      let n = SeededRandom(seed: settings.seed, stream: .projection, position: UInt64(step))
        .normal(w.shape).to(w.device)
      let spread = deviation * Self.firstNoise * pow(max(0, 1 - done / Self.noiseEnd), 2)
      let image = paint(w + n * spread, wCount, fts)
      let features = 1 - (encode(image) * goal).sum()
      let pixels = Self.distance(Self.scales(of: image), scales)
      let loss = features * settings.featureWeight + pixels * settings.pixelWeight
      adam.step(gradients(of: [loss], withRespectTo: [w]))
      try observe(
        Progress(
          step: step + 1,
          featureDistance: features.item,
          pixelDistance: pixels.item,
          image: image.detached()
        )
      )
    }
    return w.detached().expanded(-1, wCount, -1).contiguous()
  }

  private func paint(_ w: Tensor, _ wCount: Int, _ fts: Tensor) -> Tensor {
    generator.synthesize(w.expanded(-1, wCount, -1), fts: fts, noiseMode: .constant).image
      .to(.float32)
  }

  /// The average style [1, 1, w], and the root mean square distance from it.
  private func styleDistribution() -> (mean: Tensor, deviation: Double) {
    withoutGradients {
      let random = SeededRandom(seed: settings.seed, stream: .projectionStyles, position: 0)
      let z = random.normal([Self.styleSamples, generator.configuration.zDimension])
      let device = generator.mapping.wAverage.device
      let w = generator.mapping(
        z.to(device),
        labels: labels?.to(device).expanded(Self.styleSamples, -1)
      ).sliced(1, 0..<1)
      let mean = w.mean(0).unsqueezed(0)  // [1, 1, w]
      return (mean, ((w - mean).squared().sum() / Double(Self.styleSamples)).squareRoot().item)
    }
  }

  /// The factor on the step size when this share of the search is done.
  static func rate(_ done: Double) -> Double {
    let falling = min(1, (1 - done) / fall)
    return (0.5 - 0.5 * cos(falling * .pi)) * min(1, done / rise)
  }

  /// A picture in sizes R, R/2, … down to 8 pixels.
  private static func scales(of image: Tensor) -> [Tensor] {
    var scales = [image]
    while let last = scales.last, last.size(2) >= 16 {
      let side = last.size(2) / 2
      scales.append(last.bilinear(height: side, width: side, antialias: true))
    }
    return scales
  }

  private static func distance(_ left: [Tensor], _ right: [Tensor]) -> Tensor {
    let distances = zip(left, right).map { ($0 - $1).squared().mean() }
    return distances.dropFirst().reduce(distances[0], +) / Double(distances.count)
  }
}
