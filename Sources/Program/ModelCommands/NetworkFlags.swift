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

/// Flags of the losses.
struct LossFlags: ParsableArguments {
  @Option(.mixingProb) var mixingProb: Double?
  @Option(.temp) var temp: Double?
  @Option(.lam) var lam: Double?
  @Option(.itd) var itd: Double?
  @Option(.itc) var itc: Double?
  @Option(.iid) var iid: Double?
  @Option(.iic) var iic: Double?
  @Option(.gamma) var gamma: Double?
  @Option(.gather) var gather: Switch?
  @Option(.contrastive) var contrastive: ContrastiveForm?
  @Option(.clipCrop) var clipCrop: CLIPCrop?
  @Option(.textNoise) var textNoise: Double?
  @Option(.imageNoise) var imageNoise: Double?
  @Option(.textMapper) var textMapper: String?
  @Option(.plWeight) var plWeight: Double?
  @Option(.plInterval) var plInterval: Int?
  @Option(.r1Interval) var r1Interval: Int?

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.mixingProb, mixingProb), .init(.temp, temp), .init(.lam, lam), .init(.itd, itd),
      .init(.itc, itc), .init(.iid, iid), .init(.iic, iic), .init(.gamma, gamma),
      .init(.gather, gather?.isOn), .init(.contrastive, contrastive), .init(.clipCrop, clipCrop),
      .init(.textNoise, textNoise), .init(.imageNoise, imageNoise),
      .init(.textMapper, textMapper), .init(.plWeight, plWeight),
      .init(.plInterval, plInterval), .init(.r1Interval, r1Interval),
    ]
  }
}

extension FeatureLogit: ExpressibleByArgument {}
extension ContrastiveForm: ExpressibleByArgument {}
extension CLIPCrop: ExpressibleByArgument {}
