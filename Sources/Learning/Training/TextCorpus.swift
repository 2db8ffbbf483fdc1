package import CLIP
import Datasets
import Sampling
import Text
package import Torch

/// The captions of `--text-corpus`, of which pseudo text is retrieved.
package struct TextCorpus {
  /// The features of the captions, unit length, [C, F].
  package let features: Tensor
  /// Lines to say: how many captions there are, and of how many CLIP does not read the ends.
  package let notes: [String]

  /// Captions whose features are computed at a time.
  private static let linesAtATime = 256

  /// Reads packed data with captions (.zip), or a text file of one caption a line.
  ///
  /// - Parameters:
  ///   - pattern: The file; brace patterns are expanded.
  ///   - clip: The file of the run's CLIP.
  ///   - device: Where features are computed and kept.
  ///   - progress: Receives how many lines of a text file are encoded, of how many.
  /// - Throws: `TrainingError.option` naming a file without captions, or with those of another CLIP; what reading
  ///   it throws.
  package init(
    _ pattern: String,
    clip: String,
    on device: Device,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws {
    let model = try ClipModel(path: clip, device: device, towers: .texts)
    var (parts, notes): ([Tensor], [String]) = ([], [])
    for path in expandedBraces(pattern) {
      let features: Tensor
      if path.lowercased().hasSuffix(".zip") {
        features = try Self.packed(path, model, clip: clip).to(device)
      } else {
        let lines = try Prompts.lines(of: path, each: "caption")
        if let note = model.noteOnLength(of: lines, "captions") { notes.append("\(path): \(note)") }
        features = try Self.encoded(lines, model, progress)
      }
      let normalized = features.normalized()
      guard normalized.isFinite else {
        throw TrainingError.option("\(path): the features of a caption are zero or not finite")
      }
      parts.append(normalized)
    }
    features = .concatenated(parts, 0)
    self.notes =
      ["pseudo text is retrieved from \(features.size(0)) captions of \(pattern)"] + notes
  }

  private static func encoded(
    _ lines: [String],
    _ model: ClipModel,
    _ progress: (_ done: Int, _ count: Int) -> Void
  ) throws -> Tensor {
    let parts = try stride(from: 0, to: lines.count, by: linesAtATime).map { start in
      let end = min(start + linesAtATime, lines.count)
      defer { progress(end, lines.count) }
      return try model.features(of: Array(lines[start..<end]))
    }
    return .concatenated(parts, 0)
  }

  private static func packed(_ path: String, _ model: ClipModel, clip: String) throws -> Tensor {
    let set = try TrainingSet([PackedDataset(path)])
    try StepInputs.check(model, fits: set, from: [path], clip: clip)
    var features: [Float] = []
    for index in 0..<set.rawCount {
      let (dataset, entry) = set.location(ofRaw: index)
      for caption in 0..<dataset.textFeatureCount(at: entry) {
        features += dataset.textFeature(image: entry, caption: caption)
      }
    }
    let count = features.count / set.featureDimension
    guard count > 0 else {
      throw TrainingError.option("\(path) has no caption; give data with captions, or a text file")
    }
    return Tensor(features, shape: [count, set.featureDimension])
  }
}
