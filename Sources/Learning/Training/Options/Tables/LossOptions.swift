import Text

// Options of the losses.
extension TrainingOption {
  package static let lossOptions =
    [
      mixingProb, temp, lam, itd, itc, iid, iic, gamma, gather, contrastive, clipCrop, textNoise,
      imageNoise, textMapper, textCorpus, textCorpusSteps, plWeight, plInterval, r1Interval,
    ] + lossesOfFiles

  package static let mixingProb = TrainingOption(
    "mixing_prob",
    "1: train without captions; 0: with captions.",
    \.trainer.losses.mixingProb,
    key: "mixing_prob",
    in: .between(0, 1),
    guide: "0: captions. 1: no captions (language-free). Between: by chance per sample"
  )
  package static let temp = TrainingOption(
    "temp",
    "Temperature of the contrastive losses.",
    \.trainer.losses.temp,
    key: "temp",
    in: .factor
  )
  package static let lam = TrainingOption(
    "lam",
    "Balance of the two directions of the contrastive losses.",
    \.trainer.losses.lam,
    key: "lam",
    in: .factor
  )
  package static let itd = TrainingOption(
    "itd",
    "Weight: discriminator's features against the condition.",
    \.trainer.losses.itd,
    key: "itd",
    in: .factor
  )
  package static let itc = TrainingOption(
    "itc",
    "Weight: CLIP of the generated image against the condition.",
    \.trainer.losses.itc,
    key: "itc",
    in: .factor
  )
  package static let iid = TrainingOption(
    "iid",
    "Weight: discriminator's features, real against generated.",
    \.trainer.losses.iid,
    key: "iid",
    in: .factor
  )
  package static let iic = TrainingOption(
    "iic",
    "Weight: CLIP's features, generated against real.",
    \.trainer.losses.iic,
    key: "iic",
    in: .factor
  )
  package static let gamma = TrainingOption(
    "gamma",
    "Weight of R1.",
    \.trainer.losses.gamma,
    key: "loss_kwargs.r1_gamma",
    in: .between(0, 1e12),
    default: .words(
      "\(Text.typed(TrainingOptions.standardGammaFactor)) · resolution² / "
        + "\(TrainingOptions.standardBatchPerDevice) per device"
    ),
    named: .gamma
  )
  package static let gather = TrainingOption(
    "gather",
    """
    Several processes look at their images as one batch; 0: each at its own, as
    the original does unless told otherwise.
    """,
    \.trainer.losses.gathers,
    [\.gathers],
    key: "nifty.gathers",
    fields: [.field("gather", \.gathers)],
    guide:
      "whether several devices look at their images as one batch; 0 is the original's default. "
      + "With one device it changes nothing"
  )
  package static let contrastive = TrainingOption(
    "contrastive",
    "Form of the contrastive losses.",
    \.trainer.losses.contrastive,
    key: "nifty.contrastive",
    default: .valueAnd("as released"),
    ours: true
  )
  package static let clipCrop = TrainingOption(
    "clip-crop",
    "How CLIP sees generated images.",
    \.trainer.losses.clipCrop,
    key: "nifty.clip_crop",
    default: .valueAnd("as released"),
    ours: true
  )
  package static let textNoise = TrainingOption(
    "text-noise",
    "Share of noise in text features.",
    \.trainer.losses.textNoise,
    key: "nifty.text_noise",
    in: .between(0, 1),
    ours: true
  )
  package static let imageNoise = TrainingOption(
    "image-noise",
    "Share of noise in pseudo-text features of images.",
    \.trainer.losses.imageNoise,
    key: "nifty.image_noise",
    in: .between(0, 1),
    ours: true
  )
  package static let textMapper = TrainingOption(
    "text-mapper",
    "Mapper that makes pseudo-text features instead of noise (LAFITE-NN).",
    \.textMapper,
    key: "nifty.text_mapper",
    ours: true,
    guide: "a mapper that `nifty clip mapper` learned makes the pseudo text (LAFITE-NN) instead of "
      + "noise (LAFITE-G)"
  )
  package static let textCorpus = TrainingOption(
    "text-corpus",
    "Captions, a text file or packed data, to retrieve pseudo text from (LAFITE2).",
    \.textCorpus,
    key: "nifty.text_corpus",
    ours: true,
    guide:
      "captions of anything, one a line of a text file or of packed data: the one nearest to an "
      + "image with the noise of `image-noise` is its pseudo text (arXiv 2210.14124)"
  )
  package static let textCorpusSteps = TrainingOption(
    "text-corpus-steps",
    "Steps that fit a retrieved caption to its image.",
    \.textCorpusSteps,
    key: "nifty.text_corpus_steps",
    in: .between(0, 1000, "steps"),
    ours: true,
    guide:
      "steps of gradient ascent that draw a retrieved caption to its image and away from others "
      + "(arXiv 2210.14124)"
  )
  package static let plWeight = TrainingOption(
    "pl-weight",
    "Weight of the path length regulariser; 0 turns it off.",
    \.pathLengthWeightOrOff,
    fields: [.field("loss_kwargs.pl_weight", \.trainer.losses.pathLengthWeight)],
    in: .between(0, 1e12),
    ours: true
  )

  package static let plInterval = TrainingOption(
    "pl-interval",
    "Steps between two computations of the path length regulariser.",
    \.pathLengthInterval,
    fields: [.field("nifty.G_reg_interval", \.trainer.generatorRegularisationInterval)],
    in: .between(1, 1e9, "steps"),
    ours: true,
    guide: "steps from one path length regularisation to the next, which counts so many times more"
  )
  package static let r1Interval = TrainingOption(
    "r1-interval",
    "Steps between two computations of R1.",
    \.trainer.discriminatorRegularisationInterval,
    key: "nifty.D_reg_interval",
    in: .between(1, 1e9, "steps"),
    ours: true,
    guide: "steps from one R1 to the next, which counts so many times more"
  )

  private static let lossesOfFiles: [TrainingOption] = [
    .fileOnly(
      "loss_kwargs.style_mixing_prob",
      \.trainer.losses.styleMixingProb,
      in: .between(0, 1)
    ),
    .fileOnly("loss_kwargs.pl_decay", \.trainer.losses.pathLengthDecay, in: .between(0, 1)),
    .fileOnly(
      "loss_kwargs.pl_batch_shrink",
      \.trainer.losses.pathLengthShrink,
      in: .between(1, 65_536)
    ),
  ]
}
