package import Torch

/// Differentiable augmentation of everything that the discriminator sees (Zhao et al., arXiv 2006.10738).
///
/// Unlike `AugmentPipe`, whose probability may adapt, it changes every image, real and generated alike.
package struct DiffAugment: Codable, Equatable, Sendable {
  /// A kind of change.
  package enum Policy: String, Codable, Sendable, CaseIterable {
    /// Brightness, saturation and contrast.
    case color
    /// A shift by whole pixels, at most an eighth of the side; what comes in is grey (0).
    case translation
    /// A grey square of half the side.
    case cutout
  }

  /// The changes, in this order: colour, translation, cutout.
  package var policies: Set<Policy>

  /// The changes to make.
  package init(_ policies: Set<Policy> = Set(Policy.allCases)) { self.policies = policies }

  /// The changes by their names, separated by commas, as "color,cutout"; `nil` for no, unknown or repeated names.
  package init?(_ words: String) {
    let names = words.split(separator: ",", omittingEmptySubsequences: false)
    let policies = names.compactMap { Policy(rawValue: String($0)) }
    self.policies = Set(policies)
    guard self.policies.count == names.count else { return nil }
  }

  /// The names of the changes, separated by commas.
  package var words: String {
    Policy.allCases.filter(policies.contains).map(\.rawValue).joined(separator: ",")
  }

  /// The largest shift as a share of the side.
  private static let shiftShare = 0.125
  /// The side of the square that is cut out as a share of the side.
  private static let cutoutShare = 0.5
  /// Uniform numbers that each image takes, whatever the policies.
  package static let drawCount = 7

  /// Changes images.
  ///
  /// - Parameters:
  ///   - images: [N, C, H, W], [−1, 1].
  ///   - random: Draws [N, 7].
  /// - Returns: Images of the same shape; colours may leave [−1, 1], as in the paper's code.
  package func callAsFunction(_ images: Tensor, random: any RandomSource) -> Tensor {
    apply(images, draws: random.uniform([images.size(0), Self.drawCount]).to(images.device))
  }

  /// Changes images by given numbers.
  ///
  /// - Parameters:
  ///   - images: [N, C, H, W], [−1, 1].
  ///   - draws: [N, 7] in [0, 1): brightness, saturation, contrast, shift down and right, the cutout's centre
  ///     from the top and from the left.
  /// - Returns: Images of the same shape.
  package func apply(_ images: Tensor, draws: Tensor) -> Tensor {
    let numbers = (0..<Self.drawCount).map { draws.selected(1, $0).to(images.dtype) }  // [N] each
    var x = images
    if policies.contains(.color) { x = colored(x, Array(numbers[0..<3])) }
    if policies.contains(.translation) { x = shifted(x, down: numbers[3], right: numbers[4]) }
    if policies.contains(.cutout) { x = cut(x, row: numbers[5], column: numbers[6]) }
    return x
  }

  private func colored(_ images: Tensor, _ draws: [Tensor]) -> Tensor {
    let factors = draws.map { $0.reshaped(-1, 1, 1, 1) }
    var x = images + (factors[0] - 0.5)
    let grey = x.mean(1, keeping: true)
    x = (x - grey) * (factors[1] * 2) + grey
    let mean = x.mean(1, 2, 3, keeping: true)
    return (x - mean) * (factors[2] + 0.5) + mean
  }

  private func shifted(_ images: Tensor, down: Tensor, right: Tensor) -> Tensor {
    let rows = Self.shift(size: images.size(2), by: down)
    let columns = Self.shift(size: images.size(3), by: right)
    // A product with a shifted identity: differentiable as often as R1 needs it, on every device.
    return rows.matmul(images).matmul(columns.transposed())
  }

  /// Matrices [N, 1, size, size] that shift rows by `draws` · (2 s + 1) − s whole pixels.
  private static func shift(size: Int, by draws: Tensor) -> Tensor {
    let most = Double(Int(Double(size) * shiftShare + 0.5))
    let pixels = (draws * (2 * most + 1)).floored() - most  // [N]
    let index = Tensor.range(size).to(draws.dtype).to(draws.device)
    let target = index.reshaped(1, 1, size, 1) - pixels.reshaped(-1, 1, 1, 1)
    return (target .== index.reshaped(1, 1, 1, size)).to(draws.dtype)
  }

  private func cut(_ images: Tensor, row: Tensor, column: Tensor) -> Tensor {
    let rows = Self.inside(size: images.size(2), centre: row).unsqueezed(-1)
    let columns = Self.inside(size: images.size(3), centre: column).unsqueezed(-2)
    return images * (1 - rows * columns)
  }

  /// 1 within the square's side around a centre anywhere in the image, else 0: [N, 1, size].
  private static func inside(size: Int, centre: Tensor) -> Tensor {
    let side = Int(Double(size) * cutoutShare + 0.5)
    let first = (centre * Double(size + 1 - side % 2)).floored() - Double(side / 2)  // [N]
    let offset =
      Tensor.range(size).to(centre.dtype).to(centre.device).reshaped(1, 1, size)
      - first.reshaped(-1, 1, 1)
    return (offset .>= 0).to(centre.dtype) * (offset .< Double(side)).to(centre.dtype)
  }
}
