/// A graph under construction: every call adds an operation and returns the value that it gives.
package final class ONNXGraph {
  /// The name of the graph.
  package let name: String
  private(set) var nodes: [ONNXNode] = []
  private(set) var constants: [ONNXTensor] = []
  private(set) var inputs: [ONNXPort] = []
  private(set) var outputs: [ONNXPort] = []
  private var known: Set<String> = []
  private var counts: [String: Int] = [:]

  /// An empty graph.
  package init(name: String) { self.name = name }

  /// The names of the inputs in order.
  package var inputNames: [String] { inputs.map(\.value.name) }

  /// Adds an input.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - type: Element type.
  ///   - shape: Dimensions.
  ///   - meaning: Words for people.
  /// - Returns: Its value.
  package func input(
    _ name: String,
    _ type: ONNXType,
    _ shape: [ONNXDimension],
    meaning: String
  ) -> ONNXValue {
    let value = introduce(name)
    inputs.append(ONNXPort(value: value, type: type, shape: shape, meaning: meaning))
    return value
  }

  /// Makes a value an output.
  ///
  /// - Parameters:
  ///   - value: What the graph shall give.
  ///   - name: The output's name.
  ///   - type: Element type of the value.
  ///   - shape: Dimensions of the value.
  ///   - meaning: Words for people.
  package func output(
    _ value: ONNXValue,
    as name: String,
    _ type: ONNXType,
    _ shape: [ONNXDimension],
    meaning: String
  ) {
    let result = introduce(name)
    append("Identity", [value], [result], [])
    outputs.append(ONNXPort(value: result, type: type, shape: shape, meaning: meaning))
  }

  /// Adds a constant, once for each name.
  package func constant(_ tensor: ONNXTensor) -> ONNXValue {
    let value = ONNXValue(name: tensor.name)
    if let old = constants.first(where: { $0.name == tensor.name }) {
      precondition(
        old.type == tensor.type && old.shape == tensor.shape,
        "two constants \(tensor.name): \(old.type) \(old.shape) and \(tensor.type) \(tensor.shape)"
      )
      return value
    }
    constants.append(tensor)
    return introduce(tensor.name)
  }

  /// Adds an operation with one result.
  ///
  /// - Parameters:
  ///   - operation: As ONNX calls it, of operator set 17.
  ///   - inputs: Its operands.
  ///   - scope: The part of the network it belongs to, the beginning of its name.
  ///   - attributes: Its settings.
  /// - Returns: The result.
  package func add(
    _ operation: String,
    _ inputs: [ONNXValue],
    in scope: String,
    _ attributes: [(name: String, value: ONNXAttribute)] = []
  ) -> ONNXValue {
    let result = introduce(unique("\(scope)/\(operation)"))
    append(operation, inputs, [result], attributes)
    return result
  }

  /// Adds an operation with several results.
  package func add(
    _ operation: String,
    _ inputs: [ONNXValue],
    results: Int,
    in scope: String,
    _ attributes: [(name: String, value: ONNXAttribute)] = []
  ) -> [ONNXValue] {
    let name = unique("\(scope)/\(operation)")
    let values = (0..<results).map { introduce("\(name).\($0)") }
    append(operation, inputs, values, attributes)
    return values
  }

  private func append(
    _ operation: String,
    _ inputs: [ONNXValue],
    _ outputs: [ONNXValue],
    _ attributes: [(name: String, value: ONNXAttribute)]
  ) {
    for input in inputs where input != .absent {
      precondition(
        known.contains(input.name),
        "\(operation) takes \(input.name) before it is there"
      )
    }
    nodes.append(
      ONNXNode(
        name: outputs[0].name,
        operation: operation,
        inputs: inputs,
        outputs: outputs,
        attributes: attributes
      )
    )
  }

  private func introduce(_ name: String) -> ONNXValue {
    precondition(known.insert(name).inserted, "two values are called \(name)")
    return ONNXValue(name: name)
  }

  private func unique(_ name: String) -> String {
    let count = counts[name, default: 0]
    counts[name] = count + 1
    return count == 0 ? name : "\(name)_\(count)"
  }
}
