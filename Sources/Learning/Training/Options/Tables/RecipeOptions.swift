import Text

// Options beyond LAFITE's that change how much a run learns from its images.
extension TrainingOption {
  package static let recipeOptions = [
    recipe, textMultiplier, reusesFakes, diffAugment, adversarial, generatedGamma, mismatchWeight,
    anchorWeight, pairedWeight, pairedWarmup, visionAidedWeight, visionAidedWarmup, clipViews,
    rateDecay, emaDeviation,
  ]

  package static let recipe = TrainingOption(
    "recipe",
    """
    Set of options: lafite learns as the original, nifty more from the same
    images; flags beside it count more.
    """,
    \.appliedRecipe,
    fields: [.field("nifty.recipe", \.recipe)],
    ours: true,
    guide:
      "`lafite` learns as the original; `nifty` sets `text-lr-multiplier` to 1 and `reuse-fakes` "
      + "to 1, see [learning](../LEARNING.md). Flags beside it count more"
  )
  package static let textMultiplier = TrainingOption(
    "text-lr-multiplier",
    "Learning rate multiplier of the generator's layers that read the text.",
    \.trainer.textLearningRateMultiplier,
    key: "nifty.text_lr_multiplier",
    in: .above(0, atMost: 100),
    ours: true
  )
  package static let reusesFakes = TrainingOption(
    "reuse-fakes",
    "Show the discriminator the images of the generator's step, not new ones.",
    \.trainer.reusesFakes,
    key: "nifty.reuse_fakes",
    ours: true
  )
  package static let diffAugment = TrainingOption(
    "diffaug",
    "Change all that the discriminator sees: color, translation, cutout, by commas.",
    \.trainer.losses.diffAugment,
    key: "nifty.diffaug",
    ours: true,
    guide: "changes of all that the discriminator sees (DiffAugment, arXiv 2006.10738): "
      + "`color,translation,cutout` or some of them"
  )
  package static let adversarial = TrainingOption(
    "adversarial",
    "Form of the adversarial loss: logistic or relativistic (RpGAN).",
    \.trainer.losses.adversarial,
    key: "nifty.adversarial",
    ours: true,
    guide: "`relativistic` compares each real image with a generated one (arXiv 2501.05441)"
  )
  package static let generatedGamma = TrainingOption(
    "r2-gamma",
    "Weight of R2, the penalty of R1 on generated images; 0 leaves it out.",
    \.trainer.losses.generatedGamma,
    key: "nifty.r2_gamma",
    in: .between(0, 1e12),
    ours: true,
    guide: "weight of R2 (arXiv 2501.05441), at the steps of R1"
  )
  package static let mismatchWeight = TrainingOption(
    "matching-aware",
    "Weight of the discriminator's loss on real images with another's condition.",
    \.trainer.losses.mismatchWeight,
    key: "nifty.matching_aware",
    in: .between(0, 1e12),
    ours: true,
    guide: "weight of the discriminator's loss on real images with the condition of another one "
      + "(arXiv 1605.05396)"
  )
  package static let anchorWeight = TrainingOption(
    "lecam",
    "Weight of LeCam's regulariser of the discriminator; 0 leaves it out.",
    \.trainer.losses.anchorWeight,
    key: "nifty.lecam",
    in: .between(0, 1e12),
    ours: true,
    guide: "weight of the squared distance of the logits of real images to the running mean of the "
      + "generated ones', and the reverse (arXiv 2104.03310)"
  )
  package static let pairedWeight = TrainingOption(
    "paired",
    "Weight of the distance to the real image of the condition; 0 leaves it out.",
    \.trainer.losses.pairedWeight,
    key: "nifty.paired",
    in: .between(0, 1e12),
    ours: true,
    guide:
      "weight in the generator's loss of the mean magnitude of the difference to the real image that has "
      + "the same condition, on each level of a Laplacian pyramid (arXiv 1611.07004, 1707.05776)"
  )
  package static let pairedWarmup = TrainingOption(
    "paired-warmup",
    "Thousands of images for which the generator learns from that distance alone.",
    \.trainer.losses.pairedWarmup,
    key: "nifty.paired_warmup",
    in: .between(0, 1e9, "thousand images"),
    ours: true,
    guide:
      "thousands of images for which the generator learns from the distance of `paired` alone, "
      + "before there is a discriminator and CLIP's loss; such a step takes less than half of the time"
  )
  package static let visionAidedWeight = TrainingOption(
    "vision-aided",
    "Weight of a second discriminator on EfficientNet's features; 0 leaves it out.",
    \.trainer.losses.visionAidedWeight,
    key: "nifty.vision_aided",
    in: .between(0, 1e12),
    ours: true,
    guide: "weight in the generator's loss of a second discriminator on the features of "
      + "EfficientNet-Lite0, which stays as it is (arXiv 2112.09130); `fd_lite0` judges no such run"
  )
  package static let visionAidedWarmup = TrainingOption(
    "vision-aided-warmup",
    "Thousands of images for which that discriminator learns before it counts.",
    \.trainer.losses.visionAidedWarmup,
    key: "nifty.vision_aided_warmup",
    in: .between(0, 1e9, "thousand images"),
    ours: true,
    guide: "thousands of images for which the discriminator of `vision-aided` learns alone; its "
      + "weight then rises over as many more"
  )
  package static let clipViews = TrainingOption(
    "clip-views",
    "Augmented views of each image that CLIP's loss averages; 1 is the plain one.",
    \.trainer.losses.clipViews,
    key: "nifty.clip_views",
    in: .between(1, 64, "views"),
    ours: true,
    guide: "augmented views of each generated image that CLIP's loss averages (arXiv 2112.01573)"
  )
  package static let rateDecay = TrainingOption(
    "lr-decay-kimg",
    "Thousands of images from which on the learning rates fall; not at all if not given.",
    \.trainer.learningRateDecayKimg,
    key: "nifty.lr_decay_kimg",
    in: .above(0, atMost: 1e9, "thousand images"),
    default: .unsaid,
    ours: true,
    guide: "from so many thousand images on both learning rates fall with the square root of the "
      + "images seen (arXiv 2312.02696)"
  )
  package static let emaDeviation = TrainingOption(
    "ema-deviation",
    "Average the generator by a power function of this relative standard deviation.",
    \.trainer.emaDeviation,
    key: "nifty.ema_deviation",
    in: .between(0.001, 0.28),
    default: .unsaid,
    ours: true,
    guide:
      "relative standard deviation of a power function average (arXiv 2312.02696), in place of "
      + "`ema`"
  )
}
