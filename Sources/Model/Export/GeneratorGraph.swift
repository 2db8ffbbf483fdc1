package import Networks
package import ONNX
import Torch
import TorchNN

/// LAFITE's generator as a graph of ONNX: z, text feature, truncation and noise → image.
///
/// All weights are constants. The style scales the activations before a convolution and the normalisation
/// after it, as `modulatedConvolution` has it; gains of √2 behind leaky ReLUs, which let factors through, stand
/// in the constants before.
package struct GeneratorGraph {
  let writer: GraphWriter
  let configuration: GeneratorConfiguration
  /// Whether blocks that are trained in reduced precision compute in float16.
  let computesHalf: Bool
  private(set) var noise: ONNXValue
  private(set) var feature: ONNXValue

  /// Slope of the negative side of the leaky ReLUs.
  static let slope: Float = 0.2

  /// The graph of a generator.
  ///
  /// - Parameters:
  ///   - generator: The generator, on the CPU; its weights are read when the graph is written.
  ///   - half: Stores weights in float16; all is computed in float32.
  ///   - computesHalf: Computes in float16 in the blocks that the network's own settings run in reduced
  ///     precision, if they clamp their activations.
  /// - Returns: A graph with the inputs `z` [N, zDimension], `feature` [N, featureDimension] (not for networks
  ///   without), `label` [N, labelDimension] (only with classes), the scalars `truncation` and `noise`, and the
  ///   output `image` [N, 3, R, R], all float32.
  package static func graph(
    of generator: Generator,
    half: Bool = false,
    computesHalf: Bool = false
  ) -> ONNXGraph {
    let writer = GraphWriter("generator", state: generator.stateDictionary, half: half)
    var graph = GeneratorGraph(
      writer: writer,
      configuration: generator.configuration,
      computesHalf: computesHalf,
      noise: .absent,
      feature: .absent
    )
    graph.build()
    return writer.graph
  }

  private mutating func build() {
    let graph = writer.graph
    let batch = ONNXDimension.named("N")
    let z = graph.input(
      "z",
      .float32,
      [batch, .fixed(configuration.zDimension)],
      meaning: "latents from the standard normal distribution"
    )
    if configuration.featureDimension > 0 {
      feature = graph.input(
        "feature",
        .float32,
        [batch, .fixed(configuration.featureDimension)],
        meaning: "CLIP features of texts, of unit length"
      )
    }
    let label = configuration.labelDimension.map { width in
      graph.input(
        "label",
        .float32,
        [batch, .fixed(width)],
        meaning: "class labels, one-hot or several ones"
      )
    }
    let truncation = graph.input(
      "truncation",
      .float32,
      [],
      meaning: "1 is the full variety, 0 the average image"
    )
    noise = graph.input(
      "noise",
      .float32,
      [],
      meaning: "factor on the stored noise: 1 is --noise_mode const, 0 is none"
    )
    let w = mapping(z, label: label, truncation: truncation)
    let R = configuration.resolution
    graph.output(
      synthesis(w),
      as: "image",
      .float32,
      [batch, .fixed(3), .fixed(R), .fixed(R)],
      meaning: "RGB, roughly from -1 to 1: clamp before use"
    )
  }

  /// A fully connected layer of LAFITE: equalised weights, perhaps a leaky ReLU with its gain.
  func layer(
    _ x: ONNXValue,
    _ name: String,
    learningRateMultiplier: Double = 1,
    isActivated: Bool = false,
    gain: Double = 1
  ) -> ONNXValue {
    let inputs = writer.tensor("\(name).weight").size(1)
    let gain = gain * learningRateMultiplier * (isActivated ? 2.0.squareRoot() : 1)
    let y = writer.linear(
      x,
      name,
      gain: gain / Double(inputs).squareRoot(),
      biasGain: gain
    )
    return isActivated ? leakyReLU(y, in: name) : y
  }

  func leakyReLU(_ x: ONNXValue, in scope: String) -> ONNXValue {
    writer.graph.add("LeakyRelu", [x], in: scope, [("alpha", .float(Self.slope))])
  }

  /// z and labels → w [N, wDimension], pulled toward its mean.
  private func mapping(
    _ z: ONNXValue,
    label: ONNXValue?,
    truncation: ONNXValue
  ) -> ONNXValue {
    let (graph, scope) = (writer.graph, "mapping")
    var x = writer.normalizedSecondMoment(z, in: scope)
    if let label {
      let embedded = writer.normalizedSecondMoment(layer(label, "mapping.embed"), in: scope)
      x = graph.add("Concat", [x, embedded], in: scope, [("axis", .int(1))])
    }
    for index in 0..<configuration.mappingLayers {
      x = layer(x, "mapping.fc\(index)", learningRateMultiplier: 0.01, isActivated: true)
    }
    let average = writer.constant("mapping.w_avg", .float32, [configuration.wDimension]) {
      [writer] in writer.tensor("mapping.w_avg")
    }
    let distance = graph.add("Sub", [x, average], in: scope)
    let pulled = graph.add("Mul", [distance, truncation], in: scope)
    return graph.add("Add", [pulled, average], in: scope)
  }
}
