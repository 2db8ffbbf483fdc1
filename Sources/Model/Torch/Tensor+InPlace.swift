import CTorch

// Changes of a tensor's own memory: for parameters, averages and optimisers only.

extension Tensor {
  /// Overwrites the elements with those of `other`, converted.
  public func assign(_ other: Tensor) { InPlace.copy.run(self, other, false) }

  /// Takes the memory of `other`, of the same shape, on any device: how a module moves.
  public func adopt(_ other: Tensor) {
    guard other.device == .meta else { return InPlace.setData.run(self, other) }
    if ct_move_to_meta(handle) != 0 { torchFailure("adopt") }
  }

  /// Sets every element.
  public func fill(_ value: Double) { InPlace.fill.run(self, value) }

  /// self ← self + (other − self) · weight.
  public func interpolate(to other: Tensor, weight: Double) {
    InPlace.lerp.run(self, other, weight)
  }

  /// Every tensor of `targets` moves toward its partner: t ← t + (s − t) · weight.
  public static func interpolate(_ targets: [Tensor], to sources: [Tensor], weight: Double) {
    precondition(targets.count == sources.count, "\(targets.count) and \(sources.count) tensors")
    if !targets.isEmpty { InPlace.foreachLerp.run(targets, sources, weight) }
  }

  /// Adds a number to every tensor.
  public static func increment(_ tensors: [Tensor], by value: Double) {
    if !tensors.isEmpty { InPlace.foreachAdd.run(tensors, value) }
  }

  /// One fused Adam step over a list of tensors (Kingma & Ba, arXiv 1412.6980, algorithm 1;
  /// decoupled weight decay as in arXiv 1711.05101 where it is not 0).
  ///
  /// `steps` are float32 scalars, one a parameter: the number of this update from 1.
  public static func adamStep(
    parameters: [Tensor],
    gradients: [Tensor],
    firstMoments: [Tensor],
    secondMoments: [Tensor],
    steps: [Tensor],
    learningRate: Double,
    betas: (Double, Double),
    epsilon: Double,
    weightDecay: Double
  ) {
    if parameters.isEmpty { return }
    let op = weightDecay == 0 ? InPlace.adam : InPlace.adamW
    op.run(
      parameters,
      gradients,
      firstMoments,
      secondMoments,
      [Tensor](),
      steps,
      learningRate,
      betas.0,
      betas.1,
      weightDecay,
      epsilon,
      false,
      false
    )
  }
}

private enum InPlace {
  static let copy = Operator("aten::copy_")
  static let setData = Operator("aten::set_data")
  static let fill = Operator("aten::fill_.Scalar")
  static let lerp = Operator("aten::lerp_.Scalar")
  static let foreachLerp = Operator("aten::_foreach_lerp_.Scalar")
  static let foreachAdd = Operator("aten::_foreach_add_.Scalar")
  static let adam = Operator("aten::_fused_adam_")
  static let adamW = Operator("aten::_fused_adamw_")
}
