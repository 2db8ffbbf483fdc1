import ONNX
import Torch

/// Adds the constants and recurring operations of a network to a graph.
///
/// Constants keep the names of the network's state. With `half`, matrices, kernels and maps are stored in
/// half precision as they are in the state, without their gains: what came from a snapshot in half precision
/// loses nothing.
final class GraphWriter {
  let graph: ONNXGraph
  private let state: [String: Tensor]
  private let half: Bool

  /// A writer.
  ///
  /// - Parameters:
  ///   - name: The name of the graph.
  ///   - state: The network's tensors by name.
  ///   - half: Whether weights are stored in half precision.
  init(_ name: String, state: [String: Tensor], half: Bool) {
    graph = ONNXGraph(name: name)
    (self.state, self.half) = (state, half)
  }

  // MARK: Constants

  /// A tensor of the state, float32.
  func tensor(_ name: String) -> Tensor {
    guard let tensor = state[name] else { preconditionFailure("no tensor \(name)") }
    return tensor.detached().to(.float32)
  }

  /// A weight of the state as a constant; with `half` it is stored so, and cast for the computation.
  ///
  /// - Parameters:
  ///   - name: Its name in the state.
  ///   - shape: Its shape in the graph; that of the state if `nil`.
  ///   - change: What is done to it first, as a transposition; it must not round.
  /// - Returns: The value, float32.
  func weight(
    _ name: String,
    shape: [Int]? = nil,
    _ change: @escaping (Tensor) -> Tensor = { $0 }
  ) -> ONNXValue {
    let stored = constant(name, half ? .float16 : .float32, shape ?? tensor(name).shape) {
      change(self.tensor(name))
    }
    return half ? cast(stored, to: .float32, in: name) : stored
  }

  /// A constant of the network, computed when its turn comes.
  ///
  /// - Throws: While the file is written, `ExportError` if a value is too large for half precision.
  func constant(
    _ name: String,
    _ type: ONNXType,
    _ shape: [Int],
    _ make: @escaping () -> Tensor
  ) -> ONNXValue {
    graph.constant(
      ONNXTensor(name: name, type: type, shape: shape) {
        try withoutGradients {
          let tensor = make()
          precondition(tensor.shape == shape, "\(name) is \(tensor.shape), not \(shape)")
          if type == .float16 { try Self.checkRange(tensor, name) }
          return tensor.to(type == .float16 ? .float16 : .float32).contiguous().bytes
        }
      }
    )
  }

  /// A number that belongs to no layer.
  func scalar(_ value: Double, _ type: ONNXType = .float32) -> ONNXValue {
    constant("\(value) \(type)", type, []) { Tensor(scalar: value) }
  }

  /// Integers, as axes and shapes.
  func integers(_ values: [Int]) -> ONNXValue {
    let name = "[" + values.map(String.init).joined(separator: ",") + "]"
    return graph.constant(
      ONNXTensor(name: name, type: .int64, shape: [values.count]) {
        values.flatMap { value in withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) } }
      }
    )
  }

  private static func checkRange(_ tensor: Tensor, _ name: String) throws(ExportError) {
    if let value = tensor.floats.first(where: { $0.isFinite && abs($0) > 65504 }) {
      throw ExportError(
        "\(name) holds \(value), which half precision cannot; convert without --half"
      )
    }
  }

  // MARK: Operations

  /// The value in another type.
  func cast(_ value: ONNXValue, to type: ONNXType, in scope: String) -> ONNXValue {
    graph.add("Cast", [value], in: scope, [("to", .int(type.rawValue))])
  }

  /// A fully connected layer: gain · (x · Wᵀ) + biasGain · bias.
  ///
  /// - Parameters:
  ///   - x: [N, in], float32.
  ///   - name: The layer.
  ///   - gain: Factor on the weights.
  ///   - biasGain: Factor on the bias.
  /// - Returns: [N, out], float32.
  func linear(_ x: ONNXValue, _ name: String, gain: Double, biasGain: Double) -> ONNXValue {
    let bias = constant("\(name).bias", .float32, tensor("\(name).bias").shape) {
      self.tensor("\(name).bias") * biasGain
    }
    return graph.add(
      "Gemm",
      [x, weight("\(name).weight"), bias],
      in: name,
      [("alpha", .float(Float(gain))), ("transB", .int(1))]
    )
  }

  /// x / √(mean(x²) + ε) over dimension 1.
  func normalizedSecondMoment(_ x: ONNXValue, in scope: String) -> ONNXValue {
    let mean = graph.add(
      "ReduceMean",
      [graph.add("Mul", [x, x], in: scope)],
      in: scope,
      [("axes", .ints([1])), ("keepdims", .int(1))]
    )
    let shifted = graph.add("Add", [mean, scalar(1e-8)], in: scope)
    return graph.add("Div", [x, graph.add("Sqrt", [shifted], in: scope)], in: scope)
  }
}
