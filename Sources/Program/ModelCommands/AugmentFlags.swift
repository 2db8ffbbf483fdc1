import ArgumentParser
import Networks
import Training

/// Flags of the discriminator's augmentation (ADA), with the original's names and rules.
struct AugmentFlags: ParsableArguments {
  /// How strongly the discriminator's images are augmented.
  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case noaug, ada, fixed
  }

  @Option(help: "Augmentation: none, adaptive, or of a fixed p. (default: noaug)")
  var aug: Mode?

  @Option(help: "Probability of a transform, 0 to 1; with --aug=fixed only.")
  var p: Double?

  @Option(help: "What ADA keeps the mean of sign(D(real)) at. (default: 0.6)")
  var target: Double?

  @Option(
    help: """
      Transforms: blit, geom, color, filter, noise, cutout, bg, bgc, bgcf, bgfn, bgcfn or \
      bgcfnc. (default: bgc)
      """
  )
  var augpipe: String?

  func validate() throws {
    if let augpipe, AugmentConfiguration(named: augpipe) == nil {
      let known = AugmentConfiguration.names.joined(separator: ", ")
      throw ValidationError("--augpipe must be one of \(known), not \(augpipe)")
    }
  }

  /// Puts what was given into the options, which may have an augmentation already.
  func apply(to options: inout TrainingOptions) throws(TrainingError) {
    let old = options.trainer.augmentation
    let mode = aug ?? (old == nil ? .noaug : old?.target == nil ? .fixed : .ada)
    try check(mode, hasProbability: p != nil || (old != nil && old?.target == nil))
    if aug != nil { options.note(.aug) }
    if mode == .noaug {
      options.trainer.augmentation = nil
      return
    }
    let named = augpipe ?? (old == nil ? "bgc" : nil)
    guard let transforms = named.flatMap({ AugmentConfiguration(named: $0) }) ?? old?.transforms
    else { return }
    var new = old ?? AugmentationOptions(transforms)
    if old == nil, options.resume != nil { new.adaptationKimg = 100 }
    new.transforms = transforms
    new.probability = p ?? (mode == .fixed ? old?.probability ?? 0 : 0)
    new.target = mode == .ada ? target ?? old?.target ?? 0.6 : nil
    options.trainer.augmentation = new
    if p != nil { options.note(.p) }
    if target != nil { options.note(.target) }
    if augpipe != nil { options.note(.augpipe) }
  }

  private func check(_ mode: Mode, hasProbability: Bool) throws(TrainingError) {
    if p != nil, mode != .fixed {
      throw .option("--p goes with --aug=fixed only, not with --aug=\(mode.rawValue)")
    }
    if target != nil, mode != .ada {
      throw .option("--target goes with --aug=ada only, not with --aug=\(mode.rawValue)")
    }
    if augpipe != nil, mode == .noaug {
      throw .option("--augpipe goes with --aug=ada or --aug=fixed, not with --aug=noaug")
    }
    if mode == .fixed, !hasProbability {
      throw .option("--aug=fixed needs --p, the probability of a transform")
    }
  }
}
