public import Torch

/// How far an image is padded on each side; negative numbers crop.
public struct Padding: Equatable, Sendable {
  /// Columns before the first.
  public var left: Int
  /// Columns after the last.
  public var right: Int
  /// Rows above the first.
  public var top: Int
  /// Rows below the last.
  public var bottom: Int

  /// Four widths.
  public init(left: Int, right: Int, top: Int, bottom: Int) {
    self.left = left
    self.right = right
    self.top = top
    self.bottom = bottom
  }

  /// The same width on every side.
  public init(_ width: Int) { self.init(left: width, right: width, top: width, bottom: width) }

  /// Adds widths (before, after) in both directions.
  func grown(before: Int, after: Int) -> Padding {
    Padding(left: left + before, right: right + after, top: top + before, bottom: bottom + after)
  }

  var isZero: Bool { self == Padding(0) }
}

/// A low-pass filter as a tensor [h, w], or [n] for a separable one, as StyleGAN2 sets it up.
///
/// - Parameters:
///   - taps: One-dimensional taps; their outer product is the filter unless there are eight or more,
///     which stay separable.
///   - normalized: Divides by the sum so that a constant image is kept.
///   - gain: Factor for the whole (two-dimensional) filter.
/// - Returns: [n, n], or [n] from eight taps on.
public func resamplingFilter(
  _ taps: [Double],
  normalized: Bool = true,
  gain: Double = 1
) -> Tensor {
  let separable = taps.count >= 8
  let sum = normalized ? taps.reduce(0, +) : 1
  let scaled = taps.map { $0 / sum }
  if separable { return Tensor(scaled.map { Float($0 * gain.squareRoot()) }) }
  let outer = scaled.flatMap { a in scaled.map { b in Float(a * b * gain) } }
  return Tensor(outer, shape: [taps.count, taps.count])
}

/// Up-samples by inserting zeros, pads, filters, and keeps every n-th pixel.
///
/// The elementary resampling step of StyleGAN2 (arXiv 1912.04958); differentiable any number of times.
/// The result has the memory order of the image.
///
/// - Parameters:
///   - x: [N, C, H, W].
///   - filter: [h, w], or [n] applied in both directions; `nil` is the identity.
///   - up: Zeros are inserted to make the image this many times larger: (horizontal, vertical).
///   - down: Keeps every n-th pixel: (horizontal, vertical).
///   - padding: In pixels of the up-sampled image.
///   - flipFilter: Correlation (`true`) instead of convolution.
///   - gain: Multiplies the result.
/// - Returns: [N, C, H', W'].
public func upFirDown(
  _ x: Tensor,
  filter: Tensor?,
  up: (x: Int, y: Int) = (1, 1),
  down: (x: Int, y: Int) = (1, 1),
  padding: Padding = Padding(0),
  flipFilter: Bool = false,
  gain: Double = 1
) -> Tensor {
  let (_, C, _, _) = x.shape4
  if let filter, filter.rank == 2, x.hasOwnKernels {
    return x.resampled(
      filter,
      up: [up.y, up.x],
      down: [down.y, down.x],
      before: [padding.top, padding.left],
      after: [padding.bottom, padding.right],
      flip: !flipFilter,
      gain: gain
    )
  }
  if let filter, x.hasOwnKernels {
    let root = gain.squareRoot()
    let columns = upFirDown(
      x,
      filter: filter.reshaped(filter.count, 1),
      up: (1, up.y),
      down: (1, down.y),
      padding: Padding(left: 0, right: 0, top: padding.top, bottom: padding.bottom),
      flipFilter: flipFilter,
      gain: root
    )
    return upFirDown(
      columns,
      filter: filter.reshaped(1, filter.count),
      up: (up.x, 1),
      down: (down.x, 1),
      padding: Padding(left: padding.left, right: padding.right, top: 0, bottom: 0),
      flipFilter: flipFilter,
      gain: root
    )
  }
  let layout = x.memoryFormat
  var x = padded(zeroStuffed(x, up), padding)
  guard let filter else {
    return x.scaled(by: gain).strided(3, step: down.x).strided(2, step: down.y).laidOut(layout)
  }
  var taps = filter.scaled(by: filter.rank == 2 ? gain : gain.squareRoot()).to(x.dtype)
  if !flipFilter { taps = filter.rank == 2 ? taps.flipped(0, 1) : taps.flipped(0) }
  if filter.rank == 2 {
    let weight = taps.reshaped(1, 1, taps.size(0), taps.size(1)).expanded(C, 1, -1, -1)
    return x.convolved(weight, strides: [down.y, down.x], groups: C)
  }
  let vertical = taps.reshaped(1, 1, taps.count, 1).expanded(C, 1, -1, -1)
  let horizontal = taps.reshaped(1, 1, 1, taps.count).expanded(C, 1, -1, -1)
  x = x.convolved(vertical, strides: [down.y, 1], groups: C)
  return x.convolved(horizontal, strides: [1, down.x], groups: C)
}

/// Doubles an image (or more) with a low-pass filter, aligned so that a constant stays in place.
public func upsampled(
  _ x: Tensor,
  filter: Tensor,
  factor: Int = 2,
  padding: Padding = Padding(0),
  flipFilter: Bool = false,
  gain: Double = 1
) -> Tensor {
  let taps = filter.size(-1)
  return upFirDown(
    x,
    filter: filter,
    up: (factor, factor),
    padding: padding.grown(before: (taps + factor - 1) / 2, after: (taps - factor) / 2),
    flipFilter: flipFilter,
    gain: gain * Double(factor * factor)
  )
}

/// Halves an image (or more) with a low-pass filter.
public func downsampled(
  _ x: Tensor,
  filter: Tensor,
  factor: Int = 2,
  padding: Padding = Padding(0),
  flipFilter: Bool = false,
  gain: Double = 1
) -> Tensor {
  let taps = filter.size(-1)
  return upFirDown(
    x,
    filter: filter,
    down: (factor, factor),
    padding: padding.grown(before: (taps - factor + 1) / 2, after: (taps - factor) / 2),
    flipFilter: flipFilter,
    gain: gain
  )
}

/// Filters an image without changing its size.
public func filtered(
  _ x: Tensor,
  filter: Tensor,
  padding: Padding = Padding(0),
  flipFilter: Bool = false,
  gain: Double = 1
) -> Tensor {
  let taps = filter.size(-1)
  return upFirDown(
    x,
    filter: filter,
    padding: padding.grown(before: taps / 2, after: (taps - 1) / 2),
    flipFilter: flipFilter,
    gain: gain
  )
}

private func zeroStuffed(_ x: Tensor, _ up: (x: Int, y: Int)) -> Tensor {
  if up == (1, 1) { return x }
  let (N, C, H, W) = x.shape4
  if x.memoryFormat == .channelsLast {
    return x.permuted(0, 2, 3, 1).reshaped(N, H, 1, W, 1, C)
      .padded([0, 0, 0, up.x - 1, 0, 0, 0, up.y - 1])
      .reshaped(N, H * up.y, W * up.x, C).permuted(0, 3, 1, 2)
  }
  return x.reshaped(N, C, H, 1, W, 1)
    .padded([0, up.x - 1, 0, 0, 0, up.y - 1])
    .reshaped(N, C, H * up.y, W * up.x)
}

func padded(_ x: Tensor, _ padding: Padding) -> Tensor {
  padding.isZero
    ? x : x.padded([padding.left, padding.right, padding.top, padding.bottom])
}
