package import Datasets
package import Distributed
package import Networks
package import Torch

/// The inputs of a run's steps, on one rank.
package struct StepInputs {
  /// The run's options, equal on all ranks.
  package let options: TrainingOptions
  /// The images that the run takes.
  package let data: TrainingSet
  /// CLIP's image tower, which judges generated images.
  package let clip: ImageTower
  /// Makes pseudo-text features; noise makes them if `nil`.
  package let pseudoText: (any PseudoTextSource)?
  /// The classifier whose features the vision-aided discriminator sees; `nil` without one.
  package let classifier: EfficientNetLite0?
  /// The files that the run reads beside its data.
  package let files: [FileIdentity]
  /// The device; the models are on it.
  package let device: Device
  /// The ranks that share each step.
  package let ranks: Ranks

  /// Collects the inputs.
  package init(
    options: TrainingOptions,
    data: TrainingSet,
    clip: ImageTower,
    pseudoText: (any PseudoTextSource)? = nil,
    classifier: EfficientNetLite0? = nil,
    files: [FileIdentity] = [],
    device: Device,
    ranks: Ranks = .alone
  ) {
    self.options = options
    self.data = data
    self.clip = clip
    self.pseudoText = pseudoText
    self.classifier = classifier
    self.files = files
    self.device = device
    self.ranks = ranks
  }
}

extension StepInputs {
  /// The same inputs with other options.
  package func with(_ options: TrainingOptions) -> StepInputs {
    StepInputs(
      options: options,
      data: data,
      clip: clip,
      pseudoText: pseudoText,
      classifier: classifier,
      files: files,
      device: device,
      ranks: ranks
    )
  }
}
