import Networks
package import Torch
import TorchNN

/// The state of a trainer beside its tensors.
package struct TrainerCounters: Codable, Equatable, Sendable {
  /// Images shown so far; the data's position and every random number follow from it and the seed.
  package var imagesSeen: Int
  /// The probability of an augmentation in use.
  package var augmentProbability: Double
  /// Signs of the real images' logits since that probability was adapted.
  package var augmentSigns: [Double]
  /// Factor on both learning rates: 1 until a collapse was rolled back.
  package var learningRateFactor: Double
}

extension Trainer {
  /// The numbers of the trainer's state.
  package var progress: TrainerCounters {
    TrainerCounters(
      imagesSeen: imagesSeen,
      augmentProbability: augmentProbability,
      augmentSigns: adaptive?.signs ?? [],
      learningRateFactor: learningRateFactor
    )
  }

  /// The live tensors of the trainer's state, by name.
  ///
  /// Networks are `G.…`, `D.…` and `G_ema.…` as in a snapshot; `G_opt.` and `D_opt.` hold Adam's
  /// moments under the parameters' names and its steps as one tensor; `pl_mean` is the mean path
  /// length. With LeCam's regulariser `logits.real` and `logits.fake` are its running means. With
  /// `--vision-aided` the heads are `D_vision.…`, and `D_opt` holds their moments under `vision.…`.
  /// Buffers are what a forward pass changes; all others change at the end of a phase.
  package var stateTensors: [(name: String, tensor: Tensor, isBuffer: Bool)] {
    var result = [(name: "pl_mean", tensor: meanPathLength, isBuffer: true)]
    if let anchors = context.anchors {
      result += [("logits.real", anchors.real, true), ("logits.fake", anchors.fake, true)]
    }
    for (prefix, module) in networks {
      result += module.state.map { ("\(prefix).\($0.name)", $0.tensor, !$0.isParameter) }
    }
    for (prefix, names, optimizer) in optimizers {
      for (index, name) in names.enumerated() {
        result.append(("\(prefix).first.\(name)", optimizer.firstMoments[index], false))
        result.append(("\(prefix).second.\(name)", optimizer.secondMoments[index], false))
      }
      result.append(("\(prefix).steps", Tensor(optimizer.steps.map { Float($0.item) }), false))
    }
    return result
  }

  /// Lends the state to a checkpoint; the trainer settles the loan before it changes a tensor.
  ///
  /// - Parameters:
  ///   - smallest: Bytes of the smallest tensor that is lent.
  ///   - partSize: Bytes that are read at once.
  /// - Returns: What the checkpoint is written from, on any thread.
  func lendState(smallest: Int = StateLoan.smallest, partSize: Int = 1 << 20) -> StateLoan {
    settleLoan()
    let loan = StateLoan(stateTensors, lending: smallest, partSize: partSize)
    self.loan = loan
    return loan
  }

  /// Ends the loan of the state, if there is one: from here on tensors may change.
  func settleLoan() {
    loan?.settle()
    loan = nil
  }

  /// Restores a stored state; if it does not fit, nothing is changed.
  ///
  /// - Parameters:
  ///   - progress: The numbers.
  ///   - tensors: The tensors by the names of `stateTensors`.
  /// - Throws: `TrainingError.checkpoint` naming the first tensor that is missing or of another shape.
  package func restore(
    _ progress: TrainerCounters,
    tensors: (String) -> Tensor?
  ) throws(TrainingError) {
    var pairs: [(target: Tensor, source: Tensor)] = []
    var steps: [String: [Float]] = [:]
    for (name, target, _) in stateTensors {
      guard let source = tensors(name) else { throw .checkpoint("\(name) is missing") }
      guard source.shape == target.shape, source.dtype == target.dtype else {
        throw .checkpoint("\(name) is \(source), the run's is \(target)")
      }
      if name.hasSuffix("_opt.steps") { steps[name] = source.floats }
      pairs.append((target, source))
    }
    settleLoan()
    withoutGradients {
      for (target, source) in pairs { target.assign(source) }
      for (prefix, _, optimizer) in optimizers {
        for (step, value) in zip(optimizer.steps, steps["\(prefix).steps"] ?? []) {
          step.fill(Double(value))
        }
      }
    }
    imagesSeen = progress.imagesSeen
    adaptive?.value = progress.augmentProbability
    adaptive?.signs = progress.augmentSigns
    pipe?.probability = progress.augmentProbability
    learningRateFactor = progress.learningRateFactor
  }

  private var networks: [(prefix: String, module: any Module)] {
    let vision = context.vision.map { [("D_vision", $0.discriminator as any Module)] } ?? []
    return [("G", generator), ("D", discriminator), ("G_ema", average)] + vision
  }

  /// With the names of the parameters, in the optimiser's order.
  private var optimizers: [(prefix: String, names: [String], optimizer: Adam)] {
    let vision = context.vision?.discriminator.namedParameters.map { "vision." + $0.name } ?? []
    return [
      ("G_opt", generator.namedParameters.map(\.name), generatorOptimizer),
      ("D_opt", discriminator.namedParameters.map(\.name) + vision, discriminatorOptimizer),
    ]
  }
}
