package import CLIP
package import Datasets
package import Distributed
package import Networks
package import Torch
import TorchNN

extension StepInputs {
  /// The inputs of a run's steps: data, CLIP and what makes pseudo text, checked against each other.
  ///
  /// - Parameters:
  ///   - options: The run's options.
  ///   - set: Its data.
  ///   - model: Its CLIP, on the device.
  ///   - captions: Features of the captions of `--text-corpus`, unit length, [C, F], on the device; `nil` without it.
  ///   - classifier: The classifier of `--vision-aided`, on the device; `nil` without it.
  ///   - device: Where steps are computed.
  ///   - ranks: The ranks that share each step.
  /// - Throws: `TrainingError.option` naming the file that does not fit the others; what reading the mapper and
  ///   the corpus throws.
  package init(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    _ model: ClipModel,
    captions: Tensor? = nil,
    classifier: EfficientNetLite0? = nil,
    on device: Device,
    _ ranks: Ranks
  ) throws {
    try Self.check(model, fits: set, from: options.data, clip: options.clip)
    self.init(
      options: options,
      data: set,
      clip: ImageTower(
        side: model.side,
        encode: model.model.imageTower(in: options.trainer.clipPrecision(on: device))
      ),
      pseudoText: try captions.map { try Self.retrieval(options, set, $0, device) }
        ?? Self.textMapper(options, set, model, device),
      classifier: classifier,
      files: try FileIdentity.all(of: options, clip: model.sha256),
      device: device,
      ranks: ranks
    )
  }

  /// Checks that features were made by a run's CLIP.
  ///
  /// - Parameters:
  ///   - model: The CLIP.
  ///   - set: The data with features.
  ///   - paths: The files of the data, for messages.
  ///   - clip: The file of the CLIP, for messages.
  /// - Throws: `TrainingError.option` naming the file whose features are of another width or CLIP.
  static func check(
    _ model: ClipModel,
    fits set: TrainingSet,
    from paths: [String],
    clip: String
  ) throws(TrainingError) {
    let width = model.model.configuration.embedDimension
    guard set.featureDimension == width else {
      throw TrainingError.option(
        "\(paths.first ?? "the data") has features of \(set.featureDimension) numbers, "
          + "\(clip) makes \(width); pack again with --clip \(clip), or train with the "
          + "CLIP that packed it"
      )
    }
    for (dataset, path) in zip(set.datasets, paths) {
      guard let maker = dataset.manifest?.featureModel, maker.sha256 != model.sha256 else {
        continue
      }
      throw TrainingError.option(
        "the features in \(path) were made by another CLIP (\(maker.name)) than \(clip); "
          + "pack again with --clip \(clip), or train with the other"
      )
    }
  }

  /// Images of the data with which retrieved texts are contrasted, at most.
  private static let contrastedImages = 256

  private static func retrieval(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    _ captions: Tensor,
    _ device: Device
  ) throws(TrainingError) -> TextRetrieval {
    let count = min(set.rawCount, contrastedImages)
    let features = (0..<count).flatMap { index in
      let (dataset, entry) = set.location(ofRaw: index * set.rawCount / count)
      return dataset.imageFeature(at: entry)
    }
    let others = Tensor(features, shape: [count, set.featureDimension]).normalized()
    guard others.isFinite else {
      throw .option(
        "the data: the feature of an image is zero or not finite; see nifty dataset verify"
      )
    }
    return TextRetrieval(
      captions: captions,
      others: others.to(device),
      .init(noise: options.trainer.losses.imageNoise, steps: options.textCorpusSteps)
    )
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
