import Files
import JSON
import Networks
import Pickle

/// Writes the pickle that the original's `legacy.load_network_pkl` opens: `training_set_kwargs`,
/// `args`, `G`, `D`, `G_ema` and `augment_pipe`, in this order.
///
/// Networks are instances of the original's classes by name, so that its repository must be on
/// Python's path, as it is for its own scripts. What nifty adds for itself stands under `nifty`, which
/// the original does not look at.
struct PickledSnapshotWriter {
  let path: String
  let description: SnapshotDescription
  let drafts: [String: SnapshotDraft]

  func write() throws {
    guard let discriminator = description.discriminator else {
      throw SnapshotError(path, "a pickle needs G, D and G_ema, and there is no D")
    }
    guard description.generator.featureDimension > 0 else {
      throw SnapshotError(
        path,
        "cannot be written as a pickle of LAFITE: it is StyleGAN2-ADA's, without layers of text"
      )
    }
    var generatorTree = LafiteModule.generator(description.generator)
    var discriminatorTree = LafiteModule.discriminator(discriminator)
    let record = description.record
    if !record.generatorKeywords.isEmpty { generatorTree.keywords = record.generatorKeywords }
    if !record.discriminatorKeywords.isEmpty {
      discriminatorTree.keywords = record.discriminatorKeywords
    }
    let root: PickleValue = .dictionary([
      ("training_set_kwargs", record.trainingSet.pickled), ("args", record.arguments.pickled),
      ("G", try network(generatorTree, .generator)),
      ("D", try network(discriminatorTree, .discriminator)),
      ("G_ema", try network(generatorTree, .average)), ("augment_pipe", nil),
      ("nifty", try description.extras),
    ])
    do {
      try PickleWriter.write(root, to: path)
    } catch .file(let error) {
      throw error
    } catch {
      throw SnapshotError(path, error.description)
    }
  }

  /// A network, once all its tensors are known to be there.
  private func network(
    _ tree: LafiteModule,
    _ part: NetworkSnapshot.Part
  ) throws -> PickleValue {
    let expected = tree.shapes
    guard drafts.keys.contains(where: { $0.hasPrefix(part.prefix) }) else {
      throw SnapshotError(path, "a pickle needs G, D and G_ema, and there is no \(part.rawValue)")
    }
    for (name, shape) in expected.sorted(by: { $0.key < $1.key })
    where drafts[part.prefix + name]?.layout.shape != shape {
      throw SnapshotError(
        path,
        "cannot be written as a pickle of LAFITE: \(part.prefix)\(name) is missing or not \(shape)"
      )
    }
    let count = drafts.keys.count { $0.hasPrefix(part.prefix) }
    guard count == expected.count else {
      throw SnapshotError(
        path,
        "cannot be written as a pickle of LAFITE: \(part.rawValue) has \(count) tensors, "
          + "not \(expected.count)"
      )
    }
    return module(tree, prefix: part.prefix)
  }

  /// An instance of a class with the state that a torch module is unpickled from.
  private func module(_ tree: LafiteModule, prefix: String) -> PickleValue {
    func tensors(_ shapes: [(name: String, shape: [Int])], isParameter: Bool) -> PickleValue {
      .dictionary(
        shapes.compactMap { name, shape in
          tensor(prefix + name, isParameter: isParameter).map { (name, $0) }
        }
      )
    }
    let children = tree.children.map { name, child in
      (name, module(child, prefix: "\(prefix)\(name)."))
    }
    let hooks = [
      "_backward_hooks", "_forward_hooks", "_forward_pre_hooks", "_state_dict_hooks",
      "_load_state_dict_pre_hooks",
    ]
    let state: [(String, PickleValue)] =
      [
        ("training", false), ("_parameters", tensors(tree.parameters, isParameter: true)),
        ("_buffers", tensors(tree.buffers, isParameter: false)),
        ("_non_persistent_buffers_set", .set(PickleSequence())),
      ] + hooks.map { ($0, .orderedDictionary([])) } + [("_modules", .dictionary(children))]
      + tree.attributes
      + [("_init_args", .tuple([])), ("_init_kwargs", tree.keywords.pickled)]
    return .instance(of: .global("training.networks", tree.className), state: .dictionary(state))
  }

  private func tensor(_ name: String, isParameter: Bool) -> PickleValue? {
    guard let draft = drafts[name] else { return nil }
    return .tensor(
      type: draft.layout.dtype.torchType,
      shape: draft.layout.shape,
      isParameter: isParameter
    ) { MappedBytes(copying: draft.bytes()) }
  }
}
