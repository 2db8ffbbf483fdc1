import Torch

// What happens to colours and pixels in place: colour maps, frequency bands, noise, cutout.

extension AugmentPipe {
  /// The map of colours, homogeneous [N, 4, 4]; `nil` if no transform is in use.
  func colours(channels: Int, _ draws: AugmentDraws) -> Tensor? {
    let c = configuration
    let isColoured = channels > 1
    var map: Tensor?
    func then(_ next: Tensor) { map = map.map { next.matmul($0) } ?? next }
    if c.brightness > 0 {
      let b = MatrixEntry.each(draws.normal(gate: c.brightness) { $0 * c.brightnessStd })
      then(
        matrices([[1, 0, 0, b], [0, 1, 0, b], [0, 0, 1, b], [0, 0, 0, 1]], count: draws.count)
      )
    }
    if c.contrast > 0 {
      let s = MatrixEntry.each(
        draws.normal(gate: c.contrast, identity: 1) {
          ($0 * c.contrastStd).exponent(ofBase: 2)
        }
      )
      then(
        matrices([[s, 0, 0, 0], [0, s, 0, 0], [0, 0, s, 0], [0, 0, 0, 1]], count: draws.count)
      )
    }
    // The projection on the grey axis.
    let grey =
      matrices(
        [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]],
        count: 1
      ) / 3
    if c.lumaFlip > 0 && isColoured {
      let shape = [draws.count, 1, 1]
      let flip = draws.uniform(shape, gate: c.lumaFlip) { ($0 * 2).floored() }
      then(Tensor.identity(4) - 2 * grey * flip)
    }
    if c.hue > 0 && isColoured {
      let angle = draws.uniform(gate: c.hue) { ($0 * 2 - 1) * (Double.pi * c.hueMax) }
      then(hueRotation(angle))
    }
    if c.saturation > 0 && isColoured {
      let s = draws.normal([draws.count, 1, 1], gate: c.saturation, identity: 1) {
        ($0 * c.saturationStd).exponent(ofBase: 2)
      }
      then(grey + (Tensor.identity(4) - grey) * s)
    }
    return map
  }

  /// Applies a map of colours to every pixel.
  func recoloured(_ images: Tensor, by map: Tensor) -> Tensor {
    let (N, C, H, W) = images.shape4
    var colour = map.sliced(1, 0..<3)  // [N, 3, 4]
    if C == 1 {
      // What happens to grey: the mean of the rows, applied to three equal channels.
      let row = colour.mean(1, keeping: true)
      colour = Tensor.concatenated(
        [row.sliced(2, 0..<3).sum(2, keeping: true), row.sliced(2, 3..<4)],
        2
      )
    }
    let placed = colour.to(images.device).to(images.dtype)
    let flat = images.reshaped(N, C, H * W)
    let result = placed.sliced(2, 0..<C).matmul(flat) + placed.sliced(2, C..<C + 1)
    return result.reshaped(N, C, H, W)
  }

  /// Amplifies frequency bands at random, keeping the power of a natural image.
  func equalised(_ images: Tensor, _ draws: AugmentDraws) -> Tensor {
    let c = configuration
    if c.imageFilter <= 0 { return images }
    let (N, C, H, W) = images.shape4
    let power = Tensor(Self.expectedPower.map(Float.init))
    var gains = Tensor.ones([N, power.count])
    for band in 0..<power.count {
      let gain = draws.normal(gate: c.imageFilter, identity: 1) {
        ($0 * c.imageFilterStd).exponent(ofBase: 2)
      }
      let column = Tensor.range(power.count) .== Tensor(scalar: Double(band))
      let one = Tensor.ones([N, power.count]).replacing(with: gain.reshaped(N, 1), where: column)
      gains = gains * (one / (one.squared() * power).sum(1, keeping: true).squareRoot())
    }
    let taps = gains.matmul(bands).to(images.device).to(images.dtype)  // [N, taps]
    let (length, half) = (taps.size(1), taps.size(1) / 2)
    precondition(min(H, W) > half, "images of \(H)×\(W) are too small for a filter of \(length)")
    let filters = taps.reshaped(N, 1, length).expanded(N, C, length).reshaped(N * C, 1, 1, length)
    let flat = images.reflected([half, half, half, half])
      .reshaped(1, N * C, H + 2 * half, W + 2 * half)
    return flat.convolved(filters, groups: N * C)
      .convolved(filters.transposed(2, 3), groups: N * C).reshaped(N, C, H, W)
  }

  /// Adds noise of a random deviation.
  func noisy(_ images: Tensor, _ draws: AugmentDraws) -> Tensor {
    let c = configuration
    if c.noise <= 0 { return images }
    let sigma = draws.normal([draws.count, 1, 1, 1], gate: c.noise) {
      $0.magnitude() * c.noiseStd
    }
    let noise = draws.random.normal(images.shape)
    return images + (noise * sigma).to(images.device).to(images.dtype)
  }

  /// Blanks a square.
  func cut(_ images: Tensor, _ draws: AugmentDraws) -> Tensor {
    let c = configuration
    if c.cutout <= 0 { return images }
    let (N, _, H, W) = images.shape4
    let shape = [N, 1, 1, 1, 1]
    let size = draws.gated(.full(shape, c.cutoutSize), draws.probability * c.cutout, identity: 0)
      .reshaped(N, 1)
    let centre = draws.random.uniform([N, 2, 1, 1, 1]).reshaped(N, 2)
    func outside(_ axis: Int, _ side: Int) -> Tensor {
      let centres = (Tensor.range(side).to(.float32) + 0.5) / Double(side)
      let distance = (centres - centre.sliced(1, axis..<axis + 1)).magnitude()  // [N, side]
      return (size * 0.5 .<= distance).to(.float32)
    }
    let kept = outside(0, W).reshaped(N, 1, 1, W).maximum(outside(1, H).reshaped(N, 1, H, 1))
    return images * kept.to(images.device).to(images.dtype)
  }
}
