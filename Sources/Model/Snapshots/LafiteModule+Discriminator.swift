import JSON
import Networks
import Pickle

extension LafiteModule {
  /// The original's discriminator of a shape.
  static func discriminator(_ shape: DiscriminatorConfiguration) -> LafiteModule {
    let resolutions = shape.resolutions.filter { $0 > 4 }
    var module = LafiteModule(className: "Discriminator")
    module.attributes = [
      ("c_dim", (shape.labelDimension ?? 0).pickled), ("img_resolution", shape.resolution.pickled),
      ("img_resolution_log2", shape.resolution.trailingZeroBitCount.pickled), ("img_channels", 3),
      ("block_resolutions", resolutions.pickled), ("use_norm", .bool(shape.normalizesFeatures)),
      ("use_fts", .bool(shape.usesFeatures)),
    ]
    var firstLayer = 0
    for resolution in resolutions {
      let block = discriminatorBlock(resolution, firstLayer: firstLayer, shape)
      module.children.append(("b\(resolution)", block))
      firstLayer += layerCount(resolution, shape)
    }
    if let labels = shape.labelDimension {
      module.children.append(
        (
          "mapping",
          mapping(
            zDimension: 0,
            labelDimension: labels,
            wDimension: shape.channels(at: 4),
            layers: shape.labelLayers ?? DiscriminatorConfiguration.standardLabelLayers,
            wCount: nil
          )
        )
      )
    }
    module.children.append(("b4", epilogue(shape)))
    module.keywords = shape.keywords
    return module
  }

  private static func layerCount(_ resolution: Int, _ shape: DiscriminatorConfiguration) -> Int {
    resolution == shape.resolution ? 4 : 3
  }

  private static func discriminatorBlock(
    _ resolution: Int,
    firstLayer: Int,
    _ shape: DiscriminatorConfiguration
  ) -> LafiteModule {
    let isFirst = resolution == shape.resolution
    let (channels, next) = (shape.channels(at: resolution), shape.channels(at: resolution / 2))
    let isReduced = shape.resolutions.prefix(shape.reducedPrecisionResolutions)
      .contains(resolution)
    var module = LafiteModule(className: "DiscriminatorBlock")
    module.attributes = [
      ("in_channels", (isFirst ? 0 : channels).pickled), ("resolution", resolution.pickled),
      ("img_channels", 3), ("first_layer_idx", firstLayer.pickled), ("architecture", "resnet"),
      ("use_fp16", .bool(isReduced)),
      ("channels_last", .bool(isReduced && shape.channelsLast == true)),
      ("num_layers", layerCount(resolution, shape).pickled),
    ]
    module.buffers = [("resample_filter", resampleFilterShape)]
    if isFirst {
      module.children.append(
        ("fromrgb", convolution(3, channels, kernel: 1, clamp: shape.clamp))
      )
    }
    module.children += [
      ("conv0", convolution(channels, channels, kernel: 3, clamp: shape.clamp)),
      ("conv1", convolution(channels, next, kernel: 3, down: 2, clamp: shape.clamp)),
      ("skip", skip(channels, next)),
    ]
    return module
  }

  private static func epilogue(_ shape: DiscriminatorConfiguration) -> LafiteModule {
    let channels = shape.channels(at: 4)
    var deviation = LafiteModule(className: "MinibatchStdLayer")
    deviation.attributes = [
      ("group_size", shape.minibatchGroup.map(\.pickled) ?? .none), ("num_channels", 1),
    ]
    var module = LafiteModule(className: "DiscriminatorEpilogue")
    module.attributes = [
      ("in_channels", channels.pickled),
      ("cmap_dim", (shape.labelDimension == nil ? 0 : channels).pickled), ("resolution", 4),
      ("img_channels", 3),
      ("architecture", "resnet"), ("use_fts", .bool(shape.usesFeatures)),
    ]
    module.children = [
      ("mbstd", deviation),
      ("conv", convolution(channels + 1, channels, kernel: 3, clamp: shape.clamp)),
      ("fc", fullyConnected(channels * 16, channels, activation: "lrelu")),
    ]
    if shape.usesFeatures {
      module.children.append(("fts", fullyConnected(channels, shape.featureDimension)))
    }
    module.children.append(
      ("out", fullyConnected(channels, shape.labelDimension == nil ? 1 : channels))
    )
    return module
  }

  private static func convolution(
    _ inputs: Int,
    _ outputs: Int,
    kernel: Int,
    down: Int = 1,
    clamp: Double?
  ) -> LafiteModule {
    var module = LafiteModule(className: "Conv2dLayer")
    module.attributes = [
      ("activation", "lrelu"), ("up", 1), ("down", down.pickled), ("conv_clamp", clamp.pickled),
      ("padding", (kernel / 2).pickled),
      ("weight_gain", .double(1 / Double(inputs * kernel * kernel).squareRoot())),
      ("act_gain", .double(2.0.squareRoot())),
    ]
    module.parameters = [("weight", [outputs, inputs, kernel, kernel]), ("bias", [outputs])]
    module.buffers = [("resample_filter", resampleFilterShape)]
    return module
  }

  /// The 1 × 1 convolution beside a block: linear, without a bias.
  private static func skip(_ inputs: Int, _ outputs: Int) -> LafiteModule {
    var module = LafiteModule(className: "Conv2dLayer")
    module.attributes = [
      ("activation", "linear"), ("up", 1), ("down", 2), ("conv_clamp", nil), ("padding", 0),
      ("weight_gain", .double(1 / Double(inputs).squareRoot())), ("act_gain", 1.0), ("bias", nil),
    ]
    module.parameters = [("weight", [outputs, inputs, 1, 1])]
    module.buffers = [("resample_filter", resampleFilterShape)]
    return module
  }
}

extension DiscriminatorConfiguration {
  /// The keyword arguments by which the original makes a discriminator of this shape.
  var keywords: OptionValue {
    let block = OptionValue.dictionary([])
      .adding("fp16_channels_last", channelsLast.map { .bool($0) })
    return [
      "use_norm": .bool(normalizesFeatures), "use_fts": .bool(usesFeatures),
      "channel_base": .int(channelBase), "channel_max": .int(channelMax),
      "num_fp16_res": .int(reducedPrecisionResolutions),
      "conv_clamp": clamp.map { .double($0) } ?? .null,
      "epilogue_kwargs": [
        "mbstd_group_size": minibatchGroup.map { .int($0) } ?? .null,
        "f_dim": .int(featureDimension),
      ],
      "block_kwargs": block,
      "mapping_kwargs": .dictionary([])
        .adding("num_layers", labelLayers.map { .int($0) }),
      "c_dim": .int(labelDimension ?? 0), "img_resolution": .int(resolution), "img_channels": 3,
    ]
  }
}
