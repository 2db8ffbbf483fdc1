import Datasets
package import Images
import Pixels
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
  private let precision: DType
  private let draw: (Int) -> any RandomSource

  /// Texts that one call of the model computes.
  private static let textBatch = 64
  /// Parts of captions whose features are held at a time, about.
  private static let mostParts = 4096

  /// Joins a model with the way in which it is used.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - tokenizer: Its tokenizer.
  ///   - name: Its name, for the dataset's manifest.
  ///   - sha256: The SHA-256 of its file.
  ///   - view: What it sees of an image.
  ///   - precision: Type of the computation. With `.bfloat16` the model's matrices are converted;
  ///     norms and biases stay as they are.
  ///   - draw: Gives the source of the random offset of image i: first its left, then its top edge.
  package init(
    _ model: CLIP,
    tokenizer: CLIPTokenizer,
    name: String,
    sha256: String,
    view: PackView,
    precision: DType = .float32,
    draw: @escaping (Int) -> any RandomSource = {
      SeededRandom(seed: 0, stream: .packedView, position: UInt64($0))
    }
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.name = name
    self.sha256 = sha256
    self.view = view
    self.precision = precision
    self.draw = draw
    if precision != .float32 { model.convertMatrices(to: precision) }
  }

  private var device: Device { model.logitScale.device }

  package var settings: String {
    precision == .float32 ? view.rawValue : "\(view.rawValue) \(precision)"
  }

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
        own.map { embed(whole.sliced(0, $0..<$0 + 1), side: side, random: draw(first + $0)) }
      )
    }
    let normalised = CLIP.normalize(pixels.to(device)).to(precision)
    return withoutGradients { rows(model.encodeImage(normalised).to(.float32)) }
  }

  package func embed(captions: [String]) throws -> [[Float]] {
    // Captions beyond the model's context become several texts, whose mean stands for them.
    let length = model.configuration.contextLength
    let texts = captions.map {
      tokenizer.fits($0, contextLength: length) ? [$0] : CaptionText.parts($0)
    }
    .map { $0.isEmpty ? [""] : $0 }
    var features: [[Float]] = []
    var (group, count) = ([[String]](), 0)
    for parts in texts {
      group.append(parts)
      count += parts.count
      // A caption of nothing but full stops has thousands of parts: not those of all at once.
      guard count >= Self.mostParts else { continue }
      features += try means(of: group)
      (group, count) = ([], 0)
    }
    return group.isEmpty ? features : features + (try means(of: group))
  }

  /// The mean feature of each caption's parts.
  private func means(of texts: [[String]]) throws -> [[Float]] {
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

  /// Texts of like length are computed together, and no further than their end marks: the positions
  /// behind have no part in the feature.
  private func embed(texts: [String]) throws -> [[Float]] {
    let context = model.configuration.contextLength
    let ids = try texts.map {
      try tokenizer.tokenize($0, contextLength: context, truncating: true).map(Int64.init)
    }
    // The end mark has the largest id.
    let lengths = ids.map { own in 1 + (own.firstIndex(of: own.max() ?? 0) ?? 0) }
    let order = lengths.indices.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    var features = [[Float]](repeating: [], count: texts.count)
    for start in stride(from: 0, to: order.count, by: Self.textBatch) {
      let batch = order[start..<min(start + Self.textBatch, order.count)]
      let length = batch.map { lengths[$0] }.max() ?? 0
      let tokens = Tensor(batch.flatMap { ids[$0].prefix(length) }, shape: [batch.count, length])
      let results = withoutGradients { rows(model.encodeText(tokens.to(device)).to(.float32)) }
      for (index, result) in zip(batch, results) { features[index] = result }
    }
    return features
  }

  /// One image [1, 3, R, R] in [0, 1] as the original shows it to CLIP: [1, 3, side, side].
  private func embed(_ image: Tensor, side: Int, random: any RandomSource) -> Tensor {
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
