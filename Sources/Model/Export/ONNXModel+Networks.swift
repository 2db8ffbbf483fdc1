package import CLIP
import Networks
package import ONNX
package import Snapshots
import Text

/// Networks as files of ONNX.
extension ONNXModel {
  private static let producer = (name: "nifty", version: Version.number)

  /// The averaged generator of a snapshot.
  ///
  /// - Parameters:
  ///   - snapshot: The snapshot.
  ///   - sha256: Of its file.
  ///   - half: As for `GeneratorGraph.graph`.
  ///   - computesHalf: As for `GeneratorGraph.graph`.
  /// - Throws: `SnapshotError` if it holds no G_ema, or one that does not fit its description.
  package init(
    of snapshot: NetworkSnapshot,
    sha256: String,
    half: Bool,
    computesHalf: Bool
  ) throws {
    let generator = try snapshot.averagedGenerator()
    let shape = generator.configuration
    var metadata = [
      "nifty_version": Version.number, "network_sha256": sha256,
      "images_seen": String(snapshot.imagesSeen), "kimg": String(snapshot.imagesSeen / 1000),
      "resolution": String(shape.resolution), "feature_width": String(shape.featureDimension),
      "weights": half ? "float16" : "float32",
    ]
    for key in ["clip", "clip_sha256"] { metadata[key] = snapshot.notes[key] }
    self.init(
      graph: GeneratorGraph.graph(of: generator, half: half, computesHalf: computesHalf),
      producer: Self.producer,
      metadata: metadata
    )
  }

  /// The text tower of a CLIP.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - name: Its file's name.
  ///   - sha256: Of its file.
  ///   - half: As for `TextTowerGraph.graph`.
  package init(of model: CLIP, name: String, sha256: String, half: Bool) {
    let shape = model.configuration
    var metadata = [
      "nifty_version": Version.number, "clip": name, "clip_sha256": sha256,
      "feature_width": String(shape.embedDimension),
      "context_length": String(shape.contextLength),
      "activation": (shape.activation ?? .quickGELU).rawValue,
      "weights": half ? "float16" : "float32",
    ]
    if let vocabulary = shape.vocabulary {
      metadata["vocabulary"] = "[" + vocabulary.ids.map(String.init).joined(separator: ",") + "]"
    }
    self.init(
      graph: TextTowerGraph.graph(of: model, half: half),
      producer: Self.producer,
      metadata: metadata
    )
  }
}
