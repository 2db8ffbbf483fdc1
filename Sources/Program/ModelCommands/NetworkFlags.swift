public import ArgumentParser
import CLIP
import CommandLine
public import Networks
import Training

/// Flags of `nifty train` that shape the networks; names are the original's where it has them.
struct NetworkFlags: ParsableArguments {
  @Option(name: .customLong("f_dim"), help: "Width of CLIP's features. (default: the data's)")
  var featureDimension: Int?

  @Option(help: "Style structure 2 up to this resolution. (default: 256)")
  var change: Int?

  @Option(name: .customLong("map_num"), help: "Layers of the mapping network. (default: 8)")
  var mappingLayers: Int?

  @Option(help: "Channels: the base is 32768 · fmap; 1 from 512² on. (default: 1)")
  var fmap: Double?

  @Option(help: "Channels at resolution r are min(base / r, max); overrides fmap.")
  var channelBase: Int?

  @Option(help: "Most channels of a layer. (default: 512)")
  var channelMax: Int?

  @Option(help: "Width of each layer's own text projection. (default: 512)")
  var styleWidth: Int?

  @Option(help: "Width of the latents z and w. (default: 512)")
  var latent: Int?

  @Option(help: "Factor on the text feature before the style layers. (default: 1)")
  var featureScale: Double?

  @Option(
    name: .customLong("d_use_norm"),
    help: "Normalise the discriminator's features. (default: 0)"
  )
  var normalizesFeatures: Switch?

  @Option(
    name: .customLong("d_use_fts"),
    help: "Give the discriminator a semantic head. (default: 1)"
  )
  var usesFeatures: Switch?

  @Option(help: "How the semantic head scores. (default: batch-sum, as released)")
  var featureLogit: FeatureLogit?

  @Option(help: "Leave the first N layers of the discriminator as they are. (default: 0)")
  var freezed: Int?

  /// Puts what was given into the options.
  func apply(to options: inout TrainingOptions) {
    if let width = featureDimension {
      options.trainer.generator.featureDimension = width
      options.trainer.discriminator.featureDimension = width
    }
    // From 512² on, the automatic configuration takes 1 whatever is asked for.
    let isFree = options.trainer.generator.resolution < 512
    let scaled = fmap.flatMap { isFree ? Int(exactly: (32768 * $0).rounded()) : nil }
    if let base = channelBase ?? scaled {
      options.trainer.generator.channelBase = base
      options.trainer.discriminator.channelBase = base
    }
    if let most = channelMax {
      options.trainer.generator.channelMax = most
      options.trainer.discriminator.channelMax = most
    }
    if let latent {
      options.trainer.generator.zDimension = latent
      options.trainer.generator.wDimension = latent
    }
    options.set(\.trainer.generator.structureChange, change)
    options.set(\.trainer.generator.mappingLayers, mappingLayers)
    options.set(\.trainer.generator.styleWidth, styleWidth)
    options.set(\.trainer.generator.featureScale, featureScale)
    options.set(\.trainer.discriminator.normalizesFeatures, normalizesFeatures?.isOn)
    options.set(\.trainer.discriminator.usesFeatures, usesFeatures?.isOn)
    options.set(\.trainer.discriminator.featureLogit, featureLogit)
    options.set(\.trainer.frozenLayers, freezed, named: .freezed)
  }

  func validate() throws {
    if let fmap, !(fmap > 0 && fmap <= 1024) {
      throw ValidationError("--fmap must be above 0 and at most 1024, not \(fmap)")
    }
  }
}

/// Flags of the losses.
struct LossFlags: ParsableArguments {
  @Option(
    name: .customLong("mixing_prob"),
    help: "1: train without captions; 0: with captions. (default: 0)"
  )
  var mixingProb: Double?

  @Option(help: "Temperature of the contrastive losses. (default: 0.5)")
  var temp: Double?

  @Option(help: "Balance of the two directions of the contrastive losses. (default: 0)")
  var lam: Double?

  @Option(help: "Weight: discriminator's features against the condition. (default: 10)")
  var itd: Double?

  @Option(help: "Weight: CLIP of the generated image against the condition. (default: 10)")
  var itc: Double?

  @Option(help: "Weight: discriminator's features, real against generated. (default: 0)")
  var iid: Double?

  @Option(help: "Weight: CLIP's features, generated against real. (default: 0)")
  var iic: Double?

  @Option(help: "Weight of R1. (default: 0.0002 · resolution² / 16 per device)")
  var gamma: Double?

  @Option(
    help: """
      Several processes look at their images as one batch; 0: each at its own, as
      the original does unless told otherwise. (default: 1)
      """
  )
  var gather: Switch?

  @Option(help: "Form of the contrastive losses. (default: lafite, as released)")
  var contrastive: ContrastiveForm?

  @Option(help: "How CLIP sees generated images. (default: random, as released)")
  var clipCrop: CLIPCrop?

  @Option(help: "Share of noise in text features. (default: 0.1)")
  var textNoise: Double?

  @Option(help: "Share of noise in pseudo-text features of images. (default: 0.75)")
  var imageNoise: Double?

  @Option(help: "Mapper that makes pseudo-text features instead of noise (LAFITE-NN).")
  var textMapper: String?

  @Option(help: "Weight of the path length regulariser; 0 turns it off. (default: 2)")
  var plWeight: Double?

  /// Puts what was given into the options.
  func apply(to options: inout TrainingOptions) {
    options.set(\.trainer.losses.mixingProb, mixingProb)
    options.set(\.trainer.losses.temp, temp)
    options.set(\.trainer.losses.lam, lam)
    options.set(\.trainer.losses.itd, itd)
    options.set(\.trainer.losses.itc, itc)
    options.set(\.trainer.losses.iid, iid)
    options.set(\.trainer.losses.iic, iic)
    options.set(\.trainer.losses.gamma, gamma, named: .gamma)
    options.set(\.gathers, gather?.isOn)
    options.set(\.trainer.losses.gathers, gather?.isOn)
    options.set(\.trainer.losses.contrastive, contrastive)
    options.set(\.trainer.losses.clipCrop, clipCrop)
    options.set(\.trainer.losses.textNoise, textNoise)
    options.set(\.trainer.losses.imageNoise, imageNoise)
    options.set(\.textMapper, textMapper.map(Optional.some))
    if let plWeight {
      options.trainer.losses.pathLengthWeight = plWeight
      options.trainer.generatorRegularisationInterval = plWeight == 0 ? nil : 4
    }
  }
}

extension TrainingOptions {
  /// Sets an option if a value was given, and notes what then names the run folder.
  mutating func set<Value>(
    _ option: WritableKeyPath<TrainingOptions, Value>,
    _ value: Value?,
    named part: NamedPart? = nil
  ) {
    guard let value else { return }
    self[keyPath: option] = value
    if let part { note(part) }
  }

  /// Notes that a setting was asked for in words.
  mutating func note(_ part: NamedPart) {
    if !named.contains(part) { named.append(part) }
  }
}

extension FeatureLogit: ExpressibleByArgument {}
extension ContrastiveForm: ExpressibleByArgument {}
extension CLIPCrop: ExpressibleByArgument {}
