import Networks

/// A named set of options of `nifty train`, each of which can be set alone, too.
package enum Recipe: String, Sendable, CaseIterable {
  /// LAFITE's options.
  case lafite
  /// Options that learn more from the same images (`Documentation/LEARNING.md`).
  case nifty

  /// Sets the recipe's options and no others.
  func apply(to trainer: inout TrainerConfiguration) {
    switch self {
    case .lafite:
      trainer.textLearningRateMultiplier = TextLayers.learningRateMultiplier
      trainer.reusesFakes = false
    case .nifty:
      trainer.textLearningRateMultiplier = 1
      trainer.reusesFakes = true
    }
  }
}
