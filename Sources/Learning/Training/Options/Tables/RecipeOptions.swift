import Text

// Options beyond LAFITE's that change how much a run learns from its images.
extension TrainingOption {
  package static let recipeOptions = [recipe, textMultiplier, reusesFakes]

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
}
