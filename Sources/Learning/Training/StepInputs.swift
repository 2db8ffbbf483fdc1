package import Datasets
package import Distributed
package import Networks
package import Torch

/// The inputs of a run's steps, on one of its ranks.
package struct StepInputs {
  /// Everything about the run, equal on all ranks.
  package let options: TrainingOptions
  /// The images that the run takes.
  package let data: TrainingSet
  /// Judges generated images.
  package let clip: ImageTower
  /// Makes pseudo-text features; noise does if `nil`.
  package let textMapper: TextMapper?
  /// Where to compute; the models are there.
  package let device: Device
  /// The processes that share each step.
  package let ranks: Ranks

  /// Collects the inputs.
  package init(
    options: TrainingOptions,
    data: TrainingSet,
    clip: ImageTower,
    textMapper: TextMapper? = nil,
    device: Device,
    ranks: Ranks = .alone
  ) {
    self.options = options
    self.data = data
    self.clip = clip
    self.textMapper = textMapper
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
      textMapper: textMapper,
      device: device,
      ranks: ranks
    )
  }
}

/// CLIP's image tower as the losses call it.
package struct ImageTower {
  /// Its input size in pixels.
  package let side: Int
  /// Normalised pixels [N, 3, side, side] → features [N, F], float32.
  package let encode: (Tensor) -> Tensor

  /// A tower.
  package init(side: Int, encode: @escaping (Tensor) -> Tensor) {
    self.side = side
    self.encode = encode
  }
}
