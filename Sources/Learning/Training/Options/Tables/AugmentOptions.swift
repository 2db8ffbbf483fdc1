import JSON
import Text

// Options of the discriminator's augmentation (ADA), with the original's names and rules. `AugmentChange`
// combines them.
extension TrainingOption {
  package static let augmentOptions =
    [aug, p, target, augpipe] + [
      .fileOnly(
        "ada_kimg",
        \.augmentKimg,
        in: .above(0, atMost: 1e12, "thousands of images"),
        if: { $0.augmentTarget != nil }
      ),
      .fileOnly(
        "ada_interval",
        \.augmentInterval,
        in: .atLeast(1),
        if: { $0.augmentTarget != nil }
      ),
    ]

  package static let aug = TrainingOption(
    flag: "aug",
    "Augmentation: none, adaptive, or of a fixed p.",
    default: .value,
    guide: "discriminator augmentation: `noaug`, `ada` (adaptive) or `fixed`",
    value: { .string(AugmentMode($0).rawValue) }
  )
  package static let p = TrainingOption(
    flag: "p",
    "Probability of a transform, 0 to 1; with --aug=fixed only.",
    fields: [
      .field("augment_p", \.augmentProbability, if: { $0.trainer.augmentation != nil })
    ],
    in: .between(0, 1),
    value: { $0.trainer.augmentation?.probability.json ?? .null }
  )
  package static let target = TrainingOption(
    flag: "target",
    "What ADA keeps the mean of sign(D(real)) at.",
    fields: [.field("ada_target", \.augmentTarget, if: { $0.augmentTarget != nil })],
    in: .between(0, 1),
    default: .words(Text.typed(AugmentChange.standardTarget)),
    guide: "target of the sign of D(real); with `--aug=ada` only",
    value: { $0.augmentTarget.json }
  )
  package static let augpipe = TrainingOption(
    flag: "augpipe",
    """
    Transforms: blit, geom, color, filter, noise, cutout, bg, bgc, bgcf, bgfn, bgcfn or \
    bgcfnc.
    """,
    fields: [
      .field("augment_kwargs", \.augmentKeywords, if: { $0.trainer.augmentation != nil })
    ],
    default: .words(AugmentChange.standardTransforms)
  )
}
