import CLIP
import Sampling

extension TrainingOption {
  /// The tables of all options in the order of the help, each under its group's title.
  package static let groups: [(title: String, options: [TrainingOption])] = [
    ("Run to take up", beginnings), ("Data", dataOptions), ("Run", runOptions),
    ("Metrics", metricOptions), ("Recipe", recipeOptions), ("Networks", networkOptions),
    ("Losses", lossOptions),
    ("Augmentation", augmentOptions), ("Arithmetic", numericsOptions),
  ]

  /// All options.
  package static let all = groups.flatMap(\.options)

  /// Flags of a run's origin, and the CLIP.
  package static let beginnings = [file, continued, clip, dryRun]

  package static let file = TrainingOption(
    flag: "options",
    "Take the options of an earlier run; flags given beside it count more.",
    ours: true,
    guide:
      "`training_options.json` of an earlier run, ours or the original's; flags beside it count "
      + "more"
  )
  package static let continued = TrainingOption(
    flag: "continue",
    "Go on with a run: its folder, or latest for the newest in --outdir.",
    ours: true,
    guide: "goes on with a run exactly where it was, see "
      + "[fine-tuning](fine-tuning.md#when-it-stops)"
  )
  package static let clip = TrainingOption(
    "clip",
    "CLIP model that packed the data.",
    \.clip,
    key: "\(RunOptionsFile.ownKey).\(RunOptionsFile.clipKey)",
    default: .words(ClipModel.standardText),
    ours: true
  )
  package static let dryRun = TrainingOption(
    flag: "dry-run",
    "Print the options as JSON and stop.",
    guide: "also `-n`: print the options as JSON, under the original's keys, and stop"
  )
}
