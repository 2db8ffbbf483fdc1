public import ArgumentParser
public import Networks
import Torch
package import Training

/// Flags of `nifty train` that shape networks and losses; names and defaults are the original's where
/// it has them.
struct NetworkFlags: ParsableArguments {
  @Option(name: .customLong("f_dim"), help: "Width of CLIP's features; the data's if not given.")
  var featureDimension: Int?

  @Option(name: .customLong("change"), help: "Style structure 2 up to this resolution.")
  var change = 256

  @Option(name: .customLong("map_num"), help: "Layers of the mapping network.")
  var mappingLayers = 8

  @Option(help: "Channels: the base is 32768 · fmap.")
  var fmap = 1.0

  @Option(help: "Channels at resolution r are min(base / r, max); overrides fmap.")
  var channelBase: Int?

  @Option(help: "Most channels of a layer.")
  var channelMax = 512

  @Option(help: "Width of each layer's own text projection.")
  var styleWidth = 512

  @Option(help: "Width of the latents z and w.")
  var latent = 512

  @Option(help: "Factor on the text feature before the style layers.")
  var featureScale = 1.0

  @Option(name: .customLong("d_use_norm"), help: "Normalise the discriminator's features.")
  var normalizesFeatures = Switch(false)

  @Option(name: .customLong("d_use_fts"), help: "Give the discriminator a semantic head.")
  var usesFeatures = Switch(true)

  @Option(help: "How the semantic head scores: batch-sum (as released) or per-sample.")
  var featureLogit = FeatureLogit.batchSum

  @Option(name: .customLong("fp32"), help: "Compute everything in float32.")
  var fullPrecision: Switch?

  /// The networks for images of a resolution.
  func apply(
    to configuration: inout TrainerConfiguration,
    featureDimension found: Int,
    device: Device
  ) {
    let resolution = configuration.generator.resolution
    let features = featureDimension ?? found
    let base = channelBase ?? Int(32768 * fmap)
    // Below 64² the layers are too small for reduced precision to pay on a CPU (measured).
    let isReduced = !(fullPrecision?.isOn ?? (device == .cpu && resolution < 64))
    configuration.generator.featureDimension = features
    configuration.generator.structureChange = change
    configuration.generator.mappingLayers = mappingLayers
    configuration.generator.channelBase = base
    configuration.generator.channelMax = channelMax
    configuration.generator.styleWidth = styleWidth
    configuration.generator.zDimension = latent
    configuration.generator.wDimension = latent
    configuration.generator.featureScale = featureScale
    configuration.generator.reducedPrecisionResolutions = isReduced ? 4 : 0
    configuration.generator.clamp = isReduced ? 256 : nil
    configuration.discriminator.featureDimension = features
    configuration.discriminator.channelBase = base
    configuration.discriminator.channelMax = channelMax
    configuration.discriminator.normalizesFeatures = normalizesFeatures.isOn
    configuration.discriminator.usesFeatures = usesFeatures.isOn
    configuration.discriminator.featureLogit = featureLogit
    configuration.discriminator.minibatchGroup = min(configuration.batchSize, 4)
    configuration.discriminator.reducedPrecisionResolutions = isReduced ? 4 : 0
    configuration.discriminator.clamp = isReduced ? 256 : nil
  }
}

/// Flags of the losses.
struct LossFlags: ParsableArguments {
  @Option(name: .customLong("mixing_prob"), help: "1: train without captions; 0: with captions.")
  var mixingProb = 0.0

  @Option(help: "Temperature of the contrastive losses.")
  var temp = 0.5

  @Option(help: "Balance of the two directions of the contrastive losses.")
  var lam = 0.0

  @Option(help: "Weight: discriminator's features against the condition.")
  var itd = 10.0

  @Option(help: "Weight: CLIP's features of the generated image against the condition.")
  var itc = 10.0

  @Option(help: "Weight: discriminator's features, real against generated.")
  var iid = 0.0

  @Option(help: "Weight: CLIP's features, generated against real.")
  var iic = 0.0

  @Option(help: "Weight of R1; 0.0002 · resolution² / batch if not given.")
  var gamma: Double?

  @Option(help: "Form of the contrastive losses: lafite (as released) or infonce.")
  var contrastive = ContrastiveForm.lafite

  @Option(help: "How CLIP sees generated images: random crop (as released) or none.")
  var clipCrop = CLIPCrop.random

  @Option(help: "Share of noise in text features.")
  var textNoise = 0.1

  @Option(help: "Share of noise in the pseudo text features made of image features.")
  var imageNoise = 0.75

  @Option(help: "Weight of the path length regulariser; 0 turns it off.")
  var plWeight = 2.0

  func validate() throws {
    for (name, value) in [
      ("--mixing_prob", mixingProb), ("--text-noise", textNoise), ("--image-noise", imageNoise),
    ] where !(0...1).contains(value) {
      throw ValidationError("\(name) must be between 0 and 1, not \(value)")
    }
    if let gamma, gamma < 0 { throw ValidationError("--gamma must not be negative, not \(gamma)") }
    if plWeight < 0 { throw ValidationError("--pl-weight must not be negative, not \(plWeight)") }
  }

  func apply(to configuration: inout TrainerConfiguration) {
    let resolution = Double(configuration.generator.resolution)
    let standard = 0.0002 * resolution * resolution / Double(configuration.batchSize)
    configuration.losses.mixingProb = mixingProb
    configuration.losses.temp = temp
    configuration.losses.lam = lam
    configuration.losses.itd = usable(itd, configuration)
    configuration.losses.itc = itc
    configuration.losses.iid = usable(iid, configuration)
    configuration.losses.iic = iic
    configuration.losses.gamma = gamma ?? standard
    configuration.losses.contrastive = contrastive
    configuration.losses.clipCrop = clipCrop
    configuration.losses.textNoise = textNoise
    configuration.losses.imageNoise = imageNoise
    configuration.losses.pathLengthWeight = plWeight
    if plWeight == 0 { configuration.generatorRegularisationInterval = nil }
  }

  private func usable(_ weight: Double, _ configuration: TrainerConfiguration) -> Double {
    configuration.discriminator.usesFeatures ? weight : 0
  }
}

extension FeatureLogit: ExpressibleByArgument {}
extension ContrastiveForm: ExpressibleByArgument {}
extension CLIPCrop: ExpressibleByArgument {}
