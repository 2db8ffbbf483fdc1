import CTorch

extension Tensor {
  /// Whether operations on this tensor are recorded for differentiation.
  public var requiresGradient: Bool {
    get { ct_requires_grad(handle) }
    set {
      if ct_set_requires_grad(handle, newValue) != 0 { torchFailure("requiresGradient") }
    }
  }
}

/// The gradients of Σ outputs with respect to each input.
///
/// - Parameters:
///   - outputs: Tensors of any shape; their elements are summed.
///   - inputs: Tensors with `requiresGradient`, or results that depend on such.
///   - createGraph: Records the computation so that the gradients can be differentiated again
///     (R1 and path length need it).
///   - retainGraph: Keeps the recorded graph for another call; `createGraph` by default.
/// - Returns: One gradient an input; `nil` where an input takes no part.
public func gradients(
  of outputs: [Tensor],
  withRespectTo inputs: [Tensor],
  createGraph: Bool = false,
  retainGraph: Bool? = nil
) -> [Tensor?] {
  let ones = outputs.map { Tensor.ones(like: $0) }
  let outputHandles: [OpaquePointer?] = outputs.map(\.handle)
  let weightHandles: [OpaquePointer?] = ones.map(\.handle)
  let inputHandles: [OpaquePointer?] = inputs.map(\.handle)
  var results = [OpaquePointer?](repeating: nil, count: inputs.count)
  let status = withExtendedLifetime((outputs, ones, inputs)) {
    ct_grad(
      outputHandles,
      weightHandles,
      outputHandles.count,
      inputHandles,
      inputHandles.count,
      retainGraph ?? createGraph,
      createGraph,
      true,
      &results
    )
  }
  if status != 0 { torchFailure("gradients") }
  return results.map { $0.map(Tensor.init(owning:)) }
}

/// The gradient of Σ output with respect to one input that must take part.
public func gradient(
  of output: Tensor,
  withRespectTo input: Tensor,
  createGraph: Bool = false
) -> Tensor {
  let all = gradients(of: [output], withRespectTo: [input], createGraph: createGraph)
  guard let found = all[0] else { preconditionFailure("the output does not depend on the input") }
  return found
}

/// Runs `body` without recording anything for differentiation.
///
/// The switch is the thread's, so the closure is synchronous: nothing may be awaited inside.
public func withoutGradients<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let before = ct_set_grad_enabled(false)
  defer { _ = ct_set_grad_enabled(before) }
  return try body()
}
