import Networks
import Text

// Options that shape the networks.
extension TrainingOption {
  package static let networkOptions =
    [
      featureDimension, change, mappingLayers, fmap, channelBase, channelMax, styleWidth, latent,
      featureScale, normalizesFeatures, usesFeatures, featureLogit, freezed,
      frozenGenerator, minibatchGroup,
    ] + networksOfFiles

  package static let featureDimension = TrainingOption(
    "f_dim",
    "Width of CLIP's features.",
    \.trainer.generator.featureDimension,
    [\.trainer.discriminator.featureDimension],
    key: "f_dim",
    fields: [
      .field("G_kwargs.m_layer_features", \.trainer.generator.featureDimension),
      .field("G_kwargs.synthesis_kwargs.f_dim", \.trainer.generator.featureDimension),
      .field("D_kwargs.epilogue_kwargs.f_dim", \.trainer.discriminator.featureDimension),
    ],
    in: .between(1, 65_536),
    default: .words("the data's")
  )
  package static let change = TrainingOption(
    "change",
    "Style structure 2 up to this resolution.",
    \.trainer.generator.structureChange,
    key: "G_kwargs.synthesis_kwargs.change",
    guide: "highest resolution whose styles take text and latent together"
  )
  package static let mappingLayers = TrainingOption(
    "map_num",
    "Layers of the mapping network.",
    \.trainer.generator.mappingLayers,
    key: "G_kwargs.m_num_layers",
    fields: [.field("G_kwargs.mapping_kwargs.num_layers", \.trainer.generator.mappingLayers)],
    in: .between(1, 64, "layers")
  )
  package static let fmap = TrainingOption(
    flag: "fmap",
    "Channels: the base is 32768 · fmap; 1 from 512² on.",
    in: .above(0, atMost: 1024),
    default: .words("1"),
    guide: "factor on the number of channels; from 512² on it is 1 whatever is asked for"
  )
  package static let channelBase = TrainingOption(
    "channel-base",
    "Channels at resolution r are min(base / r, max); overrides fmap.",
    \.trainer.generator.channelBase,
    [\.trainer.discriminator.channelBase],
    fields: [
      .field("G_kwargs.synthesis_kwargs.channel_base", \.trainer.generator.channelBase),
      .field("D_kwargs.channel_base", \.trainer.discriminator.channelBase),
    ],
    in: .between(1, Double(1 << 30)),
    default: .unsaid,
    ours: true
  )
  package static let channelMax = TrainingOption(
    "channel-max",
    "Most channels of a layer.",
    \.trainer.generator.channelMax,
    [\.trainer.discriminator.channelMax],
    fields: [
      .field("G_kwargs.synthesis_kwargs.channel_max", \.trainer.generator.channelMax),
      .field("D_kwargs.channel_max", \.trainer.discriminator.channelMax),
    ],
    in: .between(1, 65_536, "channels"),
    ours: true
  )
  package static let styleWidth = TrainingOption(
    "style-width",
    "Width of each layer's own text projection.",
    \.trainer.generator.styleWidth,
    key: "nifty.style_width",
    in: .between(1, 65_536),
    ours: true
  )
  package static let latent = TrainingOption(
    "latent",
    "Width of the latents z and w.",
    \.trainer.generator.zDimension,
    [\.trainer.generator.wDimension],
    key: "G_kwargs.z_dim",
    fields: [.field("G_kwargs.w_dim", \.trainer.generator.wDimension)],
    in: .between(1, 65_536),
    ours: true
  )
  package static let featureScale = TrainingOption(
    "feature-scale",
    "Factor on the text feature before the style layers.",
    \.trainer.generator.featureScale,
    key: "nifty.feature_scale",
    in: .above(0, atMost: 1e12),
    ours: true
  )
  package static let normalizesFeatures = TrainingOption(
    "d_use_norm",
    "Normalise the discriminator's features.",
    \.trainer.discriminator.normalizesFeatures,
    key: "d_use_norm",
    fields: [.field("D_kwargs.use_norm", \.trainer.discriminator.normalizesFeatures)]
  )
  package static let usesFeatures = TrainingOption(
    "d_use_fts",
    "Give the discriminator a semantic head.",
    \.trainer.discriminator.usesFeatures,
    key: "d_use_fts",
    fields: [.field("D_kwargs.use_fts", \.trainer.discriminator.usesFeatures)]
  )
  package static let featureLogit = TrainingOption(
    "feature-logit",
    "How the semantic head scores.",
    \.trainer.discriminator.featureLogit,
    key: "nifty.feature_logit",
    default: .valueAnd("as released"),
    ours: true
  )
  package static let freezed = TrainingOption(
    "freezed",
    "Leave the first N layers of the discriminator as they are.",
    \.trainer.frozenLayers,
    fields: [
      .field(
        "D_kwargs.block_kwargs.freeze_layers",
        \.trainer.frozenLayers,
        if: { $0.trainer.frozenLayers > 0 }
      )
    ],
    in: .atLeast(0),
    named: .freezed
  )

  package static let frozenGenerator = TrainingOption(
    "freeze-generator",
    "Leave the generator's blocks up to this resolution as they are; 0: none.",
    \.trainer.frozenResolution,
    key: "nifty.freeze_generator",
    in: .between(0, 4096, "pixels"),
    ours: true,
    guide: "the generator's blocks up to this resolution are not trained, see "
      + "[fine-tuning](fine-tuning.md#from-another-resolution); 0: all are"
  )
  package static let minibatchGroup = TrainingOption(
    "mbstd-group",
    "Images among which the discriminator compares; a batch is cut into whole groups.",
    \.trainer.discriminator.minibatchGroup,
    key: "D_kwargs.epilogue_kwargs.mbstd_group_size",
    in: .between(1, 65_536, "images"),
    ours: true,
    guide:
      "images of a group of the minibatch deviation; `batch-gpu` can be as small. 1 takes the comparison away"
  )

  private static let networksOfFiles: [TrainingOption] = [
    .fileOnly("training_set_kwargs.resolution", \.trainer.generator.resolution),
    .fileOnly("testing_set_kwargs.resolution", \.trainer.discriminator.resolution),
    .fileOnly(
      "G_kwargs.synthesis_kwargs.num_fp16_res",
      \.trainer.generator.reducedPrecisionResolutions
    ),
    .fileOnly("G_kwargs.synthesis_kwargs.conv_clamp", \.trainer.generator.clamp),
    .fileOnly("D_kwargs.num_fp16_res", \.trainer.discriminator.reducedPrecisionResolutions),
    .fileOnly("D_kwargs.conv_clamp", \.trainer.discriminator.clamp),
  ]
}
