import Networks

/// A named set of options of `nifty train`, of which each counts alone, too.
package enum Recipe: String, Sendable, CaseIterable {
  /// What LAFITE does.
  case lafite
  /// What learns more from the same images (`Documentation/LEARNING.md`).
  case nifty

  /// Sets what the recipe says; everything else stays as it is.
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
