public import Torch

/// A convolution that also doubles or halves the image, filtered against aliasing.
///
/// The padding is that of the convolution itself; what the filter needs is added here. Equal to
/// up-sample → convolve → down-sample, but each case takes its shortest way: a transposed convolution
/// before the filter when enlarging, the filter before a strided convolution when shrinking
/// (arXiv 1912.04958, appendix B).
///
/// - Parameters:
///   - x: [N, I, H, W].
///   - weight: [O, I / groups, k, k].
///   - filter: Low-pass filter; needed only when `up` or `down` is not 1.
///   - up: Enlargement of each side.
///   - down: Reduction of each side.
///   - padding: Of the convolution at the enlarged size.
///   - groups: Independent groups of channels.
///   - flipWeight: Correlation (`true`) instead of convolution.
///   - flipFilter: The same for the filter.
/// - Returns: [N, O, H · up / down, W · up / down] for padding that keeps the size.
public func resampledConvolution(
  _ x: Tensor,
  _ weight: Tensor,
  filter: Tensor? = nil,
  up: Int = 1,
  down: Int = 1,
  padding: Padding = Padding(0),
  groups: Int = 1,
  flipWeight: Bool = true,
  flipFilter: Bool = false
) -> Tensor {
  let kernel = weight.size(-1)
  let taps = filter?.size(-1) ?? 1
  var padding = padding
  if up > 1 { padding = padding.grown(before: (taps + up - 1) / 2, after: (taps - up) / 2) }
  if down > 1 {
    padding = padding.grown(before: (taps - down + 1) / 2, after: (taps - down) / 2)
  }

  if kernel == 1, down > 1, up == 1 {
    let small = upFirDown(
      x,
      filter: filter,
      down: (down, down),
      padding: padding,
      flipFilter: flipFilter
    )
    return small.convolved(weight, groups: groups)
  }
  if kernel == 1, up > 1, down == 1 {
    return upFirDown(
      x.convolved(weight, groups: groups),
      filter: filter,
      up: (up, up),
      padding: padding,
      flipFilter: flipFilter,
      gain: Double(up * up)
    )
  }
  let oriented = flipWeight || kernel == 1 ? weight : weight.flipped(2, 3)
  if down > 1, up == 1 {
    let smooth = upFirDown(x, filter: filter, padding: padding, flipFilter: flipFilter)
    return smooth.convolved(oriented, strides: [down, down], groups: groups)
  }
  if up > 1 {
    let large = enlarged(
      x,
      weight,
      filter: filter,
      up: up,
      padding: padding,
      groups: groups,
      flipWeight: flipWeight,
      flipFilter: flipFilter
    )
    return down == 1
      ? large : upFirDown(large, filter: filter, down: (down, down), flipFilter: flipFilter)
  }
  if padding.left == padding.right, padding.top == padding.bottom, padding.left >= 0,
    padding.top >= 0
  {
    return x.convolved(oriented, padding: [padding.top, padding.left], groups: groups)
  }
  return padded(x, padding).convolved(oriented, groups: groups)
}

/// Transposed convolution with stride `up`, then the filter.
private func enlarged(
  _ x: Tensor,
  _ weight: Tensor,
  filter: Tensor?,
  up: Int,
  padding: Padding,
  groups: Int,
  flipWeight: Bool,
  flipFilter: Bool
) -> Tensor {
  let (O, I, height, width) = weight.shape4
  var spread = weight
  if groups == 1 {
    spread = spread.transposed(0, 1)
  } else {
    spread = spread.reshaped(groups, O / groups, I, height, width).transposed(1, 2)
      .reshaped(groups * I, O / groups, height, width)
  }
  // A transposed convolution flips by itself, so the meaning of the flag turns round.
  if flipWeight { spread = spread.flipped(2, 3) }
  let rest = Padding(
    left: padding.left - (width - 1),
    right: padding.right - (width - up),
    top: padding.top - (height - 1),
    bottom: padding.bottom - (height - up)
  )
  let cropX = max(min(-rest.left, -rest.right), 0)
  let cropY = max(min(-rest.top, -rest.bottom), 0)
  let large = x.convolvedTransposed(
    spread,
    stride: up,
    padding: [cropY, cropX],
    groups: groups
  )
  return upFirDown(
    large,
    filter: filter,
    padding: Padding(
      left: rest.left + cropX,
      right: rest.right + cropX,
      top: rest.top + cropY,
      bottom: rest.bottom + cropY
    ),
    flipFilter: flipFilter,
    gain: Double(up * up)
  )
}
