package import Torch

/// The sliced Wasserstein distance of two sets: the root of the mean, over directions, of the squared
/// Wasserstein-2 distances of their projections (Bonneel et al., "Sliced and Radon Wasserstein Barycenters of
/// Measures", Journal of Mathematical Imaging and Vision 51, 2015, section 3).
///
/// On a line the best transport keeps the order, so each distance is exact: the quantile functions are compared
/// over all shares, also where the sets have different sizes.
///
/// - Parameters:
///   - real: Projections of the reference on P directions, [n, P], n ≥ 1.
///   - generated: Projections of the generated images on the same directions, [m, P], m ≥ 1.
/// - Returns: 0 or more, in the unit of the projections.
package func slicedWassersteinDistance(real: Tensor, generated: Tensor) -> Double {
  let P = real.size(1)
  precondition(generated.size(1) == P, "\(P) directions and \(generated.size(1))")
  func columns(_ projections: Tensor) -> Tensor {
    projections.to(.cpu).to(.float64).transposed().contiguous().sorted(1).0
  }
  let (x, y) = (columns(real), columns(generated))
  var total = 0.0
  for direction in 0..<P {
    total += squaredWasserstein(
      x.selected(0, direction).values(Double.self),
      y.selected(0, direction).values(Double.self)
    )
  }
  return (total / Double(P)).squareRoot()
}

/// The squared Wasserstein-2 distance of two sets of numbers, each in ascending order.
func squaredWasserstein(_ x: [Double], _ y: [Double]) -> Double {
  // Shares are counted in n · m parts, so that no rounding moves a number to another partner.
  let (n, m) = (x.count, y.count)
  var (i, j, from, total) = (0, 0, 0, 0.0)
  while i < n, j < m {
    let end = min((i + 1) * m, (j + 1) * n)
    total += Double(end - from) * (x[i] - y[j]) * (x[i] - y[j])
    from = end
    if end == (i + 1) * m { i += 1 }
    if end == (j + 1) * n { j += 1 }
  }
  return total / (Double(n) * Double(m))
}

/// Sees the pixels of an image along random directions: what the sliced Wasserstein distance compares.
///
/// No weights and nothing learned, so a network cannot have been trained against it; and it sees no shapes, so it
/// is a check of colours and their places only.
package final class PixelDetector: FeatureDetector {
  package let name = "pixels"
  package let sha256 = "0"
  package let resize = "bilinear, antialiased, to at most 64²"
  package let dimension = 512
  /// The longest side that is seen in full, in pixels.
  private static let side = 64
  /// Those of the last size and device, [3HW, P].
  private var known: Tensor?

  /// A detector; its directions are always the same.
  package init() {}

  /// Projections of pixels in [0, 1] on unit vectors.
  package func features(_ images: Tensor) -> Tensor {
    var x = images.to(.float32) / 255
    let (N, _, H, W) = x.shape4
    if max(H, W) > Self.side {
      x = x.bilinear(height: min(H, Self.side), width: min(W, Self.side), antialias: true)
    }
    let pixels = x.reshaped(N, -1)
    return pixels.matmul(directions(pixels.size(1), on: pixels.device))
  }

  private func directions(_ length: Int, on device: Device) -> Tensor {
    if let known, known.size(0) == length, known.device == device { return known }
    let random = SeededRandom(seed: 0, stream: .pixelDirections, position: 0)
    let made = random.normal([dimension, length]).normalized().transposed().contiguous().to(device)
    known = made
    return made
  }
}
