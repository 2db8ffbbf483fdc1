public import Torch

/// Differentiable random changes of everything a discriminator sees, so that a small dataset cannot be
/// learned by heart (Karras et al., arXiv 2006.06676, appendix B).
///
/// Every transform draws its value for the whole batch, then a gate; draws do not depend on p, so the
/// same random source gives comparable results at any strength. The random order is part of the
/// published behaviour and pinned by tests.
public final class AugmentPipe {
  /// Which transforms there are.
  public let configuration: AugmentConfiguration
  /// The probability of a transform, p, 0 … 1; adapted during training.
  public var probability: Double

  private let lowPass = resamplingFilter(WaveletFilters.sym6)
  let bands: Tensor  // [bands, taps]

  /// Power of a natural image's bands, lowest first.
  static let expectedPower = [10.0 / 13, 1.0 / 13, 1.0 / 13, 1.0 / 13]

  /// The smallest side of images that transforms can be applied to: filters reflect the border.
  public static func smallestSide(_ configuration: AugmentConfiguration) -> Int {
    configuration.imageFilter > 0
      ? WaveletFilters.bank(bands: expectedPower.count)[0].count / 2 + 1 : 4
  }

  /// A pipeline that does nothing until `probability` is raised.
  public init(_ configuration: AugmentConfiguration, probability: Double = 0) {
    self.configuration = configuration
    self.probability = probability
    let bank = WaveletFilters.bank(bands: Self.expectedPower.count)
    bands = Tensor(bank.joined().map(Float.init), shape: [bank.count, bank[0].count])
  }

  /// Augments a batch.
  ///
  /// - Parameters:
  ///   - images: [N, 1 or 3, H, W], usually in [−1, 1]; differentiable twice.
  ///   - random: Where the draws come from.
  /// - Returns: The same shape.
  public func callAsFunction(_ images: Tensor, random: any RandomSource) -> Tensor {
    precondition([1, 3].contains(images.size(1)), "images of shape \(images.shape)")
    let draws = AugmentDraws(count: images.size(0), probability: probability, random: random)
    var x = images
    if let map = geometry(width: x.size(3), height: x.size(2), draws) { x = warped(x, by: map) }
    if let map = colours(channels: x.size(1), draws) { x = recoloured(x, by: map) }
    x = equalised(x, draws)
    x = noisy(x, draws)
    return cut(x, draws)
  }

  /// The map from pixels of the result to pixels of the image, about the centre, [N, 3, 3]; `nil` if no
  /// transform is in use.
  private func geometry(width: Int, height: Int, _ draws: AugmentDraws) -> Tensor? {
    let c = configuration
    let (W, H) = (Double(width), Double(height))
    var map: Tensor?
    func then(_ next: Tensor) { map = map.map { $0.matmul(next) } ?? next }
    if c.xFlip > 0 {
      let flip = draws.uniform(gate: c.xFlip) { ($0 * 2).floored() }
      then(scaling(1 - 2 * flip, .ones([draws.count])))
    }
    if c.rotate90 > 0 {
      let turns = draws.uniform(gate: c.rotate90) { ($0 * 4).floored() }
      then(rotation(turns * (Double.pi / 2)))
    }
    if c.xInt > 0 {
      let t = draws.pair(.uniform, gate: c.xInt) { ($0 * 2 - 1) * c.xIntMax }
      then(translation(-(t[0] * W).rounded(), -(t[1] * H).rounded()))
    }
    if c.scale > 0 {
      let s = draws.normal(gate: c.scale, identity: 1) { (-$0 * c.scaleStd).exponent(ofBase: 2) }
      then(scaling(s, s))
    }
    // Two turns around the stretch: together they happen with the probability of one transform.
    let turnGate = 1 - max(0, min(1, 1 - c.rotate * probability)).squareRoot()
    let turn = { (u: Tensor) in (u * 2 - 1) * (Double.pi * c.rotateMax) }
    if c.rotate > 0 { then(rotation(draws.uniform(probability: turnGate, turn))) }
    if c.aniso > 0 {
      let s = draws.normal(gate: c.aniso, identity: 1) { ($0 * c.anisoStd).exponent(ofBase: 2) }
      then(scaling(.ones([draws.count]) / s, s))
    }
    if c.rotate > 0 { then(rotation(draws.uniform(probability: turnGate, turn))) }
    if c.xFrac > 0 {
      let t = draws.pair(.normal, gate: c.xFrac) { $0 * c.xFracStd }
      then(translation(-(t[0] * W), -(t[1] * H)))
    }
    return map
  }

  /// Resamples images once at double resolution.
  ///
  /// - Parameters:
  ///   - images: [N, C, H, W].
  ///   - map: From pixels of the result to pixels of the image, about the centre, [N, 3, 3].
  /// - Returns: [N, C, H, W].
  private func warped(_ images: Tensor, by map: Tensor) -> Tensor {
    let (N, C, H, W) = images.shape4
    let quarter = lowPass.count / 4
    let margins = margins(width: W, height: H, map: map, quarter: quarter)
    let padded = images.reflected([margins.left, margins.right, margins.top, margins.bottom])
    let filter = lowPass.to(images.device)
    let doubled = upsampled(padded, filter: filter)
    // To the padded centre, to doubled pixels, and by half a pixel to where those lie.
    var map = translation(
      Double(margins.left - margins.right) / 2,
      Double(margins.top - margins.bottom) / 2
    ).matmul(map)
    map = scaling(2, 2).matmul(map).matmul(scaling(0.5, 0.5))
    map = translation(-0.5, -0.5).matmul(map).matmul(translation(0.5, 0.5))
    // To the sampler's coordinates, in which an image reaches from −1 to 1.
    let side = (width: (W + quarter * 2) * 2, height: (H + quarter * 2) * 2)
    map = scaling(2 / Double(doubled.size(3)), 2 / Double(doubled.size(2))).matmul(map)
      .matmul(scaling(Double(side.width) / 2, Double(side.height) / 2))
    let theta = map.sliced(1, 0..<2).to(images.device).to(images.dtype)
    let grid = Tensor.affineGrid(theta, shape: [N, C, side.height, side.width])
    return downsampled(
      doubled.sampled(at: grid),
      filter: filter,
      padding: Padding(-quarter * 2),
      flipFilter: true
    )
  }

  /// How far images must be continued by reflection so that no sample falls outside, at most by
  /// themselves.
  private func margins(width: Int, height: Int, map: Tensor, quarter: Int) -> Padding {
    let (cx, cy) = (Double(width - 1) / 2, Double(height - 1) / 2)
    let corners = matrices(
      [
        [.number(-cx), .number(cx), .number(cx), .number(-cx)],
        [.number(-cy), .number(-cy), .number(cy), .number(cy)],
        [1, 1, 1, 1],
      ],
      count: 1
    )
    let moved = map.matmul(corners)  // [N, 3, 4]
    func margin(_ axis: Int, _ sign: Double, centre: Double, side: Int) -> Int {
      let reach = (moved.selected(1, axis) * sign).largest(0, 1).item
      let needed = reach + Double(quarter * 2) - centre
      return Int(min(max(needed, 0), Double(side - 1)).rounded(.up))
    }
    return Padding(
      left: margin(0, -1, centre: cx, side: width),
      right: margin(0, 1, centre: cx, side: width),
      top: margin(1, -1, centre: cy, side: height),
      bottom: margin(1, 1, centre: cy, side: height)
    )
  }
}
