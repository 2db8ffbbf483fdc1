import JSON
import Networks
import Pickle

extension LafiteModule {
  /// The original's generator of a shape.
  static func generator(_ shape: GeneratorConfiguration) -> LafiteModule {
    var module = LafiteModule(className: "Generator")
    let keywords = shape.keywords
    module.attributes = [
      ("z_dim", shape.zDimension.pickled), ("c_dim", (shape.labelDimension ?? 0).pickled),
      ("w_dim", shape.wDimension.pickled),
      ("img_resolution", shape.resolution.pickled), ("img_channels", 3),
      ("num_ws", shape.wCount.pickled),
      ("m_layer_features", shape.featureDimension.pickled), ("mani", nil),
      ("synthesis_kwargs", (keywords["synthesis_kwargs"] ?? [:]).pickled),
      ("mapping_kwargs", (keywords["mapping_kwargs"] ?? [:]).pickled),
    ]
    let mapping = mapping(
      zDimension: shape.zDimension,
      labelDimension: shape.labelDimension,
      wDimension: shape.wDimension,
      layers: shape.mappingLayers,
      wCount: shape.wCount
    )
    module.children = [("synthesis", synthesis(shape)), ("mapping", mapping)]
    module.keywords = keywords
    return module
  }

  /// The generator's mapping, or the discriminator's mapping of labels, which has no latent and no w's.
  static func mapping(
    zDimension: Int,
    labelDimension: Int?,
    wDimension: Int,
    layers: Int,
    wCount: Int?
  ) -> LafiteModule {
    var module = LafiteModule(className: "MappingNetwork")
    module.attributes = [
      ("z_dim", zDimension.pickled), ("c_dim", (labelDimension ?? 0).pickled),
      ("w_dim", wDimension.pickled), ("num_ws", wCount.map(\.pickled) ?? .none),
      ("num_layers", layers.pickled), ("w_avg_beta", wCount == nil ? .none : 0.995),
    ]
    if wCount != nil { module.buffers = [("w_avg", [wDimension])] }
    if let labelDimension {
      module.children.append(("embed", fullyConnected(labelDimension, wDimension)))
    }
    let first = labelDimension == nil ? zDimension : zDimension + wDimension
    module.children += (0..<layers).map { index in
      (
        "fc\(index)",
        fullyConnected(
          index == 0 ? first : wDimension,
          wDimension,
          activation: "lrelu",
          learningRateMultiplier: 0.01
        )
      )
    }
    return module
  }

  private static func synthesis(_ shape: GeneratorConfiguration) -> LafiteModule {
    var module = LafiteModule(className: "SynthesisNetwork")
    module.attributes = [
      ("w_dim", shape.wDimension.pickled), ("img_resolution", shape.resolution.pickled),
      ("img_resolution_log2", shape.resolution.trailingZeroBitCount.pickled), ("img_channels", 3),
      ("block_resolutions", shape.resolutions.pickled), ("num_ws", shape.wCount.pickled),
    ]
    module.children = shape.resolutions.map { ("b\($0)", synthesisBlock($0, shape)) }
    return module
  }

  private static func synthesisBlock(
    _ resolution: Int,
    _ shape: GeneratorConfiguration
  ) -> LafiteModule {
    let isFirst = resolution == 4
    let channels = shape.channels(at: resolution)
    let inputs = isFirst ? 0 : shape.channels(at: resolution / 2)
    let reduced = shape.resolutions.suffix(shape.reducedPrecisionResolutions)
    let isReduced = resolution >= 8 && reduced.contains(resolution)
    var module = LafiteModule(className: "SynthesisBlock")
    module.attributes = [
      ("in_channels", inputs.pickled), ("w_dim", shape.wDimension.pickled),
      ("resolution", resolution.pickled), ("img_channels", 3),
      ("is_last", .bool(resolution == shape.resolution)), ("architecture", "skip"),
      ("use_fp16", .bool(isReduced)),
      ("channels_last", .bool(isReduced && shape.channelsLast == true)),
      ("num_conv", isFirst ? 1 : 2), ("num_torgb", 1),
    ]
    if isFirst { module.parameters = [("const", [channels, 4, 4])] }
    module.buffers = [("resample_filter", resampleFilterShape)]
    if !isFirst {
      let layer = synthesisLayer(inputs, channels, resolution: resolution, up: 2, shape)
      module.children.append(("conv0", layer))
    }
    module.children += [
      ("conv1", synthesisLayer(channels, channels, resolution: resolution, up: 1, shape)),
      ("torgb", toRGB(channels, resolution: resolution, shape)),
    ]
    return module
  }

