package import Torch

extension Painter {
  /// One end of an interpolation between two pictures.
  package struct End {
    /// The condition, unit length, [1, F].
    package let fts: Tensor
    /// Of the latent.
    package let seed: UInt64
    /// 1 is the full variety, 0 the average image; the painter's if `nil`.
    package let truncation: Double?
    /// Its classes; the painter's if `nil`.
    package let classes: ClassChoice?
    /// Recorded styles, [1, wCount, wDimension], instead of those of the seed.
    package let ws: Tensor?

    /// A picture of this feature and seed.
    package init(
      fts: Tensor,
      seed: UInt64,
      truncation: Double? = nil,
      classes: ClassChoice? = nil
    ) {
      (self.fts, self.seed, self.truncation) = (fts, seed, truncation)
      (self.classes, ws) = (classes, nil)
    }

    /// A picture of this feature and these styles.
    package init(fts: Tensor, ws: Tensor) {
      (self.fts, self.ws, seed, truncation, classes) = (fts, ws, 0, nil, nil)
    }
  }

  /// The interpolation of two pictures.
  ///
  /// Its styles lie on the line between theirs, its feature on the arc between theirs, so that it has unit
  /// length, too. Random noise is that of the first.
  ///
  /// - Parameters:
  ///   - from: The picture at share 0.
  ///   - to: The picture at share 1.
  ///   - share: The weight of `to`, 0 to 1.
  /// - Returns: [1, 3, R, R], float32, roughly [−1, 1].
  package func between(_ from: End, _ to: End, share: Double) -> Tensor {
    withoutGradients {
      let (start, end) = (styles(of: from), styles(of: to))
      return paint(
        ws: start * (1 - share) + end * share,
        fts: Self.arc(from.fts, to.fts, share: share),
        seeds: [from.seed]
      )
    }
  }

  private func styles(of end: End) -> Tensor {
    end.ws?.to(device)
      ?? ws(
        latents([end.seed]),
        truncation: end.truncation ?? truncation,
        classes: end.classes ?? classes
      )
  }

  private static func arc(_ from: Tensor, _ to: Tensor, share: Double) -> Tensor {
    let angle = (from * to).sum().clamped(from: -1, to: 1).arcCosine()
    let sine = angle.sine()
    // Equal or opposite ones have no arc of their own.
    if sine.item < 1e-4 { return (from * (1 - share) + to * share).normalized() }
    return from * ((angle * (1 - share)).sine() / sine) + to * ((angle * share).sine() / sine)
  }
}
