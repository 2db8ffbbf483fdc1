package import Testing
package import Torch

/// Expects the derivatives of a function to agree with central differences, in float64.
///
/// - Parameters:
///   - x: Where; float64, few elements.
///   - step: Distance of the differences.
///   - tolerance: Largest difference, relative to the largest derivative.
///   - sourceLocation: Where a failure is reported.
///   - function: A differentiable scalar function.
package func expectGradient(
  at x: Tensor,
  step: Double = 1e-5,
  tolerance: Double = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ function: (Tensor) -> Tensor
) {
  precondition(x.dtype == .float64, "a gradient check in \(x.dtype)")
  let variable = x.detached().copy()
  variable.requiresGradient = true
  let derivative = gradient(of: function(variable), withRespectTo: variable)
  let base: [Double] = x.values()
  let differences = base.indices.map { index -> Double in
    func value(_ offset: Double) -> Double {
      var moved = base
      moved[index] += offset
      return function(Tensor(moved, shape: x.shape)).item
    }
    return (value(step) - value(-step)) / (2 * step)
  }
  let largest = differences.map(\.magnitude).max() ?? 0
  expectClose(
    derivative,
    Tensor(differences, shape: x.shape),
    rtol: 0,
    atol: tolerance * max(largest, 1e-3),
    "derivative",
    sourceLocation: sourceLocation
  )
}
