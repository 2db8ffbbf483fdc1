import CLIP
import Foundation
package import Torch
import TorchNN

/// A small convolutional classifier of pictures by the words of their captions; its pooled features compare sets
/// of images (`mmd_features`).
///
/// The stages are those of the small CLIP's image tower. Nothing of it comes from a CLIP or from ImageNet, so it is
/// a second opinion beside them.
package final class PictureClassifier: Module {
  /// Height and width of its pictures, in pixels.
  package let resolution: Int
  /// Its classes.
  package let words: CaptionWords
  /// Length of a feature vector, D.
  package let featureCount: Int

  private let stages: [CLIPConvolutionStage]
  private let head: Linear

  /// Where the weights are.
  package var device: Device { parameters[0].device }

  /// Channels of the stages, each of which halves the resolution.
  package static let standardChannels = [48, 96, 192]
  /// The largest picture, in pixels a side.
  package static let largestResolution = 512
  private static let mostStages = 8

  /// A classifier with fresh weights.
  ///
  /// - Parameters:
  ///   - resolution: Of its pictures.
  ///   - words: Its classes, at least two.
  ///   - channels: Of the stages, at least one.
  ///   - random: Where the weights come from.
  package init(
    resolution: Int,
    words: CaptionWords,
    channels: [Int] = standardChannels,
    random: any RandomSource
  ) {
    self.resolution = resolution
    self.words = words
    featureCount = channels.last ?? 3
    stages = zip([3] + channels, channels).map { CLIPConvolutionStage($0, $1, random: random) }
    head = Linear(featureCount, words.words.count, random: random)
  }

  /// Pooled features of pictures.
  ///
  /// - Parameters:
  ///   - pixels: Normalised as CLIP's, [N, 3, R, R].
  ///   - training: Lets batch normalisation use and average the batch's own statistics.
  /// - Returns: 0 or more each, [N, D].
  package func features(_ pixels: Tensor, training: Bool = false) -> Tensor {
    stages.reduce(pixels.laidOut(.channelsLast)) { $1($0, training: training) }.mean(2, 3)
  }

  /// The scores of the words for features, [N, words].
  package func logits(_ features: Tensor) -> Tensor { head(features) }

  /// Writes the classifier, atomically.
  ///
  /// - Throws: A file error if the file cannot be written.
  package func save(to path: String) throws {
    let stored = Stored(resolution: resolution, words: words.words)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = String(decoding: try encoder.encode(stored), as: UTF8.self)
    try withoutGradients {
      try SafeTensors.write(
        state.map { ($0.name, $0.tensor.detached()) },
        metadata: ["format": "nifty-classifier", "configuration": json],
        to: path
      )
    }
  }

  /// Reads the file of `save`.
  ///
  /// - Throws: `EvaluationError.classifier` if the file holds none, `TorchError` or a file error if it cannot be
  ///   read.
  package static func load(_ path: String) throws -> PictureClassifier {
    func refusal(_ reason: String) -> EvaluationError { .classifier(path: path, reason: reason) }
    let file = try SafeTensors(path: path)
    guard file.metadata["format"] == "nifty-classifier", let json = file.metadata["configuration"]
    else { throw refusal("its metadata do not say so") }
    guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(json.utf8)) else {
      throw refusal("the configuration in its metadata is damaged")
    }
    // Sizes come from the tensors, which the file's length bounds.
    let channels = (0..<mostStages).map { file.entries["stages.\($0).conv0.weight"]?.shape.first }
      .prefix { $0 != nil }.compactMap(\.self)
    guard let last = channels.last, channels.allSatisfy({ $0 > 0 }),
      let shape = file.entries["head.weight"]?.shape, shape.count == 2, shape[1] == last,
      shape[0] == stored.words.count, shape[0] >= 2, Set(stored.words).count == shape[0]
    else { throw refusal("its layers and words do not fit") }
    let least = 1 << channels.count
    guard stored.resolution % least == 0, (least...largestResolution).contains(stored.resolution)
    else { throw refusal("it says that its pictures have \(stored.resolution)²") }
    // Wide layers between narrow ones are larger than the file.
    let sizes = zip([3] + channels, channels).map { inputs, outputs in
      file.entries.values.contains { $0.shape == [outputs, inputs, 3, 3] }
    }
    guard sizes.allSatisfy(\.self) else { throw refusal("its layers do not fit") }
    let model = PictureClassifier(
      resolution: stored.resolution,
      words: CaptionWords(words: stored.words),
      channels: channels,
      random: UninitializedSource()
    )
    let state = Dictionary(
      uniqueKeysWithValues: file.entries.keys.compactMap { name in
        file[name].map { (name, $0.to(.float32)) }
      }
    )
    do throws(StateMismatch) { try model.adopt(state) } catch { throw refusal(error.description) }
    model.setTrainable(false)
    return model
  }

  /// What the tensors do not say.
  private struct Stored: Codable {
    var resolution: Int
    var words: [String]
  }
}
