import Networks
import ONNX

/// The styles of the layers: w and text feature → one factor a channel.
extension GeneratorGraph {
  /// The style of a layer.
  ///
  /// - Parameters:
  ///   - name: The layer in the state, as `synthesis.b8.conv0`.
  ///   - resolution: Its resolution, which decides its structure.
  ///   - w: [N, wDimension].
  ///   - gain: Multiplies the style.
  /// - Returns: [N, channels], float32.
  func style(_ name: String, resolution: Int, w: ONNXValue, gain: Double = 1) -> ONNXValue {
    let graph = writer.graph
    if configuration.featureDimension == 0 { return layer(w, "\(name).affine", gain: gain) }
    if resolution <= configuration.structureChange {
      let text = textLayers("\(name).pre")
      let joined = graph.add("Concat", [text, w], in: name, [("axis", .int(1))])
      return layer(joined, "\(name).affine_0", gain: gain)
    }
    // affine(w) · scale(feature) + bias(feature), both summands with the gain.
    let affine = layer(w, "\(name).affine", gain: gain)
    let scale = layer(textLayers("\(name).scale_layer"), "\(name).scale_layer_2")
    let bias = layer(textLayers("\(name).bias_layer"), "\(name).bias_layer_2", gain: gain)
    return graph.add("Add", [graph.add("Mul", [affine, scale], in: name), bias], in: name)
  }

  /// The two layers that a style's text feature passes first, [N, styleWidth].
  private func textLayers(_ prefix: String) -> ONNXValue {
    let multiplier = TextLayers.learningRateMultiplier
    // The factor on the feature stands in the first layer's, where the bias does not see it.
    let first = "\(prefix)_0"
    let inputs = Double(configuration.featureDimension)
    let gain = multiplier * 2.0.squareRoot()
    let hidden = leakyReLU(
      writer.linear(
        feature,
        first,
        gain: gain * configuration.featureScale / inputs.squareRoot(),
        biasGain: gain
      ),
      in: first
    )
    return layer(hidden, "\(prefix)_1", learningRateMultiplier: multiplier, isActivated: true)
  }
}
