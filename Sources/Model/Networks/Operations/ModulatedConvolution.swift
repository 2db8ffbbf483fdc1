public import Torch

/// A convolution whose weights are scaled per sample by a style, and normalised again
/// (arXiv 1912.04958, equations 1 and 3).
///
/// The style scales the activations before the convolution and the normalisation after it, which is
/// the same as scaling the weights: one ordinary convolution serves the whole batch. The norm of the
/// scaled weights is Σᵢ sᵢ² · Σₖ w², a matrix product, so that no per-sample weights are ever made.
/// Normalisation, noise, bias and activation are one pass over the image where there is a kernel for it.
///
/// - Parameters:
///   - x: [N, I, H, W].
///   - weight: [O, I, k, k], float32.
///   - styles: [N, I], float32.
///   - noise: Added to the result: [N, 1, H', W'] or [H', W'], if any.
///   - up: Enlargement of each side.
///   - padding: Of the convolution.
///   - filter: Low-pass filter for `up` > 1.
///   - demodulate: Brings every output channel back to unit scale.
///   - flipWeight: Correlation (`true`) instead of convolution.
///   - bias: [O], added behind the noise, if any.
///   - activation: Applied last, with its gain.
///   - clamp: Limits the result to ±clamp, if given.
/// - Returns: [N, O, H · up, W · up] for padding that keeps the size, in the type of `x`.
public func modulatedConvolution(
  _ x: Tensor,
  weight: Tensor,
  styles: Tensor,
  noise: Tensor? = nil,
  up: Int = 1,
  padding: Int = 0,
  filter: Tensor? = nil,
  demodulate: Bool = true,
  flipWeight: Bool = true,
  bias: Tensor? = nil,
  activation: Activation = .linear,
  clamp: Double? = nil
) -> Tensor {
  let (O, I, height, width) = weight.shape4
  let (N, styleCount) = styles.shape2
  precondition(styleCount == I, "\(styleCount) styles for \(I) input channels")
  var (weight, styles) = (weight, styles)
  if x.dtype == .float16, demodulate {
    // Demodulation cancels both factors; without them the sums overflow in half precision.
    let scale = 1 / Double(I * height * width).squareRoot()
    weight = weight * scale / weight.largestMagnitude(1, 2, 3, keeping: true)
    styles = styles / styles.largestMagnitude(1, keeping: true)
  }
  let scaled =
    x.hasOwnKernels ? x.modulated(styles) : x * styles.to(x.dtype).reshaped(N, I, 1, 1)
  var y = resampledConvolution(
    scaled,
    weight.to(x.dtype),
    filter: filter,
    up: up,
    padding: Padding(padding),
    flipWeight: flipWeight
  )
  if demodulate {
    let norms = styles.squared().matmul(weight.squared().sum(2, 3).transposed())  // [N, O]
    let factors = (norms + 1e-8).reciprocalSquareRoot()
    if let bias, y.hasOwnKernels, let slope = activation.slope {
      return y.demodulated(
        factors,
        noise: noise,
        bias: bias,
        slope: slope,
        gain: activation.defaultGain,
        limit: clamp ?? .infinity
      )
    }
    let perSample = factors.to(x.dtype).reshaped(N, O, 1, 1)
    y = noise.map { $0.to(x.dtype).adding(product: y, perSample) } ?? y * perSample
  } else if let noise {
    y = y + noise.to(x.dtype)
  }
  return biasActivation(y, bias: bias, activation: activation, clamp: clamp)
}
