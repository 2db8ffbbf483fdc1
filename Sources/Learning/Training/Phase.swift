import Torch

/// A phase of a training step: one loss and one step of an optimiser.
package enum Phase: String, Sendable, CaseIterable {
  case generatorMain = "Gmain"
  case generatorRegularisation = "Greg"
  case discriminatorMain = "Dmain"
  case discriminatorRegularisation = "Dreg"

  /// Whether the phase updates the generator.
  package var isGenerator: Bool {
    self == .generatorMain || self == .generatorRegularisation
  }

  /// The stream of its random numbers.
  var randomStream: RandomStream {
    switch self {
    case .generatorMain: .generatorMain
    case .generatorRegularisation: .generatorRegularisation
    case .discriminatorMain: .discriminatorMain
    case .discriminatorRegularisation: .discriminatorRegularisation
    }
  }
}
