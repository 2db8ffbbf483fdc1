package import Networks

/// The networks that the golden folder describes, with whatever options they have.
package enum GoldenNetwork {
  /// The shape of a generator from its keyword arguments.
  package static func generatorConfiguration(_ config: [String: Any]) -> GeneratorConfiguration {
    let synthesis = config.object("synthesis_kwargs")
    var result = GeneratorConfiguration(resolution: config.int("img_resolution") ?? 0)
    result.zDimension = config.int("z_dim") ?? 512
    result.wDimension = config.int("w_dim") ?? 512
    result.featureDimension = synthesis.int("f_dim") ?? 512
    result.mappingLayers = config.object("mapping_kwargs").int("num_layers") ?? 8
    result.channelBase = synthesis.int("channel_base") ?? 32768
    result.channelMax = synthesis.int("channel_max") ?? 512
    result.structureChange = synthesis.int("change") ?? 256
    result.reducedPrecisionResolutions = synthesis.int("num_fp16_res") ?? 0
    result.clamp = synthesis.double("conv_clamp")
    return result
  }

  /// The shape of a discriminator from its keyword arguments.
  package static func discriminatorConfiguration(
    _ config: [String: Any]
  ) -> DiscriminatorConfiguration {
    let epilogue = config.object("epilogue_kwargs")
    var result = DiscriminatorConfiguration(resolution: config.int("img_resolution") ?? 0)
    result.featureDimension = epilogue.int("f_dim") ?? 512
    result.channelBase = config.int("channel_base") ?? 32768
    result.channelMax = config.int("channel_max") ?? 512
    result.reducedPrecisionResolutions = config.int("num_fp16_res") ?? 0
    result.clamp = config.double("conv_clamp")
    result.minibatchGroup = epilogue.int("mbstd_group_size")
    result.usesFeatures = config["use_fts"] == nil || config.flag("use_fts")
    result.normalizesFeatures = config.flag("use_norm")
    return result
  }
}
