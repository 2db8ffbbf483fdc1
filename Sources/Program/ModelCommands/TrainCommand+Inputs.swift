import CLIP
import Console
import Datasets
import Distributed
import Networks
import Sampling
import Torch
import TorchNN
import Training

// What a step reads besides the options: the data, the CLIP, the mapper and the prompts, checked against each
// other.
extension TrainCommand {
  /// What every step reads.
  ///
  /// - Throws: `TrainingError` naming the file that does not fit the others.
  func inputs(
    _ options: TrainingOptions,
    _ set: TrainingSet,
    _ model: ClipModel,
    on device: Device,
    _ ranks: Ranks
  ) throws -> StepInputs {
    try check(model, fits: set, options)
    return StepInputs(
      options: options,
      data: set,
      clip: ImageTower(
        side: model.side,
        encode: model.model.imageTower(in: options.trainer.clipPrecision(on: device))
      ),
      textMapper: try textMapper(options, set, model, device),
      device: device,
      ranks: ranks
    )
  }

  private func check(_ model: ClipModel, fits set: TrainingSet, _ options: TrainingOptions) throws {
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

  private func textMapper(
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

  /// Copies the prompts into the run's folder: a continued run paints the same ones.
  func readPrompts(of options: inout TrainingOptions, continued: Bool) throws {
    // A new run by an earlier one's options reads the file again if it is named again.
    let isNamed = !continued && runFlags.prompts != nil
    guard let file = options.prompts, options.promptLines == nil || isNamed else { return }
    options.promptLines = try Prompts.lines(of: file)
  }

  func promptFeatures(_ options: TrainingOptions, _ model: ClipModel) throws -> Tensor? {
    guard let lines = options.promptLines, !lines.isEmpty else { return nil }
    if let note = model.noteOnLength(of: lines) { Console.error("--prompts: \(note)") }
    let features = try model.features(of: lines).normalized()
    let repeated = lines.indices.flatMap { [Int](repeating: $0, count: 4) }
    return features.gathered(0, repeated)
  }
}
