import JSON
import Networks

/// The mode of the discriminator's augmentation.
package enum AugmentMode: String, JSONConvertible, CaseIterable, Sendable {
  /// No augmentation.
  case noaug
  /// Adaptive: as strong as it takes to keep the discriminator from overfitting.
  case ada
  /// With a fixed probability.
  case fixed

  /// The mode of a run.
  init(_ options: TrainingOptions) {
    guard let augmentation = options.trainer.augmentation else {
      self = .noaug
      return
    }
    self = augmentation.target == nil ? .fixed : .ada
  }
}

/// The change of a run's augmentation by the command line, by the original's rules.
struct AugmentChange {
  /// The target of `--aug=ada` that names none.
  static let standardTarget = 0.6
  /// The transforms of an augmentation that names none.
  static let standardTransforms = "bgc"

  private let mode: AugmentMode?
  private let p: Double?
  private let target: Double?
  private let pipe: String?

  /// The values on the command line.
  init(_ arguments: TrainingArguments) {
    mode = arguments[.aug].flatMap(AugmentMode.init(json:))
    p = arguments[.p]?.double
    target = arguments[.target]?.double
    pipe = arguments[.augpipe]?.string
  }

  /// Applies the change to the options.
  ///
  /// - Throws: `TrainingError.option` for a contradiction.
  func apply(to options: inout TrainingOptions) throws(TrainingError) {
    let old = options.trainer.augmentation
    let mode = mode ?? AugmentMode(options)
    try check(mode, hasProbability: p != nil || (old != nil && old?.target == nil))
    if self.mode != nil { options.note(.aug) }
    if mode == .noaug {
      options.trainer.augmentation = nil
      return
    }
    let named = pipe ?? (old == nil ? Self.standardTransforms : nil)
    guard let transforms = named.flatMap({ AugmentConfiguration(named: $0) }) ?? old?.transforms
    else { return }
    var new = old ?? AugmentationOptions(transforms)
    if old == nil, options.resume != nil { new.adaptationKimg = 100 }
    new.transforms = transforms
    new.probability = p ?? (mode == .fixed ? old?.probability ?? 0 : 0)
    new.target = mode == .ada ? target ?? old?.target ?? Self.standardTarget : nil
    options.trainer.augmentation = new
    if p != nil { options.note(.p) }
    if target != nil { options.note(.target) }
    if pipe != nil { options.note(.augpipe) }
  }

  private func check(_ mode: AugmentMode, hasProbability: Bool) throws(TrainingError) {
    if let pipe, AugmentConfiguration(named: pipe) == nil {
      let known = AugmentConfiguration.names.joined(separator: ", ")
      throw .option("--augpipe must be one of \(known), not \(pipe)")
    }
    if p != nil, mode != .fixed {
      throw .option("--p goes with --aug=fixed only, not with --aug=\(mode.rawValue)")
    }
    if target != nil, mode != .ada {
      throw .option("--target goes with --aug=ada only, not with --aug=\(mode.rawValue)")
    }
    if pipe != nil, mode == .noaug {
      throw .option("--augpipe goes with --aug=ada or --aug=fixed, not with --aug=noaug")
    }
    if mode == .fixed, !hasProbability {
      throw .option("--aug=fixed needs --p, the probability of a transform")
    }
  }
}
