package import CLIP
package import Datasets
package import Distributed
package import Networks
package import Torch
import TorchNN

extension StepInputs {
  /// The inputs of a run's steps: data, CLIP and mapper, checked against each other.
  ///
  /// - Parameters:
  ///   - options: The run's options.
  ///   - set: Its data.
  ///   - model: Its CLIP, on the device.
  ///   - classifier: The classifier of `--vision-aided`, on the device; `nil` without it.
  ///   - device: Where steps are computed.
  ///   - ranks: The ranks that share each step.
  /// - Throws: `TrainingError.option` naming the file that does not fit the others; what reading the mapper
  ///   throws.
  package init(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    _ model: ClipModel,
    classifier: EfficientNetLite0? = nil,
    on device: Device,
    _ ranks: Ranks
  ) throws {
    try Self.check(model, fits: set, options)
    self.init(
      options: options,
      data: set,
      clip: ImageTower(
        side: model.side,
        encode: model.model.imageTower(in: options.trainer.clipPrecision(on: device))
      ),
      textMapper: try Self.textMapper(options, set, model, device),
      classifier: classifier,
      device: device,
      ranks: ranks
    )
  }

  private static func check(
    _ model: ClipModel,
    fits set: TrainingSet,
    _ options: TrainingOptions
  ) throws(TrainingError) {
    let width = model.model.configuration.embedDimension
    guard set.featureDimension == width else {
      throw TrainingError.option(
        "\(options.data.first ?? "the data") has features of \(set.featureDimension) numbers, "
          + "\(options.clip) makes \(width); pack again with --clip \(options.clip), or train with the "
          + "CLIP that packed it"
      )
    }
    for (dataset, path) in zip(set.datasets, options.data) {
      guard let maker = dataset.manifest?.featureModel, maker.sha256 != model.sha256 else {
        continue
      }
      throw TrainingError.option(
        "the features in \(path) were made by another CLIP (\(maker.name)) than \(options.clip); "
          + "pack again with --clip \(options.clip), or train with the other"
      )
    }
  }

  private static func textMapper(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    _ model: ClipModel,
    _ device: Device
  ) throws -> TextMapper? {
    guard let path = options.textMapper else { return nil }
    let (mapper, notes) = try TextMapper.load(path)
    guard mapper.configuration.featureDimension == set.featureDimension else {
      throw TrainingError.option(
        "\(path) maps features of \(mapper.configuration.featureDimension) numbers, the data has "
          + "\(set.featureDimension)"
      )
    }
    if let maker = notes["clip_sha256"], maker != model.sha256 {
      throw TrainingError.option(
        "\(path) was made for another CLIP (\(notes["clip"] ?? "unnamed")) than \(options.clip)"
      )
    }
    mapper.setTrainable(false)
    mapper.move(to: device)
    return mapper
  }
}
