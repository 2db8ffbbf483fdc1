import Torch

/// What a phase of a training step differentiates.
package enum Phase: String, Sendable, CaseIterable {
  case generatorMain = "Gmain"
  case generatorRegularisation = "Greg"
  case discriminatorMain = "Dmain"
  case discriminatorRegularisation = "Dreg"

  /// Whether the generator's weights move.
  package var isGenerator: Bool {
    self == .generatorMain || self == .generatorRegularisation
  }

  /// What its draws come from.
  var randomStream: RandomStream {
    switch self {
    case .generatorMain: .generatorMain
    case .generatorRegularisation: .generatorRegularisation
    case .discriminatorMain: .discriminatorMain
    case .discriminatorRegularisation: .discriminatorRegularisation
    }
  }
}
