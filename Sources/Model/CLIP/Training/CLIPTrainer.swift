import Foundation
package import Torch
import TorchNN

/// Trains a CLIP on captioned pictures (Radford et al., arXiv 2103.00020, figure 3).
///
/// Every step draws the next pictures of a shuffled round with a caption or more each, and moves both
/// towers so that a picture is closest to its own caption and a caption to its own picture. Batches, captions and
/// augmentation follow from (seed, images seen): with a limit in images, two runs are equal.
package final class CLIPTrainer: SmallTrainer {
  /// The model being trained.
  package let model: CLIP
  package let training: SmallTraining

  private let configuration: CLIPTrainingConfiguration
  private let images: Tensor  // uint8 [N, R, R, 3]
  private let tokens: [[[Int64]]]

  /// A trainer at the start.
  ///
  /// - Parameters:
  ///   - model: On any device; its resolution must be that of the pictures.
  ///   - tokenizer: Of the model's vocabulary; captions that are too long are cut.
  ///   - pairs: What to learn.
  ///   - configuration: How to learn it.
  /// - Throws: Nothing that can happen with truncation; see `CLIPTokenizer.tokenize`.
  package init(
    model: CLIP,
    tokenizer: CLIPTokenizer,
    pairs: CLIPPairs,
    configuration: CLIPTrainingConfiguration
  ) throws(CLIPError) {
    let shape = model.configuration
    precondition(
      shape.imageResolution == pairs.resolution,
      "pictures of \(pairs.resolution)² for a CLIP of \(shape.imageResolution)²"
    )
    precondition(
      shape.vocabularySize == tokenizer.vocabularySize,
      "a tokenizer of \(tokenizer.vocabularySize) ids for a CLIP of \(shape.vocabularySize)"
    )
    self.model = model
    self.configuration = configuration
    images = pairs.tensor(of: 0..<pairs.count)
    var tokens: [[[Int64]]] = []
    for captions in pairs.captions {
      tokens.append(try tokenizer.tokenizeAll(captions, contextLength: shape.contextLength))
    }
    self.tokens = tokens
    training = SmallTraining(
      model.parameters,
      pictures: pairs.count,
      configuration: configuration,
      stream: .clipStep,
      orderStream: .clipOrder
    )
  }

  package func loss(_ batch: [Int], _ random: SeededRandom) -> Tensor {
    let drawn = (0..<configuration.captionsPerPicture).map { _ in
      batch.map { tokens[$0][random.integer(in: 0..<tokens[$0].count)] }
    }
    let image = encodeImages(batch, random)
    let losses = drawn.map { captions in
      symmetricContrastiveLoss(
        model.logits(image, encodeCaptions(captions)),
        equalCaptions: Self.equalPairs(captions)
      )
    }
    return Tensor.stacked(losses).mean()
  }

  /// The published limit: beyond a factor of 100 training becomes unstable.
  package func finishStep() {
    withoutGradients { model.logitScale.assign(model.logitScale.clamped(to: log(100))) }
  }

  private func encodeImages(_ batch: [Int], _ random: any RandomSource) -> Tensor {
    let pixels = augmented(images.gathered(0, batch), configuration, random: random)
      .to(model.logitScale.device)
    let dtype: DType = configuration.halfPrecision ? .bfloat16 : .float32
    return model.encodeImage(pixels.to(dtype), training: true).to(.float32)
  }

  private func encodeCaptions(_ captions: [[Int64]]) -> Tensor {
    // Nothing behind the end mark has an effect: the longest caption sets the length.
    let length = captions.map { $0.lastIndex { $0 != 0 } ?? 0 }.reduce(0, max) + 1
    let tokens = Tensor(captions.flatMap { $0.prefix(length) }, shape: [captions.count, length])
    return model.encodeText(tokens.to(model.logitScale.device))
  }

  /// Pairs of different pictures whose drawn captions are the same, row-major.
  private static func equalPairs(_ captions: [[Int64]]) -> [Bool] {
    captions.indices.flatMap { i in
      captions.indices.map { j in i != j && captions[i] == captions[j] }
    }
  }
}

extension CLIPTokenizer {
  /// The ids of captions, cut where they are too long.
  func tokenizeAll(_ captions: [String], contextLength: Int) throws(CLIPError) -> [[Int64]] {
    var all: [[Int64]] = []
    for caption in captions {
      let ids = try tokenize(caption, contextLength: contextLength, truncating: true)
      all.append(ids.map(Int64.init))
    }
    return all
  }
}

/// The symmetric InfoNCE loss (arXiv 2103.00020, figure 3): the mean cross-entropy of each row and of
/// each column against the diagonal.
///
/// - Parameters:
///   - logits: Scaled cosines of images (rows) and captions (columns), [N, N].
///   - equalCaptions: N² flags; such pairs are no negatives, since the caption fits both pictures.
/// - Returns: A scalar.
package func symmetricContrastiveLoss(_ logits: Tensor, equalCaptions: [Bool]? = nil) -> Tensor {
  let (N, M) = logits.shape2
  precondition(N == M, "logits of \(N) images and \(M) captions")
  var logits = logits
  if let equalCaptions, equalCaptions.contains(true) {
    let mask = Tensor(equalCaptions.map { $0 ? Float(-1e9) : 0 }, shape: [N, N])
    logits = logits + mask.to(logits.device)
  }
  let classes = Tensor.range(N).to(logits.device)
  return (logits.crossEntropy(classes) + logits.transposed().crossEntropy(classes)) * 0.5
}
