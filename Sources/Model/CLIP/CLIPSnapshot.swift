import Foundation
public import Torch
import TorchNN

/// CLIP models as safetensors files: weights under OpenAI's names, the configuration as JSON in the
/// file's metadata.
extension CLIP {
  /// Writes the model, atomically.
  ///
  /// - Parameters:
  ///   - path: The final name.
  ///   - dtype: Type of the stored weights.
  /// - Throws: A file error if the file cannot be written.
  public func save(to path: String, dtype: DType = .float32) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = String(decoding: try encoder.encode(configuration), as: UTF8.self)
    try withoutGradients {
      try SafeTensors.write(
        state.map { ($0.name, $0.tensor.detached().to(dtype)) },
        metadata: ["format": "nifty-clip", "configuration": json],
        to: path
      )
    }
  }

  /// Reads a model that `save` wrote, or published weights in a safetensors file, under any of the
  /// names of `CLIPNaming`.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - towers: Which of them are read; the weights of the other are undefined.
  ///   - hints: What the file does not say of itself, by its naming; not asked for a file of nifty's.
  /// - Returns: The model, on the CPU.
  /// - Throws: `CLIPError` if the file holds no CLIP, `TorchError` or a file error if it cannot be read.
  public static func load(
    _ path: String,
    towers: CLIPTowers = .both,
    hints: (CLIPNaming) throws -> CLIPHints = { _ in CLIPHints() }
  ) throws -> CLIP {
    let file = try SafeTensors(path: path)
    let state = Dictionary(
      uniqueKeysWithValues: file.entries.compactMap { name, entry in
        (towers.contain(name) ? file[name] : .uninitialized(entry.shape)).map { (name, $0) }
      }
    )
    var stored: CLIPConfiguration?
    if let json = file.metadata["configuration"] {
      do {
        stored = try JSONDecoder().decode(CLIPConfiguration.self, from: Data(json.utf8))
      } catch {
        throw CLIPError.snapshot("\(path): the configuration in its metadata is damaged")
      }
    }
    if let stored {
      let shapes = file.entries.mapValues(\.shape)
      let configuration = try CLIPConfiguration(shapes: shapes, stored: stored)
      return try CLIP(configuration, state: state)
    }
    return try CLIP(published: state, hints: hints)
  }

  /// A model with weights under any of the names of `CLIPNaming`.
  public convenience init(
    published state: [String: Tensor],
    hints: (CLIPNaming) throws -> CLIPHints
  ) throws {
    let (naming, weights) = try CLIPNaming.unified(state)
    let configuration = try CLIPConfiguration(
      shapes: weights.mapValues(\.shape),
      hints: hints(naming)
    )
    try self.init(configuration, state: weights)
  }

  /// A model with given weights.
  ///
  /// - Parameters:
  ///   - configuration: The model's shape.
  ///   - state: Tensors of any floating type under OpenAI's names, for the model to keep. Their counters of batches, and the
  ///     three sizes that the TorchScript archives carry, are ignored.
  /// - Throws: `CLIPError.snapshot` if names or shapes do not fit.
  public convenience init(
    _ configuration: CLIPConfiguration,
    state: [String: Tensor]
  ) throws(CLIPError) {
    try configuration.validate()
    self.init(configuration, random: UninitializedSource())
    let weights = state.filter { name, _ in
      !name.hasSuffix("num_batches_tracked") && !Self.archiveSizes.contains(name)
    }
    do throws(StateMismatch) { try adopt(weights) } catch { throw .snapshot(error.description) }
  }

  private static let archiveSizes: Set = ["input_resolution", "context_length", "vocab_size"]
}
