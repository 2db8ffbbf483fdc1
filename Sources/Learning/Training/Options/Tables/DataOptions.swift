import Text

// Options of the data.
extension TrainingOption {
  package static let dataOptions = [
    data, testData, cond, subset, mirror, mirrorFeatures, ratio, workers, imageCount,
  ]

  package static let data = TrainingOption(
    "data",
    "Zip to train on; repeat for several. Brace patterns are expanded.",
    \.data,
    key: "nifty.data",
    fields: [.field("training_set_kwargs.path", \.pathOrPaths)],
    default: .unsaid,
    guide: "required: packed datasets; repeats and takes brace patterns"
  )
  package static let testData = TrainingOption(
    "test_data",
    "Zip whose captions the metrics use.",
    \.testData,
    key: "testing_set_kwargs.path",
    default: .words("the first of --data")
  )
  package static let cond = TrainingOption(
    "cond",
    "Condition on the data's class labels, too.",
    \.usesLabels,
    key: "training_set_kwargs.use_labels",
    fields: [.field("testing_set_kwargs.use_labels", \.usesLabels)],
    guide:
      "1: the networks take the data's class labels, too, see [classes](five-stages.md#classes); "
      + "the original stops with an error"
  )
  package static let subset = TrainingOption(
    "subset",
    "Take only so many images.",
    \.subset,
    key: "nifty.subset",
    fields: [.field("training_set_kwargs.max_size", \.subsetOrAll)],
    in: .atLeast(1),
    default: .words("all")
  )
  package static let mirror = TrainingOption(
    "mirror",
    "Add every image mirrored.",
    \.mirror,
    key: "training_set_kwargs.xflip",
    fields: [.field("testing_set_kwargs.xflip", \.mirror)]
  )
  package static let mirrorFeatures = TrainingOption(
    "mirror-features",
    "Give mirrored images their own features, if packed.",
    \.mirrorsFeatures,
    key: "nifty.mirror_features",
    ours: true,
    guide: "mirrored images have the features that `nifty pack --mirror-features` made of them, "
      + "if there are any; 0: as the original, which flips pixels only"
  )
  package static let ratio = TrainingOption(
    "ratio",
    "Part of the images that keep their captions.",
    \.ratio,
    key: "ratio",
    fields: [
      .field("training_set_kwargs.ratio", \.ratio), .field("testing_set_kwargs.ratio", \.ratio),
    ],
    in: .between(0, 1),
    guide: "share of images whose captions are used; others get pseudo text"
  )
  package static let workers = TrainingOption(
    "workers",
    "Threads that decode images.",
    \.workers,
    key: "data_loader_kwargs.num_workers",
    in: .between(1, 1024, "threads"),
    continuing: .mayChange,
    guide: "threads that decode images; the default is ours"
  )
  static let imageCount = TrainingOption.fileOnly(
    "nifty.image_count",
    \.imageCount,
    in: .atLeast(0),
    continuing: .mayChange
  )
}
