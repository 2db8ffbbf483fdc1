import Torch
import TorchNN

/// How often a CLIP puts the right partner first among all: recall at rank 1.
package struct CLIPRetrieval: Codable, Equatable, Sendable {
  /// Share of pictures whose nearest caption is theirs.
  package var imageToText: Double
  /// Share of captions whose nearest picture is theirs.
  package var textToImage: Double

  /// Measures a model on pictures with one caption each, all candidates at once.
  ///
  /// A partner counts as right if its caption has the same words: two pictures may share a caption.
  ///
  /// - Parameters:
  ///   - model: In evaluation, on any device.
  ///   - tokenizer: Of its vocabulary.
  ///   - pairs: The pictures.
  ///   - captions: One for each picture; its first caption unless given (for one language, say).
  ///   - batchSize: Pictures embedded at once.
  /// - Returns: Both shares.
  /// - Throws: Nothing that can happen with truncation; see `CLIPTokenizer.tokenize`.
  package static func measure(
    _ model: CLIP,
    tokenizer: CLIPTokenizer,
    pairs: CLIPPairs,
    captions: [String]? = nil,
    batchSize: Int = 256
  ) throws(CLIPError) -> CLIPRetrieval {
    let captions = captions ?? pairs.captions.map { $0[0] }
    precondition(
      captions.count == pairs.count,
      "\(captions.count) captions for \(pairs.count) pictures"
    )
    let length = model.configuration.contextLength
    let tokens = try tokenizer.tokenizeAll(captions, contextLength: length)
    let cosines = withoutGradients {
      let images = imageFeatures(model, pairs, batchSize: batchSize)
      let text = textFeatures(model, tokens, batchSize: batchSize)
      return images.matmul(text.transposed())
    }
    let share = { (nearest: [Int64]) in
      let right = nearest.enumerated().filter { tokens[$0.offset] == tokens[Int($0.element)] }
      return Double(right.count) / Double(max(1, nearest.count))
    }
    return CLIPRetrieval(
      imageToText: share(cosines.indexOfLargest(1).values()),
      textToImage: share(cosines.indexOfLargest(0).values())
    )
  }

  private static func imageFeatures(_ model: CLIP, _ pairs: CLIPPairs, batchSize: Int) -> Tensor {
    let parts = stride(from: 0, to: pairs.count, by: batchSize).map { start in
      let rows = start..<min(start + batchSize, pairs.count)
      let images = pairs.tensor(of: rows).permuted(0, 3, 1, 2)
      let pixels = CLIP.normalize(images.to(.float32) / 255).to(model.logitScale.device)
      return model.encodeImage(pixels).normalized()
    }
    return .concatenated(parts)
  }

  private static func textFeatures(
    _ model: CLIP,
    _ tokens: [[Int64]],
    batchSize: Int
  ) -> Tensor {
    let length = model.configuration.contextLength
    let parts = stride(from: 0, to: tokens.count, by: batchSize).map { start in
      let rows = tokens[start..<min(start + batchSize, tokens.count)]
      let batch = Tensor(rows.flatMap(\.self), shape: [rows.count, length])
      return model.encodeText(batch.to(model.logitScale.device)).normalized()
    }
    return .concatenated(parts)
  }
}
