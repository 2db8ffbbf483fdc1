import Datasets
package import Images
package import Networks
package import Torch
import TorchNN

/// What of an image a CLIP sees when a dataset is packed.
package enum PackView: String, Sendable, CaseIterable {
  /// As the original: a smaller image lies at random on white; of a larger one a random square of at
  /// least 99 % of its side is resampled bicubically.
  case lafite
  /// The whole image, resampled with Lanczos in 8 bits.
  case whole
}

/// A CLIP model that makes the features of a packed dataset.
///
/// The random part of a view is a function of the image's number in the dataset.
package final class PackFeatures: FeatureExtractor {
  package let name: String
  package let sha256: String
  private let model: CLIP
  private let tokenizer: CLIPTokenizer
  private let view: PackView
  private let draw: (Int) -> any RandomSource

  /// Captions that one call of the model computes.
  private static let captionBatch = 256

  /// Joins a model with the way in which it is used.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - tokenizer: Its tokenizer.
  ///   - name: Its name, for the dataset's manifest.
  ///   - sha256: The SHA-256 of its file.
  ///   - view: What it sees of an image.
  ///   - draw: Gives the source that places image i: first its left, then its top edge.
  package init(
    _ model: CLIP,
    tokenizer: CLIPTokenizer,
    name: String,
    sha256: String,
    view: PackView,
    draw: @escaping (Int) -> any RandomSource = {
      SeededRandom(seed: 0, stream: 7, position: UInt64($0))
    }
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.name = name
    self.sha256 = sha256
    self.view = view
    self.draw = draw
  }

  package var settings: String { view.rawValue }

  package func embed(images: [RGBImage], first: Int) throws -> [[Float]] {
    let side = model.configuration.imageResolution
    var pixels: Tensor
    switch view {
    case .whole:
      let fitting = images.map { image in
        image.width == side && image.height == side
          ? image : image.centerCropped().resized(width: side, height: side)
      }
      pixels = (imageTensor(fitting) + 1) / 2
    case .lafite:
      let (whole, own) = ((imageTensor(images) + 1) / 2, images.indices)
      pixels = .concatenated(
        own.map { place(whole.sliced(0, $0..<$0 + 1), side: side, random: draw(first + $0)) }
      )
    }
    return withoutGradients { rows(model.encodeImage(CLIP.normalize(pixels)).to(.float32)) }
  }

  package func embed(captions: [String]) throws -> [[Float]] {
    // Captions beyond the model's context become several texts, whose mean stands for them.
    let texts = captions.map { isTooLong($0) ? CaptionText.parts($0) : [$0] }
      .map { $0.isEmpty ? [""] : $0 }
    let features = try embed(texts: texts.flatMap { $0 })
    var used = 0
    return texts.map { parts in
      defer { used += parts.count }
      if parts.count == 1 { return features[used] }
      let own = features[used..<used + parts.count]
      return features[used].indices.map { column in
        own.reduce(0) { $0 + $1[column] } / Float(parts.count)
      }
    }
  }

  private func isTooLong(_ caption: String) -> Bool {
    let length = model.configuration.contextLength
    return (try? tokenizer.tokenize(caption, contextLength: length)) == nil
  }

  private func embed(texts: [String]) throws -> [[Float]] {
    let length = model.configuration.contextLength
    var features: [[Float]] = []
    for start in stride(from: 0, to: texts.count, by: Self.captionBatch) {
      let batch = texts[start..<min(start + Self.captionBatch, texts.count)]
      let ids = try batch.flatMap {
        try tokenizer.tokenize($0, contextLength: length, truncating: true).map(Int64.init)
      }
      let tokens = Tensor(ids, shape: [batch.count, length])
      features += withoutGradients { rows(model.encodeText(tokens).to(.float32)) }
    }
    return features
  }

  /// One image [1, 3, R, R] in [0, 1] as the original shows it to CLIP: [1, 3, side, side].
  private func place(_ image: Tensor, side: Int, random: any RandomSource) -> Tensor {
    let size = image.size(-1)
    if size < side {
      let left = random.integer(in: 0..<side - size + 1)
      let top = random.integer(in: 0..<side - size + 1)
      return image.padded([left, side - size - left, top, side - size - top], value: 1)
    }
    let square = random.integer(in: size * 99 / 100..<size + 1)
    let left = random.integer(in: 0..<size - square + 1)
    let top = random.integer(in: 0..<size - square + 1)
    return image.sliced(3, left..<left + square).sliced(2, top..<top + square)
      .bicubic(height: side, width: side)
  }

  private func rows(_ features: Tensor) -> [[Float]] {
    let (N, E) = features.shape2
    let values = features.floats
    return (0..<N).map { Array(values[$0 * E..<($0 + 1) * E]) }
  }
}
