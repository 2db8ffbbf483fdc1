public import ArgumentParser
import CLIP
import CommandLine
public import Networks
import Training

/// Flags of `nifty train` that shape the networks; names are the original's where it has them.
struct NetworkFlags: ParsableArguments {
  @Option(.featureDimension) var featureDimension: Int?
  @Option(.change) var change: Int?
  @Option(.mappingLayers) var mappingLayers: Int?
  @Option(.fmap) var fmap: Double?
  @Option(.channelBase) var channelBase: Int?
  @Option(.channelMax) var channelMax: Int?
  @Option(.styleWidth) var styleWidth: Int?
  @Option(.latent) var latent: Int?
  @Option(.featureScale) var featureScale: Double?
  @Option(.normalizesFeatures) var normalizesFeatures: Switch?
  @Option(.usesFeatures) var usesFeatures: Switch?
  @Option(.featureLogit) var featureLogit: FeatureLogit?
  @Option(.freezed) var freezed: Int?
  @Option(.frozenGenerator) var frozenGenerator: Int?
  @Option(.minibatchGroup) var minibatchGroup: Int?

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.featureDimension, featureDimension), .init(.change, change),
      .init(.mappingLayers, mappingLayers), .init(.fmap, fmap), .init(.channelBase, channelBase),
      .init(.channelMax, channelMax), .init(.styleWidth, styleWidth), .init(.latent, latent),
      .init(.featureScale, featureScale), .init(.normalizesFeatures, normalizesFeatures?.isOn),
      .init(.usesFeatures, usesFeatures?.isOn), .init(.featureLogit, featureLogit),
      .init(.freezed, freezed), .init(.minibatchGroup, minibatchGroup),
      .init(.frozenGenerator, frozenGenerator),
    ]
  }
}

extension FeatureLogit: ExpressibleByArgument {}
