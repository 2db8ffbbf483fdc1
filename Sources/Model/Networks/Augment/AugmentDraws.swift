import Torch

/// The random values of one batch, each with its gate.
struct AugmentDraws {
  enum Kind { case uniform, normal }

  let count: Int
  let probability: Double
  let random: any RandomSource

  /// A value from U[0, 1) each, mapped; 0 where the gate stays shut.
  func uniform(
    _ shape: [Int]? = nil,
    gate multiplier: Double,
    _ map: (Tensor) -> Tensor
  ) -> Tensor {
    let value = map(random.uniform(shape ?? [count]))
    return gated(value, multiplier * probability, identity: 0)
  }

  /// The same with a gate of its own probability.
  func uniform(probability: Double, _ map: (Tensor) -> Tensor) -> Tensor {
    gated(map(random.uniform([count])), probability, identity: 0)
  }

  /// A value from N(0, 1) each, mapped; `identity` where the gate stays shut.
  func normal(
    _ shape: [Int]? = nil,
    gate multiplier: Double,
    identity: Double = 0,
    _ map: (Tensor) -> Tensor
  ) -> Tensor {
    let value = map(random.normal(shape ?? [count]))
    return gated(value, multiplier * probability, identity: identity)
  }

  /// Two values each under one gate, as two tensors [N].
  func pair(_ kind: Kind, gate multiplier: Double, _ map: (Tensor) -> Tensor) -> [Tensor] {
    let drawn = kind == .uniform ? random.uniform([count, 2]) : random.normal([count, 2])
    let value = map(drawn)
    let open = random.uniform([count, 1]) .< multiplier * probability
    let both = Tensor.zeros(like: value).replacing(with: value, where: open)
    return [both.selected(1, 0), both.selected(1, 1)]
  }

  /// The value where a gate opens, else `identity`.
  func gated(_ value: Tensor, _ probability: Double, identity: Double) -> Tensor {
    let open = random.uniform(value.shape) .< probability
    return Tensor.full(value.shape, identity).replacing(with: value, where: open)
  }
}