  private static func synthesisLayer(
    _ inputs: Int,
    _ outputs: Int,
    resolution: Int,
    up: Int,
    _ shape: GeneratorConfiguration
  ) -> LafiteModule {
    var module = LafiteModule(className: "SynthesisLayer")
    module.attributes = [
      ("resolution", resolution.pickled), ("up", up.pickled), ("use_noise", true),
      ("activation", "lrelu"), ("conv_clamp", shape.clamp.pickled), ("padding", 1),
      ("act_gain", .double(2.0.squareRoot())),
      ("structure", shape.structure(at: resolution).pickled),
    ]
    module.parameters = [
      ("weight", [outputs, inputs, 3, 3]), ("noise_strength", []), ("bias", [outputs]),
    ]
    module.buffers = [
      ("resample_filter", resampleFilterShape), ("noise_const", [resolution, resolution]),
    ]
    module.children = styles(inputs, resolution: resolution, shape)
    return module
  }

  private static func toRGB(
    _ inputs: Int,
    resolution: Int,
    _ shape: GeneratorConfiguration
  ) -> LafiteModule {
    var module = LafiteModule(className: "ToRGBLayer")
    module.attributes = [
      ("conv_clamp", shape.clamp.pickled), ("structure", shape.structure(at: resolution).pickled),
      ("weight_gain", .double(1 / Double(inputs).squareRoot())),
    ]
    module.parameters = [("weight", [3, inputs, 1, 1]), ("bias", [3])]
    module.children = styles(inputs, resolution: resolution, shape)
    return module
  }

  /// The layers that make a style of w and the text feature.
  private static func styles(
    _ channels: Int,
    resolution: Int,
    _ shape: GeneratorConfiguration
  ) -> [(name: String, module: LafiteModule)] {
    let width = shape.styleWidth
    let hidden = (shape.featureDimension + width) / 2
    func feature(_ prefix: String) -> [(name: String, module: LafiteModule)] {
      let (inputs, slow) = (shape.featureDimension, 0.01)
      return [
        (
          "\(prefix)_0",
          fullyConnected(inputs, hidden, activation: "lrelu", learningRateMultiplier: slow)
        ),
        (
          "\(prefix)_1",
          fullyConnected(hidden, width, activation: "lrelu", learningRateMultiplier: slow)
        ),
      ]
    }
    let plain = [("affine", fullyConnected(shape.wDimension, channels))]
    if shape.featureDimension == 0 { return plain }
    if shape.structure(at: resolution) == 2 {
      return feature("pre") + [("affine_0", fullyConnected(shape.wDimension + width, channels))]
    }
    return plain
      + ["scale", "bias"].flatMap { name in
        feature("\(name)_layer") + [("\(name)_layer_2", fullyConnected(width, channels))]
      }
  }
}

extension GeneratorConfiguration {
  /// Which of the two style structures a resolution has.
  fileprivate func structure(at resolution: Int) -> Int { resolution <= structureChange ? 2 : 1 }

  /// Number of w's that the synthesis takes: one a convolution, one for the last RGB layer.
  fileprivate var wCount: Int { 2 * resolutions.count }

  /// The keyword arguments by which the original makes a generator of this shape.
  var keywords: OptionValue {
    let synthesis: OptionValue = [
      "channel_base": .int(channelBase), "channel_max": .int(channelMax),
      "num_fp16_res": .int(reducedPrecisionResolutions),
      "conv_clamp": clamp.map { .double($0) } ?? .null, "change": .int(structureChange),
      "f_dim": .int(featureDimension),
    ]
    return [
      "z_dim": .int(zDimension), "w_dim": .int(wDimension),
      "m_layer_features": .int(featureDimension), "m_num_layers": .int(mappingLayers),
      "mapping_kwargs": ["num_layers": .int(mappingLayers)],
      "synthesis_kwargs": synthesis.adding(
        "fp16_channels_last",
        channelsLast.map { .bool($0) }
      ),
      "c_dim": .int(labelDimension ?? 0), "img_resolution": .int(resolution), "img_channels": 3,
    ]
  }
}
