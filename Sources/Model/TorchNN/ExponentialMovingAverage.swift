import Foundation
import Torch

/// A running average of a network's parameters, counted in images (Karras et al., arXiv 1710.10196
/// section 4; the ramp-up is that of arXiv 2006.06676).
public struct ExponentialMovingAverage: Codable, Equatable, Sendable {
  /// Half-life of a parameter's old value, in images.
  public var halfLifeImages: Double
  /// Share of the images seen that bounds the half-life early in training; `nil` turns it off.
  public var rampUp: Double?
  /// The exponent of a power function average (Karras et al., arXiv 2312.02696, section 3.1); `nil` for a
  /// half-life.
  public var power: Double?

  /// An average with a half-life in thousands of images, or one that grows with the training.
  ///
  /// - Parameters:
  ///   - halfLifeKimg: The half-life, if there is no deviation.
  ///   - rampUp: Its bound early on.
  ///   - relativeDeviation: The standard deviation of a power function average relative to the images seen,
  ///     σ_rel, above 0 and below 0.288 (a flat average).
  public init(halfLifeKimg: Double, rampUp: Double? = 0.05, relativeDeviation: Double? = nil) {
    halfLifeImages = halfLifeKimg * 1000
    self.rampUp = rampUp
    power = relativeDeviation.map { Self.power(ofRelativeDeviation: $0) }
  }

  /// The exponent γ of a relative standard deviation: σ = √((γ + 1) / ((γ + 2)² (γ + 3))) (equation 124).
  static func power(ofRelativeDeviation deviation: Double) -> Double {
    var (low, high) = (0.0, 1.0)
    func spread(_ power: Double) -> Double {
      ((power + 1) / (power + 3)).squareRoot() / (power + 2)
    }
    while spread(high) > deviation, high < 1e9 { high *= 2 }
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if spread(middle) > deviation { low = middle } else { high = middle }
    }
    return low
  }

  /// The weight of the old average in an update after `batchSize` more images.
  ///
  /// - Parameters:
  ///   - batchSize: Images of this batch.
  ///   - imagesSeen: Images before it.
  /// - Returns: 0 … 1; 0 at the very start of a ramp-up.
  public func beta(batchSize: Int, imagesSeen: Int) -> Double {
    if let power {
      let seen = Double(imagesSeen + batchSize)
      return pow(1 - Double(batchSize) / seen, power + 1)
    }
    var halfLife = halfLifeImages
    if let rampUp { halfLife = min(halfLife, Double(imagesSeen) * rampUp) }
    return pow(0.5, Double(batchSize) / max(halfLife, 1e-8))
  }

  /// Moves the parameters of an average toward those of a network and copies its buffers.
  ///
  /// - Parameters:
  ///   - average: The state of the average, `Module.state`.
  ///   - network: The state of the network, of the same entries.
  ///   - batchSize: Images of this batch.
  ///   - imagesSeen: Images before it.
  public func update(
    _ average: [StateEntry],
    toward network: [StateEntry],
    batchSize: Int,
    imagesSeen: Int
  ) {
    let weight = 1 - beta(batchSize: batchSize, imagesSeen: imagesSeen)
    withoutGradients {
      Tensor.interpolate(
        average.filter(\.isParameter).map(\.tensor),
        to: network.filter(\.isParameter).map(\.tensor),
        weight: weight
      )
      for (target, source) in zip(average, network) where !target.isParameter {
        target.tensor.assign(source.tensor)
      }
    }
  }
}
