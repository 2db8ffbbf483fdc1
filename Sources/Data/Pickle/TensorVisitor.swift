/// Collects the tensors of nested dictionaries under dotted names.
struct TensorVisitor {
  /// A tensor and the path that leads to it.
  typealias Named = (name: String, tensor: TorchTensor)

  private let reader: TorchTensorReader
  private var found: [Named] = []
  private var indices: [String: Int] = [:]
  /// Steps and bytes of names left: shared dictionaries would multiply without bound.
  private var budget = 1 << 24

  init(_ reader: TorchTensorReader) { self.reader = reader }

  /// The tensors under a value, in order; of equal names the last one counts.
  static func tensors(
    of value: PickleValue,
    _ reader: TorchTensorReader
  ) throws(PickleError) -> [Named] {
    var walk = TensorVisitor(reader)
    try walk.visit(value, name: "", depth: 0)
    return walk.found
  }

  private mutating func visit(
    _ value: PickleValue,
    name: String,
    depth: Int
  ) throws(PickleError) {
    switch value {
    case .object, .dictionary, .list, .tuple: break
    default: return
    }
    budget -= 1 + name.utf8.count
    guard depth < 64, budget > 0 else { throw endless }
    if let tensor = try reader.tensor(value) {
      add(tensor, name)
    } else if let object = value.object, let state = object.state, object.entries.isEmpty,
      object.construction == .new
    {
      // An instance of a class, such as a module: its attributes.
      try visit(state, name: name, depth: depth + 1)
    } else if let entries = value.entries {
      try visit(entries, name: name, depth: depth)
    } else if let items = value.items {
      budget -= items.count
      for (index, item) in items.enumerated() {
        try visit(item, name: join(name, String(index)), depth: depth + 1)
      }
    }
  }

  private mutating func visit(
    _ entries: [PickleDictionary.Entry],
    name: String,
    depth: Int
  ) throws(PickleError) {
    budget -= entries.count
    let parts = ["_parameters", "_buffers", "_modules"]
    let isModule = parts.allSatisfy { part in entries.contains { $0.key.string == part } }
    for (key, value) in entries {
      guard let key = key.string ?? key.int.map(String.init) else { continue }
      if !isModule {
        // Before the name is made: many short values may share one long key.
        budget -= key.utf8.count
        guard budget > 0 else { throw endless }
        try visit(value, name: join(name, key), depth: depth + 1)
      } else if parts.contains(key) {
        // A module's tensors carry the names of its state dictionary.
        try visit(value, name: name, depth: depth + 1)
      }
    }
  }

  private var endless: PickleError {
    .limit(what: "the tensors are nested too deeply or without end")
  }

  private mutating func add(_ tensor: TorchTensor, _ name: String) {
    if let index = indices[name] {
      found[index].tensor = tensor
    } else {
      indices[name] = found.count
      found.append((name, tensor))
    }
  }

  private func join(_ path: String, _ key: String) -> String {
    path.isEmpty ? key : path + "." + key
  }
}
