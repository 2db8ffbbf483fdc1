package import Torch

extension Golden {
  /// The state dictionary of a golden network: from `NAME_state.safetensors`, or by the formulas of
  /// `netX_formula.json`.
  ///
  /// - Parameters:
  ///   - net: "netA".
  ///   - part: "G" or "D".
  /// - Returns: Tensors by name.
  /// - Throws: Where the files are missing or damaged.
  package static func state(_ net: String, _ part: String) throws -> [String: Tensor] {
    if Manifest.files(prefix: "\(net)_\(part)_state").count == 1 {
      return try Golden("\(net)_\(part)_state").tensors
    }
    let formulas: [String: FormulaNetwork] = try json("\(net)_formula.json")
    guard let network = formulas[part] else {
      preconditionFailure("\(net)_formula.json has no part \(part)")
    }
    return network.tensors.reduce(into: [:]) { state, entry in
      let (name, formula) = entry
      state[name] = formulaTensor(
        name,
        formula.shape,
        scale: formula.scale,
        offset: formula.offset,
        salt: network.salt
      )
    }
  }
}

private struct FormulaNetwork: Decodable {
  struct Formula: Decodable {
    let shape: [Int]
    let scale: Double
    let offset: Double
  }
  let salt: String
  let tensors: [String: Formula]
}
