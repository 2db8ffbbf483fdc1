package import Networks
package import Torch

/// A generator with the settings of one call of `nifty generate`.
///
/// A seed means the same latent and the same noise whatever else is painted beside it.
package struct Painter {
  /// The kinds of per-pixel noise.
  package enum Noise: String, CaseIterable, Sendable {
    case const, random, none
  }

  /// Styles that some layers take from other latents (arXiv 1812.04948, section 3.1).
  package struct Mixing {
    /// Seeds of the other latents.
    package let seeds: [UInt64]
    /// The layers that take them, from 0 on; layers that the generator does not have are ignored.
    package let layers: ClosedRange<Int>

    /// Styles of these seeds in these layers.
    package init(seeds: [UInt64], layers: ClosedRange<Int>) {
      (self.seeds, self.layers) = (seeds, layers)
    }
  }

  package let generator: Generator
  /// 1 is the full variety, 0 the average image.
  package let truncation: Double
  /// Number of first layers that are truncated; all if `nil`.
  package let truncationCutoff: Int?
  package let noise: Noise
  /// The classes of each picture; `nil` for a generator without classes.
  package let classes: ClassChoice?

  /// A painter with these settings.
  package init(
    generator: Generator,
    truncation: Double,
    truncationCutoff: Int?,
    noise: Noise,
    classes: ClassChoice? = nil
  ) {
    self.generator = generator
    self.classes = classes
    self.truncation = truncation
    self.truncationCutoff = truncationCutoff
    self.noise = noise
  }

  private var configuration: GeneratorConfiguration { generator.configuration }

  /// The device that paints.
  var device: Device { generator.mapping.wAverage.device }

  /// Latents of seeds, [N, zDimension]; drawn on the CPU, so that a seed is the same latent on every device.
  package func latents(_ seeds: [UInt64]) -> Tensor {
    .concatenated(
      seeds.map {
        SeededRandom(seed: $0, stream: .paintedLatents, position: 0).normal([
          1, configuration.zDimension,
        ])
      },
      0
    )
  }

  /// A random feature of unit length for each seed, [N, featureDimension]: what LAFITE paints after without a text.
  package func features(_ seeds: [UInt64]) -> Tensor {
    .concatenated(
      seeds.map {
        SeededRandom(seed: $0, stream: .paintedFeatures, position: 0)
          .normal([1, configuration.featureDimension]).normalized()
      },
      0
    )
  }

  /// Images of given latents and features.
  ///
  /// - Parameters:
  ///   - z: [N, zDimension].
  ///   - fts: Conditioning features, [N, featureDimension].
  ///   - seeds: Of the random noise, one an image.
  /// - Returns: [N, 3, R, R], float32, roughly [−1, 1].
  package func images(z: Tensor, fts: Tensor, seeds: [UInt64]) -> Tensor {
    withoutGradients { paint(ws: ws(z), fts: fts, seeds: seeds) }
  }

  /// Images of recorded styles.
  ///
  /// - Parameters:
  ///   - ws: [N, wCount, wDimension]; they are not truncated.
  ///   - fts: Conditioning features, [N, featureDimension].
  ///   - seeds: Of the random noise, one an image.
  /// - Returns: [N, 3, R, R], float32, roughly [−1, 1].
  package func images(ws: Tensor, fts: Tensor, seeds: [UInt64]) -> Tensor {
    withoutGradients { paint(ws: ws.to(device), fts: fts, seeds: seeds) }
  }

  /// Images of one feature: a row of one image a seed.
  package func row(fts: Tensor, seeds: [UInt64]) -> Tensor {
    images(z: latents(seeds), fts: fts.expanded(seeds.count, -1), seeds: seeds)
  }

  /// Images in one batch: for small networks several times as fast as one by one.
  ///
  /// libtorch's kernels round by the number of images, so the pixels are not those that each image has by itself.
  /// Random noise is that of the first seed for all.
  ///
  /// - Parameters:
  ///   - fts: Conditioning features, [N, featureDimension].
  ///   - seeds: Of the latents, one an image.
  /// - Returns: [N, 3, R, R], float32, roughly [−1, 1].
  package func batch(fts: Tensor, seeds: [UInt64]) -> Tensor {
    withoutGradients {
      generator.synthesize(
        ws(latents(seeds)),
        fts: fts.to(device),
        noiseMode: mode(seed: seeds.first ?? 0)
      ).image.to(.float32)
    }
  }

  /// Images of one feature and seed: first unmixed, then with the styles of each other seed.
  package func mixedRow(fts: Tensor, seed: UInt64, mixing: Mixing) -> Tensor {
    .concatenated(
      (0...mixing.seeds.count).map { mixedImage(fts: fts, seed: seed, mixing: mixing, at: $0) },
      0
    )
  }

  /// One image of a mixed row, [1, 3, R, R].
  ///
  /// - Parameters:
  ///   - fts: Its feature, [1, featureDimension].
  ///   - seed: Of the row.
  ///   - mixing: The other seeds.
  ///   - index: 0 for the unmixed image, then one a seed.
  /// - Returns: The image.
  package func mixedImage(fts: Tensor, seed: UInt64, mixing: Mixing, at index: Int) -> Tensor {
    withoutGradients {
      let own = ws(latents([seed]))  // [1, L, w]
      if index == 0 { return paint(ws: own, fts: fts, seeds: [seed]) }
      let L = own.size(1)
      let layers = min(mixing.layers.lowerBound, L)..<min(mixing.layers.upperBound, L - 1) + 1
      let mixed = Tensor.concatenated(
        [
          own.sliced(1, 0..<layers.lowerBound),
          ws(latents([mixing.seeds[index - 1]])).sliced(1, layers),
          own.sliced(1, layers.upperBound..<L),
        ],
        1
      )
      return paint(ws: mixed, fts: fts, seeds: [seed])
    }
  }

  /// What the file of an unmixed picture says about how it was painted.
  ///
  /// - Parameters:
  ///   - condition: What it is painted after.
  ///   - seed: Of the latent and the noise.
  ///   - network: SHA-256 of the snapshot's file.
  ///   - clip: SHA-256 of the CLIP's file, if one takes part.
  /// - Returns: The record.
  package func record(
    of condition: PaintingRecord.Condition,
    seed: UInt64,
    network: String,
    clip: String?
  ) -> PaintingRecord {
    PaintingRecord(
      network: network,
      clip: clip,
      condition: condition,
      seed: seed,
      truncation: truncation,
      truncationCutoff: truncationCutoff,
      noise: noise,
      classes: classes
    )
  }

  /// Styles of latents, each mapped by itself: the rounding of a product depends on its number of rows.
  func ws(_ z: Tensor) -> Tensor { ws(z, truncation: truncation, classes: classes) }

  /// Styles of latents under a truncation and classes of their own.
  func ws(_ z: Tensor, truncation: Double, classes: ClassChoice?) -> Tensor {
    let label = configuration.labelDimension.flatMap { dimension in
      classes?.label(dimension: dimension).to(device)
    }
    return .concatenated(
      (0..<z.size(0)).map { index in
        generator.mapping(
          z.sliced(0, index..<index + 1).to(device),
          labels: label,
          truncation: truncation,
          truncationCutoff: truncationCutoff
        )
      },
      0
    )
  }

  func paint(ws: Tensor, fts: Tensor, seeds: [UInt64]) -> Tensor {
    let N = ws.size(0)
    precondition(seeds.count == N, "\(seeds.count) seeds for \(N) images")
    // One by one: a picture has the same pixels whatever else is painted beside it, and random noise is
    // drawn for a whole batch.
    let parts = (0..<N).map { index in
      generator.synthesize(
        ws.sliced(0, index..<index + 1),
        fts: fts.sliced(0, index..<index + 1).to(device),
        noiseMode: mode(seed: seeds[index])
      ).image.to(.float32)
    }
    return .concatenated(parts, 0)
  }

  private func mode(seed: UInt64) -> NoiseMode {
    switch noise {
    case .const: .constant
    case .none: .none
    case .random: .random(SeededRandom(seed: seed, stream: .paintedNoise, position: 0))
    }
  }
}
