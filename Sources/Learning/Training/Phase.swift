import Torch

/// A phase of a training step: one loss and one step of an optimiser.
package enum Phase: String, Sendable, CaseIterable {
  /// The generator's main loss before `pairedWarmup` has passed.
  case generatorWarmup = "Gpaired"
  case generatorMain = "Gmain"
  case generatorRegularisation = "Greg"
  case discriminatorMain = "Dmain"
  case discriminatorRegularisation = "Dreg"

  /// Whether the phase updates the generator.
  package var isGenerator: Bool {
    switch self {
    case .generatorWarmup, .generatorMain, .generatorRegularisation: true
    case .discriminatorMain, .discriminatorRegularisation: false
    }
  }

  /// The stream of its random numbers.
  var randomStream: RandomStream {
    switch self {
    case .generatorWarmup, .generatorMain: .generatorMain
    case .generatorRegularisation: .generatorRegularisation
    case .discriminatorMain: .discriminatorMain
    case .discriminatorRegularisation: .discriminatorRegularisation
    }
  }
}
