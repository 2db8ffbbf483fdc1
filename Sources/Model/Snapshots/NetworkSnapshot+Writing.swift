package import Networks
import Pickle
package import Torch
package import TorchNN

extension NetworkSnapshot {
  /// Writes networks to a file, atomically, in the format that the file's name asks for: the original's
  /// pickle for `.pkl`, else safetensors.
  ///
  /// - Parameters:
  ///   - path: The final name.
  ///   - networks: What to store; G_ema is needed for generation, G and D for resuming, and all three
  ///     by the original's loader.
  ///   - generator: Shape of the generators.
  ///   - discriminator: Shape of the discriminator.
  ///   - imagesSeen: Images that G was trained on.
  ///   - notes: Free text to keep.
  ///   - record: What the original keeps beside the networks.
  ///   - dtype: Type of the stored floating-point values.
  /// - Throws: `FileError` if the file cannot be written; `SnapshotError` if the networks are not what
  ///   a pickle needs.
  package static func write(
    to path: String,
    networks: [(part: Part, module: any Module)],
    generator: GeneratorConfiguration,
    discriminator: DiscriminatorConfiguration?,
    imagesSeen: Int,
    notes: [String: String] = [:],
    record: TrainingRecord = TrainingRecord(),
    dtype: DType = .float32
  ) throws {
    var description = SnapshotDescription(generator: generator)
    description.discriminator = discriminator
    description.imagesSeen = imagesSeen
    description.notes = notes
    description.record = record
    var drafts: [String: SnapshotDraft] = [:]
    for (part, module) in networks {
      for entry in module.state {
        let tensor = entry.tensor
        let type = tensor.dtype.isFloatingPoint ? dtype : tensor.dtype
        drafts[part.prefix + entry.name] = SnapshotDraft(
          layout: TensorLayout(dtype: type, shape: tensor.shape)
        ) { tensor.detached().to(type).bytes }
      }
    }
    try write(to: path, description, drafts)
  }

  /// Writes tensors that are read one after the other.
  static func write(
    to path: String,
    _ description: SnapshotDescription,
    _ drafts: [String: SnapshotDraft]
  ) throws {
    if path.hasSuffix(".pkl") {
      try PickledSnapshotWriter(path: path, description: description, drafts: drafts).write()
    } else {
      // One order whatever the source, so that equal networks give equal files.
      let sorted = drafts.sorted { $0.key < $1.key }.map { name, draft in
        SafeTensors.Draft(
          name: name,
          dtype: draft.layout.dtype,
          shape: draft.layout.shape,
          bytes: draft.bytes
        )
      }
      try SafeTensors.write(sorted, metadata: description.metadata, to: path)
    }
  }
}

/// A tensor to be written; its values are asked for when their turn comes.
struct SnapshotDraft {
  let layout: TensorLayout
  let bytes: () -> [UInt8]
}
