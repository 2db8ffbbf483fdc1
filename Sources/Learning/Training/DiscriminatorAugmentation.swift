package import Networks
package import Torch

/// Augmentation of everything the discriminator sees, with fixed or adaptive strength
/// (Karras et al., arXiv 2006.06676).
package struct AugmentationOptions: Codable, Equatable, Sendable {
  /// The transforms in use.
  package var transforms: AugmentConfiguration
  /// The probability of a transform, p: fixed, or where adaptation starts.
  package var probability = 0.0
  /// The mean of sign(D(real)) that p is adapted to; `nil` keeps p.
  package var target: Double?
  /// Thousands of images in which p can rise from 0 to 1.
  package var adaptationKimg = 500.0
  /// Steps between two adaptations.
  package var adaptationInterval = 4

  /// Transforms of a fixed probability, or one adapted to a target.
  package init(_ transforms: AugmentConfiguration, probability: Double = 0, target: Double? = nil) {
    self.transforms = transforms
    self.probability = probability
    self.target = target
  }
}

/// Raises p while the discriminator is sure of the real images it trains on, and lowers it while it is
/// not: overfitting shows in the mean of sign(D(real)) (arXiv 2006.06676, section 3.1).
package struct AdaptiveProbability {
  /// The probability of a transform, p, 0 or more.
  package internal(set) var value: Double
  /// Signs of the real images' logits since the last adaptation.
  package internal(set) var signs: [Double] = []

  private let options: AugmentationOptions

  /// Starts at the options' probability.
  package init(_ options: AugmentationOptions) {
    self.options = options
    value = options.probability
  }

  /// Collects the signs of real images' logits, if p is adapted.
  package mutating func observe(_ values: Tensor) {
    if options.target != nil { signs += values.values(Double.self) }
  }

  /// Adapts p if it is due.
  ///
  /// - Parameters:
  ///   - steps: Steps taken so far.
  ///   - batchSize: Images per step.
  package mutating func update(steps: Int, batchSize: Int) {
    guard let target = options.target, steps % options.adaptationInterval == 0 else { return }
    let difference = signs.reduce(0, +) / Double(max(signs.count, 1)) - target
    let direction = signs.isEmpty || difference == 0 ? 0 : difference < 0 ? -1.0 : 1
    let images = Double(batchSize * options.adaptationInterval)
    value = max(value + direction * images / (options.adaptationKimg * 1000), 0)
    signs = []
  }
}
