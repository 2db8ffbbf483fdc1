/// A pickled `torch.nn.Module`, as StyleGAN2-ADA and LAFITE keep networks in their snapshots.
///
/// The module is either a call of `torch_utils.persistence._reconstruct_persistent_obj` with a
/// description that embeds its source code (which is skipped), or an instance of a class by name. Its
/// state is the `__dict__` with `_parameters`, `_buffers`, `_modules` and plain attributes.
package struct ModuleState {
  /// The class, without its module: `Generator`.
  package let className: String
  /// The tensors by the names of the state dictionary: parameters, then buffers, then submodules.
  package let tensors: [TorchArchive.NamedTensor]
  /// The plain attributes of the module itself, without torch's own and the tensors.
  package let attributes: [(name: String, value: PickleValue)]
  /// The keyword arguments the module was made with, `_init_kwargs`; a dictionary.
  package let initKeywordArguments: PickleValue

  /// Reads a module out of a pickle, such as its entry `G_ema`.
  package init(_ value: PickleValue) throws(PickleError) {
    let reader = TorchTensorReader(storages: [:], allowsEmbedded: true)
    let module = try Self.open(value)
    className = module.className
    var walk = Walk(reader: reader)
    try walk.visit(module.state, prefix: "", depth: 0)
    tensors = walk.tensors
    let entries = module.state.entries ?? []
    attributes = entries.compactMap { entry in
      guard let name = entry.key.string, !Self.isInternal(name) else { return nil }
      return (name, entry.value)
    }
    initKeywordArguments = module.state["_init_kwargs"] ?? .dictionary([])
  }

  /// The class name and state of a module in either form.
  private static func open(
    _ value: PickleValue
  ) throws(PickleError) -> (className: String, state: PickleValue) {
    guard let object = value.object, let path = object.globalPath else {
      throw .content(reason: "a network that is no module")
    }
    if path == "torch_utils.persistence._reconstruct_persistent_obj" {
      guard let meta = object.arguments.items?.first, meta["type"]?.string == "class",
        let name = meta["class_name"]?.string, let state = meta["state"], state.entries != nil
      else { throw .content(reason: "a persistent module of unknown form") }
      return (name, state)
    }
    guard let state = object.state, state["_parameters"] != nil, state["_modules"] != nil else {
      throw .content(reason: "an object of \(path), which is no module with a state")
    }
    return (String(path.split(separator: ".").last ?? ""), state)
  }

  private static func isInternal(_ name: String) -> Bool {
    let names = [
      "_parameters", "_buffers", "_modules", "_init_args", "_init_kwargs", "_orig_class_name",
    ]
    return names.contains(name) || name.hasSuffix("_hooks") || name.hasSuffix("_set")
      || name.hasPrefix("_orig_")
  }

  /// Collects the tensors of a module and its submodules.
  private struct Walk {
    let reader: TorchTensorReader
    var tensors: [TorchArchive.NamedTensor] = []
    /// Steps and bytes of names left.
    ///
    /// A module that is shared, or its own child, must not go on for ever. LAFITE's largest networks
    /// take some ten thousand steps and half a megabyte of names.
    var budget = 1 << 23

    mutating func visit(
      _ state: PickleValue,
      prefix: String,
      depth: Int
    ) throws(PickleError) {
      guard depth < 64 else { throw endless }
      // Every look-up below goes through all entries.
      try spend(8 * (state.entries?.count ?? 0))
      let transient = try entries(state["_non_persistent_buffers_set"]?.items).compactMap(\.string)
      for (key, value) in try entries(state["_parameters"]?.entries) {
        try add(key, value, prefix)
      }
      for (key, value) in try entries(state["_buffers"]?.entries) {
        try spend(transient.count)
        if let key = key.string, transient.contains(key) { continue }
        try add(key, value, prefix)
      }
      for (key, value) in try entries(state["_modules"]?.entries) {
        // A submodule may be registered as None.
        if case .none = value { continue }
        let module = try ModuleState.open(value)
        let name = try name(key, prefix)
        try visit(module.state, prefix: name + ".", depth: depth + 1)
      }
    }

    /// Items that are about to be walked over; none for `nil`.
    private mutating func entries<Item>(_ items: [Item]?) throws(PickleError) -> [Item] {
      try spend(items?.count ?? 0)
      return items ?? []
    }

    private mutating func add(
      _ key: PickleValue,
      _ value: PickleValue,
      _ prefix: String
    ) throws(PickleError) {
      // A parameter may be registered as None.
      if case .none = value { return }
      let name = try name(key, prefix)
      guard let tensor = try reader.tensor(value) else {
        throw .content(reason: "\(name) is registered as a tensor, but has another form")
      }
      tensors.append((name, tensor))
    }

    private mutating func name(
      _ key: PickleValue,
      _ prefix: String
    ) throws(PickleError) -> String {
      let key = key.string ?? "?"
      // A tensor's record takes memory too.
      try spend(32 + prefix.utf8.count + key.utf8.count)
      guard key.utf8.count < 256 else { throw .limit(what: "a name of \(key.utf8.count) bytes") }
      return prefix + key
    }

    private mutating func spend(_ steps: Int) throws(PickleError) {
      budget -= steps
      if budget < 0 { throw endless }
    }

    private var endless: PickleError {
      .limit(what: "modules are nested too deeply or without end")
    }
  }
}
