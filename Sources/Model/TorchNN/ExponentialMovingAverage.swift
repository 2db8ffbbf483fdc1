import Foundation
import Torch

/// A running average of a network's parameters, counted in images (Karras et al., arXiv 1710.10196
/// section 4; the ramp-up is that of arXiv 2006.06676).
public struct ExponentialMovingAverage: Codable, Equatable, Sendable {
  /// Half-life of a parameter's old value, in images.
  public var halfLifeImages: Double
  /// Share of the images seen that bounds the half-life early in training; `nil` turns it off.
  public var rampUp: Double?

  /// An average with a half-life in thousands of images.
  public init(halfLifeKimg: Double, rampUp: Double? = 0.05) {
    halfLifeImages = halfLifeKimg * 1000
    self.rampUp = rampUp
  }

  /// The weight of the old average in an update after `batchSize` more images.
  ///
  /// - Parameters:
  ///   - batchSize: Images of this batch.
  ///   - imagesSeen: Images before it.
  /// - Returns: 0 … 1; 0 at the very start of a ramp-up.
  public func beta(batchSize: Int, imagesSeen: Int) -> Double {
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
