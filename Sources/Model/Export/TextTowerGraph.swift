package import CLIP
package import ONNX
import Torch
import TorchNN

/// CLIP's text tower as a graph of ONNX: token ids → feature of unit length.
package struct TextTowerGraph {
  private let writer: GraphWriter
  private let configuration: CLIPConfiguration

  /// The graph of a model's text tower.
  ///
  /// - Parameters:
  ///   - model: The model, on the CPU; its weights are read when the graph is written.
  ///   - half: Stores weights in float16; all computation is in float32.
  /// - Returns: A graph with the input `tokens`, int64 [N, L] with L of the model's whole context, and the output
  ///   `feature` [N, E], float32, of unit length, as generators take it.
  package static func graph(of model: CLIP, half: Bool = false) -> ONNXGraph {
    let state = model.stateDictionary
    let writer = GraphWriter("clip-text", state: state, half: half)
    TextTowerGraph(writer: writer, configuration: model.configuration).build()
    return writer.graph
  }

  private func build() {
    let (graph, batch) = (writer.graph, ONNXDimension.named("N"))
    let (L, E) = (configuration.contextLength, configuration.embedDimension)
    let tokens = graph.input(
      "tokens",
      .int64,
      [batch, .fixed(L)],
      meaning: "ids of CLIP's tokenizer: start mark, text, end mark, filled up with zeros"
    )
    var x = graph.add("Gather", [writer.weight("token_embedding.weight"), tokens], in: "embedding")
    x = graph.add("Add", [x, writer.weight("positional_embedding")], in: "embedding")
    for index in 0..<configuration.textLayers { x = block(x, "transformer.resblocks.\(index)") }
    x = normalized(x, "ln_final")
    // The end mark has the largest id; what stands there has seen the whole caption.
    let ids = graph.add("Cast", [tokens], in: "end", [("to", .int(ONNXType.int32.rawValue))])
    let end = graph.add("ArgMax", [ids], in: "end", [("axis", .int(1)), ("keepdims", .int(1))])
    let last = graph.add("GatherND", [x, end], in: "end", [("batch_dims", .int(1))])  // [N, W]
    let feature = graph.add("MatMul", [last, writer.weight("text_projection")], in: "end")
    let length = graph.add(
      "ReduceL2",
      [feature],
      in: "end",
      [("axes", .ints([1])), ("keepdims", .int(1))]
    )
    graph.output(
      graph.add("Div", [feature, length], in: "end"),
      as: "feature",
      .float32,
      [batch, .fixed(E)],
      meaning: "the feature of each text, of unit length"
    )
  }

  /// x + attention(norm(x)), then x + perceptron(norm(x)).
  private func block(_ x: ONNXValue, _ name: String) -> ONNXValue {
    let graph = writer.graph
    let attended = graph.add(
      "Add",
      [x, attention(normalized(x, "\(name).ln_1"), "\(name).attn")],
      in: name
    )
    let hidden = linear(normalized(attended, "\(name).ln_2"), "\(name).mlp.c_fc")
    let perceptron = linear(activated(hidden, "\(name).mlp"), "\(name).mlp.c_proj")
    return graph.add("Add", [attended, perceptron], in: name)
  }

  /// Causal self-attention, [N, L, W] → [N, L, W].
  private func attention(_ x: ONNXValue, _ name: String) -> ONNXValue {
    let graph = writer.graph
    let (L, W, heads) = (
      configuration.contextLength, configuration.textWidth, configuration.textHeads
    )
    let joint = linear(x, weight: "\(name).in_proj_weight", bias: "\(name).in_proj_bias", in: name)
    let parts = graph.add("Split", [joint], results: 3, in: name, [("axis", .int(2))])
    func split(_ part: ONNXValue, order: [Int]) -> ONNXValue {
      let shape = writer.integers([-1, L, heads, W / heads])
      let shaped = graph.add("Reshape", [part, shape], in: name)
      return graph.add("Transpose", [shaped], in: name, [("perm", .ints(order))])
    }
    let queries = split(parts[0], order: [0, 2, 1, 3])  // [N, heads, L, W / heads]
    let keys = split(parts[1], order: [0, 2, 3, 1])  // [N, heads, W / heads, L]
    let values = split(parts[2], order: [0, 2, 1, 3])
    let scale = writer.scalar(1 / Double(W / heads).squareRoot())
    let scores = graph.add(
      "MatMul",
      [graph.add("Mul", [queries, scale], in: name), keys],
      in: name
    )
    let masked = graph.add("Add", [scores, causalMask], in: name)
    let shares = graph.add("Softmax", [masked], in: name, [("axis", .int(-1))])
    let mixed = graph.add("MatMul", [shares, values], in: name)
    let ordered = graph.add("Transpose", [mixed], in: name, [("perm", .ints([0, 2, 1, 3]))])
    let joined = graph.add("Reshape", [ordered, writer.integers([-1, L, W])], in: name)
    return linear(joined, "\(name).out_proj")
  }

  /// The causal mask, [L, L]: a position attends to itself and to earlier ones.
  ///
  /// Its number instead of −∞ is finite in float16 too, and as good: its exponential is zero.
  private var causalMask: ONNXValue {
    let L = configuration.contextLength
    return writer.constant("causal mask", .float32, [L, L]) {
      let values = (0..<L).flatMap { row in (0..<L).map { $0 <= row ? 0 : Float(-10_000) } }
      return Tensor(values, shape: [L, L])
    }
  }

  private func linear(_ x: ONNXValue, _ name: String) -> ONNXValue {
    linear(x, weight: "\(name).weight", bias: "\(name).bias", in: name)
  }

  /// x · Wᵀ + b for [N, L, in]; ONNX's product of more than two dimensions wants W turned.
  private func linear(
    _ x: ONNXValue,
    weight: String,
    bias: String,
    in scope: String
  ) -> ONNXValue {
    let (O, I) = writer.tensor(weight).shape2
    let turned = writer.weight(weight, shape: [I, O]) { $0.transposed(0, 1) }
    let product = writer.graph.add("MatMul", [x, turned], in: scope)
    return writer.graph.add("Add", [product, vector(bias)], in: scope)
  }

  private func normalized(_ x: ONNXValue, _ name: String) -> ONNXValue {
    writer.graph.add(
      "LayerNormalization",
      [x, vector("\(name).weight"), vector("\(name).bias")],
      in: name,
      [("axis", .int(-1)), ("epsilon", .float(1e-5))]
    )
  }

  /// x · σ(1.702 · x), or the exact x · (1 + erf(x / √2)) / 2.
  private func activated(_ x: ONNXValue, _ scope: String) -> ONNXValue {
    let graph = writer.graph
    switch configuration.activation ?? .quickGELU {
    case .quickGELU:
      let sharp = graph.add("Mul", [x, writer.scalar(1.702)], in: scope)
      return graph.add("Mul", [x, graph.add("Sigmoid", [sharp], in: scope)], in: scope)
    case .gelu:
      let error = graph.add(
        "Erf",
        [graph.add("Div", [x, writer.scalar(2.0.squareRoot())], in: scope)],
        in: scope
      )
      let gate = graph.add("Add", [error, writer.scalar(1)], in: scope)
      let product = graph.add("Mul", [x, gate], in: scope)
      return graph.add("Mul", [product, writer.scalar(0.5)], in: scope)
    }
  }

  private func vector(_ name: String) -> ONNXValue {
    writer.constant(name, .float32, writer.tensor(name).shape) { [writer] in writer.tensor(name) }
  }
}
