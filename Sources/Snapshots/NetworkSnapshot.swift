import Files
import Foundation
package import Networks
package import Torch
package import TorchNN

/// A file that is no usable snapshot, in one line.
package struct SnapshotError: Error, CustomStringConvertible {
  /// What is wrong, and with which file.
  package let description: String

  /// An error about a file.
  package init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}

/// Generator, discriminator and averaged generator of one moment of a run, in one file.
///
/// The file is safetensors: tensors `G.…`, `D.…` and `G_ema.…` under LAFITE's names, and in the
/// metadata the networks' shapes as JSON (`generator`, `discriminator`), the images seen, and what the
/// conditioning features are made with (`clip`, a name and a sha256). A file for generation alone may
/// hold only `G_ema`, in half precision.
package struct NetworkSnapshot {
  /// Shape of G and G_ema.
  package let generator: GeneratorConfiguration
  /// Shape of D; `nil` in a file for generation alone.
  package let discriminator: DiscriminatorConfiguration?
  /// Images that G was trained on.
  package let imagesSeen: Int
  /// Free text: the CLIP's name and sha256, the data set.
  package let notes: [String: String]
  private let file: SafeTensors

  /// The three networks that a snapshot may hold.
  package enum Part: String, CaseIterable, Sendable {
    case generator = "G"
    case discriminator = "D"
    case average = "G_ema"
  }

  /// Opens a snapshot and checks that it describes its networks; weights are read on demand.
  package init(path: String) throws {
    let file = try SafeTensors(path: path)
    self.file = file
    func decoded<Value: Decodable>(_ key: String) throws -> Value? {
      guard let text = file.metadata[key] else { return nil }
      do {
        return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
      } catch {
        throw SnapshotError(path, "the description of its \(key) is damaged")
      }
    }
    guard let generator: GeneratorConfiguration = try decoded("generator") else {
      throw SnapshotError(path, "not a network snapshot (it describes no generator)")
    }
    let side = generator.resolution
    guard side >= 8, side <= 4096, side & (side - 1) == 0, generator.channelBase > 0,
      generator.channelMax > 0, generator.styleWidth > 0, generator.wDimension > 0,
      generator.zDimension > 0, generator.featureDimension > 0,
      (1...64).contains(generator.mappingLayers)
    else { throw SnapshotError(path, "the description of its generator makes no sense") }
    self.generator = generator
    discriminator = try decoded("discriminator")
    imagesSeen = Int(file.metadata["images_seen"] ?? "") ?? 0
    let own = ["generator", "discriminator", "images_seen"]
    notes = file.metadata.filter { !own.contains($0.key) }
  }

  /// Whether the file holds a network.
  package func contains(_ part: Part) -> Bool {
    file.names.contains { $0.hasPrefix(part.rawValue + ".") }
  }

  /// Copies a part into a network.
  ///
  /// - Parameters:
  ///   - part: Which of the three.
  ///   - module: A network of the right shape.
  ///   - matching: `byName` when training is resumed from another kind of network.
  /// - Throws: `SnapshotError` naming the tensors that do not fit; the network is then unchanged.
  package func load(
    _ part: Part,
    into module: some Module,
    matching: StateMatching = .exact
  ) throws {
    let prefix = part.rawValue + "."
    guard contains(part) else { throw SnapshotError(file.path, "it holds no \(part.rawValue)") }
    var state: [String: Tensor] = [:]
    for name in file.names where name.hasPrefix(prefix) {
      state[String(name.dropFirst(prefix.count))] = file[name]
    }
    do {
      try module.load(state, matching: matching)
    } catch {
      throw SnapshotError(
        file.path,
        "its \(part.rawValue) does not fit the network asked for (\(error))"
      )
    }
  }

  /// The averaged generator, ready to paint.
  ///
  /// - Parameter device: Where it shall live.
  /// - Returns: A generator that records no gradients.
  /// - Throws: `SnapshotError` if there is none or it does not fit its description.
  package func averagedGenerator(on device: Device = .cpu) throws -> Generator {
    let network = Generator(generator, random: SeededRandom(seed: 0))
    try load(.average, into: network)
    network.setTrainable(false)
    network.move(to: device)
    return network
  }

  /// Writes networks to a file, atomically.
  ///
  /// - Parameters:
  ///   - path: The final name.
  ///   - networks: What to store; G_ema is needed for generation, G and D for resuming.
  ///   - generator: Shape of the generators.
  ///   - discriminator: Shape of the discriminator.
  ///   - imagesSeen: Images that G was trained on.
  ///   - notes: Free text to keep.
  ///   - dtype: Type of the stored floating-point values.
  /// - Throws: `FileError` if the file cannot be written.
  package static func write(
    to path: String,
    networks: [(part: Part, module: any Module)],
    generator: GeneratorConfiguration,
    discriminator: DiscriminatorConfiguration?,
    imagesSeen: Int,
    notes: [String: String] = [:],
    dtype: DType = .float32
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var metadata = notes
    metadata["generator"] = String(decoding: try encoder.encode(generator), as: UTF8.self)
    if let discriminator {
      metadata["discriminator"] = String(decoding: try encoder.encode(discriminator), as: UTF8.self)
    }
    metadata["images_seen"] = String(imagesSeen)
    let tensors = networks.flatMap { part, module in
      module.state.map { entry in
        (name: "\(part.rawValue).\(entry.name)", tensor: entry.tensor.detached().to(dtype))
      }
    }
    try SafeTensors.write(tensors, metadata: metadata, to: path)
  }
}
