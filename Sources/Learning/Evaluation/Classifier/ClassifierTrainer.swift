package import CLIP
import Foundation
package import Torch
import TorchNN

/// Trains a `PictureClassifier` on captioned pictures.
///
/// The target of a picture is spread evenly over the words of its captions, and the loss is the cross-entropy of a
/// softmax over all words (Joulin et al., arXiv 1511.02251, section 3.1). Batches and changes of pictures follow from
/// (seed, images seen): with a limit in images, two runs are equal.
package final class ClassifierTrainer: SmallTrainer {
  /// The model being trained.
  package let model: PictureClassifier
  package let training: SmallTraining

  private let configuration: CLIPTrainingConfiguration
  private let images: Tensor  // uint8 [N, R, R, 3]
  private let classes: [[Int]]

  /// A trainer at the start.
  ///
  /// - Parameters:
  ///   - model: On any device.
  ///   - pairs: What to learn; every picture has a word that is a class.
  ///   - configuration: How to learn it; the fields of captions do not count.
  package init(
    model: PictureClassifier,
    pairs: CLIPPairs,
    configuration: CLIPTrainingConfiguration
  ) {
    precondition(
      model.resolution == pairs.resolution,
      "pictures of \(pairs.resolution)² for a classifier of \(model.resolution)²"
    )
    self.model = model
    self.configuration = configuration
    images = pairs.tensor(of: 0..<pairs.count)
    classes = pairs.captions.map { model.words.classes(of: $0) }
    training = SmallTraining(
      model.parameters,
      pictures: pairs.count,
      configuration: configuration,
      stream: .classifierStep,
      orderStream: .classifierOrder
    )
  }

  package func loss(_ batch: [Int], _ random: SeededRandom) -> Tensor {
    let pixels = augmented(images.gathered(0, batch), configuration, random: random)
      .to(model.device)
    let logits = model.logits(model.features(pixels, training: true))
    return -(logits.logSoftmax(1) * targets(of: batch)).sum(1).mean()
  }

  /// Rows that sum to one: each word of a picture has the same share, [n, words].
  private func targets(of batch: [Int]) -> Tensor {
    let width = model.words.words.count
    var rows = [Float](repeating: 0, count: batch.count * width)
    for (row, picture) in batch.enumerated() {
      let own = classes[picture]
      for word in own { rows[row * width + word] = 1 / Float(own.count) }
    }
    return Tensor(rows, shape: [batch.count, width]).to(model.device)
  }
}

extension PictureClassifier {
  /// How often the best word of a picture is one of its captions'.
  ///
  /// - Parameters:
  ///   - pairs: Pictures of the classifier's resolution.
  ///   - batchSize: Pictures seen at once.
  /// - Returns: The share, and that of the word that fits most of these pictures.
  package func accuracy(
    _ pairs: CLIPPairs,
    batchSize: Int = 256
  ) -> (top1: Double, mostCommon: Double) {
    let classes = pairs.captions.map { Set(words.classes(of: $0)) }
    var right = 0
    for start in stride(from: 0, to: pairs.count, by: batchSize) {
      let rows = start..<min(start + batchSize, pairs.count)
      let best = withoutGradients {
        let pixels = pairs.tensor(of: rows).permuted(0, 3, 1, 2).to(.float32) / 255
        return logits(features(CLIP.normalize(pixels).to(device))).indexOfLargest(1)
      }
      for (row, word) in zip(rows, best.values(Int64.self)) where classes[row].contains(Int(word)) {
        right += 1
      }
    }
    let counts = words.words.indices.map { word in classes.count { $0.contains(word) } }
    let all = Double(max(1, pairs.count))
    return (Double(right) / all, Double(counts.max() ?? 0) / all)
  }
}
