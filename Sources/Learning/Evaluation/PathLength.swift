package import Networks
package import Torch

/// Perceptual path length: the perceptual change of an image for a tiny step in latent space
/// (Karras et al., arXiv 1812.04948, section 4.1; arXiv 1912.04958, section 3).
///
/// Two latents z₀ and z₁ span a path; images are painted at t and t + ε on it, and the squared distance
/// of their LPIPS features, divided by ε², is averaged over all pairs but the outermost percent on
/// either side. Both images of a pair have one caption and one noise: only the latent differs.
package struct PathLength: Equatable, Sendable {
  /// The space of the path.
  package enum Space: String, Sendable {
    /// Along a great circle between latents z.
    case z
    /// Straight between the mapped latents w.
    case w
  }

  /// The space of the path.
  package var space: Space
  /// Whether t is drawn from [0, 1) instead of being 0.
  package var samplesWholePath: Bool
  /// Whether only the middle of the image counts: its rows 3/8 to 7/8, its columns 2/8 to 6/8.
  package var isCropped: Bool
  /// The step, ε.
  package var epsilon = 1e-4

  /// A measurement.
  package init(_ space: Space, samplesWholePath: Bool, isCropped: Bool) {
    self.space = space
    self.samplesWholePath = samplesWholePath
    self.isCropped = isCropped
  }

  /// The w's at both ends of a step.
  ///
  /// - Parameters:
  ///   - mapping: z → w.
  ///   - z: The two latents, each [N, zDimension].
  ///   - labels: Class labels of both, [N, L]; `nil` without classes.
  ///   - t: The position on the path, [N, 1] in [0, 1).
  /// - Returns: Two tensors [N, wCount, wDimension].
  package func ends(
    _ mapping: MappingNetwork,
    z: (Tensor, Tensor),
    labels: Tensor? = nil,
    t: Tensor
  ) -> (Tensor, Tensor) {
    let N = t.size(0)
    switch space {
    case .w:
      let (w0, w1) = (mapping(z.0, labels: labels), mapping(z.1, labels: labels))
      let t = t.reshaped(N, 1, 1)
      return (w0 + (w1 - w0) * t, w0 + (w1 - w0) * (t + epsilon))
    case .z:
      return (
        mapping(sphericallyInterpolated(z.0, z.1, t), labels: labels),
        mapping(sphericallyInterpolated(z.0, z.1, t + epsilon), labels: labels)
      )
    }
  }

  /// The detector's input: the images, or their middle, at most 256² in size, in its range.
  ///
  /// - Parameter images: [N, 3, R, R] in [−1, 1].
  /// - Returns: Values in [0, 255], not rounded: a step of ε moves pixels by far less than one.
  package func view(_ images: Tensor) -> Tensor {
    let (N, C, H, _) = images.shape4
    var view = images
    if isCropped {
      let eighth = H / 8
      view = view.sliced(2, eighth * 3..<eighth * 7).sliced(3, eighth * 2..<eighth * 6)
    }
    let factor = H / 256
    if factor > 1 {
      let (h, w) = (view.size(2) / factor, view.size(3) / factor)
      view = view.reshaped(N, C, h, factor, w, factor).mean(3, 5)
    }
    return (view + 1) * (255 / 2.0)
  }

  /// The mean of squared distances without the outermost percent on either side.
  ///
  /// The bounds are the sorted values at ⌊0.01·(n−1)⌋ and ⌈0.99·(n−1)⌉.
  package static func trimmedMean(_ distances: [Double]) -> Double {
    precondition(!distances.isEmpty, "the mean of no distances")
    let sorted = distances.sorted()
    let last = Double(sorted.count - 1)
    let low = sorted[Int((last * 0.01).rounded(.down))]
    let high = sorted[Int((last * 0.99).rounded(.up))]
    let kept = distances.filter { low <= $0 && $0 <= high }
    return kept.reduce(0, +) / Double(kept.count)
  }
}

/// Points on the great circles from `a` to `b`, of unit length (Shoemake, "Animating rotation with
/// quaternion curves", 1985).
///
/// - Parameters:
///   - a: [N, D], of any length.
///   - b: [N, D], of any length.
///   - t: 0 is a, 1 is b; [N, 1].
/// - Returns: [N, D].
package func sphericallyInterpolated(_ a: Tensor, _ b: Tensor, _ t: Tensor) -> Tensor {
  let (a, b) = (a.normalized(), b.normalized())
  let cosine = (a * b).sum(-1, keeping: true)
  let angle = t * cosine.clamped(from: -1, to: 1).arcCosine()
  let across = (b - cosine * a).normalized()
  return (a * angle.cosine() + across * angle.sine()).normalized()
}

/// Noise that is shared by all images of a batch: drawn once per layer.
final class SharedNoise: RandomSource {
  private let source: any RandomSource

  init(_ source: any RandomSource) { self.source = source }

  func normal(_ shape: [Int]) -> Tensor {
    source.normal([1] + shape.dropFirst()).expanded(shape)
  }

  func uniform(_ shape: [Int]) -> Tensor { source.uniform(shape) }

  func integer(in range: Range<Int>) -> Int { source.integer(in: range) }
}
