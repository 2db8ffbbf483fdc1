import ArgumentParser
import Training

/// Flags of the discriminator's augmentation (ADA), with the original's names and rules.
struct AugmentFlags: ParsableArguments {
  @Option(.aug) var aug: AugmentMode?
  @Option(.p) var p: Double?
  @Option(.target) var target: Double?
  @Option(.augpipe) var augpipe: String?

  /// The given values.
  var given: [TrainingArguments.Given] {
    [.init(.aug, aug), .init(.p, p), .init(.target, target), .init(.augpipe, augpipe)]
  }
}

extension AugmentMode: ExpressibleByArgument {}
