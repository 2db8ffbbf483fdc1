public import Torch

/// State that does not fit a module: what is missing, left over, or of another shape.
public struct StateMismatch: Error, Equatable, CustomStringConvertible {
  /// Names the module has and the dictionary lacks.
  public var missing: [String] = []
  /// Names the dictionary has and the module lacks.
  public var unexpected: [String] = []
  /// Names of both with different shapes, each with both shapes in words.
  public var mismatched: [String] = []

  var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty }

  /// One line: what does not fit, by name.
  public var description: String {
    let parts = [
      part("wrong shape", mismatched), part("missing", missing), part("unexpected", unexpected),
    ]
    return parts.compactMap(\.self).joined(separator: "; ")
  }

  private func part(_ what: String, _ names: [String]) -> String? {
    if names.isEmpty { return nil }
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return "\(what): \(names.prefix(3).joined(separator: ", "))\(more)"
  }
}

/// How strictly a state dictionary must fit.
public enum StateMatching: Sendable {
  /// Every name on both sides, equal shapes.
  case exact
  /// Names of the dictionary that the module lacks are ignored, and the module keeps what the
  /// dictionary lacks; shapes of common names must be equal. This is how training is resumed.
  case byName
}

extension Module {
  /// Copies a state dictionary into the module, or changes nothing and throws.
  public func load(
    _ dictionary: [String: Tensor],
    matching: StateMatching = .exact
  ) throws(StateMismatch) {
    let own = try entries(for: dictionary, matching: matching)
    withoutGradients {
      for entry in own {
        if let value = dictionary[entry.name] { entry.tensor.assign(value) }
      }
    }
  }

  /// Takes a whole state dictionary for the module's own memory, converted where types differ, or
  /// changes nothing and throws.
  ///
  /// What has the module's type and order of memory is not copied: nothing else may use it afterwards.
  public func adopt(_ dictionary: [String: Tensor]) throws(StateMismatch) {
    let own = try entries(for: dictionary, matching: .exact)
    withoutGradients {
      for entry in own {
        guard let value = dictionary[entry.name] else { continue }
        entry.tensor.adopt(value.detached().to(entry.tensor.dtype).contiguous())
      }
    }
  }

  /// The module's entries, if a dictionary fits them.
  private func entries(
    for dictionary: [String: Tensor],
    matching: StateMatching
  ) throws(StateMismatch) -> [StateEntry] {
    let own = state
    var mismatch = StateMismatch()
    for entry in own {
      guard let value = dictionary[entry.name] else {
        mismatch.missing.append(entry.name)
        continue
      }
      if value.shape != entry.tensor.shape {
        mismatch.mismatched.append("\(entry.name) is \(value.shape), not \(entry.tensor.shape)")
      }
    }
    let names = Set(own.map(\.name))
    mismatch.unexpected = dictionary.keys.filter { !names.contains($0) }.sorted()
    if matching == .byName {
      mismatch.missing = []
      mismatch.unexpected = []
    }
    if !mismatch.isEmpty { throw mismatch }
    return own
  }

  /// Copies the whole state of another module of the same structure.
  public func copyState(from other: some Module) {
    let (own, others) = (state, other.state)
    precondition(
      own.map(\.name) == others.map(\.name),
      "cannot copy the state of another structure"
    )
    withoutGradients {
      for (target, source) in zip(own, others) { target.tensor.assign(source.tensor) }
    }
  }

  /// The live state by name; the tensors are not copies.
  public var stateDictionary: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.tensor) })
  }
}
