/// A feature vector, or a batch of them, in any memory.
package protocol FeatureVector {
  static func + (a: Self, b: Self) -> Self
  static func * (a: Self, factor: Double) -> Self
  /// Scaled to unit length.
  var atUnitLength: Self { get }
}

/// A feature perturbed with noise: of an image, the pseudo-text feature for training and painting without a
/// text (LAFITE, arXiv 2111.13792, equation 3).
///
/// normalise((1 − s)·feature + s·noise), with the fraction s of noise.
///
/// - Parameters:
///   - feature: CLIP feature, unit length.
///   - noise: Normal numbers scaled to unit length.
///   - share: The fraction of noise, 0 to 1.
/// - Returns: Unit length.
package func pseudoText<Vector: FeatureVector>(
  of feature: Vector,
  _ noise: Vector,
  share: Double
) -> Vector {
  (feature * (1 - share) + noise * share).atUnitLength
}

/// The fraction of noise in LAFITE's training without captions.
package let standardPseudoTextNoise = 0.75

/// A feature in host memory.
struct HostFeature: FeatureVector {
  /// The numbers.
  let values: [Float]

  static func + (a: Self, b: Self) -> Self { Self(values: zip(a.values, b.values).map { $0 + $1 }) }

  static func * (a: Self, factor: Double) -> Self {
    let factor = Float(factor)
    return Self(values: a.values.map { $0 * factor })
  }

  /// v/‖v‖; a zero vector stays zero.
  var atUnitLength: Self {
    let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return norm == 0 ? self : Self(values: values.map { Float(Double($0) / norm) })
  }
}
