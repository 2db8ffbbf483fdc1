import Files
import Foundation
package import Networks
package import Torch
package import TorchNN

/// Generator, discriminator and averaged generator of one moment of a run, in one file.
///
/// Two formats hold them, and the content tells which it is: safetensors with the shapes of the
/// networks in its metadata, or the pickle of LAFITE and StyleGAN2-ADA, which is read without
/// executing anything in it. Tensors are named `G.…`, `D.…` and `G_ema.…` with LAFITE's names behind
/// the dot. A file for generation alone may hold only `G_ema`, in half precision.
package struct NetworkSnapshot {
  /// The file.
  package let path: String
  let description: SnapshotDescription
  let store: any SnapshotStore
  /// Settings of a pickle that are objects of classes, by name; they are not kept.
  package private(set) var omittedSettings: [String] = []

  /// Shape of G and G_ema.
  package var generator: GeneratorConfiguration { description.generator }
  /// Shape of D; `nil` in a file for generation alone.
  package var discriminator: DiscriminatorConfiguration? { description.discriminator }
  /// Images that G was trained on.
  package var imagesSeen: Int { description.imagesSeen }
  /// Free text: the CLIP's name and sha256, the data set.
  package var notes: [String: String] { description.notes }
  /// What the original writes down beside the networks.
  package var record: TrainingRecord { description.record }

  /// The three networks that a snapshot may hold.
  package enum Part: String, CaseIterable, Sendable {
    case generator = "G"
    case discriminator = "D"
    case average = "G_ema"

    var prefix: String { rawValue + "." }
  }

  /// Opens a snapshot and checks that it describes its networks; weights are read on demand.
  ///
  /// - Throws: `SnapshotError` when the file is no snapshot, is damaged, or contradicts itself;
  ///   `FileError` when it cannot be opened.
  package init(path: String) throws {
    self.path = path
    if try Self.isPickle(path) {
      let pickle = try PickleStore(path: path)
      store = pickle
      omittedSettings = pickle.omitted
      description = try SnapshotDescription(pickle: pickle, path: path)
    } else {
      try Self.refuseOtherKinds(path)
      let file = try SafeTensors(path: path)
      store = SafeTensorsStore(file)
      // Other programs drop the metadata; config.json beside the file says the same.
      let isDescribed = file.metadata["generator"] != nil
      let metadata = isDescribed ? nil : SnapshotDescription.configuration(beside: path)
      description = try SnapshotDescription(metadata: metadata ?? file.metadata, path: path)
    }
    guard Part.allCases.contains(where: contains) else {
      throw SnapshotError(path, "not a network snapshot (it holds none of G, D and G_ema)")
    }
  }

  /// Names what a file is that is neither a pickle nor safetensors.
  private static func refuseOtherKinds(_ path: String) throws {
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    let bytes = file.bytes
    if bytes.count > 8, bytes[8] == UInt8(ascii: "{"), bytes[7] == 0 { return }
    let kind =
      switch FileKind.guess(bytes) {
      case let guess? where guess.hasPrefix("a zip archive"):
        "a PyTorch archive without networks, or another zip"
      case let guess?: guess
      case nil: path.hasSuffix(".safetensors") ? "damaged safetensors" : "something else"
      }
    throw SnapshotError(
      path,
      "no network snapshot: it looks like \(kind); give a network-snapshot-….pkl, a .safetensors, or a run "
        + "folder"
    )
  }

  /// Whether a file begins as pickles of protocol 2 and later do.
  private static func isPickle(_ path: String) throws -> Bool {
    let bytes = try MappedFile(path)
    return withExtendedLifetime(bytes) {
      // The length of a safetensors header may begin with the same byte, but is followed by `{`.
      bytes.bytes.count >= 2 && bytes.bytes[0] == 0x80 && (2...5).contains(bytes.bytes[1])
        && !(bytes.bytes.count > 8 && bytes.bytes[8] == UInt8(ascii: "{") && bytes.bytes[7] == 0)
    }
  }

  /// Whether the file holds a network.
  package func contains(_ part: Part) -> Bool {
    store.layouts.keys.contains { $0.hasPrefix(part.prefix) }
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
    guard contains(part) else { throw SnapshotError(path, "it holds no \(part.rawValue)") }
    // What the network does not have need not be read.
    let known = matching == .byName ? Set(module.state.map { part.prefix + $0.name }) : nil
    try fitting(part) { () throws(StateMismatch) in
      try module.load(tensors(of: part) { known?.contains($0) != false }, matching: matching)
    }
  }

  /// Copies what has the same name and shape into a network, as one of another resolution.
  ///
  /// - Parameters:
  ///   - part: Which of the three.
  ///   - module: The network.
  /// - Returns: How many tensors were copied, and the names of those that keep their own values.
  /// - Throws: `SnapshotError` if no trained tensor fits.
  package func loadFitting(
    _ part: Part,
    into module: any Module
  ) throws -> (count: Int, new: [String]) {
    guard contains(part) else { throw SnapshotError(path, "it holds no \(part.rawValue)") }
    let shapes = store.shapes(prefix: part.prefix)
    let own = module.state
    let fits = own.filter { shapes[$0.name] == $0.tensor.shape }
    guard fits.contains(where: { $0.name.hasSuffix("weight") }) else {
      throw SnapshotError(path, "nothing of its \(part.rawValue) fits the network asked for")
    }
    withoutGradients {
      for entry in fits {
        if let value = store.tensor(part.prefix + entry.name) { entry.tensor.assign(value) }
      }
    }
    let names = Set(fits.map(\.name))
    return (fits.count, own.map(\.name).filter { !names.contains($0) })
  }

  /// The tensors of a part by their names in the network, copied from the file.
  private func tensors(
    of part: Part,
    where isNeeded: (String) -> Bool = { _ in true }
  ) -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    for name in store.layouts.keys where name.hasPrefix(part.prefix) && isNeeded(name) {
      state[String(name.dropFirst(part.prefix.count))] = store.tensor(name)
    }
    return state
  }

  private func fitting(_ part: Part, _ body: () throws(StateMismatch) -> Void) throws {
    do throws(StateMismatch) { try body() } catch {
      throw SnapshotError(
        path,
        "its \(part.rawValue) does not fit the network asked for (\(error))"
      )
    }
  }

  /// The averaged generator, ready to paint; in reduced precision as training has it on the device.
  ///
  /// - Parameter device: Where it shall live.
  /// - Returns: A generator that records no gradients.
  /// - Throws: `SnapshotError` if there is none or it does not fit its description.
  package func averagedGenerator(on device: Device = .cpu) throws -> Generator {
    guard contains(.average) else { throw SnapshotError(path, "it holds no G_ema") }
    // Before memory is asked for: the description is a stranger's.
    try check(.average)
    let network = emptyGenerator(for: device)
    try fitting(.average) { () throws(StateMismatch) in
      try network.adopt(tensors(of: .average))
    }
    network.setTrainable(false)
    network.move(to: device)
    return network
  }

  /// A generator of this shape as it is computed on a device; it is on the CPU yet, its weights are to be
  /// adopted.
  func emptyGenerator(for device: Device) -> Generator {
    Generator(
      generator,
      reducedPrecision: device.reducedPrecision,
      random: UninitializedSource()
    )
  }

  /// Compares the tensors of a part with what its description calls for.
  func check(_ part: Part) throws {
    let found = store.shapes(prefix: part.prefix)
    let expected: [String: [Int]]
    if part != .discriminator {
      expected = LafiteModule.generator(generator).shapes
    } else if let discriminator {
      expected = LafiteModule.discriminator(discriminator).shapes
    } else {
      throw SnapshotError(path, "it does not describe its D")
    }
    let wrong = expected.keys.filter { found[$0] != expected[$0] }.sorted()
    guard let first = wrong.first ?? found.keys.filter({ expected[$0] == nil }).min() else {
      return
    }
    let has = found[first].map { "has the shape \($0)" } ?? "is missing"
    let wants = expected[first].map { "LAFITE's is \($0)" } ?? "LAFITE has none"
    throw SnapshotError(
      path,
      "its \(part.rawValue) is not the LAFITE network it is described as: \(first) \(has), \(wants)"
    )
  }
}
